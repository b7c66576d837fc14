//! What the tests of `jit aws` stand on: a catalogue on the road web-identity, and the flags that go with it.

use std::path::PathBuf;

use crate::harness::SealedBox;

/// Where the tests' issuer would be.
pub const ISSUER: &str = "https://jit.acme.example";

/// The small bundle as files below the box's HOME, each text changed by `change`.
pub fn bundle(machine: &SealedBox, change: impl Fn(&str) -> String) -> PathBuf {
    let folder = machine.home().join("policy");
    for (path, text) in jit::policy::small::FILES {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, change(text)).unwrap();
    }
    folder
}

/// The same with every target on the road web-identity.
pub fn by_token(text: &str) -> String {
    text.replace("road = \"assume-role\"", "road = \"web-identity\"")
}

/// The same, and prod-admin can be shut out early.
pub fn with_kill_switch(text: &str) -> String {
    let text = by_token(text);
    let text = text.replace(
        "role = \"jit/jit-prod-admin\",",
        "role = \"jit/jit-prod-admin\", kill = \"deny-policy\",",
    );
    text.replace(
        "id = \"111111111111\"",
        "id = \"111111111111\"\nkill_role = \"jit/jit-kill-switch\"",
    )
}

/// `jit aws VERB --policy policy --issuer ISSUER ARGS`.
pub fn line<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec!["aws", verb, "--policy", "policy", "--issuer", ISSUER];
    line.extend(more);
    line
}
