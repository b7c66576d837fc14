//! Names that somebody may have meant.
//! Refuses to guess: it only offers.

/// Below this Jaro-Winkler similarity two names have nothing to do with each other.
const LEAST_SIMILARITY: f64 = 0.7;

/// Up to `count` of `names` that look like `given`, the most alike first.
pub(super) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= LEAST_SIMILARITY)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(count).map(|(_, name)| name).collect()
}

/// What to write instead of `given`: the nearest name, or all of them.
pub(super) fn suggestion<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match nearest(given, names.iter().copied(), 1).first() {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "none is defined".to_owned(),
        None => format!("known: {}", names.join(", ")),
    }
}
