//! What `jit shell-init` prints, read by the real shells: names are completed, a prompt says what is live, `jit use`
//! changes the shell. And attack 16: the files that the scripts read hold commands, and nothing runs.

use std::path::PathBuf;

use super::harness::{
    Backend, BackendPlan, Run, SealedBox, StsRecorder, Terminal, is_there, jit_program, left_out, left_out_everywhere,
    wait_until,
};

/// Somebody who holds dev-admin, whose shell knows all targets, with a profile.
pub fn live() -> (StsRecorder, Backend, SealedBox) {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice").with_program(jit_program());
    let ask = ["request", "dev-admin", "--for", "2h", "--reason", "day to day"];
    drop(alice.jit(&ask).exits(0));
    drop(alice.jit(&["setup", "dev-admin"]).exits(0));
    (sts, backend, alice)
}

/// The folder of the plain files.
fn state(machine: &SealedBox) -> PathBuf {
    machine.home().join(".local/state/jit")
}

/// Both files with lines that a shell must not take for more than text.
fn poison(machine: &SealedBox) {
    let hostile = [
        "$(touch x) 9999999999 a b",
        "`touch x` 9999999999 a b",
        "a[$(touch${IFS}x)] 9999999999 a b",
        "evil a[$(touch${IFS}x)] a b",
        "evil a[`touch${IFS}x`] a b",
        "evil x=1;touch\tx a b",
        "evil 99999999999999999999999 a b",
        "evil 0x10 a b",
        "evil;touch 9999999999 a b",
        "evil'\" 9999999999 a b",
        "*",
        "~ 9999999999 a b",
        "\u{1b}[2Jesc 9999999999 a b",
        "bidi\u{202e} 9999999999 a b",
        "PS1 9999999999 a b",
        "%n 9999999999 a b",
        "{evil,x} 9999999999 a b",
        "",
    ];
    for file in ["live", "targets"] {
        let path = state(machine).join(file);
        let ours = std::fs::read_to_string(&path).unwrap();
        // behind a name that is one, the names' file has nothing to be wrong
        let lines = hostile
            .iter()
            .filter(|line| file == "live" || !line.starts_with("evil "));
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, lines + &ours).unwrap();
    }
}

#[track_caller]
fn nothing_ran(machine: &SealedBox, run: &Run) {
    assert!(!machine.home().join("x").exists(), "something ran: {run}");
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{run}");
        assert!(!text.contains("evil") && !text.contains("PS1 "), "{run}");
    }
}

/// Reads the script twice, looks at the prompt twice, and prints it and what is completed behind `jit drop de`.
struct Played {
    program: &'static str,
    flags: &'static [&'static str],
    typed: &'static str,
}

const BASH: Played = Played {
    program: "bash",
    flags: &["--norc", "--noprofile", "-c"],
    typed: "set -u; init=$(jit shell-init bash); eval \"$init\"; eval \"$init\"; PATH=; \
            __jit_look; __jit_look; printf '[%s]\\n' \"$JIT_PROMPT\"; set +u; COMP_WORDS=(jit drop de); COMP_CWORD=2; \
            __jit_complete jit de drop; printf '<%s>\\n' \"${COMPREPLY[@]}\"",
};

const ZSH: Played = Played {
    program: "zsh",
    flags: &["-f", "-c"],
    typed: "setopt nounset errexit; init=$(jit shell-init zsh); eval \"$init\"; eval \"$init\"; path=(); \
            __jit_tick; __jit_tick; print -r -- \"[$JIT_PROMPT]\"; print -r -- \"hooks ${#precmd_functions}\"; \
            typeset -a reply; __jit_read_names; print -rl -- '<'${^reply}'>'",
};

const FISH: Played = Played {
    program: "fish",
    flags: &["--no-config", "-c"],
    typed: "jit shell-init fish | source; jit shell-init fish | source; set -gx PATH; emit fish_prompt; emit fish_prompt; \
            printf '[%s]\\n' \"$JIT_PROMPT\"; printf '<%s>\\n' (__jit_names)",
};

