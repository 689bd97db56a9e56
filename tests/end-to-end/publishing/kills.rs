//! `kill -9` at moments spread over each command's whole time: what is repeated comes to its end, nothing is half there, and
//! nobody has signed two texts. (Which call is the last before the death is tried one by one in `publisher/src/kills.rs`.)

use crate::scene::{LIST, Scene, hashes};
use isonomy_core::encoding::{from_base64, to_hex};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How often each command is killed.
const KILLS: u32 = 8;

impl Scene {
    /// Starts a command, which usually takes so long, and kills it, each time later; and looks at what it left.
    fn kill_at_moments(&self, arguments: &[&str], usual: Duration, look: impl Fn(&Scene)) {
        for kill in 0..KILLS {
            let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(usual * kill / KILLS);
            let _ = child.kill();
            child.wait().unwrap();
            look(self);
        }
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

#[test]
fn an_import_that_dies_leaves_the_old_list_or_the_new_one() {
    let scene = Scene::founded();
    fs::write(scene.path("old.txt"), hashes(0..5_000)).unwrap();
    fs::write(scene.path("new.txt"), hashes(2_500..60_000)).unwrap();
    scene.report(&["list", "import", "old.txt", "--out", "list"]);
    let old = fs::read(scene.path("list")).unwrap();
    fs::write(scene.path("base"), &old).unwrap();
    let import = ["list", "import", "new.txt", "--base", "base", "--ids", "ids", "--out", "list", "--force"];
    let usual = timed(|| drop(scene.report(&import)));
    let new = fs::read(scene.path("list")).unwrap();
    assert_eq!(new.len(), 60_000 * 32);
    scene.kill_at_moments(&import, usual, |scene| {
        let found = fs::read(scene.path("list")).unwrap();
        assert!(found == old || found == new, "{} bytes", found.len());
        fs::write(scene.path("list"), &old).unwrap();
    });
    scene.report(&import);
    assert_eq!(fs::read(scene.path("list")).unwrap(), new);
}

#[test]
fn a_release_whose_makers_die_is_finished_by_doing_the_same_again() {
    let scene = Scene::founded();
    scene.import(0..2_000, "one");
    // A first release, to know how long each step takes.
    let new = |list, draft| Scene::at_desk("work", &["release", "new", list, "--list", LIST, "--out", draft]);
    let endorse =
        |who, key, draft, out| Scene::at_desk(who, &["release", "endorse", draft, "--key", key, "--out", out]);
    let publish = |draft, notes: [&'static str; 2]| {
        let publish = ["release", "publish", draft, notes[0], notes[1], "--key", "maintainer.example.key"];
        Scene::at_desk("work", &publish)
    };
    let curators = [("curator-one", "curator-one.example.key"), ("curator-two", "curator-two.example.key")];
    let notes = [["1-one.note", "1-two.note"], ["2-one.note", "2-two.note"]];
    let composing = timed(|| drop(scene.report(&new("one", "draft-1"))));
    let mut endorsing = std::time::Duration::ZERO;
    for ((who, key), note) in curators.into_iter().zip(notes[0]) {
        endorsing = timed(|| drop(scene.report(&endorse(who, key, "draft-1", note))));
    }
    let publishing = timed(|| drop(scene.report(&publish("draft-1", notes[0]))));

    scene.import(0..2_100, "two");
    let is_whole = |scene: &Scene| {
        if scene.path("draft-2").exists() {
            scene.report(&["list", "info", "draft-2"]);
        }
    };
    scene.kill_at_moments(&new("two", "draft-2"), composing, is_whole);
    let (code, said) = scene.run(&new("two", "draft-2"));
    let is_there = said.to_string().contains("is a draft already");
    assert!(code == Some(0) || code == Some(4) && is_there, "{said}");
    for ((who, key), note) in curators.into_iter().zip(notes[1]) {
        scene.kill_at_moments(&endorse(who, key, "draft-2", note), endorsing, is_whole);
        scene.report(&endorse(who, key, "draft-2", note));
    }
    scene.kill_at_moments(&publish("draft-2", notes[1]), publishing, is_whole);
    let published = scene.report(&publish("draft-2", notes[1]));
    assert_eq!(published["published"]["index"], 2, "charter, release 1, release 2: {published}");
    for who in ["maintainer", "curator-one", "curator-two"] {
        let releases: Vec<_> = scene.signed(who).into_iter().filter(|line| line["series"] == "version").collect();
        let numbers: Vec<_> = releases.iter().map(|line| line["number"].as_u64()).collect();
        assert_eq!(numbers, [Some(1), Some(2)], "{who}");
        let signed = from_base64(releases[1]["statement"].as_str().unwrap()).unwrap();
        assert_eq!(published["published"]["statement"], to_hex(&signed), "{who}");
    }
    let checked = scene.report(&["log", "fsck", "log", "--policy", "trust.policy", "--objects"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
}
