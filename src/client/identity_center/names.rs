//! Under which name a token lies in the shared cache. Owns the rule of AWS tools: the SHA-1 of the name of an
//! `sso-session`, or of the portal's address where a profile names that itself.
//! Refuses to guess: whoever reads looks at what is inside a file.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::center::Center;

/// A name in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CacheName {
    /// 40 hexadecimal digits and `.json`.
    pub(super) file: String,
    /// Whether something in the AWS configuration signs in under it.
    pub(super) is_profiles: bool,
}

/// The name under which a new token of `center` is kept: one that the AWS configuration in `config` uses, so that both
/// find it, else the address.
pub(super) fn of(center: &Center, config: &str) -> CacheName {
    let sections = sections(config);
    let is_here = |section: &&Section<'_>| {
        let region = section.region.unwrap_or_default();
        section.start_url.is_some_and(|url| center.is_at(url, region))
    };
    let named = sections.iter().filter(is_here);
    let session = named
        .clone()
        .find_map(|section| section.name.strip_prefix("sso-session "));
    let profile = named.clone().find_map(|section| section.start_url);
    CacheName {
        file: file(session.map(str::trim).or(profile).unwrap_or(center.start_url())),
        is_profiles: session.or(profile).is_some(),
    }
}

/// The name for one identity of `jit` alone, where another one has the usual one.
pub(super) fn apart(center: &Center, account: &str) -> CacheName {
    CacheName {
        file: file(&format!("{} {account}", center.start_url())),
        is_profiles: false,
    }
}

/// The file of a name.
pub(super) fn file(name: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, name.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.json")
}

/// Whether a file of the cache may be a token's.
pub(super) fn is_one(file: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    file.strip_suffix(".json")
        .is_some_and(|stem| stem.len() == 40 && stem.bytes().all(hex))
}

#[derive(Default)]
struct Section<'a> {
    name: &'a str,
    start_url: Option<&'a str>,
    region: Option<&'a str>,
}

/// Sections with what they say of Identity Center. An indented line belongs to the key above it.
fn sections(config: &str) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for line in config.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            found.push(Section {
                name: name.trim(),
                ..Section::default()
            });
            continue;
        }
        let Some((key, value)) = line
            .split_once('=')
            .filter(|_| !line.starts_with([' ', '\t', '#', ';']))
        else {
            continue;
        };
        let (Some(section), value) = (found.last_mut(), value.trim()) else {
            continue;
        };
        match key.trim() {
            "sso_start_url" => section.start_url = Some(value),
            "sso_region" => section.region = Some(value),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::center::tests::center;
    use super::*;

    const SESSION: &str = "[profile x]\nsso_session = corp\n\n[sso-session other]\nsso_start_url = https://d-2222222222.awsapps.com/start\nsso_region = eu-central-1\n[sso-session corp]\nsso_region=eu-central-1\nsso_start_url = https://d-1111111111.awsapps.com/start/\n";

    #[test]
    fn token_lies_under_the_session_that_the_configuration_names() {
        let name = of(&center(), SESSION);
        assert_eq!(
            name,
            CacheName {
                file: file("corp"),
                is_profiles: true
            }
        );
        // printf corp | sha1sum
        assert_eq!(name.file, "ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    }

    #[test]
    fn token_lies_under_the_address_where_no_session_has_it() {
        let url = "https://d-1111111111.awsapps.com/start";
        let alone = of(&center(), "");
        assert_eq!(
            alone,
            CacheName {
                file: file(url),
                is_profiles: false
            }
        );
        let old = format!("[profile old]\nsso_start_url = {url}/\nsso_region = eu-central-1\n");
        let name = of(&center(), &old);
        assert_eq!(
            name,
            CacheName {
                file: file(&format!("{url}/")),
                is_profiles: true
            }
        );
        let elsewhere = old.replace("eu-central-1", "eu-west-1");
        assert!(!of(&center(), &elsewhere).is_profiles);
    }

    #[test]
    fn file_of_a_token_has_forty_digits() {
        assert!(is_one(&file("x")));
        for other in ["botocore-client-id-us-east-1.json", "x.json", &file("x").to_uppercase()] {
            assert!(!is_one(other), "{other}");
        }
    }
}
