//! An operator collects old objects; clients of every version still catch up.

use crate::scene::{LIST, Scene, Server};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// For how long the releases are valid that are to be superseded, in seconds: each has to last until clients use the next one,
/// which takes longer than founding the scene, and the charter allows a minute.
fn validity(founding: Duration) -> u64 {
    (8 * founding.as_secs()).clamp(30, 60)
}

impl Scene {
    /// Updates an app's client until this version is in force.
    pub(crate) fn update_to(&self, device: &str, version: u64) {
        let update = ["client", "update", "--policy", "app.toml", "--state", device];
        self.update_by(&update, version);
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn old_objects_are_collected_and_every_client_still_catches_up() {
    let started = Instant::now();
    let mut scene = Scene::founded();
    let short = validity(started.elapsed());
    fs::write(scene.path("app.toml"), scene.app_policy()).unwrap();
    for version in 1..=4u64 {
        let (list, draft, device) =
            (format!("list-{version}"), format!("draft-{version}"), format!("device-{version}"));
        scene.import(version * 3..version * 3 + 200, &list);
        let validity = if version < 4 { short.to_string() } else { "60".to_owned() };
        let new = ["release", "new", &list, "--list", LIST, "--out", &draft, "--validity", &validity];
        scene.report(&Scene::at_desk("work", &new));
        scene.finish(&draft);
        scene.update_to(&device, version);
    }
    // Until the first three have expired, by the witnesses' time too.
    let expired = now() + short + 2;
    while now() < expired {
        std::thread::sleep(Duration::from_millis(250));
    }

    // Not while the log is served: an object could be named anew at that moment.
    let collect = ["log", "collect", "--config", "log.toml", "--least-age", "0"];
    assert!(scene.refusal(1, &collect).contains("use"));
    drop(scene.log.take());
    let planned = scene.report(&collect);
    assert_eq!(planned["removed"], false);
    let planned = planned["collected"].as_array().unwrap().clone();
    let named: Vec<_> = planned.iter().map(|object| (object["version"].as_u64(), object["what"].as_str())).collect();
    let expected = [(1, "snapshot"), (2, "snapshot"), (3, "snapshot"), (3, "delta from 2")];
    assert_eq!(named, expected.map(|(version, what)| (Some(version), Some(what))));
    let objects = || fs::read_dir(scene.path("log/public/object")).unwrap().count();
    let before = objects();
    let kept = scene.report(&["log", "collect", "--config", "log.toml"]);
    assert_eq!(kept["collected"].as_array().map(Vec::len), Some(0), "younger than 90 days: {kept}");
    let removed = scene.report(&[&collect[..], &["--remove"]].concat());
    assert_eq!(removed["collected"].as_array(), Some(&planned));
    assert_eq!(objects(), before - planned.len());
    assert_eq!(scene.report(&collect)["collected"].as_array().map(Vec::len), Some(0));

    // Nobody needs what went, and a check and an assessment know that; what somebody needs is missing.
    let fsck = ["log", "fsck", "log", "--policy", "trust.policy", "--objects"];
    let checked = scene.report(&fsck);
    assert_eq!((&checked["sound"], &checked["collected"]), (&true.into(), &planned.len().into()), "{checked:#}");
    let key = fs::read_to_string(scene.path("log.policy")).unwrap();
    let key = key.lines().next().unwrap().trim_start_matches("log ");
    let (_, untold) = scene.run(&["log", "fsck", "log", "--key", key, "--objects"]);
    assert_eq!(untold["findings"].as_array().map(Vec::len), Some(planned.len()), "whose time counts? {untold:#}");
    fs::create_dir(scene.path("corpus")).unwrap();
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../photos/coffee.png");
    fs::copy(photo, scene.path("corpus/coffee.png")).unwrap();
    let assess = [
        "assess",
        "--policy",
        "trust.policy",
        "--source",
        "log/public",
        "--list",
        LIST,
        "--corpus",
        "corpus",
        "--out",
        "assessed",
    ];
    let assessed = scene.report(&assess);
    let growth = assessed["growth"].as_array().unwrap();
    let added: Vec<_> = growth.iter().map(|one| (one["added"].as_u64(), one["as_stated"].as_bool())).collect();
    assert_eq!(added, [200, 3, 3, 3].map(|added| (Some(added), Some(true))), "{assessed:#}");
    let newest = fs::read_dir(scene.path("log/public/object")).unwrap().flatten().map(|file| file.path());
    let newest = newest.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    fs::rename(&newest, scene.path("aside")).unwrap();
    let (_, damaged) = scene.run(&fsck);
    assert_eq!(damaged["findings"].as_array().map(Vec::len), Some(1), "{damaged:#}");
    assert_eq!((&damaged["findings"][0]["code"], &damaged["collected"]), (&"object".into(), &planned.len().into()));
    assert!(scene.refusal(1, &assess).contains("which the log has to keep"));
    fs::rename(scene.path("aside"), &newest).unwrap();

    // The log starts again, at another address, and everybody catches up, also beyond what was there.
    let log = Server::start(scene.folder(), &["log", "serve", "--config", "log.toml"]);
    let old = fs::read_to_string(scene.path("trust.policy")).unwrap();
    let url = old.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    for file in ["trust.policy", "app.toml"] {
        let text = fs::read_to_string(scene.path(file)).unwrap();
        fs::write(scene.path(file), text.replace(&url, &log.url)).unwrap();
    }
    scene.log = Some(log);
    // A new desk: what it needs of earlier releases is still there.
    fs::remove_dir_all(scene.path("work")).unwrap();
    scene.import(30..230, "list-5");
    scene.publish("list-5", "draft-5");
    for version in 1..=4 {
        scene.update_to(&format!("device-{version}"), 5);
    }
}
