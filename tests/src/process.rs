//! The command as a process of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The command, built by the same cargo in the same profile as the tests. It is built here, since cargo builds the binary
/// of another package for nobody's tests.
pub fn isonomy() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    // …/target/<profile>/deps/<test>
    let test = std::env::current_exe().expect("this test");
    let profile = test.parent().and_then(Path::parent).expect("the profile's folder");
    let target = profile.parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "isonomy", "--bin", "isonomy", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(repository()).status().expect("cargo runs");
    assert!(status.success(), "the command does not build");
    profile.join(format!("isonomy{}", std::env::consts::EXE_SUFFIX))
}

/// Ports that nobody listens on at this moment.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}
