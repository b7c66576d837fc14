//! `install.sh` where it refuses: what is missing, what is not known, nothing to take away.
//! That it installs, plays the demo and takes everything away again is checked by `.ci/run`.

use std::path::Path;

use crate::harness::{Run, SealedBox};

/// Runs `install.sh` in a box whose PATH has only these programs.
fn install(programs: &[&str], args: &[&str]) -> Run {
    let mut machine = SealedBox::new();
    for program in programs {
        machine = machine.with_program(&Path::new("/usr/bin").join(program));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh");
    let args: Vec<&str> = std::iter::once(script).chain(args.iter().copied()).collect();
    machine.command("/bin/bash", &args).run()
}

#[test]
fn install_names_each_missing_prerequisite_at_once() {
    let run = install(&["dirname", "sed", "head", "cut"], &["--demo"]);
    insta::assert_snapshot!(run, @r"
    exit: 3
    --- stdout
    Checking what is needed: Rust 1.95, a C compiler, Python 3 with venv
      missing: Rust 1.95 or newer
        get it: curl --proto '=https' -sSf https://sh.rustup.rs | sh
      missing: a C compiler
        get it: your package manager has it as gcc, or build-essential
      missing: Python 3.10 or newer (for the AWS stand-in)
        get it: your package manager has it as python3, or python3 python3-venv
    --- stderr
    install.sh: install what is missing, then run this again
    ");
}

#[test]
fn install_refuses_an_argument_it_does_not_know() {
    insta::assert_snapshot!(install(&["dirname"], &["--prefx", "x"]), @r"
    exit: 2
    --- stderr
    install.sh: unknown argument --prefx; try ./install.sh --help
    ");
}

#[test]
fn uninstall_says_when_nothing_is_installed() {
    insta::assert_snapshot!(install(&["dirname"], &["--uninstall"]), @r"
    exit: 10
    --- stderr
    install.sh: nothing of jit is installed below HOME/.local (no HOME/.local/share/jit/installed-files)
    ");
}
