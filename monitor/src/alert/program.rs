//! A program that is told.

use super::AlertError;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often it is looked whether a program has ended.
const STEP: Duration = Duration::from_millis(20);

/// Runs a program with `input`, and ends it when it takes longer than `patience`.
pub(super) fn run(path: PathBuf, input: &[u8], patience: Duration) -> Result<(), AlertError> {
    let failed = |error| AlertError::Command { path: path.clone(), error };
    let mut child = Command::new(&path).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program that reads nothing must not hold up the monitor: it is fed by a thread, which ends with it.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let started = Instant::now();
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(AlertError::Failed { path, status: status.to_string() }),
            None if started.elapsed() > patience => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(AlertError::Failed { path, status: "it did not end in time".to_owned() });
            }
            None => std::thread::sleep(STEP),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slow");
        std::fs::write(&path, "#!/bin/sh\nexec sleep 600\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let started = Instant::now();
        // More than a pipe holds, so that whoever feeds it would wait, too.
        let error = run(path, &[b' '; 1 << 20], Duration::from_millis(100)).unwrap_err().to_string();
        assert!(error.contains("did not end in time") && started.elapsed() < Duration::from_secs(60), "{error}");
    }
}
