//! `tests/c/update_and_match.c`, compiled by the C compiler that is here and run against running servers: an honest one, one
//! that lies, and one that says nothing; and `tests/c/match_file.c`, which looks up a file. The header is also taken by C++,
//! where there is a compiler for it.
//!
//! What needs ffmpeg runs where it is installed. With `ISONOMY_REQUIRE_FFMPEG` set, it must be there.

#[path = "../../tests/end-to-end/hostile/server.rs"]
#[allow(dead_code)] // The hostile suite needs more of it.
mod server;

use isonomy_client::video::{Ffmpeg, VideoLimits, hash_video};
use isonomy_core::charter::Matching;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::Receipt;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use isonomy_verifier::Evidence;
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

/// Another history, which the log showed to somebody else.
fn forked(world: &World) -> World {
    let mut fork = world.fork(1);
    fork.release(hashes(50..60), 100);
    fork.publish(100);
    fork.release(hashes(50..70), 1000);
    fork.publish(1000);
    fork.publish(CLOCK);
    fork
}

/// What a peer shows who was shown the other history.
fn peer(fork: &World) -> String {
    let mut victim = Client::of(fork);
    victim.update(fork, CLOCK).expect("a quorum colludes");
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

/// Compiles `tests/c/NAME.c`.
fn compile(name: &str, folder: &Path) -> PathBuf {
    let (program, libraries) = (folder.join(name), library_folder());
    assert!(libraries.join("libisonomy_ffi.so").exists(), "no library in {}", libraries.display());
    run(Command::new("cc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(here().join("include"))
        .arg(here().join(format!("../tests/c/{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&libraries)
        .arg("-lisonomy_ffi")
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-pthread"));
    program
}

/// The same, to be run without a proxy, and with the library that it was compiled for: another build may have left an older one where
/// cargo lets programs look.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(compile(name, folder));
    for variable in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command
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
    let (receipt, proof, fork) = (folder.path().join("receipt.json"), folder.path().join("fork.json"), forked(&world));
    fs::write(&policy, world.policy_text()).expect("the policy");
    fs::write(&view, peer(&fork)).expect("the view");
    fs::write(&proof, Evidence::fork(world.published(), fork.published(), Vec::new()).to_text()).expect("the proof");

    let told = run(program("update_and_match", folder.path())
        .arg(folder.path().join("device"))
        .arg(&policy)
        .args([honest.url(), lying.url(), silent.url()])
        .args([at(CLOCK).0.to_string(), to_hex(&hash(3))])
        .arg(&view)
        .args([&receipt, &proof]));

    let receipt = Receipt::parse(&fs::read(&receipt).expect("the receipt")).expect("a receipt");
    let proven = receipt.verify(&world.trust(), Some(&hash(3))).expect("a receipt that holds");
    assert_eq!((proven.release.body().version, proven.distance), (2, Some(0)));
    let mut client = Client::of(&world);
    let list = client.update(&world, CLOCK).expect("an honest log").list;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines, ["updated", "matched", &to_hex(&list.view()), "done"]);
}

/// The person who sends a listed video is told so, in words about a video; a picture is nothing that this list tells about.
#[test]
fn a_c_program_looks_a_video_up() {
    let found = Ffmpeg::find().is_ok();
    assert!(found || std::env::var_os("ISONOMY_REQUIRE_FFMPEG").is_none(), "no ffmpeg is installed");
    if !found {
        return;
    }
    let video = |name: &str| here().join("../tests/data/video").join(name);
    let listed = hash_video(&video("photos.mp4"), &VideoLimits::default()).expect("a video").entries(50).concat();
    let rule = Matching { algorithm: Algorithm::VpdqV1, max_distance: 31, min_quality: 50 };
    let mut world = World::founded_with(|charter| charter.matching = rule);
    world.release(Entries::from_unsorted(48, listed).expect("entries of one size").0, 100);
    world.publish(100);
    world.publish(105);
    let folder = tempfile::tempdir().expect("a folder");
    let (policy, server) = (folder.path().join("policy.toml"), Server::start(world.clone(), HashMap::new(), None));
    fs::write(&policy, world.policy_text()).expect("the policy");
    // The same view in another format.
    for (name, file, verdict, words) in [
        ("a listed video", video("photos.webm"), "1", "This video looks like one that is"),
        ("a picture", here().join("../photos/chelsea.png"), "2", "not a video in a known format"),
        ("what is neither", video("vpdq.csv"), "2", "not a video in a known format"),
    ] {
        let mut command = program("match_file", folder.path());
        command.arg(folder.path().join("device")).arg(&policy).arg(server.url()).arg(at(106).0.to_string());
        let told = run(command.arg(&file));
        let (found, answer) = told.split_once('\n').expect("a verdict and an answer");
        let answer: serde_json::Value = serde_json::from_str(answer).expect("JSON");
        assert_eq!((found, answer["version"].as_u64()), (verdict, Some(1)), "{name}: {answer}");
        let told = answer["notice"]["words"].as_str().or(answer["why"].as_str()).unwrap_or_default();
        assert!(told.contains(words), "{name}: {answer}");
    }
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
