//! Bytes that are not ours are kept, and ours are found again.

use proptest::prelude::*;

use super::*;

const SECTION: &str = "profile jit-prod";
const COMMAND: &str = "/usr/bin/jit-credential prod --server https://h --identity a";

fn wanted(targets: &[&str]) -> Vec<Wanted> {
    let one = |target: &&str| Wanted {
        section: format!("profile jit-{target}"),
        command: COMMAND.replace("prod", target),
        asking: Asking::AsItIs,
    };
    targets.iter().map(one).collect()
}

fn set(text: &str) -> String {
    let edited = ConfigText::new(text).with(&wanted(&["prod"])).unwrap();
    String::from_utf8(edited.text.0).unwrap()
}

fn undone(text: &str) -> String {
    let edited = ConfigText::new(text).without(|name| name.starts_with("profile jit-"));
    String::from_utf8(edited.text.0).unwrap()
}

fn ours(gap: Gap) -> String {
    format!("[{SECTION}]\n{}\ncredential_process = {COMMAND}\n", gap.mark())
}

#[test]
fn new_profile_is_appended_after_a_blank_line() {
    for (text, gap) in [
        ("", Gap::None),
        ("[default]\nregion = x\n", Gap::Line),
        ("[default]", Gap::LineAndEnd),
    ] {
        let expected = format!("{text}{}{}", "\n".repeat(gap.endings()), ours(gap));
        assert_eq!(set(text), expected);
        assert_eq!(set(&expected), expected);
        assert_eq!(undone(&expected), text);
    }
}

#[test]
fn profile_of_ours_keeps_what_was_added_to_it() {
    let added = ours(Gap::Line).replace("/usr/bin", "/old") + "region = x\n[other]\n";
    let text = format!("# mine\n\n{added}");
    assert_eq!(set(&text), text.replace("/old", "/usr/bin"));
    assert_eq!(undone(&text), format!("# mine\n\n[{SECTION}]\nregion = x\n[other]\n"));
    let lost = text.replace("credential_process", "# credential_process");
    assert!(set(&lost).contains(&format!("{}\ncredential_process = {COMMAND}\n#", Gap::Line.mark())));
}

#[test]
fn profile_of_somebody_is_never_touched() {
    for text in [
        "[profile jit-prod]\n",
        "[profile  \"jit-prod\"]\nregion = x\n",
        "[profile jit-prod]\ncredential_process = /opt/granted --x\n",
        "[profile jit-prod]\ncredential_process = /o/jit credential-process prod\n",
    ] {
        let error = ConfigText::new(text).with(&wanted(&["prod"])).unwrap_err();
        assert_eq!((error.exit.code(), error.code.as_str()), (3, "setup.foreign"), "{text}");
        assert_eq!(undone(text), text);
    }
    let taken = ours(Gap::None).replace("/usr/bin/jit-credential", "/opt/granted");
    assert!(ConfigText::new(taken.clone()).with(&wanted(&["prod"])).is_err());
    assert!(undone(&taken).contains("/opt/granted"));
}

#[test]
fn hand_written_profile_that_does_the_same_is_up_to_date() {
    let text = format!("[{SECTION}]\nregion = x\ncredential_process={COMMAND}\n");
    assert_eq!(set(&text), text);
}

fn set_asking(text: &str, asking: Asking) -> String {
    let mut wanted = wanted(&["prod"]);
    wanted[0].asking = asking;
    let edited = ConfigText::new(text).with(&wanted).unwrap();
    String::from_utf8(edited.text.0).unwrap()
}

#[test]
fn profile_that_asks_does_so_until_told_otherwise() {
    let asks = |flags: &str| ours(Gap::None).replace(COMMAND, &format!("{COMMAND}{flags}"));
    let with = asks(" --request-on-miss --reason \"nightly report\"");
    let nightly = || Some("\"nightly report\"".to_owned());
    assert_eq!(set_asking("", Asking::Asks(nightly())), with);
    for same in [Asking::AsItIs, Asking::Asks(None), Asking::Asks(nightly())] {
        assert_eq!(set_asking(&with, same.clone()), with, "{same:?}");
        assert_eq!(
            set_asking(&with.replace("/usr/bin", "/old"), same.clone()),
            with,
            "{same:?}"
        );
    }
    let other = asks(" --request-on-miss --reason deploys");
    assert_eq!(set_asking(&with, Asking::Asks(Some("deploys".into()))), other);
    assert_eq!(set_asking(&other, Asking::AsItIs), other);
    assert_eq!(set_asking(&with, Asking::AsksNot), ours(Gap::None));
    assert_eq!(
        set_asking(&asks(" --request-on-miss"), Asking::AsItIs),
        asks(" --request-on-miss")
    );
}

#[test]
fn lone_carriage_return_at_the_end_is_kept() {
    for text in ["\r", "a\r", "[a]\nb = c\r", "[a]\r\nb = c\r", "\n\r"] {
        let mut all = ConfigText::new(text);
        for target in ["a", "b", "c"] {
            all = all.with(&wanted(&[target])).unwrap().text;
        }
        let undone_at_once = all.without(|name| name.starts_with("profile jit-")).text;
        assert_eq!(undone_at_once.as_bytes(), text.as_bytes(), "{text:?}");
        for target in ["a", "c", "b"] {
            all = all.without(|name| name == format!("profile jit-{target}")).text;
        }
        assert_eq!(all.as_bytes(), text.as_bytes(), "{text:?} one by one");
    }
}