const NU: Played = Played {
    program: "nu",
    flags: &["-n", "-c"],
    typed: "source init.nu; source init.nu; $env.PATH = []; print $'[(jit-prompt)]'; \
            print $'hooks ($env.config.hooks.pre_prompt | length)'; for name in (nu-complete jit targets) { print $'<($name)>' }",
};

/// Of the two hours some seconds may have passed.
fn says_two_hours(text: &str) -> bool {
    text.contains("[dev-admin 2h0m]") || text.contains("[dev-admin 1h59m]")
}

fn play(machine: &SealedBox, shell: &Played) -> Option<Run> {
    let program = is_there(shell.program)?;
    if shell.program == "nu" {
        let script = machine.jit(&["shell-init", "nu"]).exits(0).stdout;
        std::fs::write(machine.home().join("init.nu"), script).unwrap();
    }
    let args: Vec<&str> = shell.flags.iter().copied().chain([shell.typed]).collect();
    Some(machine.command(&program, &args).env("TERM", "dumb").run())
}

/// The prompt and the names, before and after the files were poisoned, and with the commands of PATH gone: had a
/// process been started for it, its name would not have been found.
#[track_caller]
fn shows_what_is_live(test: &str, shell: &Played) {
    let (_sts, mut backend, alice) = live();
    drop(alice.jit(&["targets"]).exits(0));
    backend.kill();
    let Some(run) = play(&alice, shell) else {
        return left_out(test, &format!("{} is missing", shell.program));
    };
    let run = run.exits(0);
    assert!(says_two_hours(&run.stdout), "{run}");
    assert!(run.stdout.contains("<dev-admin>"), "{run}");
    assert!(!run.stdout.contains("hooks 2") && run.stderr.is_empty(), "{run}");
    poison(&alice);
    let poisoned = play(&alice, shell).unwrap().exits(0);
    assert!(says_two_hours(&poisoned.stdout), "{poisoned}");
    nothing_ran(&alice, &poisoned);
}

#[test]
fn attack_16_bash_shows_what_is_live_and_runs_nothing() {
    shows_what_is_live("attack_16_bash_shows_what_is_live_and_runs_nothing", &BASH);
}

#[test]
fn attack_16_zsh_shows_what_is_live_and_runs_nothing() {
    shows_what_is_live("attack_16_zsh_shows_what_is_live_and_runs_nothing", &ZSH);
}

#[test]
fn attack_16_fish_shows_what_is_live_and_runs_nothing() {
    shows_what_is_live("attack_16_fish_shows_what_is_live_and_runs_nothing", &FISH);
}

#[test]
fn attack_16_nu_shows_what_is_live_and_runs_nothing() {
    shows_what_is_live("attack_16_nu_shows_what_is_live_and_runs_nothing", &NU);
}

#[test]
fn attack_16_elvish_completes_and_runs_nothing() {
    let test = "attack_16_elvish_completes_and_runs_nothing";
    let Some(elvish) = is_there("elvish") else {
        return left_out(test, "elvish is missing");
    };
    let (_sts, _backend, alice) = live();
    drop(alice.jit(&["targets"]).exits(0));
    poison(&alice);
    let Some(terminal) = Terminal::start(&alice, test, &elvish, &["-norc"]) else {
        return;
    };
    terminal.wait_for("~");
    // what is defined on a line is known on the next one
    terminal.types("eval (jit shell-init elvish | slurp); eval (jit shell-init elvish | slurp); echo read");
    terminal.presses("Enter");
    terminal.wait_for("\nread");
    terminal.types("echo '['(jit-prompt)']'");
    terminal.presses("Enter");
    let screen = terminal.wait_for("\n[dev-admin ");
    assert!(says_two_hours(&screen), "{screen}");
    terminal.types("jit use dev-ad");
    terminal.presses("Tab");
    terminal.wait_for("jit use dev-admin");
    terminal.presses("Enter");
    terminal.wait_for("dev-admin\n~");
    terminal.types("echo now $E:AWS_PROFILE hooks (count $edit:before-readline)");
    terminal.presses("Enter");
    terminal.wait_for("now jit-dev-admin hooks 1");
    terminal.types(
        "jit --color never -q use -; echo then '<'$E:AWS_PROFILE'>'; jit -q use dev-admin; echo at $E:AWS_PROFILE",
    );
    terminal.presses("Enter");
    terminal.wait_for("then <>");
    let screen = terminal.wait_for("at jit-dev-admin");
    assert!(!screen.contains("evil"), "{screen}");
    assert!(!alice.home().join("x").exists(), "{screen}");
}

