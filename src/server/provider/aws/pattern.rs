//! IAM's patterns: `*` is any run of letters, `?` is one.
//! Owns how two of them lie to each other: can they mean the same action, does one hold all that the other means.

/// Whether some action matches both patterns.
pub fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase().into_bytes(), b.to_ascii_lowercase().into_bytes());
    // reached[j]: some text matches the part of `a` read so far and the first j letters of `b`.
    let mut reached = vec![false; b.len() + 1];
    reached[0] = true;
    skip_stars(&mut reached, &b);
    for &letter in &a {
        let mut next = vec![false; b.len() + 1];
        if letter == b'*' {
            // A star may stand for nothing, or for whatever `b` says next.
            let mut open = false;
            for (j, slot) in next.iter_mut().enumerate() {
                open |= reached[j];
                *slot = open;
            }
        } else {
            for (j, &other) in b.iter().enumerate() {
                if other == b'*' {
                    // The star of `b` swallows this letter, and goes on.
                    next[j] |= reached[j];
                    next[j + 1] |= reached[j];
                } else if other == letter || other == b'?' || letter == b'?' {
                    next[j + 1] |= reached[j];
                }
            }
            skip_stars(&mut next, &b);
        }
        reached = next;
    }
    reached[b.len()]
}

/// A star of `b` may stand for nothing.
fn skip_stars(reached: &mut [bool], b: &[u8]) {
    for (j, &letter) in b.iter().enumerate() {
        if letter == b'*' && reached[j] {
            reached[j + 1] = true;
        }
    }
}

/// Whether whatever matches `narrow` matches `wide`. Case counts; of two ways to write the same it may know only one,
/// and then says no.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let (wide, narrow) = (wide.as_bytes(), narrow.as_bytes());
    // reached[j]: the part of `narrow` read so far lies within the first j letters of `wide`.
    let mut reached = vec![false; wide.len() + 1];
    reached[0] = true;
    skip_stars(&mut reached, wide);
    for &letter in narrow {
        let mut next = vec![false; wide.len() + 1];
        for (j, &other) in wide.iter().enumerate() {
            if other == b'*' {
                // A star swallows anything, another star too.
                next[j] |= reached[j];
            } else if letter != b'*' && (other == b'?' || other == letter) {
                next[j + 1] |= reached[j];
            }
        }
        skip_stars(&mut next, wide);
        reached = next;
    }
    reached[wide.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{covers, overlap};

    #[test]
    fn wide_pattern_covers_what_lies_within() {
        for (wide, narrow) in [
            ("a:usr_*", "a:usr_*"),
            ("a:usr_*", "a:usr_01*"),
            ("a:usr_*", "a:usr_?"),
            ("a:usr_*", "a:usr_"),
            ("*", "?*"),
            ("*/jit/*", "r/jit/x*"),
            ("a?c", "abc"),
        ] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("a:usr_*", "a:*"),
            ("a:usr_*", "*:usr_*"),
            ("a:usr_*", "a?usr_*"),
            ("a:usr_*", "A:usr_*"),
            ("a?c", "a*c"),
            ("abc", "a?c"),
            ("", "*"),
        ] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn patterns_overlap_where_an_action_matches_both() {
        for (a, b) in [
            ("s3:Get*", "s3:GetObject"),
            ("s3:*Object", "s3:Get*"),
            ("S3:getobject", "s3:GetObject"),
            ("s3:Get?bject", "s3:*"),
            ("s3:*a*", "s3:*b*"),
            ("s3:*", "s3:?"),
        ] {
            assert!(overlap(a, b) && overlap(b, a), "{a} {b}");
        }
    }

    #[test]
    fn patterns_of_different_actions_do_not_overlap() {
        for (a, b) in [
            ("s3:Get*", "s3:PutObject"),
            ("s3:*Object", "s3:*Bucket"),
            ("s3:Get", "s3:Get?"),
            ("ec2:*", "s3:*"),
        ] {
            assert!(!overlap(a, b) && !overlap(b, a), "{a} {b}");
        }
    }

    /// Whether `pattern` matches `text`, the slow and plain way.
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => matches(rest, text) || (!text.is_empty() && matches(pattern, &text[1..])),
            (Some((p, rest)), Some((t, more))) => (p == t || *p == b'?') && matches(rest, more),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn overlap_agrees_with_all_short_texts(a in "[ab?*]{0,4}", b in "[ab?*]{0,4}") {
            // A shortest common text needs no more letters than both patterns have.
            let mut texts = vec![Vec::new()];
            let mut found = false;
            for _ in 0..=8 {
                found |= texts.iter().any(|t: &Vec<u8>| matches(a.as_bytes(), t) && matches(b.as_bytes(), t));
                texts = texts.iter().flat_map(|t| [b'a', b'b'].map(|c| [t.as_slice(), &[c]].concat())).collect();
            }
            prop_assert_eq!(overlap(&a, &b), found);
        }

        #[test]
        fn covered_pattern_matches_nothing_outside(wide in "[ab?*]{0,4}", narrow in "[ab?*]{0,4}") {
            let mut texts = vec![Vec::new()];
            for _ in 0..=5 {
                let leaks = |t: &Vec<u8>| matches(narrow.as_bytes(), t) && !matches(wide.as_bytes(), t);
                let leak = texts.iter().any(leaks);
                prop_assert!(!covers(&wide, &narrow) || !leak);
                texts = texts.iter().flat_map(|t| [b'a', b'b'].map(|c| [t.as_slice(), &[c]].concat())).collect();
            }
        }
    }
}
