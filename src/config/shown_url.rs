//! An address as a message names it. Refuses to repeat what may be a name and a password.

/// `text` with `****` in place of whatever stands before its last `@`, but for the scheme.
pub fn shown_url(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://****@{host}"),
        None => format!("****@{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_shown_without_name_and_password() {
        for (text, shown) in [
            ("https://jit.acme.example/x", "https://jit.acme.example/x"),
            ("https://me@jit.acme.example", "https://****@jit.acme.example"),
            (
                "https://me:hunter2@jit.acme.example/x",
                "https://****@jit.acme.example/x",
            ),
            ("https://me:hun@ter/2@jit.acme.example", "https://****@jit.acme.example"),
            ("me:hunter2@jit.acme.example", "****@jit.acme.example"),
        ] {
            assert_eq!(shown_url(text), shown);
        }
    }
}
