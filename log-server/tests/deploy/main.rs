//! What operators are given beside the program, as far as it can be judged without starting it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// All units that there are.
fn units() -> Vec<String> {
    let names = fs::read_dir(deploy()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".service")).collect()
}

/// Whether systemd can be asked. With `ISONOMY_REQUIRE_SYSTEMD` set, it must be.
fn has_systemd() -> bool {
    let found = Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("ISONOMY_REQUIRE_SYSTEMD").is_none(), "systemd-analyze is not installed");
    found
}

/// systemd ignores what it does not know, and says so only in its own log: a limit in the wrong section is none.
#[test]
fn systemd_knows_every_line_of_the_units() {
    assert_eq!(units().len(), 4, "of the log, the witness, the monitor and the match service");
    if !has_systemd() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in units() {
        let text = fs::read_to_string(deploy().join(&name)).unwrap();
        // The program need not be installed here.
        let text = text.replace("ExecStart=/usr/local/bin/isonomy ", "ExecStart=/bin/true ");
        let unit = folder.path().join(&name);
        fs::write(&unit, text).unwrap();
        let output = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let own: Vec<&str> = said.lines().filter(|line| line.contains(&name)).collect();
        assert_eq!(own, [""; 0], "{name}");
    }
}

/// Neither the history nor what was built before belongs into what a container is built from; nor a key that lies about.
#[test]
fn the_container_is_built_from_sources_alone() {
    let ignored = fs::read_to_string(deploy().join("../.dockerignore")).unwrap();
    for name in [".git", "target", "**/*.key"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
}

/// Asking witnesses over HTTPS needs the certificates of the authorities that are trusted, which the slim image lacks.
#[test]
fn the_container_has_what_the_program_needs_beside_itself() {
    let recipe = fs::read_to_string(deploy().join("Containerfile")).unwrap();
    let (_, image) = recipe.rsplit_once("\nFROM ").unwrap();
    assert!(image.contains(" ca-certificates "), "{image}");
    assert!(image.contains("\nUSER 65532:65532\n"), "{image}");
}
