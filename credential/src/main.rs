//! `jit-credential TARGET`: prints a cached credential, or becomes `jit credential-process`.
//! Refuses to look for `jit` anywhere but in its own folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use hot::{Program, answer, complain, hit, now_ms};

const HELP: &str = "\
Print the AWS credentials of a target, for credential_process

Usage: jit-credential TARGET [--server URL] [--identity NAME]

The same as jit credential-process, which it becomes where nothing is cached.

Example (in ~/.aws/config):
  credential_process = /usr/local/bin/jit-credential prod-admin
";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    if let [only] = args.as_slice() {
        if only == "--help" || only == "-h" {
            return say(HELP);
        }
        if only == "--version" || only == "-V" {
            return say(concat!("jit-credential ", env!("CARGO_PKG_VERSION"), "\n"));
        }
    }
    let outcome = hit(Program::Helper, &args, &|name| env::var_os(name), now_ms());
    match answer(&outcome) {
        Some(code) => ExitCode::from(code),
        None => hand_over(&args),
    }
}

fn say(text: &str) -> ExitCode {
    match io::Write::write_all(&mut io::stdout(), text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Becomes the `jit` that lies beside this very program, links resolved.
fn hand_over(args: &[OsString]) -> ExitCode {
    let own = match env::current_exe() {
        // An upgrade may have removed the file under us; its folder is still the right one.
        Ok(path) => fs::canonicalize(&path).unwrap_or(path),
        Err(error) => {
            complain(&format!(
                "cannot find the folder of jit-credential: {error}: run  jit credential-process"
            ));
            return ExitCode::from(3);
        }
    };
    let jit = own.with_file_name("jit");
    let error = Command::new(&jit).arg("credential-process").args(args).exec();
    complain(&format!("cannot start {jit:?}: {error}: run  ./install.sh"));
    ExitCode::from(3)
}
