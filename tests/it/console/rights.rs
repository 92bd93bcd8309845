//! The matrix of rights: every route, and every kind of person, with exactly the answer that is expected.

use brygga::console::routes::{ROUTES, Route};
use brygga::domain::Role;

use super::world::House;

/// What each route answers: to whoever is signed out, viewer, operator, privacy and admin. A form is sent as its own page sends
/// it, without any field; 303 leads on, 422 and 403 are told on the page.
const EXPECTED: [(&str, &str, [u16; 5]); 13] = [
    ("GET", "/console/", [303, 200, 200, 200, 200]),
    ("GET", "/console/sign-in", [200, 200, 200, 200, 200]),
    ("POST", "/console/sign-in", [403, 403, 403, 403, 403]),
    ("GET", "/console/enter", [404, 404, 404, 404, 404]),
    ("POST", "/console/sign-out", [303, 303, 303, 303, 303]),
    ("POST", "/console/sign-out-everywhere", [303, 303, 303, 303, 303]),
    ("GET", "/console/account", [303, 200, 200, 200, 200]),
    ("POST", "/console/account/password", [303, 422, 422, 422, 422]),
    ("GET", "/console/people", [303, 403, 403, 403, 200]),
    ("GET", "/console/help", [200, 200, 200, 200, 200]),
    ("GET", "/console/accessibility", [200, 200, 200, 200, 200]),
    ("POST", "/console/language", [303, 303, 303, 303, 303]),
    ("GET", "/console/style.css", [200, 200, 200, 200, 200]),
];

const fn method(route: &Route) -> &'static str {
    if route.changes { "POST" } else { "GET" }
}

#[test]
fn the_matrix_names_every_route_and_no_other() {
    let named: Vec<_> = EXPECTED.iter().map(|(method, path, _)| (*method, *path)).collect();
    let routes: Vec<_> = ROUTES.iter().map(|route| (method(route), route.path)).collect();
    assert_eq!(named, routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_kind_of_person_as_the_matrix_says() {
    for (index, role) in
        [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Privacy), Some(Role::Admin)].into_iter().enumerate()
    {
        let house = House::open().await;
        house.account("somebody", role.unwrap_or(Role::Viewer), &["all"]).await;
        for (method, path, answers) in EXPECTED {
            let token = match role {
                Some(_) => Some(house.session("somebody").await),
                None => None,
            };
            let answer = match method {
                "GET" => house.get(path, token.as_ref()).await,
                _ => house.post(path, token.as_ref(), &[]).await,
            };
            assert_eq!(answer.status().as_u16(), answers[index], "{method} {path} as {role:?}");
            // Only what a signed-out person asks for in vain leads to signing in.
            if answer.status() == 303 && role.is_none() && path != "/console/language" {
                assert_eq!(answer.headers()["location"], "/console/sign-in", "{method} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_gone_at_once() {
    let house = House::open().await;
    house.account("keeper", Role::Admin, &["all"]).await;
    let token = house.session("keeper").await;
    assert_eq!(house.get("/console/people", Some(&token)).await.status(), 200);
    let name = "keeper".parse().expect("a name");
    brygga::account::change(&house.store, "the test", &name, Some(Role::Viewer), None).await.expect("changed");
    assert_eq!(house.get("/console/people", Some(&token)).await.status(), 303, "the session has ended");
    let token = house.session("keeper").await;
    assert_eq!(house.get("/console/people", Some(&token)).await.status(), 403);
}
