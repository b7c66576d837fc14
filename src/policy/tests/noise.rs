//! Random damage: loading and deciding never panic, and the floors hold whatever is asked.

use proptest::prelude::*;

use super::{Scene, assert_refused, because, permissive_bundle};
use crate::policy::{Bundle, small};

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 20] = [
    b"\"",
    b"'",
    b"\\",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[[",
    b"//",
    b";",
    b"=",
    b".",
    b"@id(",
    b"?principal",
    b"\0",
    b"\xff",
    "\u{202e}".as_bytes(),
    b"99999999999999999999",
    b"when { true }",
    b"unless { 1 + ",
];

#[derive(Clone, Debug)]
struct Damage {
    file: usize,
    at: usize,
    cut: usize,
    put: Vec<u8>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = prop_oneof![
        4 => (0..PIECES.len()).prop_map(|at| PIECES[at].to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => Just(Vec::new()),
    ];
    (0..small::FILES.len(), any::<usize>(), 0_usize..40, piece).prop_map(|(file, at, cut, put)| Damage {
        file,
        at,
        cut,
        put,
    })
}

fn damaged(all: &[Damage]) -> Vec<(String, Vec<u8>)> {
    let mut files = small::files();
    for damage in all {
        let bytes = &mut files[damage.file].1;
        let at = damage.at % (bytes.len() + 1);
        let end = (at + damage.cut).min(bytes.len());
        bytes.splice(at..end, damage.put.iter().copied());
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bundle_loads_or_says_where(all in proptest::collection::vec(damage(), 1..4)) {
        let files = damaged(&all);
        match Bundle::load(&files) {
            Ok(bundle) => {
                for target in bundle.catalogue().targets() {
                    let scene = Scene::new(&bundle, "bob", target.name.as_str());
                    for action in ["request", "autoApprove", "approve", "activate"] {
                        scene.ask(action);
                    }
                }
            }
            Err(findings) => {
                prop_assert!(!findings.is_empty());
                for finding in findings {
                    let text = files.iter().find(|(path, _)| *path == finding.file).map(|(_, bytes)| bytes);
                    let lines = text.map_or(1, |bytes| bytes.split(|b| *b == b'\n').count());
                    prop_assert!((1..=lines).contains(&finding.line) && finding.column > 0, "{finding}");
                }
            }
        }
    }

    #[test]
    fn floors_hold_whatever_is_asked(
        duration_s in 1_u32..100_000_000,
        reason in ".{0,30}",
        target in proptest::sample::select(vec!["prod-readonly", "prod-admin", "prod-owner"]),
        stages_open in 0_u32..4,
        distinct_approvers in 0_u32..4,
    ) {
        let duration_s = duration_s % (366 * 86_400) + 1;
        let mut scene = Scene::new(permissive_bundle(), "alice", target);
        (scene.duration_s, scene.reason) = (duration_s, &reason);
        (scene.tally.stages_open, scene.tally.distinct_approvers) = (stages_open, distinct_approvers);
        assert_refused(&scene.ask("autoApprove"), "floor.never-automatic");
        assert_refused(&scene.ask("approve"), "base.no-self");
        let least = if target == "prod-owner" { 2 } else { 1 };
        let activate = scene.ask("activate");
        let complete = stages_open == 0 && distinct_approvers >= least && duration_s <= scene.target().max_duration.secs();
        prop_assert_eq!(activate.allowed, complete, "{:?}", because(&activate));
    }
}
