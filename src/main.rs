//! The program `jit`: the hot command first, then the command line.
//! Owns the exit code. Refuses anything else.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // a cached credential is printed before clap, runtime and configuration exist (docs/architecture.md)
    let hot_args = args.get(1..).unwrap_or_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "the hot path reads the few variables that it needs by itself"
    )]
    let outcome = hot::hit(
        hot::Program::Jit,
        hot_args,
        &|name| std::env::var_os(name),
        hot::now_ms(),
    );
    match hot::answer(&outcome) {
        Some(code) => ExitCode::from(code),
        None => ExitCode::from(jit::cli::run(args)),
    }
}
