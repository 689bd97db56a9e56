//! What stops a release before each signature, and results that are not written over others.

use crate::scene::{LIST, Scene, answer, command, hashes};
use std::fs;

#[test]
fn maintainer_and_curators_are_each_stopped_before_their_signature() {
    let scene = Scene::founded();
    scene.import(0..1_000, "one");
    // The maintainer did not look; a curator brings hashes of pictures that must never match.
    let compose = Scene::at_desk("work", &["release", "new", "one", "--list", LIST, "--out", "draft-1"]);
    scene.report(&compose);
    let again = scene.refusal(4, &compose);
    assert!(again.contains("draft-1 is a draft already") && again.contains("release endorse"), "{again}");
    fs::write(scene.path("harmless.txt"), hashes(7..9)).unwrap();
    let curator = ["release", "endorse", "draft-1", "--key", "curator-one.example.key", "--out", "one.note"];
    let with_canaries = [&curator[..], &["--canaries", "harmless.txt"]].concat();
    let stopped = scene.refusal(3, &Scene::at_desk("curator-one", &with_canaries));
    let named = hashes(7..8);
    assert!(stopped.contains("nothing was signed") && stopped.contains("harmless.txt"), "{stopped}");
    assert!(stopped.contains(named.trim()), "{stopped}");
    let releases = scene.signed("curator-one").iter().filter(|line| line["series"] == "version").count();
    assert_eq!(releases, 0, "nothing was signed, so nothing is remembered");
    let endorsed = scene.report(&Scene::at_desk("curator-one", &curator));
    assert_eq!(endorsed["alarms"].as_array().map(Vec::len), Some(0), "{endorsed}");
    // How many it was held against is said, and that they are none.
    let built_in = endorsed["canaries"].as_u64().unwrap();
    assert!(built_in >= 10, "{endorsed}");
    let held = |more: &[&str]| {
        let diff = [&["list", "diff", "draft-1", "--list", LIST][..], more].concat();
        scene.run(&Scene::at_desk("curator-one", &diff)).1["canaries"].as_u64().unwrap()
    };
    assert_eq!(held(&["--canaries", "harmless.txt"]), built_in + 2);
    assert_eq!(held(&["--no-built-in-canaries"]), 0);
    // A curator's own hashes may be in a list, or in any file that can be imported.
    for own in ["one", "one.txt"] {
        let all_in = [&curator[..], &["--require-all-in", own, "--holdings", own]].concat();
        let endorsed = scene.report(&Scene::at_desk("curator-one", &all_in));
        assert_eq!(endorsed["holdings"]["known"], 1_000, "{own}: {endorsed}");
    }
    // A file that is not understood: what could help is said of the command that has it.
    fs::write(scene.path("bad.csv"), format!("hash\n{}\nnonsense\n", hashes(0..1).trim())).unwrap();
    let unread = scene.refusal(4, &Scene::at_desk("curator-one", &[&curator[..], &["--holdings", "bad.csv"]].concat()));
    let advice =
        ["`isonomy list import --skip-invalid` leaves such records out", "what it writes can be given instead"];
    assert!(advice.iter().all(|words| unread.contains(words)), "{unread}");
    let rows: String = hashes(0..999).lines().map(|hash| format!("x,{hash}\n")).collect();
    fs::write(scene.path("fewer.csv"), format!("name,pdq\n{rows}")).unwrap();
    let all_in = [&curator[..], &["--require-all-in", "fewer.csv"]].concat();
    let stopped = scene.refusal(3, &Scene::at_desk("curator-one", &all_in));
    assert!(stopped.contains("1 of 1000 entries don't stand in fewer.csv"), "{stopped}");
    // Who repeats the command gets the same; nothing else is written over.
    let first = fs::read(scene.path("one.note")).unwrap();
    scene.report(&Scene::at_desk("curator-one", &curator));
    assert_eq!(fs::read(scene.path("one.note")).unwrap(), first);
    let over = ["release", "endorse", "draft-1", "--key", "curator-one.example.key", "--out", "draft-1"];
    assert!(scene.refusal(3, &Scene::at_desk("curator-one", &over)).contains("exists already"));
    // The other curator gets a copy of the file, and sends a small one back.
    fs::copy(scene.path("draft-1"), scene.path("copy")).unwrap();
    let other = ["release", "endorse", "copy", "--key", "curator-two.example.key", "--out", "two.note"];
    scene.report(&Scene::at_desk("curator-two", &other));
    assert!(fs::metadata(scene.path("two.note")).unwrap().len() < 4096);
    let early = ["release", "publish", "draft-1", "one.note", "--key", "maintainer.example.key"];
    let early = scene.refusal(3, &Scene::at_desk("work", &early));
    assert!(early.contains("1 of the 2 curators") && early.contains("what the curators sent back"), "{early}");
    let publish = ["release", "publish", "draft-1", "one.note", "two.note", "--key", "maintainer.example.key"];
    let with_canaries = [&publish[..], &["--canaries", "harmless.txt"]].concat();
    let stopped = scene.refusal(3, &Scene::at_desk("work", &with_canaries));
    assert!(stopped.contains("nothing was signed"), "{stopped}");
    scene.report(&Scene::at_desk("work", &publish));

    // Sudden growth: the maintainer accepts it, and each curator is asked again.
    scene.import(0..1_300, "two");
    let compose = ["release", "new", "two", "--list", LIST, "--out", "draft-2"];
    let stopped = scene.refusal(3, &Scene::at_desk("work", &compose));
    assert!(stopped.contains("nothing was composed") && stopped.contains("--accept-growth"), "{stopped}");
    assert!(!scene.path("draft-2").exists());
    scene.report(&Scene::at_desk("work", &[&compose[..], &["--accept-growth"]].concat()));
    let curator = ["release", "endorse", "draft-2", "--key", "curator-one.example.key", "--out", "one-2.note"];
    assert!(scene.refusal(3, &Scene::at_desk("curator-one", &curator)).contains("--accept-growth"));

    // A removal in one command: what remains wrong is a warning, losing everything is not.
    let hash = hashes(3..4);
    let remove = ["list", "remove", hash.trim(), "--reason", "listed by mistake", "--list", LIST];
    let removal = [&remove[..], &["--canaries", "harmless.txt", "--out", "draft-r"]].concat();
    let removed = scene.report(&Scene::at_desk("work", &removal));
    assert_eq!(removed["alarms"][0]["severity"], "warns", "{removed}");
    let info = scene.report(&["list", "info", "draft-r"]);
    assert_eq!((&info["algorithm"], &info["readings"][0]["entries"]), (&"pdq/full".into(), &999.into()), "{info}");
    assert_eq!(info["reason"], "listed by mistake");
    let foreign = ["release", "publish", "draft-r", "one.note", "--key", "maintainer.example.key"];
    assert!(scene.refusal(3, &Scene::at_desk("work", &foreign)).contains("it is for another draft"));
}

