//! What the command does when nobody takes what it says.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn new_key(file: &Path, stdout: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.args(["key", "new", "log.example/one", "--out"]).arg(file);
    command.stdout(stdout).stderr(Stdio::piped()).output().unwrap()
}

#[test]
fn a_closed_output_is_the_reader_s_choice_and_the_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = new_key(&folder.path().join("key"), writer.into());
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    assert!(folder.path().join("key").exists());
}

#[test]
fn a_full_output_is_told_and_the_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = new_key(&folder.path().join("key"), full.into());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("not all of the report could be written") && !said.contains("panicked"), "{said}");
    assert!(folder.path().join("key").exists());
}

#[test]
fn nothing_is_written_over_a_private_key() {
    let folder = tempfile::tempdir().unwrap();
    let (key, hashes) = (folder.path().join("key"), folder.path().join("hashes"));
    assert!(new_key(&key, Stdio::null()).status.success());
    let before = std::fs::read(&key).unwrap();
    std::fs::write(&hashes, format!("{}\n", "0f".repeat(32))).unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    let output = import.args(["list", "import"]).arg(&hashes).arg("--out").arg(&key).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read(&key).unwrap(), before);
}
