//! How somebody is called where people read it. A name is what its person, or their identity provider, makes it.
//! Owns what is left of such a name, and how it stands in a sentence. Refuses one that reads as words of ours.

use super::text::{is_invisible, is_unsafe_to_show};

/// Characters of a name that are kept.
const LONGEST: usize = 64;
/// Whoever is called so stands in quotes.
const OURS: &[&str] = &[
    "a",
    "access",
    "all",
    "an",
    "anybody",
    "approved",
    "backend",
    "denied",
    "everybody",
    "everyone",
    "everything",
    "jit",
    "local",
    "me",
    "nobody",
    "nothing",
    "policy",
    "somebody",
    "target",
    "you",
];

/// `given` without what nobody sees and what moves the text around it; nothing where nothing is left of it.
pub fn readable(given: &str) -> Option<String> {
    let seen = given.chars().filter(|c| !is_unsafe_to_show(*c) && !is_invisible(*c));
    let seen: String = seen.collect();
    // white space of every kind is one space
    let words: Vec<&str> = seen.split_whitespace().collect();
    let cut: String = words.join(" ").chars().take(LONGEST).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// `name` as it stands in a sentence, with `of` where it says who vouches: `carol`, `carol (partners)`,
/// `"Carol Danvers" (partners)`.
pub fn called(name: &str, of: Option<&str>) -> String {
    let name = match is_plain(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    match of {
        Some(of) => format!("{name} ({of})"),
        None => name,
    }
}

/// Whether it is one word, as names are, and none of ours: nothing that a shell would read otherwise.
pub fn is_plain(name: &str) -> bool {
    let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '+' | '-' | '/');
    name.chars().next().is_some_and(char::is_alphanumeric)
        && name.chars().all(|c| is_of_a_name(c) && !is_invisible(c))
        && !OURS.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_nobody_sees_is_no_part_of_a_name() {
        for (given, left) in [
            ("carol\u{200d}", Some("carol")),
            ("\u{3164}carol\u{2800}", Some("carol")),
            ("ca\u{ad}rol\u{e0101}", Some("carol")),
            ("  Carol\u{a0} \u{3000}Danvers\n", Some("Carol Danvers")),
            ("\u{3164}", None),
            ("\u{2800}\u{2800}", None),
            ("\u{200d} \u{202e}", None),
            ("", None),
        ] {
            assert_eq!(readable(given).as_deref(), left, "{given:?}");
        }
        assert_eq!(readable(&"é".repeat(80)).unwrap().chars().count(), 64);
    }

    #[test]
    fn name_stands_in_quotes_unless_it_is_one_word_of_nobody_else() {
        for (name, of, said) in [
            ("carol", None, "carol"),
            ("carol", Some("partners"), "carol (partners)"),
            ("ana@acme.example", None, "ana@acme.example"),
            ("Zoë", None, "Zoë"),
            ("Carol Danvers", Some("local"), "\"Carol Danvers\" (local)"),
            ("carol (local)", None, "\"carol (local)\""),
            ("carol\" (local) \"", None, "\"carol\\\" (local) \\\"\""),
            ("Everything", None, "\"Everything\""),
            ("ALL", None, "\"ALL\""),
            ("-rf", None, "\"-rf\""),
            ("x;curl", None, "\"x;curl\""),
            (
                "ana asks for dev-reader (role Reader in dev 2222) for 5m; bob",
                None,
                "\"ana asks for dev-reader (role Reader in dev 2222) for 5m; bob\"",
            ),
        ] {
            assert_eq!(called(name, of), said);
        }
    }

    proptest! {
        #[test]
        fn words_of_a_name_never_stand_outside_its_quotes(given in "\\PC{0,40}") {
            let Some(name) = readable(&given) else { return Ok(()) };
            let said = called(&name, None);
            prop_assert!(!said.chars().any(is_invisible));
            if said.contains(' ') {
                let inside = said.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let inside = inside.unwrap().replace("\\\\", "").replace("\\\"", "");
                prop_assert!(!inside.contains('"'), "{said}");
            }
        }
    }
}