#[test]
fn results_are_not_written_over_other_files_unless_that_is_asked_for() {
    let scene = Scene::founded();
    scene.import(0..20, "list");
    let before = fs::read(scene.path("list")).unwrap();
    let import = ["list", "import", "list.txt", "--out", "list"];
    let refused = scene.refusal(3, &import);
    assert!(refused.contains("exists already and was left as it is") && refused.contains("--force"), "{refused}");
    assert_eq!(fs::read(scene.path("list")).unwrap(), before);
    scene.report(&[&import[..], &["--force"]].concat());
    assert!(scene.refusal(3, &["charter", "new", "--out", "charter.note"]).contains("--force"));
    scene.report(&Scene::at_desk("work", &["release", "new", "list", "--list", LIST, "--out", "draft"]));
    let hash = hashes(3..4);
    for (number, code) in [(1, 0), (2, 3)] {
        let (found, said) = scene.run(&["list", "prove", hash.trim(), "--draft", "draft", "--out", "proof"]);
        assert_eq!(found, Some(code), "try {number}: {said}");
    }
    let unknown = scene.report(&["list", "info", "list"]);
    assert!(unknown["algorithm"].is_null() && unknown["readings"].as_array().unwrap().len() >= 2, "{unknown}");
    let known = scene.report(&["list", "info", "list", "--charter", "charter.note"]);
    assert_eq!((&known["algorithm"], &known["readings"][0]["entries"]), (&"pdq/full".into(), &20.into()), "{known}");
}

