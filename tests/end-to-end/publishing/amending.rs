//! Amendments, by commands alone and against running servers: the maintainer's key is replaced, a curator leaves and another comes,
//! each after its notice; what narrows is in force at once. An app that pinned the first charter follows all of it.
//!
//! What holds only while a notice runs is demanded only if it still ran when the command had ended: nothing here depends on how fast
//! anything is.

use crate::scene::{LIST, Scene, charter_field};
use isonomy_core::time::Timestamp;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The notice of widening amendments, in seconds.
const NOTICE: u64 = 8;

fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

impl Scene {
    fn vkey(&self, key: &str) -> String {
        self.report(&["key", "show", key])["vkey"].as_str().unwrap().to_owned()
    }

    fn new_key(&self, name: &str, file: &str) -> String {
        self.report(&["key", "new", name, "--out", file])["vkey"].as_str().unwrap().to_owned()
    }

    /// Writes edition `number` of the charter, which makes of the TOML before what `amend` makes of it. Gives whether it widens.
    fn amend(&self, number: u64, amend: impl Fn(String) -> String) -> bool {
        let (old, new) = (format!("charter-{}.toml", number - 1), format!("charter-{number}.toml"));
        let text = fs::read_to_string(self.path(&old)).unwrap();
        let amended = amend(text.clone());
        assert_ne!(amended, text);
        fs::write(self.path(&new), amended).unwrap();
        let (before, note) = (format!("charter-{}.note", number - 1), format!("charter-{number}.note"));
        let diff = self.report(&["charter", "diff", &before, &new]);
        let made = self.report(&["charter", "new", "--from", &new, "--amends", &before, "--out", &note]);
        assert_eq!(made["charter"]["edition"], number);
        diff["widens"].as_bool().unwrap()
    }

    /// Each signs a copy of edition `number`, and the maintainer puts the copies together.
    fn sign_edition(&self, number: u64, keys: &[&str]) {
        let (before, note) = (format!("charter-{}.note", number - 1), format!("charter-{number}.note"));
        let copies: Vec<String> = keys.iter().map(|key| format!("{note}.{key}")).collect();
        for (key, copy) in keys.iter().zip(&copies) {
            fs::copy(self.path(&note), self.path(copy)).unwrap();
            // Each in a folder of its own, and the maintainer in one for all keys.
            let desk = if key.starts_with("maintainer") { "work".to_owned() } else { format!("{key}.desk") };
            self.report(&["charter", "sign", copy, "--key", key, "--amends", &before, "--workspace", &desk]);
        }
        let copies: Vec<&str> = copies.iter().map(String::as_str).collect();
        self.report(&[&["charter", "merge", &note][..], &copies, &["--amends", &before]].concat());
    }

    /// One key of the maintainer has signed edition `number`; another does not sign a second text of it.
    fn sign_no_other_text(&self, number: u64, other: &str) {
        let (before, toml) = (format!("charter-{}.note", number - 1), format!("charter-{number}.toml"));
        let text = fs::read_to_string(self.path(&toml)).unwrap();
        fs::write(self.path("other.toml"), charter_field(&text, "max_added", "7")).unwrap();
        self.report(&["charter", "new", "--from", "other.toml", "--amends", &before, "--out", "other.note"]);
        let sign = ["charter", "sign", "other.note", "--key", other, "--amends", &before, "--workspace", "work"];
        let refused = self.refusal(3, &sign);
        assert!(refused.contains("another text was signed") && refused.contains("--replaces"), "{refused}");
    }

    /// Publishes edition `number`; gives since when it is public.
    fn publish_edition(&self, number: u64) -> Timestamp {
        let note = format!("charter-{number}.note");
        let published = self.report(&["charter", "publish", &note, "--policy", "trust.policy"]);
        Timestamp::from_rfc3339(published["public_since"].as_str().unwrap()).unwrap()
    }

    /// Composes a release; gives the id of the charter that it cites.
    fn compose(&self, entries: std::ops::Range<u64>, name: &str) -> String {
        self.import(entries, name);
        let draft = format!("{name}.tar");
        self.report(&Self::at_desk("work", &["release", "new", name, "--list", LIST, "--out", &draft]));
        self.report(&["list", "info", &draft])["release"]["charter"].as_str().unwrap().to_owned()
    }

