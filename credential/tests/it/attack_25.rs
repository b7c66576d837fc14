//! Attack 25: links, wrong owners and modes, half-written files; refused with the mend, never followed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::support::{MIN, NOW, Place, SERVER, account, entry, refused};
use hot::{Outcome, Problem, Wrong};

const NOBODY: u32 = 65_534;

/// The hit is refused with exit 3 by one line that names `path` and the mend.
fn assert_refused(place: &Place, path: &Path, mend: &str) {
    let (message, exit) = refused(place.hit(NOW));
    assert_eq!(exit, 3, "{message}");
    assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    assert!(
        message.contains(&format!("run  {mend}")) && !message.contains('\n'),
        "{message}"
    );
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Gives a file away, where the test may do that.
fn give_away(path: &Path) -> bool {
    let given = chown(path, Some(NOBODY), None).is_ok();
    if !given {
        eprintln!("left out: only root can give {} away", path.display());
    }
    given
}

#[test]
fn attack_25_link_in_the_place_of_a_file_is_refused() {
    let place = Place::holding();
    let elsewhere = place.folder.join("elsewhere");
    fs::rename(place.file(), &elsewhere).unwrap();
    symlink(&elsewhere, place.file()).unwrap();
    assert_refused(&place, &place.file(), "rm ");
}

#[test]
fn attack_25_dangling_link_is_refused_too() {
    let place = Place::holding();
    fs::remove_file(place.file()).unwrap();
    symlink("nowhere", place.file()).unwrap();
    assert_refused(&place, &place.file(), "rm ");
}

#[test]
fn attack_25_link_in_the_place_of_a_folder_is_refused() {
    for depth in 1..=3 {
        let place = Place::holding();
        let file = place.file();
        let folder = file.ancestors().nth(depth).unwrap();
        let elsewhere = place.folder.join("elsewhere");
        fs::rename(folder, &elsewhere).unwrap();
        symlink(&elsewhere, folder).unwrap();
        assert_refused(&place, folder, "rm ");
        assert!(refused(place.hit(NOW)).0.contains("is a symbolic link"));
    }
}

#[test]
fn attack_25_what_is_no_file_is_refused_without_waiting() {
    let place = Place::holding();
    let file = place.file();
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_refused(&place, &file, "rm -r ");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_refused(&place, &file, "rm -r ");
}

#[test]
fn attack_25_socket_is_refused() {
    let place = Place::new();
    // A socket's path has at most 107 bytes: bind near, move into place.
    place
        .cache
        .write(&account("alice"), "prod", &entry("x", NOW + MIN))
        .unwrap();
    let near = std::env::temp_dir().join(format!("jit-{}", std::process::id()));
    let _listener = UnixListener::bind(&near).unwrap();
    if fs::rename(&near, place.file()).is_err() {
        fs::remove_file(&near).unwrap();
        eprintln!("left out: the temporary folder is on another file system");
        return;
    }
    assert_refused(&place, &place.file(), "rm -r ");
}

#[test]
fn attack_25_file_open_to_others_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o601] {
        let place = Place::holding();
        chmod(&place.file(), mode);
        assert_refused(&place, &place.file(), "chmod 600 ");
    }
}

#[test]
fn attack_25_folder_open_to_others_is_refused() {
    for depth in 1..=2 {
        for mode in [0o755, 0o750, 0o701, 0o777] {
            let place = Place::holding();
            let file = place.file();
            let folder = file.ancestors().nth(depth).unwrap();
            chmod(folder, mode);
            assert_refused(&place, folder, "chmod 700 ");
        }
    }
}

#[test]
fn attack_25_root_that_others_may_write_is_refused() {
    let place = Place::holding();
    for mode in [0o777, 0o775, 0o1777, 0o702] {
        chmod(place.cache.root(), mode);
        assert_refused(&place, place.cache.root(), "chmod 700 ");
    }
    chmod(place.cache.root(), 0o755);
    assert!(matches!(place.hit(NOW), Outcome::Print(_)));
}

#[test]
fn attack_25_foreign_owner_is_refused() {
    for (depth, mend) in [
        (0, "rm -r "),
        (1, "rm -r "),
        (2, "rm -r "),
        (3, "export JIT_CACHE_DIR="),
    ] {
        let place = Place::holding();
        let file = place.file();
        let path = file.ancestors().nth(depth).unwrap();
        if !give_away(path) {
            return;
        }
        assert_refused(&place, path, mend);
    }
}

