//! `jit-credential TARGET`: prints a cached credential, or becomes `jit credential-process`.
//! Refuses to look for `jit` anywhere but in its own folder.
//! Starts without Rust's runtime, which costs more than the hit: it reads the memory map for a stack guard.
#![no_main]

use std::env;
use std::ffi::{OsString, c_char, c_int};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use hot::{Program, answer, complain, hit, now_ms};

const HELP: &str = "\
Print the AWS credentials of a target, for credential_process

Usage: jit-credential TARGET [--server URL] [--identity NAME] [--request-on-miss [--reason TEXT]]

The same as jit credential-process, which it becomes where nothing is cached.

Example (in ~/.aws/config):
  credential_process = /usr/local/bin/jit-credential prod-admin
";

const SIGPIPE: c_int = 13;
const SIG_IGN: usize = 1;

unsafe extern "C" {
    fn signal(number: c_int, handler: usize) -> usize;
}

/// Called by C's start-up code. `std` has the arguments from there by itself, on Linux (glibc) and macOS.
// SAFETY: no other item of this program or its library is called `main`.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _values: *const *const c_char) -> c_int {
    // SAFETY: ignoring a signal installs no handler; 13 and 1 are the numbers on Linux and macOS.
    // Without it a closed pipe would end the process by the signal instead of with 0.
    unsafe { signal(SIGPIPE, SIG_IGN) };
    c_int::from(run())
}

fn run() -> u8 {
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
        Some(code) => code,
        None => hand_over(&args),
    }
}

fn say(text: &str) -> u8 {
    match io::Write::write_all(&mut io::stdout(), text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => 1,
        _ => 0,
    }
}

/// Becomes the `jit` that lies beside this very program, links resolved.
fn hand_over(args: &[OsString]) -> u8 {
    let own = match env::current_exe() {
        // An upgrade may have removed the file under us; its folder is still the right one.
        Ok(path) => fs::canonicalize(&path).unwrap_or(path),
        Err(error) => {
            complain(&format!(
                "cannot find the folder of jit-credential: {error}: run  jit credential-process"
            ));
            return 3;
        }
    };
    let jit = own.with_file_name("jit");
    let error = Command::new(&jit).arg("credential-process").args(args).exec();
    complain(&format!("cannot start {jit:?}: {error}: run  ./install.sh"));
    3
}
