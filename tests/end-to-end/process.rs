//! The command as a process of its own. These tests belong to the command's package, so that cargo builds it for them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The command.
pub(crate) fn isonomy() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_isonomy"))
}

/// Ports that nobody listens on at this moment.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}
