//! Everything that can be wrong with a file of the cache, as one line that ends in the command to type.
//! Owns which problem is a miss (asked again) and which is refused (exit 3).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::names::BadName;

/// Why nothing could be read or written.
#[derive(Debug)]
pub enum Problem {
    /// There is no such file.
    Absent,
    /// Half a file, or not one of ours.
    Damaged,
    /// Written by a newer version.
    Newer,
    /// Written for another server, identity or target, and brought here.
    Misplaced,
    /// Somebody else could have read or written it.
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        wrong: Wrong,
    },
    /// A name that can never be right.
    Name(BadName),
    /// What was to be written is no credential.
    Unfit(&'static str),
    /// `JIT_CACHE_DIR` is not absolute.
    RelativeRoot(PathBuf),
    /// The system failed.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// What is wrong with a file or folder that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// A symbolic link; never followed.
    Link,
    /// A folder, pipe, socket or device in the place of a file.
    NoFile,
    /// Something else in the place of a folder.
    NoFolder,
    /// Belongs to this uid, which is not ours.
    Owner(u32),
    /// A file that others may read or write; its permission bits.
    FileMode(u32),
    /// A folder that others may enter; its permission bits.
    FolderMode(u32),
    /// The root belongs to this uid, which is not ours.
    RootOwner(u32),
    /// We may not read it ourselves.
    Unreadable,
}

impl Problem {
    /// Whether the credential is simply to be fetched (again).
    pub fn is_miss(&self) -> bool {
        matches!(
            self,
            Problem::Absent | Problem::Damaged | Problem::Newer | Problem::Misplaced
        )
    }

    /// The exit code of the command that cannot go on because of it.
    pub fn exit(&self) -> u8 {
        match self {
            Problem::Refused { .. } | Problem::RelativeRoot(_) => 3,
            Problem::Name(_) => 2,
            Problem::Absent | Problem::Damaged | Problem::Newer | Problem::Misplaced => 10,
            Problem::Unfit(_) | Problem::Io { .. } => 1,
        }
    }

    pub(crate) fn refused(path: &Path, wrong: Wrong) -> Self {
        Problem::Refused {
            path: path.to_owned(),
            wrong,
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Problem::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<BadName> for Problem {
    fn from(bad: BadName) -> Self {
        Problem::Name(bad)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Absent => f.write_str("no cached credential"),
            Problem::Damaged => f.write_str("cached credential is damaged"),
            Problem::Newer => f.write_str("cached credential is from a newer jit"),
            Problem::Misplaced => f.write_str("cached credential belongs to another server, identity or target"),
            Problem::Refused { path, wrong } => refusal(f, &shell(path), *wrong),
            Problem::Name(bad) => bad.fmt(f),
            Problem::Unfit(what) => write!(f, "credential cannot be cached: {what}"),
            Problem::RelativeRoot(path) => {
                write!(
                    f,
                    "JIT_CACHE_DIR is not absolute: {}: run  export JIT_CACHE_DIR=\"$PWD\"/{0}",
                    shell(path)
                )
            }
            Problem::Io { path, source } => write!(f, "{}: {source}", shell(path)),
        }
    }
}

impl std::error::Error for Problem {}

fn refusal(f: &mut fmt::Formatter<'_>, path: &str, wrong: Wrong) -> fmt::Result {
    match wrong {
        Wrong::Link => write!(f, "{path} is a symbolic link: run  rm {path}"),
        Wrong::NoFile => write!(f, "{path} is no regular file: run  rm -r {path}"),
        Wrong::NoFolder => write!(f, "{path} is no folder: run  rm {path}"),
        Wrong::Owner(uid) => write!(f, "{path} belongs to uid {uid}, not to you: run  rm -r {path}"),
        Wrong::FileMode(mode) => write!(f, "{path} is open to others (mode {mode:04o}): run  chmod 600 {path}"),
        Wrong::FolderMode(mode) => write!(f, "{path} has mode {mode:04o}: run  chmod 700 {path}"),
        Wrong::RootOwner(uid) => {
            write!(
                f,
                "{path} belongs to uid {uid}, not to you: run  export JIT_CACHE_DIR=\"$HOME/.jit-cache\""
            )
        }
        Wrong::Unreadable => write!(f, "{path} cannot be read: run  chmod 600 {path}"),
    }
}

/// A path as a shell takes it and a terminal survives it.
fn shell(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-%+:@,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    // `$'…'` is read back by bash, zsh and ksh; everything beyond ASCII is escaped byte by byte.
    let mut quoted = String::from("$'");
    for byte in std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()) {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_shell_and_terminal() {
        assert_eq!(shell(Path::new("/a/b%2E-c")), "/a/b%2E-c");
        assert_eq!(shell(Path::new("/a b/$(x)'")), "'/a b/$(x)'\\'''");
        assert_eq!(
            shell(Path::new("/a\n\u{1b}[2J\u{202e}")),
            "$'/a\\x0a\\x1b[2J\\xe2\\x80\\xae'"
        );
    }

    #[test]
    fn refusals_are_one_line_with_the_mend() {
        let wrongs = [
            (Wrong::Link, "rm "),
            (Wrong::NoFile, "rm -r "),
            (Wrong::NoFolder, "rm "),
            (Wrong::Owner(7), "rm -r "),
            (Wrong::FileMode(0o644), "chmod 600 "),
            (Wrong::FolderMode(0o755), "chmod 700 "),
            (Wrong::RootOwner(7), "export "),
            (Wrong::Unreadable, "chmod 600 "),
        ];
        for (wrong, mend) in wrongs {
            let problem = Problem::refused(Path::new("/c/x"), wrong);
            let line = problem.to_string();
            assert!(line.contains(&format!("run  {mend}")), "{line}");
            assert!(line.starts_with("/c/x ") && !line.contains('\n'), "{line}");
            assert_eq!(problem.exit(), 3);
        }
    }
}
