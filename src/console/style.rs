//! The one stylesheet.

use axum::http::StatusCode;
use axum::response::Response;

use super::answer;

const STYLE: &str = include_str!("page/style.css");

pub(super) fn answer() -> Response {
    answer::typed(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::STYLE;

    #[test]
    fn the_stylesheet_loads_nothing_and_its_colours_are_tokens() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        let (tokens, rules) = STYLE.split_once("/* rules */").expect("tokens before rules");
        assert!(tokens.contains("prefers-color-scheme: dark"));
        assert!(!rules.contains('#'), "a colour that is no token");
    }
}
