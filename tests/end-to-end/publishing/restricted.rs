//! A list whose contents are not for everybody, through its whole life: two releases, curators with folders of their own, a
//! monitor, a check of the log, an app. Each command needs the token where it reads content, and nowhere else.

use crate::scene::{LIST, Scene, answer, command, write_private};
use std::fs;
use std::time::{Duration, Instant};

/// A command with the file of tokens.
fn with_token<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--token-file", "tokens"]].concat()
}

fn founded() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let (_, made) = answer(&command(folder.path(), &["log", "token"]).output().unwrap());
    let digest = &made["digest"];
    let scene = Scene::founded_as(&[], &format!("[[access]]\nlist = \"{LIST}\"\ntokens = [{digest}]\n"));
    let url = scene.log.as_ref().unwrap().url.clone();
    write_private(&scene.path("tokens"), &format!("{url} {}\n", made["token"].as_str().unwrap()));
    scene
}

/// What a look of a new monitor finds about content.
fn contents_missing(scene: &Scene, data: &str, arguments: &[&str]) -> bool {
    let look = ["monitor", "run", "--once", "--policy", "trust.policy", "--data", data];
    scene.run(&[&look[..], arguments].concat()).1.to_string().contains("content-missing")
}

#[test]
fn a_restricted_list_lives_on_with_its_token_and_is_closed_without() {
    let scene = founded();
    let release = |list: &str, draft: &str, needs_token: bool| {
        scene.report(&with_token(&Scene::at_desk("work", &["release", "new", list, "--list", LIST, "--out", draft])));
        let notes = ["curator-one", "curator-two"].map(|curator| {
            let (key, note) = (format!("{curator}.example.key"), format!("{draft}.{curator}"));
            let endorse = ["release", "endorse", draft, "--key", &key, "--out", &note];
            let endorse = Scene::at_desk(curator, &endorse);
            if needs_token {
                assert!(scene.refusal(3, &endorse).contains("a token is needed"));
            }
            scene.report(&with_token(&endorse));
            note
        });
        let publish = ["release", "publish", draft, &notes[0], &notes[1], "--key", "maintainer.example.key"];
        scene.report(&with_token(&Scene::at_desk("work", &publish)))
    };
    scene.import(0..200, "list-1");
    release("list-1", "draft-1", false);
    scene.import(3..203, "list-2");
    release("list-2", "draft-2", true);

    // What reads content, each from a folder that holds none yet.
    scene.import(6..203, "list-3");
    let compare = Scene::at_desk("diff-desk", &["list", "diff", "list-3", "--list", LIST]);
    assert!(scene.refusal(3, &compare).contains("a token is needed"));
    assert_eq!(scene.report(&with_token(&compare))["difference"]["removed"], 3);
    let gone = crate::scene::hashes(7..8);
    let remove = ["list", "remove", gone.trim(), "--reason", "a mistake", "--list", LIST, "--out", "removal"];
    let remove = Scene::at_desk("remove-desk", &remove);
    assert!(scene.refusal(3, &remove).contains("a token is needed"));
    scene.report(&with_token(&remove));

    // Who checks the log, or follows it.
    let url = scene.log.as_ref().unwrap().url.clone();
    let fsck = ["log", "fsck", &url, "--policy", "trust.policy", "--objects"];
    assert_eq!(scene.run(&fsck).1["sound"], false);
    assert_eq!(scene.report(&with_token(&fsck))["sound"], true);
    assert!(contents_missing(&scene, "outsider", &[]));
    assert!(!contents_missing(&scene, "insider", &["--token-file", "tokens"]));
    let config = "data = \"configured\"\n[[log]]\npolicy = \"trust.policy\"\ntoken_file = \"tokens\"\n";
    fs::write(scene.path("monitor.toml"), config).unwrap();
    let (_, looked) = scene.run(&["monitor", "run", "--once", "--config", "monitor.toml"]);
    assert!(looked["lists"].is_array() && !looked.to_string().contains("content-missing"), "{looked:#}");
    let trace = ["monitor", "trace", "--policy", "trust.policy", "--list", LIST, gone.trim()];
    let traced = scene.report(&with_token(&trace));
    assert_eq!(traced["versions"].as_array().map(Vec::len), Some(2), "{traced:#}");

    // An app, and a proof from what it holds.
    fs::write(scene.path("app.toml"), scene.app_policy()).unwrap();
    let update = ["client", "update", "--policy", "app.toml", "--state", "device"];
    scene.update_by(&with_token(&update), 2);
    scene.report(&["list", "prove", gone.trim(), "--policy", "app.toml", "--state", "device", "--out", "proof"]);

    // A token is taken back without a restart, and another one given out.
    let (old, new) = (scene.report(&["log", "token"]), scene.report(&["log", "token"]));
    let config = fs::read_to_string(scene.path("log.toml")).unwrap();
    let line = config.lines().find(|line| line.starts_with("tokens = ")).unwrap();
    fs::write(scene.path("log.toml"), config.replace(line, &format!("tokens = [{}]", new["digest"]))).unwrap();
    let log = scene.log.as_ref().unwrap();
    log.hang_up();
    let sees = |data: &str| !contents_missing(&scene, data, &["--token-file", "tokens"]);
    await_that("the old token is refused", |turn| !sees(&format!("refused-{turn}")));
    write_private(&scene.path("tokens"), &format!("{} {}\n", log.url, old["token"].as_str().unwrap()));
    assert!(!sees("stranger"));
    write_private(&scene.path("tokens"), &format!("{} {}\n", log.url, new["token"].as_str().unwrap()));
    assert!(sees("renewed"));
    // What can't be read changes nothing.
    fs::write(scene.path("log.toml"), "tokens").unwrap();
    log.hang_up();
    assert!(sees("unchanged"));
}

fn await_that(what: &str, mut holds: impl FnMut(usize) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    let met = (0..).take_while(|_| Instant::now() < until).any(|turn| {
        std::thread::sleep(Duration::from_millis(50));
        holds(turn)
    });
    assert!(met, "{what}");
}
