//! The hit: a cached credential to stdout, with as little work as possible.
//! Owns the decision print, ask again, or refuse. Refuses to fetch anything or to read any configuration.

use std::ffi::OsString;

use crate::Env;
use crate::ask::{Ask, Program};
use crate::cache::Cache;
use crate::current::Choice;
use crate::entry::{Json, State};
use crate::names::{Account, is_target};
use crate::problem::Problem;

/// Targets that are being fetched by the processes above this one, separated by `:`.
const CHAIN: &str = "_JIT_CHAIN";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Print it; exit 0.
    Print(Json),
    /// Nothing useful is cached: `jit credential-process` goes on.
    Miss,
    /// Print one line to stderr and exit.
    Refuse {
        /// The line, without `jit: ` in front.
        message: String,
        /// The exit code: 3 for a refused file, or that of the failure which is remembered.
        exit: u8,
    },
    /// Another command, or a shape that clap shall read.
    NotOurs,
}

/// Looks at the command line after the program's name and at the cache. `now_ms`: milliseconds since the
/// epoch.
pub fn hit(program: Program, args: &[OsString], env: Env<'_>, now_ms: u64) -> Outcome {
    let Some(ask) = Ask::parse(program, args).filter(|ask| is_target(ask.target)) else {
        return Outcome::NotOurs;
    };
    let Ok(choice) = Choice::new(ask.server, ask.identity, env) else {
        return Outcome::NotOurs;
    };
    if chain_names(env, ask.target) {
        let message = format!(
            "{0} asks for itself through a profile of jit: run  unset AWS_PROFILE",
            ask.target
        );
        return Outcome::Refuse { message, exit: 3 };
    }
    let cache = match Cache::from_env(env) {
        Ok(Some(cache)) => cache,
        Ok(None) => return Outcome::Miss,
        Err(problem) => return refused(&problem),
    };
    match cache.select(&choice) {
        Ok(Some(account)) => look(&cache, &account, ask.target, now_ms),
        Ok(None) => Outcome::Miss,
        Err(Problem::Name(_)) => Outcome::NotOurs,
        Err(problem) => refused(&problem),
    }
}

fn look(cache: &Cache, account: &Account, target: &str, now_ms: u64) -> Outcome {
    match cache.read(account, target) {
        Ok(entry) => match entry.facts.state(now_ms) {
            State::Fresh => return Outcome::Print(entry.json),
            // The last try failed a moment ago, and what is here still works.
            State::Stale if cache.failure(account, target, now_ms).is_some() => return Outcome::Print(entry.json),
            State::Stale => return Outcome::Miss,
            State::Dead => {}
        },
        Err(problem @ (Problem::Refused { .. } | Problem::RelativeRoot(_))) => return refused(&problem),
        // The system failed to read: fetching says what is wrong, or does without the cache.
        Err(_) => {}
    }
    match cache.failure(account, target, now_ms) {
        Some(failure) => Outcome::Refuse {
            message: failure.line(),
            exit: failure.exit,
        },
        None => Outcome::Miss,
    }
}

fn refused(problem: &Problem) -> Outcome {
    match problem {
        Problem::Refused { .. } | Problem::RelativeRoot(_) => Outcome::Refuse {
            message: problem.to_string(),
            exit: problem.exit(),
        },
        _ => Outcome::Miss,
    }
}

/// Whether a process above this one is fetching the same target: serving it would go round for ever.
pub fn chain_names(env: Env<'_>, target: &str) -> bool {
    env(CHAIN).is_some_and(|chain| chain.to_string_lossy().split(':').any(|name| name == target))
}

/// Name and value of the variable for a child that might ask for credentials while `target` is fetched.
pub fn chain_with(env: Env<'_>, target: &str) -> (&'static str, OsString) {
    let mut chain = env(CHAIN).filter(|chain| !chain.is_empty()).unwrap_or_default();
    if !chain.is_empty() {
        chain.push(":");
    }
    chain.push(target);
    (CHAIN, chain)
}
