//! The keyring of a machine: a real `gnome-keyring-daemon` on a bus of its own, open or locked; and a bus that never answers.
//! Refuses the developer's own bus and keyring.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::child::Running;
use super::left_out::{is_there, left_out};
use super::redact::Redactions;
use super::wait::{LIMIT, wait_until};

/// A bus without services that are started on demand: whatever answers was started here.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=FOLDER/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A keyring that runs. It dies with the test.
pub struct Keyring {
    /// What `DBUS_SESSION_BUS_ADDRESS` is.
    pub bus: String,
    _running: Vec<Running>,
    _listener: Option<UnixListener>,
    _folder: TempDir,
}

impl Keyring {
    /// One that is open; none, said to be left out of `test`, where the programs are missing.
    #[track_caller]
    pub fn open(test: &str) -> Option<Self> {
        Self::start(test, true)
    }

    /// One that is locked, with nobody to ask for its password.
    #[track_caller]
    pub fn locked(test: &str) -> Option<Self> {
        Self::start(test, false)
    }

    /// A bus that takes calls and answers none.
    pub fn hanging() -> Self {
        let folder = folder();
        let path = folder.path().join("bus");
        Self {
            bus: format!("unix:path={}", path.display()),
            _running: Vec::new(),
            // nobody accepts: the caller's greeting waits in the socket
            _listener: Some(UnixListener::bind(path).unwrap()),
            _folder: folder,
        }
    }

    #[track_caller]
    fn start(test: &str, is_open: bool) -> Option<Self> {
        let programs = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"].map(|name| (name, is_there(name)));
        if let Some((missing, _)) = programs.iter().find(|(_, program)| program.is_none()) {
            left_out(
                test,
                &format!("{missing} is missing: sudo apt-get install dbus gnome-keyring"),
            );
            return None;
        }
        let [bus, send, daemon] = programs.map(|(_, program)| program.unwrap());
        let folder = folder();
        let (home, configuration) = (folder.path().to_owned(), folder.path().join("bus.conf"));
        std::fs::write(&configuration, BUS.replace("FOLDER", home.to_str().unwrap())).unwrap();
        let address = format!("unix:path={}", home.join("bus").display());
        let command = |program| {
            let mut command = Command::new(program);
            command
                .env_clear()
                .env("HOME", &home)
                .env("XDG_RUNTIME_DIR", &home)
                .env("XDG_DATA_HOME", home.join("data"))
                .env("DBUS_SESSION_BUS_ADDRESS", &address)
                .stdin(Stdio::null());
            command
        };
        let mut running = command(bus);
        running.args(["--nofork", "--nopidfile", "--print-address=1", "--config-file"]);
        running.arg(&configuration);
        let bus = Running::start(running, Redactions::default());
        bus.stdout_line("unix:path=", LIMIT);
        let mut running = command(daemon);
        running.args(["--foreground", "--components=secrets"]);
        if is_open {
            running.arg("--unlock").stdin(Stdio::piped());
        }
        let mut daemon = Running::start(running, Redactions::default());
        if is_open {
            daemon.feed(b"a password\n".to_vec());
        }
        wait_until("the keyring", LIMIT, || {
            let mut owner = command(send.clone());
            owner.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            owner.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
            let answer = owner.output().unwrap().stdout;
            String::from_utf8_lossy(&answer).contains("boolean true").then_some(())
        });
        Some(Self {
            bus: address,
            _running: vec![daemon, bus],
            _listener: None,
            _folder: folder,
        })
    }
}

fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("jit-keyring-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
    folder
}
