//! The small bundle: what `serve --dev` writes where there is no policy yet. People will edit it.

/// Its files: path inside the bundle, text.
pub const FILES: &[(&str, &str)] = &[
    (
        "security/00-baseline.cedar",
        include_str!("small/security/00-baseline.cedar"),
    ),
    ("security/catalogue.toml", include_str!("small/security/catalogue.toml")),
    ("10-access.cedar", include_str!("small/10-access.cedar")),
    ("catalogue.toml", include_str!("small/catalogue.toml")),
];

/// The files as [`super::Bundle::load`] takes them.
pub fn files() -> Vec<(String, Vec<u8>)> {
    FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
