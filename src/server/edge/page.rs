//! Pages for a browser: a few lines of text, made here.
//! Owns that nothing runs in them and nobody frames them. Refuses markup from anybody: every line is escaped.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::text::shown;

/// What every page is.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}\
     code{font-size:1.25rem;user-select:all}button{font:inherit;padding:.5rem 1rem}";

/// What a page without a form sends, and what one with a form does.
const NO_FORM: &str = "form-action 'none'";
const OWN_FORM: &str = "form-action 'self'";

/// A line of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Text.
    Text(String),
    /// Text to be copied.
    Code(String),
    /// Somewhere to go on this backend: its path and what is read.
    Link {
        /// Path and query.
        to: String,
        /// What is read.
        text: String,
    },
    /// Something to send to this backend.
    Form {
        /// Its path.
        to: String,
        /// Fields that are filled already.
        given: Vec<(String, String)>,
        /// The field that the person fills, and what it is called.
        asked: Option<(String, String)>,
        /// What sends it.
        button: String,
    },
}

/// A page of `lines` under `title`.
pub fn page(status: StatusCode, title: &str, lines: &[Line]) -> Response {
    let body: String = lines.iter().map(Line::markup).collect();
    let title = escaped(title);
    let whole = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>jit: {title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    );
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))];
    let has_form = lines.iter().any(|line| matches!(line, Line::Form { .. }));
    let forms = if has_form { OWN_FORM } else { NO_FORM };
    with_rules((status, kind, whole).into_response(), forms)
}

/// A page that asks, with a form: what it sends comes here, and leads on to `port` of the browser's machine where there is one.
pub fn asking_page(title: &str, lines: &[Line], port: Option<u16>) -> Response {
    let after = port.map_or_else(String::new, |port| format!(" http://127.0.0.1:{port}"));
    let mut response = with_rules(page(StatusCode::OK, title, lines), &format!("{OWN_FORM}{after}"));
    let headers = response.headers_mut();
    // a form of a page that never says where it is from comes from nowhere: `Origin: null`
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

/// `response` with what keeps a browser from doing anything else with it.
pub fn guarded(response: Response) -> Response {
    with_rules(response, NO_FORM)
}

fn with_rules(mut response: Response, forms: &str) -> Response {
    static HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));
    let style = HASH.as_str();
    let rules =
        format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; {forms}; frame-ancestors 'none'");
    let headers = response.headers_mut();
    if let Ok(rules) = HeaderValue::from_str(&rules) {
        headers.insert(header::CONTENT_SECURITY_POLICY, rules);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

impl Line {
    fn markup(&self) -> String {
        match self {
            Self::Text(text) => format!("<p>{}</p>\n", escaped(text)),
            Self::Form {
                to,
                given,
                asked,
                button,
            } => {
                let hidden = given.iter().map(|(name, value)| {
                    let (name, value) = (escaped(name), escaped(value));
                    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
                });
                let field = asked.iter().map(|(name, label)| {
                    let (name, label) = (escaped(name), escaped(label));
                    format!("<label>{label} <input name=\"{name}\" autocomplete=\"off\" required></label> ")
                });
                let fields: String = hidden.chain(field).collect();
                let (to, button) = (escaped(to), escaped(button));
                format!("<form method=\"post\" action=\"{to}\">{fields}<button>{button}</button></form>\n")
            }
            Self::Code(text) => format!("<p><code>{}</code></p>\n", escaped(text)),
            Self::Link { to, text } => format!("<p><a href=\"{}\">{}</a></p>\n", escaped(to), escaped(text)),
        }
    }
}

fn escaped(text: &str) -> String {
    shown(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_27_text_of_others_is_text_on_a_page() {
        let hostile = "<script>alert('x')</script> & \"\u{202e}\r\n";
        let line = Line::Link {
            to: format!("/sign-in?a={hostile}"),
            text: hostile.to_owned(),
        };
        let markup = line.markup();
        assert!(
            !markup.contains("<script") && !markup.contains('\u{202e}') && !markup.contains('\r'),
            "{markup}"
        );
        assert_eq!(markup.matches('"').count(), 2, "{markup}");
        assert_eq!(markup.matches('<').count(), 4, "{markup}");
    }

    #[test]
    fn page_lets_nothing_run_and_nobody_frame_it() {
        let page = page(StatusCode::OK, "x", &[]);
        let rules = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(rules.starts_with("default-src 'none'; style-src 'sha256-"), "{rules}");
        assert!(
            rules.contains("frame-ancestors 'none'") && !rules.contains("unsafe"),
            "{rules}"
        );
        assert_eq!(page.headers()[header::REFERRER_POLICY], "no-referrer");
    }
}
