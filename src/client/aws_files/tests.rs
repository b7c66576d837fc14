//! The file on the disk: links, modes, owners, two at once, no room.

use std::os::unix::fs::symlink;

use hot::{Account, Origin};

use super::*;

struct Machine {
    folder: tempfile::TempDir,
    files: AwsFiles,
}

fn machine(text: Option<&str>) -> Machine {
    let folder = tempfile::tempdir().unwrap();
    let files = AwsFiles {
        config: folder.path().join("aws/config"),
        credentials: folder.path().join("aws/credentials"),
        state: StateFolder::at(folder.path().join("state")),
    };
    if let Some(text) = text {
        fs::create_dir(folder.path().join("aws")).unwrap();
        fs::write(&files.config, text).unwrap();
    }
    Machine { folder, files }
}

fn profile(name: &str) -> Profile {
    let account = Account::new(Origin::parse("https://h").unwrap(), "alice").unwrap();
    Profile::new(
        TargetName::parse(name).unwrap(),
        &account,
        Path::new("/b/jit-credential"),
        true,
    )
    .unwrap()
}

fn with(name: &str) -> Change {
    Change::With(vec![profile(name)])
}

fn text(files: &AwsFiles) -> String {
    fs::read_to_string(&files.config).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn missing_folder_is_made_for_its_owner_alone() {
    let machine = machine(None);
    assert!(machine.files.write(&with("prod")).unwrap().is_needed());
    assert_eq!(mode(&machine.folder.path().join("aws")), 0o700);
    assert_eq!(mode(&machine.files.config), 0o600);
    let prod = TargetName::parse("prod").unwrap();
    assert_eq!(machine.files.profile_of(&prod).as_deref(), Some("jit-prod"));
    assert!(!machine.files.write(&with("prod")).unwrap().is_needed());
}

#[test]
fn file_keeps_its_mode_and_its_link() {
    let machine = machine(Some(""));
    let real = machine.folder.path().join("dotfiles");
    fs::write(&real, "[default]\n").unwrap();
    fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
    fs::remove_file(&machine.files.config).unwrap();
    symlink(&real, &machine.files.config).unwrap();
    machine.files.write(&with("prod")).unwrap();
    assert!(fs::symlink_metadata(&machine.files.config).unwrap().is_symlink());
    assert_eq!(mode(&real), 0o640);
    machine
        .files
        .write(&Change::Without(Prefix::default(), Vec::new()))
        .unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), "[default]\n");
}

#[test]
fn file_that_is_not_ours_to_replace_is_refused() {
    let refused = |machine: &Machine| {
        let error = machine.files.write(&with("prod")).unwrap_err();
        assert_eq!(error.exit.code(), 3, "{error}");
        (error.message.clone(), error.hint.unwrap())
    };
    let read_only = machine(Some("[a]\n"));
    fs::set_permissions(&read_only.files.config, PermissionsExt::from_mode(0o444)).unwrap();
    assert!(refused(&read_only).1.starts_with("try: chmod u+w "));
    assert_eq!(text(&read_only.files), "[a]\n");
    let nowhere = machine(Some(""));
    fs::remove_file(&nowhere.files.config).unwrap();
    symlink("/nowhere/at/all", &nowhere.files.config).unwrap();
    assert!(refused(&nowhere).0.ends_with("is a link to nothing"));
    let mut device = machine(Some(""));
    device.files.config = "/dev/null".into();
    assert!(refused(&device).0.ends_with("is no file"));
    if rustix::process::geteuid().is_root() {
        let foreign = machine(Some("[a]\n"));
        std::os::unix::fs::chown(&foreign.files.config, Some(12_345), None).unwrap();
        assert!(refused(&foreign).0.ends_with("belongs to uid 12345, not to you"));
        assert_eq!(text(&foreign.files), "[a]\n");
    }
}

#[test]
fn pipe_in_the_place_of_a_file_is_refused_without_waiting() {
    let mut machine = machine(Some("[a]\n"));
    let pipe = machine.folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    machine.files.credentials.clone_from(&pipe);
    let error = machine.files.write(&with("prod")).unwrap_err();
    assert_eq!(error.message, format!("{}: is no file", pipe.display()));
    assert_eq!(text(&machine.files), "[a]\n");
    machine.files.config = pipe;
    assert_eq!(machine.files.write(&with("prod")).unwrap_err().exit.code(), 3);
    assert_eq!(machine.files.profile_of(&TargetName::parse("prod").unwrap()), None);
}