#[test]
fn windows_line_endings_are_kept() {
    let text = "[a]\r\nb = c\r\n";
    let with = format!("{text}\r\n{}", ours(Gap::Line).replace('\n', "\r\n"));
    assert_eq!(set(text), with);
    assert_eq!(undone(&with), text);
}

#[test]
fn section_that_stands_twice_is_found() {
    let first = |text: &str| ConfigText::new(text).index().repeated().cloned();
    assert_eq!(first("[a]\n[b]\nc = d\n[b] # again\n[a]\n").as_deref(), Some("b"));
    // botocore takes these for two
    assert_eq!(first("[profile a]\n[profile  a]\n[c]"), None);
}

#[test]
fn rivals_of_a_profile_are_named() {
    let text = ConfigText::new("[profile jit-prod]\nSSO_Session = x\ns3 =\n  role_arn = y\n[b]\nrole_arn = z\n");
    assert_eq!(text.index().rivals(SECTION), ["sso_session"]);
    let text = ConfigText::new("[b]\nlogin_session = x\ncredential_process = y\n");
    assert_eq!(text.index().rivals_and_process("b"), ["login_session", PROCESS]);
}

#[test]
fn credentials_of_the_default_are_left_out_with_their_nested_lines() {
    let text = "[default]\nregion = x\nAws_Access_Key_Id = a\n  more\n# c\noutput = json\n[b]\nrole_arn = z\n[profile default]\nsso_session=s";
    let names = ["default", "profile default"];
    let left = ConfigText::new(text).without_credentials(&names).unwrap();
    let expected = "[default]\nregion = x\n# c\noutput = json\n[b]\nrole_arn = z\n[profile default]\n";
    assert_eq!(left.as_bytes(), expected.as_bytes());
    assert!(left.without_credentials(&names).is_none());
}

/// Lines as hands and tools write them, with what is most like ours among them.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"[profile jit-mine]".to_vec()),
        Just(b"[default]".to_vec()),
        Just(b"[sso-session corp]".to_vec()),
        Just(b"[services  local] # c".to_vec()),
        Just(b"  nested = 1".to_vec()),
        Just(b"\tnested = [x]".to_vec()),
        Just(b"[unclosed".to_vec()),
        Just(b"credential_process = /x/jit prod".to_vec()),
        Just(b"region = x\r".to_vec()),
        Just(b"# written by jit setup!".to_vec()),
        Just(Vec::new()),
        "[a-z_]{1,8} *= *[ -~]{0,12}".prop_map(String::into_bytes),
        "[#;][ -~]{0,12}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>().prop_filter("an ending", |byte| *byte != b'\n'), 0..12),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let lines = proptest::collection::vec((line(), any::<bool>()), 0..40);
    (lines, any::<bool>()).prop_map(|(lines, ends)| {
        let mut text = Vec::new();
        let count = lines.len();
        for (at, (line, is_crlf)) in lines.into_iter().enumerate() {
            text.extend(line);
            if ends || at + 1 < count {
                text.extend_from_slice(if is_crlf { b"\r\n" } else { b"\n" });
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn undo_restores_every_byte(bytes in text(), targets in proptest::collection::vec("[a-d]", 0..6)) {
        let before = ConfigText::new(bytes);
        let mut targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        targets.sort_unstable();
        targets.dedup();
        let once = before.with(&wanted(&targets)).unwrap().text;
        prop_assert!(once.as_bytes().starts_with(before.as_bytes()));
        for target in &targets {
            let section = format!("profile jit-{target}");
            prop_assert!(once.index().has(&section));
        }
        let twice = once.with(&wanted(&targets)).unwrap();
        prop_assert_eq!(&twice.text, &once);
        prop_assert!(twice.lines.is_empty());
        prop_assert_eq!(&once.without(|name| name.starts_with("profile jit-")).text, &before);
    }

    #[test]
    fn undo_one_by_one_restores_every_byte(bytes in text(), order in Just(["a", "b", "c", "d"]).prop_shuffle()) {
        let before = ConfigText::new(bytes);
        let mut all = before.with(&wanted(&["a", "b", "c", "d"])).unwrap().text;
        for name in order {
            all = all.without(|section| section == format!("profile jit-{name}")).text;
        }
        prop_assert_eq!(&all, &before);
    }

    #[test]
    fn nothing_of_others_goes_in_any_order(bytes in text(), added in "[a-z]{1,6} = [a-z]{1,6}") {
        let before = ConfigText::new(bytes);
        let mut all = before.with(&wanted(&["a", "b", "c"])).unwrap().text;
        all.0.extend_from_slice(format!("\n[mine]\n{added}\n").as_bytes());
        for name in ["b", "a", "c"] {
            all = all.without(|section| section == format!("profile jit-{name}")).text;
        }
        let left = all.0.strip_prefix(before.as_bytes()).unwrap();
        let left = String::from_utf8_lossy(left);
        prop_assert_eq!(left.trim_start(), format!("[mine]\n{}\n", added));
    }
}
