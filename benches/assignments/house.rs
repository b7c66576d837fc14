//! An organization, its people, and a folder for `jit serve --dev` in which everybody may ask for every permission set in
//! every account.

use std::path::Path;

use serde_json::{Value, json};

use crate::caller::Failure;
use crate::center::Center;

/// The most open requests of one person: so many permission sets in accounts there are.
pub const PLACES: usize = 20;

/// The people that `count` grants need, one for each place.
pub const fn people(count: usize) -> usize {
    count.div_ceil(PLACES)
}

/// The name of a person.
pub fn name(person: usize) -> String {
    format!("person-{person}")
}

/// The id of a person's user.
pub fn user(person: &str) -> String {
    let number: u64 = person.trim_start_matches("person-").parse().unwrap_or(999_999);
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The account of a place.
pub fn account(place: usize) -> String {
    format!("{:012}", 300_000_000_001 + place)
}

/// The target of a place.
pub fn target(place: usize) -> String {
    format!("place-{place}")
}

/// A stand-in with `people` and the accounts.
pub fn center(people: usize) -> Result<Center, Failure> {
    let known = |name: String| json!({"id": user(&name), "name": name});
    let users: Vec<Value> = (0..people).map(name).chain(["alice".to_owned()]).map(known).collect();
    let accounts = (0..PLACES).map(|place| json!({"id": account(place), "name": format!("a{place}")}));
    Center::start(&json!({
        "organization": {"management": "999999999999"},
        "accounts": accounts.collect::<Vec<Value>>(),
        "permission_sets": [{"name": "Admin", "session": "PT1H"}],
        "users": users,
    }))
}

/// Puts the accounts, the targets and the people into the bundle below `policy`. `environment` says whether somebody has to
/// approve.
pub fn write_policy(policy: &Path, center: &Center, people: usize, environment: &str) -> Result<(), Failure> {
    let made = |pointer: &str| {
        center
            .made
            .pointer(pointer)
            .and_then(Value::as_str)
            .ok_or("the stand-in made less")
    };
    let id = made("/permission_sets/Admin")?.rsplit('/').next().unwrap_or_default();
    let file = policy.join("security/catalogue.toml");
    let members: String = (0..people).map(|n| format!("\"local:{}\", ", name(n))).collect();
    let text = std::fs::read_to_string(&file)?;
    let mut text = text.replacen("\"local:alice\", ", &format!("\"local:alice\", {members}"), 1);
    text += &format!(
        "\n[identity-center]\ninstance = \"{}\"\nidentity_store = \"{}\"\nregion = \"{}\"\n\
         start_url = \"https://d-1111111111.awsapps.com/start\"\nuser_name = \"{{name}}\"\n",
        made("/instance_arn")?,
        made("/identity_store_id")?,
        made("/region")?,
    );
    for place in 0..PLACES {
        text += &format!(
            "\n[account.a{place}]\nid = \"{}\"\nenvironment = \"{environment}\"\n",
            account(place)
        );
    }
    std::fs::write(file, text)?;
    let file = policy.join("catalogue.toml");
    let mut text = std::fs::read_to_string(&file)?;
    for place in 0..PLACES {
        text += &format!(
            "\n[[target]]\nname = \"{}\"\ntitle = \"Admin in an account\"\naccount = \"a{place}\"\nrisk = 1\n\
             approvers = [\"payments\"]\nmax_duration = \"4h\"\nprovider = {{ kind = \"aws\", \
             road = \"identity-center\", permission_set = \"Admin\", id = \"{id}\", session = \"1h\" }}\n",
            target(place)
        );
    }
    Ok(std::fs::write(file, text)?)
}