    fn id(&self, edition: u64) -> String {
        let note = format!("charter-{edition}.note");
        let published = self.report(&["charter", "publish", &note, "--policy", "trust.policy"]);
        published["statement"].as_str().unwrap().to_owned()
    }

    /// Endorses and publishes a draft with these keys, the maintainer's last; gives what the last command reports.
    fn release(&self, name: &str, [one, two, maintainer]: [&str; 3]) -> serde_json::Value {
        let draft = format!("{name}.tar");
        let notes = [one, two].map(|key| {
            let note = format!("{name}-{key}.note");
            self.report(&Self::at_desk("curator", &["release", "endorse", &draft, "--key", key, "--out", &note]));
            note
        });
        let publish = ["release", "publish", &draft, &notes[0], &notes[1], "--key", maintainer];
        self.report(&Self::at_desk("work", &publish))
    }

    /// Composes until the draft cites edition `number`, which is in force from `time` on by the witnesses' word.
    fn compose_under(&self, number: u64, time: Timestamp, entries: std::ops::Range<u64>, name: &str) {
        let id = self.id(number);
        while now() < time {
            std::thread::sleep(Duration::from_millis(200));
        }
        for attempt in 0..60 {
            let name_of_try = format!("{name}-try-{attempt}");
            if self.compose(entries.clone(), &name_of_try) == id {
                fs::rename(self.path(&format!("{name_of_try}.tar")), self.path(&format!("{name}.tar"))).unwrap();
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("edition {number} does not come into force");
    }
}

#[test]
fn keys_and_curators_are_replaced_by_amendments() {
    let started = now();
    let scene = Scene::founded_with(&[("notice", &NOTICE.to_string())]);
    for (from, to) in [("charter.toml", "charter-1.toml"), ("charter.note", "charter-1.note")] {
        fs::copy(scene.path(from), scene.path(to)).unwrap();
    }
    let app = scene.app_policy().replace("min_notice = 2592000", &format!("min_notice = {NOTICE}"));
    fs::write(scene.path("app.toml"), app).unwrap();
    let (one, two) = ("curator-one.example.key", "curator-two.example.key");
    let (old, new, third) = ("maintainer.example.key", "maintainer-2.key", "curator-three.key");
    assert_eq!(scene.compose(0..20, "list-1"), scene.id(1));
    scene.release("list-1", [one, two, old]);
    scene.update_to("device", 1);

    // Edition 2: another key of the maintainer, and the old one goes.
    let [before, after] = [scene.vkey(old), scene.new_key("maintainer.example/2", new)];
    assert!(scene.amend(2, |text| text.replace(&before, &after)), "a key that is added widens");
    let foreseen = scene.report(&["charter", "check", "charter-2.note", "--policy", "trust.policy"]);
    assert_eq!(foreseen["widenings"].as_array().unwrap().len(), 1, "{foreseen:#}");
    let since = Timestamp::from_rfc3339(foreseen["in_force_since"].as_str().unwrap()).unwrap();
    assert!(since >= started.plus(NOTICE), "{foreseen:#}");
    let alone = ["charter", "sign", "charter-2.note", "--key", new, "--amends", "charter-1.note"];
    assert!(scene.refusal(3, &alone).contains("--workspace"), "each key by itself would sign another text");
    scene.sign_edition(2, &[old, one, two]);
    scene.sign_no_other_text(2, new);
    let incomplete = scene.refusal(3, &["charter", "publish", "charter-2.note", "--policy", "trust.policy"]);
    assert!(incomplete.contains("no key of the maintainer under edition 2"), "the new key has to sign: {incomplete}");
    scene.sign_edition(2, &[old, one, two, new]);
    let in_force = scene.publish_edition(2).plus(NOTICE);
    let again = scene.report(&["charter", "publish", "charter-2.note", "--policy", "trust.policy"]);
    assert_eq!(again["in_force_since"].as_str().unwrap(), in_force.to_string(), "by the seen proof: {again:#}");
    let cited = scene.compose(0..25, "early");
    let early = Scene::at_desk("work", &["release", "publish", "early.tar", "--key", new]);
    let (code, refused) = scene.run(&early);
    if now() < in_force {
        assert_eq!(cited, scene.id(1), "the notice still runs");
        assert!(code == Some(3) && refused.to_string().contains("is not the maintainer's"), "{refused:#}");
    }
    scene.compose_under(2, in_force, 0..25, "list-2");
    let by_old = scene.refusal(3, &Scene::at_desk("work", &["release", "publish", "list-2.tar", "--key", old]));
    assert!(by_old.contains("is not the maintainer's"), "{by_old}");
    scene.release("list-2", [one, two, new]);
    scene.update_to("device", 2);

    // Edition 3: the second curator leaves, a third comes; he agrees to leave, and she to come.
    let [leaving, coming] = [scene.vkey(two), scene.new_key("curator-three.example", third)];
    assert!(scene.amend(3, |text| text.replace(&leaving, &coming).replace("Curator Two", "Curator Three")));
    scene.sign_edition(3, &[new, one, two, third]);
    let in_force = scene.publish_edition(3).plus(NOTICE);
    scene.compose_under(3, in_force, 0..30, "list-3");
    let left = ["release", "endorse", "list-3.tar", "--key", two, "--out", "left.note"];
    let refused = scene.refusal(3, &Scene::at_desk("curator", &left));
    assert!(refused.contains("curator-two.example"), "{refused}");
    scene.release("list-3", [one, third, new]);
    scene.update_to("device", 3);

    // Edition 4 narrows: at once, and no release cites an older one any more.
    assert!(!scene.amend(4, |text| charter_field(&text, "max_distance", "20")));
    let foreseen = scene.report(&["charter", "check", "charter-4.note", "--policy", "trust.policy"]);
    assert_eq!(foreseen["widenings"].as_array().unwrap().len(), 0, "{foreseen:#}");
    assert_eq!(foreseen["compared_with"], serde_json::json!([3]));
    let other = ["charter", "sign", "charter-4.note", "--key", new, "--amends", "charter-2.note"];
    assert!(scene.refusal(3, &other).contains("which edition 4 amends"));
    scene.sign_edition(4, &[new, one, third]);
    let public = scene.publish_edition(4);
    scene.compose_under(4, public, 0..35, "list-4");
    scene.release("list-4", [one, third, new]);
    scene.update_to("device", 4);
    // A new device comes to the same, from the charter that it pinned.
    scene.update_to("another-device", 4);
}

#[test]
fn an_older_release_is_published_again_after_an_edition_that_widens() {
    let scene = Scene::founded_with(&[("notice", "1"), ("validity", "600")]);
    for (from, to) in [("charter.toml", "charter-1.toml"), ("charter.note", "charter-1.note")] {
        fs::copy(scene.path(from), scene.path(to)).unwrap();
    }
    let keys = ["curator-one.example.key", "curator-two.example.key", "maintainer.example.key"];
    scene.compose(0..20, "list-1");
    let first = scene.release("list-1", keys);
    assert_eq!(scene.compose(0..22, "early"), scene.id(1));
    // More may follow from a match, for longer, sooner and with fewer curators.
    let amend = |text: String| {
        let widened =
            [("most", "\"block\""), ("validity", "6000"), ("min_visibility", "1"), ("min_jurisdictions", "1")];
        widened.iter().fold(text, |text, (name, value)| charter_field(&text, name, value))
    };
    assert!(scene.amend(2, amend));
    scene.sign_edition(2, &keys);
    let in_force = scene.publish_edition(2).plus(1);
    // While it waits, and once a release cites it.
    let again = ["release", "publish", "list-1.tar", "--key", keys[2]];
    let early = scene.report(&Scene::at_desk("work", &again));
    assert!(early["client"]["state"].is_string(), "{early:#}");
    scene.compose_under(2, in_force, 0..25, "list-2");
    // A draft of before is still one under the first edition, and whoever looks at it is told.
    let (code, words) = scene.words(&Scene::at_desk("work", &["list", "diff", "early.tar", "--list", LIST]));
    let told = words.contains("Held against edition 1 of the charter; edition 2 is in force by now.");
    assert!(code == Some(0) && told, "{words}");
    scene.release("list-2", keys);
    let again = scene.report(&Scene::at_desk("work", &again));
    for published in [&early, &again] {
        assert_eq!(published["published"]["statement"], first["published"]["statement"], "{again:#}");
    }
    assert!(again["client"]["state"].is_string(), "{again:#}");
}

/// What would be composed now is held against the edition in force, whatever a later one will allow.
#[test]
fn a_list_is_held_against_the_edition_in_force_beside_one_that_waits() {
    let scene = Scene::founded_with(&[("max_added", "30")]);
    for (from, to) in [("charter.toml", "charter-1.toml"), ("charter.note", "charter-1.note")] {
        fs::copy(scene.path(from), scene.path(to)).unwrap();
    }
    let keys = ["curator-one.example.key", "curator-two.example.key", "maintainer.example.key"];
    scene.compose(0..20, "list-1");
    scene.release("list-1", keys);
    // It waits for a month.
    assert!(scene.amend(2, |text| charter_field(&text, "max_added", "1000")));
    scene.sign_edition(2, &keys);
    scene.publish_edition(2);
    scene.import(0..60, "many");
    let diff = ["list", "diff", "many", "--list", LIST, "--accept-growth"];
    let (code, seen) = scene.run(&Scene::at_desk("work", &diff));
    assert_eq!((code, &seen["edition"], &seen["stopped"]), (Some(6), &1.into(), &true.into()), "{seen:#}");
    assert_eq!(
        seen["alarms"].as_array().unwrap().iter().filter(|alarm| alarm["rail"] == "limits").count(),
        1,
        "{seen:#}"
    );
    let (code, words) = scene.words(&Scene::at_desk("work", &diff));
    let told = words.contains("Held against edition 1 of the charter; edition 2 is not in force yet.");
    assert!(code == Some(6) && told, "{words}");
    let hash = crate::scene::hashes(3..4);
    let remove = ["list", "remove", hash.trim(), "--reason", "a mistake", "--list", LIST, "--out", "removal.tar"];
    scene.report(&Scene::at_desk("work", &remove));
    let removal = scene.run(&Scene::at_desk("work", &["list", "diff", "removal.tar", "--list", LIST])).1;
    assert_eq!((&removal["edition"], &removal["stopped"]), (&1.into(), &false.into()), "{removal:#}");
    assert_eq!(scene.report(&["list", "info", "removal.tar"])["release"]["charter"], scene.id(1));
}

#[test]
fn what_the_log_would_refuse_is_said_before_anybody_signs() {
    let scene = Scene::founded();
    let check = |file: &str| scene.refusal(3, &["charter", "check", file, "--policy", "trust.policy"]);
    scene.import(0..20, "list-1");
    let made =
        ["charter", "new", "--from", "second.toml", "--amends", "charter.note", "--out", "second.note", "--force"];
    let amend = |field: &str, value: &str| {
        let text = fs::read_to_string(scene.path("charter.toml")).unwrap();
        fs::write(scene.path("second.toml"), charter_field(&text, field, value)).unwrap();
        scene.report(&made);
    };
    for (field, value, why) in [
        ("algorithm", "\"vpdq/v1\"", "one algorithm"),
        ("list", "\"hotline.example/other\"", "is about hotline.example/other"),
        ("log", "\"other.example\"", "counts in the log other.example"),
    ] {
        let text = fs::read_to_string(scene.path("charter.toml")).unwrap();
        fs::write(scene.path("second.toml"), charter_field(&text, field, value)).unwrap();
        let refused = scene.refusal(3, &made);
        assert!(refused.contains("no log would take it up") && refused.contains(why), "{refused}");
        assert!(!scene.path("second.note").exists());
        let diff = scene.report(&["charter", "diff", "charter.note", "second.toml"]);
        assert!(diff["effect"].as_str().unwrap().starts_with("No log would take it up"), "{diff:#}");
    }
    amend("max_added", "19");
    assert!(check("charter.note").contains("already"), "it is logged");
    scene.report(&["charter", "new", "--amends", "charter.note", "--out", "again.toml"]);
    let same = ["charter", "new", "--from", "again.toml", "--amends", "charter.note", "--out", "again.note"];
    assert_eq!(scene.report(&same)["changes"], serde_json::json!([]), "its own text");
    let signed = ["charter", "sign", "charter.note", "--key", "curator-one.example.key", "--amends", "second.note"];
    assert!(scene.run(&signed).1.to_string().contains("the first edition"));

    // An edition under which the list is too large is possible, and warned of.
    scene.report(&Scene::at_desk("work", &["release", "new", "list-1", "--list", LIST, "--out", "1.tar"]));
    scene.release("1", ["curator-one.example.key", "curator-two.example.key", "maintainer.example.key"]);
    amend("max_entries", "19");
    let foreseen = scene.report(&["charter", "check", "second.note", "--policy", "trust.policy"]);
    assert!(foreseen["warnings"][0].as_str().unwrap().contains("must remove 1 of them"), "{foreseen:#}");

    // A list of videos is founded beside it.
    let text = fs::read_to_string(scene.path("charter.toml")).unwrap();
    let videos = charter_field(&text, "list", "\"hotline.example/videos\"");
    fs::write(scene.path("videos.toml"), charter_field(&videos, "algorithm", "\"vpdq/v1\"")).unwrap();
    scene.report(&["charter", "new", "--from", "videos.toml", "--out", "videos.note"]);
    let foreseen = scene.report(&["charter", "check", "videos.note", "--policy", "trust.policy"]);
    assert_eq!((&foreseen["list"], &foreseen["edition"]), (&"hotline.example/videos".into(), &1.into()));
}

/// A release was signed, and its submission failed; then an edition takes something back, and no release may cite the one before.
#[test]
fn a_release_that_is_signed_and_not_logged_is_told_of_before_an_edition_bars_it() {
    let scene = Scene::founded_with(&[("validity", "600")]);
    for (from, to) in [("charter.toml", "charter-1.toml"), ("charter.note", "charter-1.note")] {
        fs::copy(scene.path(from), scene.path(to)).unwrap();
    }
    let keys = ["curator-one.example.key", "curator-two.example.key", "maintainer.example.key"];
    scene.compose(0..20, "list-1");
    scene.release("list-1", keys);
    let hash = crate::scene::hashes(3..4);
    let remove = ["list", "remove", hash.trim(), "--reason", "a mistake", "--list", LIST, "--out"];
    let compose = |name: &str| scene.report(&Scene::at_desk("work", &[&remove[..], &[name]].concat()))["draft"].clone();
    let removal = compose("removal.tar");
    let id = removal["release"].as_str().unwrap();
    let statement = isonomy_core::hash::StatementId::from_hex(id).unwrap();
    // As `release publish` remembers it before it submits.
    let line = serde_json::json!({
        "list": LIST, "series": "version", "number": 2, "statement": statement, "created": removal["created"], "role": "maintainer",
        "signed_at": removal["created"],
    });
    let journal = scene.path("work").join(LIST.replace('/', "~")).join("signed-maintainer/signed.jsonl");
    let before = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, format!("{before}{line}\n")).unwrap();

    let check = |note: &str, more: &[&str]| {
        let check = ["charter", "check", note, "--policy", "trust.policy"];
        scene.report(&[&check[..], more].concat())["warnings"].clone()
    };
    // What binds nobody bars nothing; it is told all the same, field by field.
    assert!(!scene.amend(2, |text| {
        let text = charter_field(&text, "contact", "\"new@hotline.example\"");
        text.replacen("[record.legality]", "[record.legality]\nbasis = \"an act\"", 1)
    }));
    assert_eq!(check("charter-2.note", &["--workspace", "work"]), serde_json::json!([]));
    let (code, words) = scene.words(&["charter", "diff", "charter-1.note", "charter-2.toml"]);
    assert_eq!(code, Some(0));
    for line in ["changes: maintainer.contact from ", "changes: record.legality.basis: added: \"an act\""] {
        assert!(words.lines().any(|told| told.starts_with(line)), "{words}");
    }
    let diff = scene.report(&["charter", "diff", "charter-1.note", "charter-2.toml"]);
    let expected = serde_json::json!({
        "field": "record", "words": "record.legality.basis: added: \"an act\"", "widens": false, "direction": "neither",
    });
    assert_eq!((&diff["changes"][1], &diff["widens"]), (&expected, &false.into()), "{diff:#}");
    fs::remove_file(scene.path("charter-2.note")).unwrap();

    assert!(!scene.amend(2, |text| charter_field(&text, "max_distance", "20")));
    assert_eq!(check("charter-2.note", &[]), serde_json::json!([]));
    let warned = check("charter-2.note", &["--workspace", "work"]);
    let is_warning = |warning: &serde_json::Value| {
        let words = warning.as_str().unwrap_or_default();
        words.contains(id) && words.contains("not in the log") && words.contains("Publish the release first")
    };
    assert!(is_warning(&warned[0]), "{warned:#}");
    let elsewhere = ["charter", "check", "charter-2.note", "--policy", "trust.policy", "--workspace", "wrok"];
    assert!(scene.run(&elsewhere).1.to_string().contains("wrok is no folder") && !scene.path("wrok").exists());
    scene.sign_edition(2, &keys);
    let publish = ["charter", "publish", "charter-2.note", "--policy", "trust.policy", "--workspace", "work"];
    let published = scene.report(&publish);
    assert!(is_warning(&published["warnings"][0]), "{published:#}");
    let again = scene.report(&publish);
    assert!(again["warnings"].is_null(), "it is done: {again:#}");

    // Whoever tries again hears at once from when on another text is signed, not when the curators have signed it, too.
    let publish = ["release", "publish", "removal.tar", "--key", keys[2]];
    let refused = scene.refusal(3, &Scene::at_desk("work", &publish));
    let until = Timestamp::from_rfc3339(removal["created"].as_str().unwrap()).unwrap().plus(86_400);
    let when = format!("only once the log shows that version 2 was not logged by {until}: you have signed {id}");
    assert!(refused.contains(&when) && refused.contains("can't be published any more"), "{refused}");
    // And whoever composes anew, before he gives it to anybody.
    let anew = scene.report(&Scene::at_desk("work", &[&remove[..], &["anew.tar"]].concat()));
    assert_ne!(anew["draft"]["release"], removal["release"]);
    let expected = serde_json::json!({ "version": 2, "release": statement, "until": until });
    assert_eq!(anew["signed"], expected, "{anew:#}");
    let notes = keys.map(|key| format!("anew-{key}.note"));
    for (key, note) in keys.iter().zip(&notes).take(2) {
        scene.report(&Scene::at_desk("curator", &["release", "endorse", "anew.tar", "--key", key, "--out", note]));
    }
    let publish = ["release", "publish", "anew.tar", &notes[0], &notes[1], "--key", keys[2]];
    let refused = scene.refusal(3, &Scene::at_desk("work", &publish));
    assert!(refused.contains(&format!("was not logged by {until}, and compose anew then")), "{refused}");
}

#[test]
fn a_charter_is_complete_by_its_signatures_and_its_reviews_are_held_against_the_clock() {
    let scene = Scene::founded();
    // Whether the log takes it up, signatures alone don't say.
    let (code, words) = scene.words(&["charter", "merge", "charter.note", "charter.note"]);
    assert_eq!(code, Some(0), "{words}");
    let expected = "complete by its signatures; `isonomy charter check` says whether the log takes it up now";
    assert!(words.contains(expected), "{words}");

    let text = fs::read_to_string(scene.path("charter.toml")).unwrap();
    let dated = text
        .replace("# reviewed = \"\"", "reviewed = \"9999-01-01\"")
        .replace("# next_review = \"\"", "next_review = \"1999-01-01\"");
    fs::write(scene.path("dated.toml"), dated).unwrap();
    let (code, found) = scene.run(&["charter", "lint", "dated.toml"]);
    let codes: Vec<&str> = found.as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect();
    assert_eq!(code, Some(6), "{found:#}");
    for code in ["review-ahead", "review-overdue", "review-order"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
}
