//! One maintainer and its curators keep two lists, of pictures and of files, each of them in one workspace; an app follows both.

use crate::scene::{LIST, Scene, charter_field, hashes};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use std::fs;

const FILES: &str = "hotline.example/known-files";

fn sums(numbers: std::ops::Range<u64>) -> String {
    let sum = |number: u64| to_hex(&sha256(&[format!("file {number}").as_bytes()]));
    numbers.map(|number| format!("{}  file-{number}\n", sum(number))).collect()
}

impl Scene {
    /// A second list beside the first, with its own charter. Gives the policy of an app that accepts it.
    fn found_files(&self) -> String {
        let mut text = fs::read_to_string(self.path("charter.toml")).unwrap();
        for (name, value) in [
            ("list", &*format!("\"{FILES}\"")),
            ("algorithm", "\"sha256\""),
            ("max_distance", "0"),
            ("min_quality", "0"),
        ] {
            text = charter_field(&text, name, value);
        }
        fs::write(self.path("files.toml"), text).unwrap();
        self.report(&["charter", "new", "--from", "files.toml", "--out", "files.note"]);
        for name in ["maintainer", "curator-one", "curator-two"] {
            self.report(&["charter", "sign", "files.note", "--key", &format!("{name}.example.key")]);
        }
        let publish =
            |note| self.report(&["charter", "publish", note, "--policy", "trust.policy"])["statement"].clone();
        let [pictures, files] = [publish("charter.note"), publish("files.note")];
        self.app_policy().replace(LIST, FILES).replace(pictures.as_str().unwrap(), files.as_str().unwrap())
    }

    fn publish_files(&self, numbers: std::ops::Range<u64>, list: &str) {
        let lines = format!("{list}.txt");
        fs::write(self.path(&lines), sums(numbers)).unwrap();
        self.report(&["list", "import", &lines, "--algorithm", "sha256", "--out", list]);
        let draft = format!("{list}.draft");
        self.report(&Self::at_desk("work", &["release", "new", list, "--list", FILES, "--out", &draft]));
        self.finish(&draft);
    }
}

#[test]
fn two_lists_live_in_one_workspace_and_an_app_follows_both() {
    let scene = Scene::founded();
    let files = scene.found_files();
    fs::write(scene.path("pictures.toml"), scene.app_policy()).unwrap();
    fs::write(scene.path("files-app.toml"), files).unwrap();
    // In turn, two releases of each; an entry goes with the second.
    scene.import(0..40, "pictures-1");
    scene.publish("pictures-1", "pictures-1.draft");
    scene.publish_files(0..30, "files-1");
    scene.import(1..41, "pictures-2");
    scene.publish("pictures-2", "pictures-2.draft");
    scene.publish_files(1..31, "files-2");
    // Each has what is its own, and no command takes one for the other.
    for (list, count) in [(LIST, 40), (FILES, 30)] {
        let folder = scene.path("work").join(list.replace('/', "~"));
        let mut kept = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
        let first = kept.find(|file| file.file_name().to_str().unwrap().starts_with("1-")).unwrap();
        assert_eq!(first.metadata().unwrap().len(), count * 32);
    }
    let crossed = Scene::at_desk("work", &["release", "new", "files-1", "--list", LIST, "--out", "crossed.draft"]);
    let refused = scene.refusal(3, &crossed);
    assert!(refused.contains("128 bits set") && refused.contains("nothing was composed"), "{refused}");
    for (list, new, gone) in [(LIST, "pictures-1", hashes(0..1)), (FILES, "files-1", sums(0..1))] {
        let (code, seen) = scene.run(&Scene::at_desk("work", &["list", "diff", new, "--list", list]));
        let alarm = &seen["alarms"][0];
        assert_eq!((code, &seen["known_since"], &alarm["rail"]), (Some(6), &1.into(), &"returns".into()), "{seen:#}");
        assert_eq!(alarm["entries"][0].as_str(), gone.get(..64));
    }
    // The app's two clients, and one question to both.
    for (policy, state) in [("pictures.toml", "device-pictures"), ("files-app.toml", "device-files")] {
        scene.update_by(&["client", "update", "--policy", policy, "--state", state], 2);
    }
    fs::write(scene.path("listed.bin"), "file 7").unwrap();
    fs::write(scene.path("gone.bin"), "file 0").unwrap();
    let picture = hashes(7..8);
    let (code, answers) = scene.run(
        &[
            &["match", "listed.bin", "gone.bin", picture.trim()][..],
            &["--policy", "pictures.toml", "--state", "device-pictures"],
            &["--policy", "files-app.toml", "--state", "device-files"],
        ]
        .concat(),
    );
    assert_eq!(code, Some(5), "{answers:#}");
    let verdict = |subject: usize, list: &str| {
        let answers = answers[subject]["answers"].as_array().unwrap();
        let answer = answers.iter().find(|answer| answer["list"] == list).unwrap();
        (answer["version"].as_u64().unwrap(), answer["verdict"].as_str().unwrap().to_owned())
    };
    for (subject, of_pictures, of_files) in
        [(0, "not-covered", "matched"), (1, "not-covered", "not-matched"), (2, "matched", "not-matched")]
    {
        assert_eq!(verdict(subject, LIST), (2, of_pictures.into()), "{subject}: {answers:#}");
        assert_eq!(verdict(subject, FILES), (2, of_files.into()), "{subject}: {answers:#}");
    }
}