#[test]
fn profile_of_somebody_else_never_stands_for_ours() {
    let machine = machine(Some("[profile jit-prod]\nregion = eu-west-1\n"));
    let prod = TargetName::parse("prod").unwrap();
    // nothing else is there: it may be how they reach the target
    assert_eq!(machine.files.profile_of(&prod).as_deref(), Some("jit-prod"));
    let named = profile("prod").named(&Prefix::parse("acme-").unwrap());
    machine.files.write(&Change::With(vec![named])).unwrap();
    assert_eq!(machine.files.profile_of(&prod).as_deref(), Some("acme-prod"));
}

#[test]
fn profile_is_found_whatever_its_prefix() {
    let machine = machine(Some(
        "[profile acme-x]\ncredential_process = /b/jit-credential prod --server https://h --identity alice\n",
    ));
    let found = |name: &str| machine.files.profile_of(&TargetName::parse(name).unwrap());
    // somebody wrote that one: what becomes of it is theirs
    assert_eq!(found("prod"), None);
    let named = |name: &str, prefix: &str| profile(name).named(&Prefix::parse(prefix).unwrap());
    let profiles = vec![named("prod", "acme-"), named("prod", "b."), named("prod-read", "")];
    machine.files.write(&Change::With(profiles)).unwrap();
    assert_eq!(found("prod").as_deref(), Some("acme-prod"));
    assert_eq!(found("prod-read").as_deref(), Some("prod-read"));
    assert_eq!((found("acme-prod"), found("read")), (None, None));
    assert!(machine.files.is_ours("b.prod") && !machine.files.is_ours("acme-x") && !machine.files.is_ours("b"));
    machine.files.write(&with("prod")).unwrap();
    assert_eq!(found("prod").as_deref(), Some("jit-prod"));
    machine
        .files
        .write(&Change::Without(Prefix::default(), Vec::new()))
        .unwrap();
    machine
        .files
        .write(&Change::Without(Prefix::parse("acme-").unwrap(), Vec::new()))
        .unwrap();
    assert_eq!(found("prod").as_deref(), Some("b.prod"));
}

#[test]
fn profile_that_runs_jit_itself_is_found_too() {
    let machine = machine(None);
    let account = Account::new(Origin::parse("https://h").unwrap(), "alice").unwrap();
    let prod = TargetName::parse("prod").unwrap();
    let profile = Profile::new(prod.clone(), &account, Path::new("/my tools/jit"), false).unwrap();
    let named = profile.named(&Prefix::parse("acme-").unwrap());
    machine.files.write(&Change::With(vec![named])).unwrap();
    assert_eq!(machine.files.profile_of(&prod).as_deref(), Some("acme-prod"));
}

#[test]
fn two_terminals_at_once_lose_nothing() {
    let machine = machine(Some("[default]\nregion = x"));
    let names: Vec<String> = (0..16).map(|n| format!("t{n}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| machine.files.write(&with(name)).unwrap());
        }
    });
    let written = text(&machine.files);
    for name in &names {
        assert!(written.contains(&format!("[profile jit-{name}]")), "{name}");
    }
    machine
        .files
        .write(&Change::Without(Prefix::default(), Vec::new()))
        .unwrap();
    assert_eq!(text(&machine.files), "[default]\nregion = x");
}

#[test]
fn full_disk_leaves_the_old_file() {
    let machine = machine(Some("[default]\n"));
    let place = Place {
        path: "/dev/full/config".into(),
        mode: 0o600,
    };
    assert!(place.put(b"x").is_err());
    // the new file is there already, so it cannot be made: the old one stays, and nothing else is taken away
    let mut taken = machine.files.config.clone().into_os_string();
    taken.push(format!(".jit.{}", std::process::id()));
    fs::create_dir(&taken).unwrap();
    assert_eq!(machine.files.write(&with("prod")).unwrap_err().exit.code(), 3);
    assert_eq!(text(&machine.files), "[default]\n");
}

#[test]
fn keys_that_win_over_a_profile_are_warned_about() {
    let machine = machine(Some("[profile jit-prod]\nrole_arn = x\nsso_session = y\n"));
    fs::write(&machine.files.credentials, "[jit-dev]\naws_access_key_id = x\n").unwrap();
    let warnings = machine.files.edit(&with("dev")).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("aws_access_key_id"));
    assert!(machine.files.edit(&with("prod")).is_err());
}

#[test]
fn undo_says_what_it_leaves_alone() {
    let machine = machine(Some("[profile jit-prod]\nregion = x\n"));
    let undo = Change::Without(Prefix::default(), vec![TargetName::parse("prod").unwrap()]);
    let edit = machine.files.edit(&undo).unwrap();
    assert!(!edit.is_needed() && edit.profiles.is_empty());
    assert!(edit.warnings[0].message.contains("left alone"));
}
