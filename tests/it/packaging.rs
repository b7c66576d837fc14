//! What a company installs: the unit, the Containerfile, and the page that names them.

use std::fs;
use std::path::Path;

use crate::docs_blocks::{TOP, read};
use crate::harness::{SealedBox, is_there, jit_program, left_out};

#[test]
fn unit_of_systemd_is_one() {
    let test = "unit_of_systemd_is_one";
    let Some(analyze) = is_there("systemd-analyze") else {
        return left_out(test, "systemd-analyze is missing");
    };
    // the program that the unit starts has to be there
    let machine = SealedBox::new();
    let unit = read("packaging/jit.service").replace("/usr/local/bin/jit", jit_program().to_str().unwrap());
    let path = machine.home().join("jit.service");
    fs::write(&path, unit).unwrap();
    let args = ["verify", "--man=no", path.to_str().unwrap()];
    let run = machine.command(analyze.to_str().unwrap(), &args).run();
    let about_ours: Vec<&str> = run.stderr.lines().filter(|line| line.contains("jit.service")).collect();
    assert_eq!((about_ours, run.status), (Vec::new(), Some(0)), "{run}");
    let args = ["security", "--offline=true", "--threshold=20", path.to_str().unwrap()];
    drop(machine.command(analyze.to_str().unwrap(), &args).run().exits(0));
}

#[test]
fn production_page_names_what_is_packaged() {
    let page = read("docs/production.md");
    for name in ["packaging/jit.service", "packaging/Containerfile"] {
        assert!(Path::new(TOP).join(name).is_file() && page.contains(name), "{name}");
    }
    assert!(read("packaging/jit.service").contains("/etc/jit/jit.toml"));
}

#[test]
fn containerfile_runs_as_nobody_and_copies_what_is_there() {
    let text = read("packaging/Containerfile");
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let (mut user, mut stages) = ("root", 0);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first().copied() {
            Some("FROM") => {
                let tag = words[1].split_once(':').map(|(_, tag)| tag);
                assert!(tag.is_some_and(|tag| tag != "latest"), "{line}");
                (user, stages) = ("root", stages + 1);
            }
            Some("USER") => user = words[1],
            Some("COPY") if !words[1].starts_with("--from") => {
                for copied in &words[1..words.len() - 1] {
                    assert!(Path::new(TOP).join(copied).exists(), "{copied}");
                }
            }
            _ => {}
        }
    }
    assert_eq!((user, stages), ("10001:10001", 2));
    // the toolchain of the manifest builds it
    let manifest = read("Cargo.toml");
    let version = manifest
        .split("rust-version = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(text.contains(&format!("FROM rust:{version}-")), "{version}");
}
