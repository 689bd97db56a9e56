//! A proof about an entry holds with any copy of its release; that the release is public holds with the log's own copy alone.

use crate::scene::{LIST, Scene, hashes};
use std::fs;

#[test]
fn a_proof_says_whose_copy_of_the_release_it_was_held_against() {
    let scene = Scene::founded();
    scene.import(0..20, "one");
    scene.report(&Scene::at_desk("work", &["release", "new", "one", "--list", LIST, "--out", "draft"]));
    scene.finish("draft");
    let again =
        ["release", "publish", "draft", "draft.curator-one", "draft.curator-two", "--key", "maintainer.example.key"];
    let published = scene.report(&Scene::at_desk("work", &[&again[..], &["--proof", "release.proof"]].concat()));
    let id = published["published"]["statement"].as_str().unwrap();
    let hash = hashes(3..4);
    scene.report(&["list", "prove", hash.trim(), "--draft", "draft", "--out", "proof"]);
    fs::copy(scene.path(&format!("log/public/statement/{id}")), scene.path("logged.note")).unwrap();
    let all = ["maintainer.example", "curator-one.example", "curator-two.example"];
    let public = ["--tlog-proof", "release.proof", "--policy", "trust.policy"];
    for (copy, signers) in [("draft", &all[..0]), ("draft.curator-one", &all[1..2]), ("logged.note", &all[..])] {
        let check = ["list", "check", "proof", "--release", copy];
        let checked = scene.report(&check);
        assert_eq!((&checked["listed"], &checked["public_since"]), (&true.into(), &serde_json::Value::Null));
        let found: Vec<&str> =
            checked["signed_by"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
        assert_eq!(found, signers, "{checked:#}");
        assert_eq!(checked["not_checked"], serde_json::json!(["signatures", "public"]));
        let (_, words) = scene.words(&check);
        assert!(
            !words.contains('✓') && words.contains("! not checked: whether that is a release of the list"),
            "{words}"
        );
        let check = [&check[..], &public].concat();
        if copy == "logged.note" {
            let public = scene.report(&check);
            assert!(public["public_since"].is_string() && public["not_checked"] == serde_json::json!(["signatures"]));
            let (_, words) = scene.words(&check);
            assert!(words.contains("· not checked: the signatures of maintainer and curators"), "{words}");
        } else {
            let refused = scene.refusal(3, &check);
            let expected = [format!("{copy} is signed by"), format!("at /statement/{id} of the log")];
            assert!(expected.iter().all(|words| refused.contains(words)), "{refused}");
        }
    }
}
