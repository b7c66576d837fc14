//! Who calls, where a proxy stands between: what the proxies that are trusted say, and nobody else.
//! Owns one header, the one that the proxies set. Refuses every other, and what a caller wrote into it before they did.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header};

use crate::config::{ForwardedHeader, TrustedProxies};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who calls through `peer`: the rightmost hop that is no trusted proxy, since each adds what it saw at the end. Where all
/// are trusted, the first of them. None where a trusted proxy says nothing that is understood.
pub fn caller(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
    if !proxies.has(peer) {
        return Some(peer);
    }
    let mut caller = None;
    for hop in hops(headers, proxies.header).iter().rev() {
        let address = address(hop)?;
        caller = Some(address);
        if !proxies.has(address) {
            break;
        }
    }
    caller
}

/// What each proxy saw, the last one at the end.
fn hops(headers: &HeaderMap, header: ForwardedHeader) -> Vec<String> {
    let name = match header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => header::FORWARDED,
    };
    // several lines are one list (RFC 9110, section 5.3); what is no text is a hop that is not understood
    let lines = headers.get_all(name).iter();
    let text: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("unknown")).collect();
    let text = text.join(",");
    match header {
        ForwardedHeader::XForwardedFor => text.split(',').map(str::to_owned).collect(),
        // a caller who leaves a quote open would have what the proxies add read as part of it
        ForwardedHeader::Forwarded if text.matches('"').count() % 2 == 1 => vec![String::new()],
        ForwardedHeader::Forwarded => outside_quotes(&text, ',').into_iter().map(for_of).collect(),
    }
}

/// The value of `for` in one element of `Forwarded`; nothing where there is none.
fn for_of(element: &str) -> String {
    let pairs = outside_quotes(element, ';');
    let mut values = pairs.iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    match (values.next(), values.next()) {
        (Some(value), None) => value.trim_matches('"').to_owned(),
        _ => String::new(),
    }
}

/// `text` cut at every `at` that is not between quotes.
fn outside_quotes(text: &str, at: char) -> Vec<&str> {
    let mut is_inside = false;
    text.split(|c: char| {
        is_inside ^= c == '"';
        c == at && !is_inside
    })
    .collect()
}

/// An address, with its port or without.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let alone = match hop.strip_prefix('[') {
        Some(six) => six.split_once(']')?.0,
        None => match hop.split_once(':') {
            Some((four, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => four,
            _ => hop,
        },
    };
    alone.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        TrustedProxies {
            networks: ["10.0.0.0/24", "fd00::/64"]
                .map(|network| network.parse().unwrap())
                .into(),
            header,
        }
    }

    fn seen(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        caller(peer.parse().unwrap(), &headers, &proxies(header)).map(|address| address.to_string())
    }

    #[test]
    fn attack_13_rightmost_hop_that_is_not_ours_calls() {
        let by = |peer: &str, line: &str| seen(ForwardedHeader::XForwardedFor, peer, &[("x-forwarded-for", line)]);
        for (line, caller) in [
            ("203.0.113.9", Some("203.0.113.9")),
            ("192.168.0.1, 203.0.113.9", Some("203.0.113.9")),
            ("10.0.0.9, 203.0.113.9", Some("203.0.113.9")),
            ("203.0.113.9, 10.0.0.7", Some("203.0.113.9")),
            ("1.1.1.1,203.0.113.9 ,10.0.0.7,fd00::2", Some("203.0.113.9")),
            ("203.0.113.9:51234", Some("203.0.113.9")),
            ("[2001:db8::9]:51234", Some("2001:db8::9")),
            ("2001:db8::9", Some("2001:db8::9")),
            ("::ffff:203.0.113.9", Some("203.0.113.9")),
            ("10.0.0.7, 10.0.0.8", Some("10.0.0.7")),
            ("garbage, 203.0.113.9", Some("203.0.113.9")),
            ("203.0.113.9, garbage", None),
            ("203.0.113.9, unknown, 10.0.0.7", None),
            ("203.0.113.9,", None),
            ("", None),
        ] {
            assert_eq!(by("10.0.0.1", line).as_deref(), caller, "{line}");
            assert_eq!(by("::ffff:10.0.0.1", line).as_deref(), caller, "{line}");
            assert_eq!(by("198.51.100.1", line).as_deref(), Some("198.51.100.1"), "{line}");
        }
    }

    #[test]
    fn attack_13_other_headers_than_the_proxys_own_count_for_nothing() {
        let forged = [
            ("forwarded", "for=192.168.0.1"),
            ("x-real-ip", "192.168.0.1"),
            ("cf-connecting-ip", "192.168.0.1"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let own = ForwardedHeader::XForwardedFor;
        assert_eq!(seen(own, "10.0.0.1", &forged).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(own, "10.0.0.1", &forged[..3]), None);
        let forged = [
            ("x-forwarded-for", "192.168.0.1"),
            ("forwarded", "for=203.0.113.9;proto=https"),
        ];
        let own = ForwardedHeader::Forwarded;
        assert_eq!(seen(own, "10.0.0.1", &forged).as_deref(), Some("203.0.113.9"));
        assert_eq!(seen(own, "10.0.0.1", &forged[..1]), None);
    }

    #[test]
    fn attack_13_several_lines_are_one_list() {
        let lines = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "198.51.100.3, 10.0.0.2"),
        ];
        let own = ForwardedHeader::XForwardedFor;
        assert_eq!(seen(own, "10.0.0.1", &lines).as_deref(), Some("198.51.100.3"));
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_has_it() {
        let by = |line: &str| seen(ForwardedHeader::Forwarded, "10.0.0.1", &[("forwarded", line)]);
        for (line, caller) in [
            ("for=203.0.113.9", Some("203.0.113.9")),
            ("For=\"[2001:db8::9]:4711\"", Some("2001:db8::9")),
            ("for=203.0.113.9;proto=http;by=10.0.0.1", Some("203.0.113.9")),
            ("for=192.168.0.1, for=203.0.113.9", Some("203.0.113.9")),
            (
                "for=\"1.1.1.1, for=10.0.0.9\";by=x, for=203.0.113.9",
                Some("203.0.113.9"),
            ),
            ("for=unknown", None),
            ("for=_hidden, for=10.0.0.9", None),
            ("proto=https", None),
            ("for=203.0.113.9;for=192.168.0.1", None),
            ("", None),
        ] {
            assert_eq!(by(line).as_deref(), caller, "{line}");
        }
    }

    #[test]
    fn attack_13_quote_that_is_left_open_hides_no_hop() {
        for forged in [
            "for=192.168.0.1;x=\"",
            "for=192.168.0.1;x=\"\\\"\"",
            "for=\"192.168.0.1",
        ] {
            for added in ["for=203.0.113.9", "for=\"[2001:db8::9]:4711\""] {
                let lines = [("forwarded", forged), ("forwarded", added)];
                assert_eq!(
                    seen(ForwardedHeader::Forwarded, "10.0.0.1", &lines),
                    None,
                    "{forged} {added}"
                );
                let line = [("forwarded", &*format!("{forged}, {added}"))];
                assert_eq!(
                    seen(ForwardedHeader::Forwarded, "10.0.0.1", &line),
                    None,
                    "{forged} {added}"
                );
            }
        }
    }
}
