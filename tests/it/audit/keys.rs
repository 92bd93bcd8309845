//! Checkpoints that were signed with a key which is no longer in use.

use brygga::app::{PUBLIC_KEY, Scenario};
use brygga::store::{AuditAct, AuditRow, Store as _, Tx as _};

use crate::harness::{Desk, brygga};

#[test]
fn a_checkpoint_is_believed_by_the_key_of_its_time_when_another_has_come_into_use() {
    let instant = "2026-03-16T11:00:00Z".parse().expect("an instant");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scenario = Scenario { title: "made here".to_owned(), instant, messages: Vec::new() };
    let desk = runtime.block_on(Desk::open(&scenario));
    let folder = desk.path().join("checkpoints");
    let mut public = Vec::new();
    for _ in 0..3 {
        let written = runtime.block_on(async {
            let mut tx = desk.store.begin("test").await.expect("a transaction");
            tx.audit(&AuditRow::of_program(AuditAct::Contracts).with("x")).await.expect("noted");
            tx.commit().await.expect("committed");
            desk.data.checkpoints().expect("a key").write(&desk.store).await.expect("written")
        });
        assert!(written.is_some());
        public.push(std::fs::read_to_string(folder.join(PUBLIC_KEY)).expect("the public key"));
        // Another key from here on.
        std::fs::remove_file(desk.path().join("keys/checkpoint.key")).expect("removed");
    }
    assert!(public[0] != public[1] && public[1] != public[2]);
    let (data, at) = (desk.path().display().to_string(), folder.display().to_string());
    let (code, said) = brygga(&["audit", "verify", "--data", &data, "--checkpoint", &at]);
    assert_eq!(code, 0, "{said}");
    // With the newest key alone, the earlier ones are not believed; with each of them named, all are.
    let mut given = vec!["audit", "verify", "--data", &data, "--checkpoint", &at];
    let kept: Vec<String> = (0..3).map(|index| desk.path().join(format!("kept-{index}")).display().to_string()).collect();
    for (path, text) in kept.iter().zip(&public).rev() {
        std::fs::write(path, text).expect("kept elsewhere");
        given.extend(["--public-key", path]);
        let (code, said) = brygga(&given);
        assert_eq!(code, if *path == kept[0] { 0 } else { 2 }, "{said}");
    }
}
