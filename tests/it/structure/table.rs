//! Who may name whom, and which words a room may not contain: the table of `docs/architecture.md` as data.

/// One room: a folder or file under `src/`, longest name first where one lies in another.
pub struct Room {
    /// Its module path, `server::store`.
    pub name: &'static str,
    /// The rooms that it may name beside itself.
    pub may_name: &'static [&'static str],
    /// Words that its code may not contain.
    pub forbidden: &'static [&'static str],
}

const IO: &[&str] = &[
    "async",
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::process",
    "SystemTime::now",
    "Timestamp::now",
    "Instant::now",
    "tokio",
];
const WEB_AND_SQL: &[&str] = &["axum", "sqlx"];
const WEB_SQL_CEDAR: &[&str] = &["axum", "sqlx", "cedar_policy"];
const PRINT: &[&str] = &["println!", "eprintln!", "print!", "eprint!"];

/// What lies at the edge of `server`: each stands alone.
const EDGE: &[&str] = &["domain", "config", "error", "clock", "random", "network"];

/// The table.
pub const ROOMS: &[Room] = &[
    Room {
        name: "domain",
        may_name: &[],
        forbidden: IO,
    },
    Room {
        name: "policy",
        may_name: &["domain"],
        forbidden: IO,
    },
    Room {
        name: "wire",
        may_name: &["domain"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "error",
        may_name: &["domain", "wire"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "clock",
        may_name: &["domain"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "random",
        may_name: &["domain"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "config",
        may_name: &["domain", "wire", "error"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "network",
        may_name: &["config", "error"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "ui",
        may_name: &["domain", "wire", "error"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "client",
        may_name: &["domain", "wire", "config", "error", "clock", "random", "network"],
        forbidden: WEB_SQL_CEDAR,
    },
    Room {
        name: "cli",
        may_name: &[
            "domain", "wire", "config", "error", "clock", "random", "network", "client", "ui",
        ],
        forbidden: WEB_AND_SQL,
    },
    Room {
        name: "server::store",
        may_name: EDGE,
        forbidden: PRINT,
    },
    Room {
        name: "server::provider",
        may_name: EDGE,
        forbidden: PRINT,
    },
    Room {
        name: "server::issuer",
        may_name: EDGE,
        forbidden: PRINT,
    },
    Room {
        name: "server",
        may_name: &[
            "domain", "policy", "wire", "config", "error", "clock", "random", "network",
        ],
        forbidden: PRINT,
    },
    Room {
        name: "lib",
        may_name: &[],
        forbidden: WEB_AND_SQL,
    },
    Room {
        name: "main",
        may_name: &["cli", "ui", "error", "config"],
        forbidden: WEB_AND_SQL,
    },
];

/// Files of the verbs that are the server: these alone may name `server` and `policy`.
pub const SERVER_VERBS: &[&str] = &["cli::aws", "cli::issuer", "cli::serve"];

/// Rooms that only those files may name, from `cli`.
pub const BEHIND_SERVER_VERBS: &[&str] = &["server", "policy"];

/// Names that say nothing.
pub const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// The most lines of a source file.
pub const LONGEST_FILE: usize = 400;