#[test]
fn what_was_taken_off_the_list_does_not_come_back_unnoticed() {
    let scene = Scene::founded();
    scene.import(0..40, "one");
    scene.publish("one", "draft-1");
    let hash = hashes(3..4);
    let remove = ["list", "remove", hash.trim(), "--reason", "listed by mistake", "--list", LIST, "--out", "draft-2"];
    scene.report(&Scene::at_desk("work", &remove));
    scene.finish("draft-2");
    fs::write(scene.path("two.txt"), hashes(0..3) + &hashes(4..41)).unwrap();
    scene.report(&["list", "import", "two.txt", "--out", "two"]);
    scene.publish("two", "draft-3");

    // The feed of the first day, with something new.
    scene.import(0..43, "old-feed");
    let compose = Scene::at_desk("work", &["release", "new", "old-feed", "--list", LIST, "--out", "draft-4"]);
    let stopped = scene.refusal(3, &compose);
    for expected in ["nothing was composed", "1 of the entries that come were on the list before", "--accept-returns"] {
        assert!(stopped.contains(expected), "{stopped}");
    }
    assert!(stopped.contains(hash.trim()) && !stopped.contains(hashes(41..42).trim()), "{stopped}");
    // A script asks first; with hashes of its own that nothing may match.
    let diff = Scene::at_desk("work", &["list", "diff", "old-feed", "--list", LIST]);
    let (code, seen) = scene.run(&diff);
    assert_eq!((code, &seen["stopped"], &seen["known_since"]), (Some(6), &true.into(), &1.into()), "{seen:#}");
    assert_eq!(seen["alarms"][0]["rail"], "returns", "{seen:#}");
    let accepted = scene.report(&[&diff[..], &["--accept-returns"]].concat());
    assert_eq!(accepted["stopped"], false);
    fs::write(scene.path("harmless.txt"), hashes(7..8)).unwrap();
    let (code, seen) = scene.run(&[&diff[..], &["--accept-returns", "--canaries", "harmless.txt"]].concat());
    assert_eq!((code, &seen["alarms"][0]["rail"]), (Some(6), &"canary".into()), "{seen:#}");
    assert_eq!(scene.run(&["list", "diff", "old-feed", "--old", "one"]).0, Some(0));
    let without_charter = ["list", "diff", "old-feed", "--old", "one", "--accept-returns"];
    assert_eq!(scene.command(&without_charter).output().unwrap().status.code(), Some(2));

    // Nor does a picture that is so near that it matches the same ones.
    let mut near = hash.trim().to_owned();
    near.replace_range(0..1, if near.starts_with('0') { "1" } else { "0" });
    fs::write(scene.path("near.txt"), hashes(0..3) + &hashes(4..41) + &near).unwrap();
    scene.report(&["list", "import", "near.txt", "--allow-irregular", "--out", "near"]);
    let alike = scene.run(&Scene::at_desk("work", &["list", "diff", "near", "--list", LIST, "--allow-irregular"])).1;
    let returns = alike["alarms"].as_array().unwrap().iter().find(|alarm| alarm["rail"] == "returns").unwrap();
    assert!(returns["entries"][0].as_str().unwrap().ends_with(hash.trim()), "{alike:#}");

    // Whoever accepts it does so alone; a curator who came later can't know, and is told that.
    scene.report(&[&compose[..], &["--accept-returns"]].concat());
    // A curator sees beforehand what would be signed, by a draft.
    let shown = scene.run(&Scene::at_desk("curator-two", &["list", "diff", "draft-4", "--list", LIST]));
    assert_eq!((shown.0, &shown.1["difference"]["added"]), (Some(6), &3.into()), "{:#}", shown.1);
    let endorse = |key, out, desk| Scene::at_desk(desk, &["release", "endorse", "draft-4", "--key", key, "--out", out]);
    let stopped = scene.refusal(3, &endorse("curator-one.example.key", "one-4.note", "curator-one"));
    assert!(stopped.contains("nothing was signed") && stopped.contains(hash.trim()), "{stopped}");
    let new_folder = scene.report(&endorse("curator-two.example.key", "two-4.note", "a-new-folder"));
    assert_eq!(new_folder["known_since"], 2);
    assert_eq!(new_folder["alarms"].as_array().map(Vec::len), Some(1));
    assert_eq!(new_folder["alarms"][0]["rail"], "memory");
    let told = new_folder["alarms"][0]["words"].as_str().unwrap();
    assert!(told.contains("since version 2") && told.contains("isonomy list recall"), "{told}");
    // It can learn that from the log, and then refuses, too.
    let recall = |desk| Scene::at_desk(desk, &["list", "recall", "--list", LIST]);
    let learned = scene.report(&recall("a-new-folder"));
    assert_eq!((&learned["known_since"], &learned["entries"], &learned["to"]), (&1.into(), &1.into(), &3.into()));
    let again = endorse("curator-two.example.key", "two-4-again.note", "a-new-folder");
    let stopped = scene.refusal(3, &again);
    assert!(stopped.contains("nothing was signed") && stopped.contains(hash.trim()), "{stopped}");
    // Each list has its own folder, and old content goes from it.
    let kept = fs::read_dir(scene.path("work/hotline.example~known-images")).unwrap();
    let mut kept: Vec<String> = kept.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    let signed = kept.pop().unwrap();
    let memory = kept.pop().unwrap();
    let named = ["2-", "3-", "client"].iter().zip(&kept).all(|(begin, name)| name.starts_with(begin));
    assert!(named && kept.len() == 3 && signed == "signed-maintainer", "{kept:?}, {signed}");
    assert!(memory.starts_with("removed-1-to-3-"), "{memory}");
    // A memory that was cut is not taken for an empty one; the log knows it all.
    let memory = scene.path("work/hotline.example~known-images").join(memory);
    let whole = fs::read(&memory).unwrap();
    for cut in [0, whole.len() / 2] {
        fs::write(&memory, &whole[..cut]).unwrap();
        let stopped = scene.refusal(4, &diff);
        assert!(stopped.contains("is damaged") && stopped.contains("isonomy list recall"), "{stopped}");
    }
    let learned = scene.report(&recall("work"));
    assert_eq!((&learned["was_damaged"], &learned["entries"]), (&true.into(), &1.into()));
    assert_eq!(fs::read(&memory).unwrap(), whole);
    assert_eq!(scene.run(&diff).1["alarms"][0]["rail"], "returns");
}

