//! What a condition must demand, and whether it does.
//! Owns IAM's operators as far as they pin anything. Refuses to guess: an operator that it does not know pins nothing.

use super::document::Condition;
use super::finding::Kind;
use crate::server::provider::aws::pattern::covers;

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// This.
    Exactly(String),
    /// Something of this pattern, whose only star is its last letter.
    Like(String),
}

/// One thing that a trust must demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What a finding of it is about.
    pub kind: Kind,
    /// The key, as it is written.
    pub key: String,
    /// What its value must be.
    pub fit: Fit,
}

impl Fit {
    fn text(&self) -> &str {
        match self {
            Self::Exactly(text) | Self::Like(text) => text,
        }
    }

    /// Whether whatever `value` lets pass fits. A policy variable in `value` stands behind what is fixed, or not at all.
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => text == value,
            Self::Like(pattern) => covers(pattern, value),
        }
    }
}

impl Demand {
    /// Why `conditions` do not demand it; nothing where they do.
    ///
    /// All lines of a condition must hold, so one line that pins the key is enough. It pins where the key must be there
    /// (no `IfExists`, no `ForAllValues`: both pass where it is absent) and each of its values fits.
    pub fn is_lacking(&self, conditions: &[Condition]) -> Option<String> {
        let lines: Vec<&Condition> = self.lines(conditions).collect();
        let pins = |line: &&Condition| is_plain(&line.operator) && self.all_fit(line);
        if lines.iter().any(pins) {
            return None;
        }
        let Some(line) = lines.first() else {
            return Some(format!("`{}` is not demanded", self.key));
        };
        let written = format!("`{}` under {}", self.key, line.operator);
        Some(
            if line.operator.ends_with("ifexists") || line.operator.starts_with("forallvalues:") {
                format!("{written} passes where it is absent")
            } else if is_plain(&line.operator) {
                let value = line.values.iter().find(|value| !self.fit.holds(value));
                format!("{written} lets pass `{}`", value.map_or("", String::as_str))
            } else {
                format!("{written} pins nothing")
            },
        )
    }

    /// Why `conditions` refuse what jit sends; nothing where they do not, or where that cannot be told.
    pub fn is_refused(&self, conditions: &[Condition]) -> Option<String> {
        let refuses = |line: &&Condition| {
            let operator = line.operator.rsplit(':').next().unwrap_or_default();
            let fits = |value: &String| match operator.trim_end_matches("ifexists") {
                "stringequals" => *value == self.fit.text() && matches!(self.fit, Fit::Exactly(_)),
                "stringlike" => covers(value, self.fit.text()),
                "null" => value == "false",
                _ => true,
            };
            !line.values.iter().any(fits)
        };
        let line = self.lines(conditions).find(refuses)?;
        Some(format!(
            "`{}` under {} lets in less than `{}`",
            self.key,
            line.operator,
            self.fit.text()
        ))
    }

    /// How to demand it.
    pub fn mend(&self) -> String {
        let operator = match self.fit {
            Fit::Exactly(_) => "StringEquals",
            Fit::Like(_) => "StringLike",
        };
        format!("demand {operator} `{}`: `{}`", self.key, self.fit.text())
    }

    fn lines<'a>(&'a self, conditions: &'a [Condition]) -> impl Iterator<Item = &'a Condition> {
        let is_ours = |line: &&Condition| line.key.eq_ignore_ascii_case(&self.key);
        conditions.iter().filter(is_ours)
    }

    fn all_fit(&self, line: &Condition) -> bool {
        !line.values.is_empty() && line.values.iter().all(|value| self.fit.holds(value))
    }
}

/// The operators that pin a key: its value must be there, and be one of these.
fn is_plain(operator: &str) -> bool {
    ["stringequals", "stringlike"].contains(&operator)
}

/// Whether `conditions` keep every tag but `tag` out. A key of many values, so `ForAllValues` is right here: that the
/// tag is there at all is another demand.
pub fn allows_other_tags(conditions: &[Condition], tag: &str) -> bool {
    let keeps_out = |line: &Condition| {
        line.key == "aws:tagkeys"
            && ["forallvalues:stringequals", "forallvalues:stringlike"].contains(&line.operator.as_str())
            && !line.values.is_empty()
            && line.values.iter().all(|value| value == tag)
    };
    !conditions.iter().any(keeps_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(operator: &str, values: &[&str]) -> Condition {
        Condition {
            operator: operator.to_owned(),
            key: "h:sub".to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    fn demand(fit: Fit) -> Demand {
        Demand {
            kind: Kind::Subject,
            key: "H:sub".to_owned(),
            fit,
        }
    }

    #[test]
    fn only_a_plain_operator_with_fitting_values_pins() {
        let like = demand(Fit::Like("a:usr_*".to_owned()));
        for (operator, values, is_pinned) in [
            ("stringlike", &["a:usr_*"][..], true),
            ("stringlike", &["a:usr_1*", "a:usr_2"], true),
            ("stringequals", &["a:usr_1"], true),
            ("stringlike", &["a:usr_${aws:x}"], true),
            ("stringlike", &[], false),
            ("stringlike", &["a:*"], false),
            ("stringlike", &["a:usr_*", "b:usr_*"], false),
            ("stringlike", &["${aws:x}"], false),
            ("stringlikeifexists", &["a:usr_*"], false),
            ("forallvalues:stringlike", &["a:usr_*"], false),
            ("stringnotlike", &["b:*"], false),
            ("stringnotequals", &["a:usr_1"], false),
            ("stringequalsignorecase", &["a:usr_1"], false),
            ("null", &["false"], false),
        ] {
            let lacking = like.is_lacking(&[line(operator, values)]);
            assert_eq!(lacking.is_none(), is_pinned, "{operator} {values:?}: {lacking:?}");
        }
        assert!(like.is_lacking(&[]).is_some());
        let beside = [line("stringnotlike", &["x"]), line("stringlike", &["a:usr_*"])];
        assert_eq!(like.is_lacking(&beside), None);
    }

    #[test]
    fn condition_that_shuts_jit_out_is_seen() {
        let like = demand(Fit::Like("a:usr_*".to_owned()));
        for (operator, values, is_refused) in [
            ("stringlike", &["a:usr_*"][..], false),
            ("stringlike", &["a:usr_1*"], true),
            ("stringequals", &["a:usr_*"], true),
            ("stringlike", &["a:*", "x"], false),
            ("null", &["true"], true),
            ("null", &["false"], false),
            ("ipaddress", &["10.0.0.0/8"], false),
        ] {
            let refused = like.is_refused(&[line(operator, values)]);
            assert_eq!(refused.is_some(), is_refused, "{operator} {values:?}: {refused:?}");
        }
        let exact = demand(Fit::Exactly("a".to_owned()));
        assert_eq!(exact.is_refused(&[line("stringequals", &["a"])]), None);
        assert!(exact.is_refused(&[line("stringequals", &["b"])]).is_some());
    }
}