#[test]
fn zsh_completes_targets_on_a_terminal() {
    let test = "zsh_completes_targets_on_a_terminal";
    let Some(zsh) = is_there("zsh") else {
        return left_out(test, "zsh is missing");
    };
    let (_sts, _backend, alice) = live();
    drop(alice.jit(&["targets"]).exits(0));
    poison(&alice);
    std::fs::write(
        alice.home().join(".zshrc"),
        "PS1='at> '; autoload -Uz compinit; compinit -D -u; eval \"$(jit shell-init zsh)\"; PS1='ready> '\n",
    )
    .unwrap();
    let Some(terminal) = Terminal::start(&alice, test, &zsh, &["-d"]) else {
        return;
    };
    terminal.wait_for("ready>");
    terminal.types("jit drop dev-a");
    terminal.presses("Tab");
    let screen = terminal.wait_for("jit drop dev-admin");
    assert!(!screen.contains("evil") && !alice.home().join("x").exists(), "{screen}");
}

#[test]
fn live_file_follows_request_drop_and_logout() {
    let (_sts, _backend, alice) = live();
    let read = || std::fs::read_to_string(state(&alice).join("live")).unwrap();
    assert!(read().starts_with("dev-admin "), "{}", read());
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    assert_eq!(read(), "");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "1h", "--reason", "day to day"])
            .exits(0),
    );
    let line = read();
    assert_eq!(line.split(' ').nth(2), Some("jit-dev-admin"));
    std::fs::remove_file(state(&alice).join("live")).unwrap();
    drop(alice.jit(&["status"]).exits(0));
    assert_eq!(read(), line);
    drop(alice.jit(&["logout"]).exits(0));
    assert_eq!(read(), "");
}

#[test]
fn bash_warns_once_before_the_end() {
    let Some(bash) = is_there("bash") else {
        return left_out("bash_warns_once_before_the_end", "bash is missing");
    };
    let (_sts, _backend, alice) = live();
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "90s", "--reason", "day to day"])
            .exits(0),
    );
    let script = alice.jit(&["shell-init", "bash"]).exits(0).stdout;
    std::fs::write(
        alice.home().join(".bashrc"),
        script + "\nPROMPT_COMMAND+=(mine); mine() { seen=$?; }\n",
    )
    .unwrap();
    let typed = "true\n(exit 7)\necho \"saw $seen, live $JIT_PROMPT\"\n";
    let shell = alice.command(&bash, &["-i"]).env("TERM", "dumb").input(typed).run();
    assert_eq!(shell.stderr.matches("jit: dev-admin ends in 1m").count(), 1, "{shell}");
    assert!(shell.stdout.contains("saw 7, live dev-admin 1m"), "{shell}");
}

/// The kernel's own count: what a prompt starts.
#[test]
fn prompt_of_bash_starts_no_process() {
    let (Some(bash), Some(strace)) = (is_there("bash"), is_there("strace")) else {
        return left_out_everywhere("prompt_of_bash_starts_no_process", "strace is missing");
    };
    let (_sts, _backend, alice) = live();
    let script = alice.jit(&["shell-init", "bash"]).exits(0).stdout;
    std::fs::write(alice.home().join("init"), script).unwrap();
    let log = alice.home().join("calls");
    let args = [
        "-f",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=process",
        bash.to_str().unwrap(),
        "--norc",
        "-c",
        "set -i 2>/dev/null; . ./init; for i in 1 2 3 4 5; do __jit_tick; done; echo \"$JIT_PROMPT\"",
    ];
    let run = alice.command(&strace, &args).run().exits(0);
    assert!(run.stdout.contains("dev-admin"), "{run}");
    let calls = wait_until("the log of strace", super::harness::LIMIT, || {
        std::fs::read_to_string(&log).ok()
    });
    let started = |line: &&str| ["clone", "fork", "execve"].iter().any(|call| line.contains(call));
    // the one is bash itself
    assert_eq!(calls.lines().filter(started).count(), 1, "{calls}");
}
