//! Envelopes that are not whole, or not the sender's own: dead letters with their codes, and nothing lost or looping.

use brygga::domain::Code;
use uuid::Uuid;

use super::world::{Post, Supplier, World, noon, until};
use crate::servers::rabbit::Rabbit;

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_is_not_whole_becomes_a_dead_letter_once() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let good = |n: u32| Post::report(Uuid::now_v7(), &format!("AR-{n}"));
    let mut posts: Vec<(Post, Code)> = Vec::new();
    let mut envelope = |n: u32, change: &dyn Fn(Post) -> Post| posts.push((change(good(n)), Code::TransportEnvelope));
    // lapin has no way to take a property away, so these are built without it.
    let bare = || lapin::BasicProperties::default().with_user_id("hallefors-ame".into());
    envelope(1, &|mut post| {
        post.properties =
            bare().with_timestamp(1).with_type("activity-report.v1".into()).with_content_type("application/json".into());
        post
    });
    envelope(2, &|mut post| {
        post.properties = post.properties.with_message_id("17".into());
        post
    });
    envelope(3, &|mut post| {
        post.properties = post.properties.with_content_type("text/plain".into());
        post
    });
    envelope(4, &|mut post| {
        post.properties = post.properties.with_type("Activity Report".into());
        post
    });
    envelope(5, &|mut post| {
        post.properties = post.properties.with_timestamp(u64::MAX);
        post
    });
    envelope(6, &|mut post| {
        post.properties = post.properties.with_correlation_id("the one before".into());
        post
    });
    envelope(7, &|mut post| {
        let id = Uuid::now_v7().to_string();
        let whole = bare().with_message_id(id.as_str().into()).with_content_type("application/json".into());
        post.properties = whole.with_type("activity-report.v1".into());
        post
    });
    for (n, key) in [(11, "1273.ame.activity-report"), (12, "1863.forsorjningsstod.activity-report"), (13, "1863.ame.consent")]
    {
        posts.push((Post { routing_key: key.to_owned(), ..good(n) }, Code::TransportRoutingKey));
    }
    posts.push((Post { routing_key: "1863.ame.activity-report.more".to_owned(), ..good(14) }, Code::TransportRoutingKey));
    let mut huge = good(15);
    huge.body.resize(1_048_577, b' ');
    posts.push((huge, Code::TransportOversize));
    for (post, _) in &posts {
        supplier.post(post).await.expect("posted");
    }
    let count = i64::try_from(posts.len()).expect("a few");
    world.stored(count).await;
    for (post, _) in &posts {
        supplier.post(post).await.expect("posted again");
    }
    until("each has come twice", async || world.census().await.received >= 2 * count).await;
    // A mended envelope under the same id is a new message.
    let mut mended = posts[2].0.clone();
    mended.properties = mended.properties.with_content_type("application/json".into());
    supplier.post(&mended).await.expect("posted");
    world.stored(count + 1).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.refused, census.duplicates, census.journeys, census.restricted), (count, count, 1, 0), "{census:?}");
    let codes: Vec<Code> = world.letters().await.iter().map(|letter| letter.cause.code).collect();
    assert_eq!(codes, posts.iter().map(|(_, code)| *code).collect::<Vec<_>>());
    let letters = world.letters().await;
    let retried = world.desk.journey.retry(&world.desk.store, letters[0].message, "op").await.expect("the store");
    assert_eq!(retried, Some(brygga::store::MessageState::Refused), "a broken envelope cannot be run again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_is_who_the_broker_says_and_nobody_else() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    rabbit.user("stranger", crate::servers::rabbit::PASSWORD).await;
    let vhost = world.vhost.clone();
    rabbit.allow(&vhost, "stranger").await;
    world.start_up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "osby-ame").await;
    let foreign = supplier.post(&Post::report(Uuid::now_v7(), "AR-1")).await;
    assert!(foreign.is_err(), "the broker refuses another's name");
    let stranger = Supplier::connect(world.port, &world.vhost, "stranger").await;
    let mut unknown = Post::report(Uuid::now_v7(), "AR-2");
    unknown.properties = unknown.properties.with_user_id("stranger".into());
    stranger.post(&unknown).await.expect("the broker knows him");
    let mut nobody = Post::report(Uuid::now_v7(), "AR-3");
    nobody.properties = lapin::BasicProperties::default()
        .with_message_id(Uuid::now_v7().to_string().as_str().into())
        .with_timestamp(1_773_658_800)
        .with_type("activity-report.v1".into())
        .with_content_type("application/json".into());
    stranger.post(&nobody).await.expect("posted without a name");
    world.stored(2).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.refused, census.restricted), (2, 1), "whose it is cannot be told, so nobody may look: {census:?}");
    let codes: Vec<Code> = world.letters().await.iter().map(|letter| letter.cause.code).collect();
    assert_eq!(codes, [Code::TransportSender]);
}
