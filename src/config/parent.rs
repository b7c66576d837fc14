//! Which program started this one: the shell around it, where `$SHELL` only names the one of the log-in.
//! Refuses to look further up: a tool in between decides for itself.

use std::fs;

/// The name of the parent process; `None` where the system does not say it.
pub fn parent_program() -> Option<String> {
    let parent = rustix::process::getppid()?;
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero())).ok()?;
    Some(name.trim_end().to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn parent_of_a_test_has_a_name() {
        assert!(parent_program().is_some_and(|name| !name.is_empty() && !name.contains('\n')));
    }
}
