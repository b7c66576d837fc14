//! Lives beside a child until it ends: passes signals on, stops when it is stopped, ends as it ended.
//! Refuses to pass on what the terminal sent to both of them, and to end a child by itself.

use std::process::Child;

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, waitpid};
use signal_hook::consts::{
    SIGABRT, SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGQUIT, SIGSEGV, SIGSYS, SIGTERM, SIGTRAP,
    SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::siginfo::{Cause, Origin};

use crate::error::{Error, Result};

/// What a child is told, whoever tells us.
const PASSED_ON: [i32; 9] = [
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT,
];
/// Whoever dies of these writes its memory to a file, where the system is set so. Ours has secrets.
const DUMPING: [i32; 10] = [
    SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ,
];

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(u8),
    /// Of this signal.
    Killed(i32),
}

impl Ended {
    /// Ends this process as the child ended where that was a signal, so that whoever waits sees the same; gives the
    /// exit code where it was none, or where ending so would write our memory to a file: 128 + n, as a shell has it.
    pub fn repeat(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => {
                if !DUMPING.contains(&signal) {
                    // comes back for a signal that the library does not know
                    let _ = emulate_default_handler(signal);
                }
                u8::try_from(128 + signal).unwrap_or(u8::MAX)
            }
        }
    }
}

/// What listens to signals for a child, from before it is born where the system lets us.
pub(super) struct Watch(Option<SignalsInfo<WithOrigin>>);

impl Watch {
    /// Begins to listen. What we were told to ignore (`nohup`) the child is to ignore too: a signal that is listened to
    /// would be none that it is born ignoring. Where the system does not say which those are, listening begins later.
    ///
    /// # Errors
    /// Exit 1 where the system gives no signals.
    pub(super) fn begin() -> Result<Self> {
        let Some(ignored) = ignored() else {
            return Ok(Self(None));
        };
        let heard = PASSED_ON.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        listen(heard).map(|signals| Self(Some(signals)))
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// Exit 1 where the system does not say how it ended.
    pub(super) fn until_the_end_of(self, child: &Child) -> Result<Ended> {
        let pid = Pid::from_child(child);
        let listening = self.0.map_or_else(|| listen(PASSED_ON.into_iter()), Ok);
        let Ok(mut signals) = listening else {
            // it runs already: better without us than not at all
            return look(pid, WaitOptions::empty())?.ok_or_else(|| Error::unexpected("the command's end is not known"));
        };
        loop {
            // before the first wait too: it may have ended before we listened
            if let Some(ended) = look(pid, WaitOptions::NOHANG | WaitOptions::UNTRACED)? {
                return Ok(ended);
            }
            for origin in signals.wait() {
                pass_on(pid, &origin);
            }
        }
    }
}

fn listen(heard: impl Iterator<Item = i32>) -> Result<SignalsInfo<WithOrigin>> {
    SignalsInfo::new(heard.chain([SIGCHLD])).map_err(|error| Error::unexpected(format!("no signals: {error}")))
}

/// The signals that this process ignores, signal n as bit n − 1.
fn ignored() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// What became of the child; with `NOHANG` nothing where it lives.
fn look(pid: Pid, how: WaitOptions) -> Result<Option<Ended>> {
    loop {
        let status = match waitpid(Some(pid), how) {
            Ok(Some((_, status))) => status,
            Ok(None) => return Ok(None),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(Error::unexpected(format!("the command's end is not known: {error}"))),
        };
        if let Some(ended) = ended(status) {
            return Ok(Some(ended));
        }
        let by_terminal = [SIGTSTP, SIGTTIN, SIGTTOU];
        if status
            .stopping_signal()
            .is_some_and(|signal| by_terminal.contains(&signal))
        {
            // the shell that started us sees a stopped job; we go on here when it has us go on
            stop();
        }
    }
}

fn ended(status: WaitStatus) -> Option<Ended> {
    let exited = status.exit_status().map(|code| u8::try_from(code).unwrap_or(u8::MAX));
    exited
        .map(Ended::Exited)
        .or_else(|| status.terminating_signal().map(Ended::Killed))
}

fn stop() {
    // we cannot be refused to signal ourselves
    let _ = kill_process(getpid(), Signal::STOP);
}

fn pass_on(pid: Pid, origin: &Origin) {
    let sender = origin.process.map_or(0, |process| process.pid);
    let is_terminal = match origin.cause {
        // the keys and the hang-up of a terminal reach its whole foreground group: the child has it already
        Cause::Kernel => true,
        Cause::Sent(_) | Cause::Chld(_) => false,
        // macOS does not say: there nobody is the sender
        _ => sender == 0,
    };
    let is_its_own = sender == pid.as_raw_pid();
    if origin.signal == SIGCHLD || is_terminal || is_its_own {
        return;
    }
    if let Some(signal) = Signal::from_named_raw(origin.signal) {
        // it may have ended a moment ago
        let _ = kill_process(pid, signal);
    }
}