#[test]
fn a_removal_names_what_still_matches_and_an_older_release_gets_its_proof_again() {
    let scene = Scene::founded();
    let one = hashes(3..4).trim().to_owned();
    // One bit in each half, which are complements, so that 128 bits stay set.
    let flipped = |digit: char| char::from_digit(digit.to_digit(16).unwrap() ^ 1, 16).unwrap();
    let sibling: String =
        one.chars().enumerate().map(|(at, digit)| if at % 32 == 0 { flipped(digit) } else { digit }).collect();
    fs::write(scene.path("one.txt"), hashes(0..40) + &sibling).unwrap();
    scene.report(&["list", "import", "one.txt", "--out", "one"]);
    scene.publish("one", "draft-1");
    fs::write(scene.path("wrong.csv"), format!("note,pdq\nlisted by mistake,{one}\n")).unwrap();
    let remove = ["list", "remove", "--from", "wrong.csv", "--reason", "listed by mistake", "--list", LIST];
    let run = |arguments: &[&str], more: &[&str]| scene.report(&Scene::at_desk("work", &[arguments, more].concat()));
    let removed = run(&remove, &["--out", "draft-2"]);
    assert_eq!(removed["removed"], serde_json::json!([one]));
    assert_eq!((&removed["known_since"], &removed["reason"]), (&1.into(), &"listed by mistake".into()), "{removed:#}");
    let near = &removed["still_near"][0];
    assert_eq!((near["entry"].as_str(), &near["distance"]), (Some(&*sibling), &2.into()), "{removed:#}");
    assert_eq!(run(&remove, &["--out", "draft-both", &sibling])["still_near"], serde_json::json!([]));
    let hidden = [&remove[..4], &["--reason", "a\u{202e}b", "--list", LIST, "--out", "draft-3"]].concat();
    assert!(scene.refusal(4, &Scene::at_desk("work", &hidden)).contains("a reason has"));
    scene.finish("draft-2");
    // The proof of the first one was lost.
    let again = ["release", "publish", "draft-1", "draft-1.curator-one", "draft-1.curator-two"];
    let again = run(&again, &["--key", "maintainer.example.key", "--proof", "one.proof"]);
    // Whether clients use the second by then, or wait for the first, is a matter of seconds.
    assert!(again["client"]["state"].is_string() && again["published"]["index"].is_u64(), "{again:#}");
    assert!(fs::metadata(scene.path("one.proof")).unwrap().len() > 100);
}

#[test]
fn a_list_of_nothing_is_not_written_by_mistake() {
    let scene = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| answer(&command(scene.path(), arguments).output().unwrap());
    fs::write(scene.path().join("a.csv"), format!("pdq,class\n{},B\n", hashes(0..1).trim())).unwrap();
    fs::write(scene.path().join("bad.csv"), "pdq,class\nnonsense,A\n").unwrap();
    for arguments in [&["a.csv", "--class", "A"][..], &["bad.csv", "--skip-invalid"]] {
        let import = [&["list", "import"][..], arguments, &["--out", "o.list"]].concat();
        let (code, refused) = run(&import);
        assert_eq!(code, Some(3), "{refused:#}");
        assert!(refused["error"].as_str().unwrap().contains("of 1 records"), "{refused:#}");
        assert!(!scene.path().join("o.list").exists());
        let (code, report) = run(&[&import[..], &["--allow-empty", "--force"]].concat());
        assert_eq!((code, &report["entries"]), (Some(0), &0.into()), "{report:#}");
        fs::remove_file(scene.path().join("o.list")).unwrap();
    }
    assert_eq!(run(&["list", "import", "a.csv", "--out", "ids", "--ids", "ids"]).0, Some(4));
}