#[test]
fn attack_25_current_file_is_guarded_like_a_credential() {
    let place = Place::holding();
    place.cache.set_current(&account("alice")).unwrap();
    let current = place.cache.root().join("current");
    chmod(&current, 0o666);
    let (message, exit) = refused(place.hit_with(&["prod"], &[], NOW));
    assert!(exit == 3 && message.contains("run  chmod 600 "), "{message}");
    fs::remove_file(&current).unwrap();
    symlink("/etc/passwd", &current).unwrap();
    let (message, exit) = refused(place.hit_with(&["prod"], &[], NOW));
    assert!(exit == 3 && message.contains("run  rm "), "{message}");
}

#[test]
fn attack_25_torn_file_on_disk_is_a_miss() {
    let place = Place::holding();
    let whole = fs::read(place.file()).unwrap();
    for length in 0..whole.len() {
        fs::write(place.file(), &whole[..length]).unwrap();
        assert_eq!(place.hit(NOW), Outcome::Miss, "{length} of {}", whole.len());
    }
    fs::write(place.file(), &whole).unwrap();
    assert!(matches!(place.hit(NOW), Outcome::Print(_)));
}

#[test]
fn attack_25_huge_file_is_a_miss_and_heals() {
    let place = Place::holding();
    let whole = fs::read(place.file()).unwrap();
    fs::write(place.file(), [whole, vec![b' '; 70_000]].concat()).unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
    // Far more than there is memory: it must not even be read.
    fs::OpenOptions::new()
        .write(true)
        .open(place.file())
        .unwrap()
        .set_len(1 << 42)
        .unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
    place
        .cache
        .write(&account("alice"), "prod", &entry("x", NOW + 60 * MIN))
        .unwrap();
    assert!(matches!(place.hit(NOW), Outcome::Print(_)));
}

#[test]
fn attack_25_newer_file_is_a_miss() {
    let place = Place::holding();
    fs::write(place.file(), "jit-cache/2 of another shape\n{}\n").unwrap();
    assert_eq!(place.hit(NOW), Outcome::Miss);
    assert!(matches!(
        place.cache.read(&account("alice"), "prod"),
        Err(Problem::Newer)
    ));
}

#[test]
fn attack_25_writing_replaces_a_link_and_spares_what_it_points_to() {
    let place = Place::holding();
    let elsewhere = place.folder.join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    fs::remove_file(place.file()).unwrap();
    symlink(&elsewhere, place.file()).unwrap();
    place
        .cache
        .write(&account("alice"), "prod", &entry("x", NOW + 60 * MIN))
        .unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert!(matches!(place.hit(NOW), Outcome::Print(_)));
}

#[test]
fn attack_25_nothing_is_written_into_a_folder_of_others() {
    let place = Place::holding();
    let file = place.file();
    let folder = file.parent().unwrap();
    chmod(folder, 0o777);
    let problem = place
        .cache
        .write(&account("alice"), "dev", &entry("x", NOW))
        .unwrap_err();
    assert!(
        matches!(
            problem,
            Problem::Refused {
                wrong: Wrong::FolderMode(0o777),
                ..
            }
        ),
        "{problem}"
    );
    assert!(!folder.join("dev").exists());
    assert!(place.cache.set_current(&account("alice")).is_ok());
    assert!(
        place
            .cache
            .lock(&account("alice"), "dev", std::time::Duration::ZERO)
            .is_err()
    );
}

#[test]
fn attack_25_link_in_the_place_of_a_lock_is_refused() {
    let place = Place::holding();
    let precious = place.folder.join("precious");
    symlink(&precious, place.file().with_file_name("prod.lock")).unwrap();
    assert!(
        place
            .cache
            .lock(&account("alice"), "prod", std::time::Duration::ZERO)
            .is_err()
    );
    assert!(!precious.exists());
}

#[test]
fn attack_25_helper_refuses_in_one_line_with_exit_3() {
    let place = Place::holding();
    chmod(&place.file(), 0o644);
    let args = ["prod", "--server", SERVER, "--identity", "alice"];
    let output = place.helper(crate::support::helper_path(), &args);
    let line = format!(
        "jit: {0} is open to others (mode 0644): run  chmod 600 {0}\n",
        place.file().display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
}
