//! What the device is like, beyond what is in its folder: `tests/c/conditions.c`, which goes around the command. So the
//! command that is attacked is the one that is shipped, and has no clock but the machine's.

use crate::process::repository;
use isonomy_core::time::Timestamp;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What happens below the client's folder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disk {
    /// The call of this number, and all after it, find no space.
    FullFrom(usize),
    /// The process is killed before the call of this number.
    KilledAt(usize),
    /// The same; of a write half is there.
    KilledWithin(usize),
    /// Nothing can be changed.
    ReadOnly,
}

/// Puts the clock of the command at `clock`.
pub(crate) fn set_clock(command: &mut Command, clock: Timestamp) {
    command.env("LD_PRELOAD", library()).env("ISONOMY_TEST_CLOCK", clock.0.to_string());
}

/// Lets the command have this disk below `folder`.
pub(crate) fn set_disk(command: &mut Command, disk: Disk, folder: &Path) {
    let (how, number) = match disk {
        Disk::FullFrom(number) => ("FULL", number),
        Disk::KilledAt(number) => ("KILL", number),
        Disk::KilledWithin(number) => ("HALF", number),
        Disk::ReadOnly => ("READONLY", 0),
    };
    command.env("ISONOMY_TEST_DISK", format!("{how}:{number}:{}", folder.display()));
}

/// The compiled library; by the C compiler that the workspace needs anyway.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("conditions-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&path)
            .arg(repository().join("tests/c/conditions.c"))
            .arg("-ldl")
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        path
    })
}

/// Removes it, at the end.
pub(crate) fn clean_up() {
    let _ = std::fs::remove_file(library());
}
