//! What operators are given beside the program, as far as it can be judged without starting it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// systemd ignores what it does not know, and says so only in its own log: a limit in the wrong section is none.
#[test]
fn systemd_knows_every_line_of_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["isonomy-log.service", "isonomy-witness.service", "isonomy-monitor.service"] {
        let text = fs::read_to_string(deploy().join(name)).unwrap();
        // The program need not be installed here.
        let text = text.replace("ExecStart=/usr/local/bin/isonomy ", "ExecStart=/bin/true ");
        let unit = folder.path().join(name);
        fs::write(&unit, text).unwrap();
        let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&unit).output() else {
            eprintln!("systemd-analyze is not installed; the units were not verified");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        let own: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(own, [""; 0], "{name}");
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
