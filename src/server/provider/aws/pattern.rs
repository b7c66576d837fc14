//! IAM's patterns of actions: `*` is any run of letters, `?` is one, case does not count.
//! Owns the question whether two of them can mean the same action. Refuses resources: their case counts.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::overlap;

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
    }
}
