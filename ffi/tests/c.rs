//! `tests/c/update_and_match.c`, compiled by the C compiler that is here and run against running servers: an honest one, one
//! that lies, and one that says nothing. The header is also taken by C++, where there is a compiler for it.

#[path = "../../tests/end-to-end/hostile/server.rs"]
#[allow(dead_code)] // The hostile suite needs more of it.
mod server;

use isonomy_core::encoding::to_hex;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use isonomy_verifier::peer::View;
use server::{Fault, Server};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLOCK: u64 = 1010;

fn world() -> World {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(CLOCK);
    world
}

/// What a peer shows who was shown another history by the log.
fn peer(world: &World) -> String {
    let mut fork = world.fork(1);
    fork.release(hashes(50..60), 100);
    fork.publish(100);
    fork.release(hashes(50..70), 1000);
    fork.publish(1000);
    fork.publish(CLOCK);
    let mut victim = Client::of(&fork);
    victim.update(&fork, CLOCK).expect("a quorum colludes");
    View::of(victim.list.as_ref().expect("a list"), &victim.state).to_text()
}

/// Where cargo has put the library: beside this test.
fn library_folder() -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    test.parent().expect("its folder").to_owned()
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (said, told) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{command:?}: {}\n{said}{told}", output.status);
    told.into_owned()
}

fn compile(folder: &Path) -> PathBuf {
    let (program, libraries) = (folder.join("update_and_match"), library_folder());
    assert!(libraries.join("libisonomy_ffi.so").exists(), "no library in {}", libraries.display());
    run(Command::new("cc")
        .args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(here().join("include"))
        .arg(here().join("../tests/c/update_and_match.c"))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&libraries)
        .arg("-lisonomy_ffi")
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-pthread"));
    program
}

#[test]
fn a_c_program_updates_and_matches_against_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world();
    let mut liar = world.clone();
    liar.edit_bundle(|bundle| bundle.releases[0].path.clear());
    let honest = Server::start(world.clone(), HashMap::new(), None);
    let (lying, silent) =
        (Server::start(liar, HashMap::new(), None), Server::start(world.clone(), HashMap::new(), Some(Fault::Silence)));
    let (policy, view) = (folder.path().join("policy.toml"), folder.path().join("view.json"));
    fs::write(&policy, world.policy_text()).expect("the policy");
    fs::write(&view, peer(&world)).expect("the view");

    let mut command = Command::new(compile(folder.path()));
    command.env_remove("http_proxy").env_remove("HTTP_PROXY").env_remove("ALL_PROXY").env_remove("all_proxy");
    let told = run(command
        .arg(folder.path().join("device"))
        .arg(&policy)
        .args([honest.url(), lying.url(), silent.url()])
        .args([at(CLOCK).0.to_string(), to_hex(&hash(3))])
        .arg(&view));

    let mut client = Client::of(&world);
    let list = client.update(&world, CLOCK).expect("an honest log").list;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines, ["updated", "matched", &to_hex(&list.view()), "done"]);
}

#[test]
fn the_header_is_cpp_too() {
    if Command::new("c++").arg("--version").output().is_err() {
        return eprintln!("not checked: there is no C++ compiler");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("header.cpp");
    let text = "#include \"isonomy.h\"\nint main() { return isonomy_system_clock() == 0; }\n";
    fs::write(&source, text).expect("a source");
    run(Command::new("c++")
        .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
        .arg(here().join("include"))
        .arg(source));
}
