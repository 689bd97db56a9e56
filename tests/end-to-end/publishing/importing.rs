//! What an import refuses, and what it does not select any more.

use crate::scene::{answer, command, hashes};
use std::fs;
use std::path::Path;

fn run(at: &Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    answer(&command(at, arguments).output().unwrap())
}

/// Whether the command ended so and said all of these.
fn says(at: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let (found, said) = run(at, arguments);
    assert_eq!(found, Some(code), "{arguments:?}: {said:#}");
    assert!(words.iter().all(|word| said.to_string().contains(word)), "{words:?}: {said:#}");
}

#[test]
fn everything_that_is_refused_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let wrong: String = (0..150).map(|number| format!("wrong {number}\n")).collect();
    fs::write(at.join("a.txt"), format!("{}{wrong}", hashes(0..10))).unwrap();
    fs::write(at.join("b.txt"), format!("{}no \"hash\", this\n", hashes(10..20))).unwrap();
    // Also where nothing is imported for it.
    let import = ["list", "import", "a.txt", "b.txt", "--format", "lines", "--refused", "refused.csv", "--out", "list"];
    says(at, &import, 4, &["150 of 160 records are refused"]);
    assert!(!at.join("list").exists());
    let table = fs::read_to_string(at.join("refused.csv")).unwrap();
    assert_eq!(table.lines().count(), 151, "b.txt was not read any more");
    says(at, &[&import[..], &["--skip-invalid"]].concat(), 3, &["refused.csv exists already"]);
    let (code, report) = run(at, &[&import[..], &["--skip-invalid", "--force"]].concat());
    assert_eq!((code, &report["entries"]), (Some(0), &20.into()), "{report:#}");
    let table = fs::read_to_string(at.join("refused.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows[0], rows.len()), ("file,record,line,byte,field,reason", 152));
    let reason = "it is not a hash by pdq/full, in hexadecimal or base64";
    assert_eq!(rows[1], format!("a.txt,11,11,650,hash,\"{reason}\""));
    assert_eq!(rows[151], format!("b.txt,11,11,650,hash,\"{reason}\""));
}

#[test]
fn what_is_not_selected_any_more_needs_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let list: Vec<String> = hashes(0..4).lines().map(str::to_owned).collect();
    let table = |classes: [&str; 3]| {
        let rows = list
            .iter()
            .zip(classes)
            .map(|(hash, class)| format!("{hash},{class},{}\n", if class == "A1" { 90 } else { 10 }));
        "pdq,class,quality\n".to_owned() + &rows.collect::<String>()
    };
    fs::write(at.join("feed.csv"), table(["A1", "A1", "A1"])).unwrap();
    fs::write(at.join("other.txt"), hashes(3..4)).unwrap();
    let (code, first) = run(at, &["list", "import", "feed.csv", "other.txt", "--out", "old"]);
    assert_eq!((code, &first["entries"]), (Some(0), &4.into()), "{first:#}");

    // The second is of another class by now; the fourth comes from elsewhere, and the feed does not know it.
    fs::write(at.join("feed.csv"), table(["A1", "B2", "A1"])).unwrap();
    for selection in [["--class", "A1"], ["--min-quality", "50"]] {
        let import =
            [&["list", "import", "feed.csv", "--base", "old", "--out", "new", "--force"][..], &selection].concat();
        says(
            at,
            &import,
            3,
            &["1 entries of the list as it was", &list[1], "--unselected remove", "--unselected keep"],
        );
        assert!(!at.join("new").exists());
        for (word, entries) in [("keep", 4), ("remove", 3)] {
            let (code, report) = run(at, &[&import[..], &["--unselected", word]].concat());
            assert_eq!(
                (code, &report["entries"], &report["unselected"]),
                (Some(0), &entries.into(), &1.into()),
                "{report:#}"
            );
        }
        fs::remove_file(at.join("new")).unwrap();
    }
    // Without a base nothing could stay, and without a selection nothing is left out; low quality is said.
    let (code, report) = run(at, &["list", "import", "feed.csv", "--base", "old", "--out", "new"]);
    assert_eq!((code, &report["unselected"]), (Some(0), &0.into()), "{report:#}");
    assert_eq!(report["imported"][0]["report"]["low_quality"], 1, "{report:#}");
    let words = std::process::Command::new(env!("CARGO_BIN_EXE_isonomy"))
        .current_dir(at)
        .args(["list", "import", "feed.csv", "--out", "again"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&words.stdout).contains("! 1 of these hashes have a quality below 50"),
        "{words:?}"
    );
    // A file without qualities, beside one with them.
    let import = ["list", "import", "feed.csv", "other.txt", "--min-quality", "50", "--out", "least"];
    says(at, &import, 4, &["quality", "it gives none, so --min-quality can't judge it"]);
}

#[test]
fn a_temporary_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // More than is sorted in memory.
    fs::write(at.join("many.txt"), hashes(0..270_000)).unwrap();
    let mut import = command(at, &["list", "import", "many.txt", "--out", "list"]);
    let (code, said) = answer(&import.env("TMPDIR", at.join("no-such-folder")).output().unwrap());
    let said = said.to_string();
    assert!(code == Some(1) && said.contains("no-such-folder") && said.contains("TMPDIR"), "{said}");
}

/// What the command writes for people.
fn words(at: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_isonomy")).current_dir(at).args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_list_comes_back_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.txt"), hashes(0..30)).unwrap();
    let (_, made) = run(at, &["list", "import", "a.txt", "--out", "a.list"]);
    let shown = words(at, &["list", "show", "a.list"]);
    assert_eq!(shown.lines().count(), 30);
    let (_, document) = run(at, &["list", "show", "a.list", "--algorithm", "pdq"]);
    assert_eq!(document["entries"].as_array().unwrap().len(), 30);
    fs::write(at.join("again.txt"), shown).unwrap();
    let (_, again) = run(at, &["list", "import", "again.txt", "--out", "again.list"]);
    assert_eq!((&again["root"], &again["entries"]), (&made["root"], &30.into()));
    // Bytes that could be lists of entries of several sizes need a word; what is none by any is said.
    fs::write(at.join("short.list"), &fs::read(at.join("a.list")).unwrap()[..96]).unwrap();
    says(at, &["list", "show", "short.list"], 4, &["--algorithm"]);
    assert_eq!(words(at, &["list", "show", "short.list", "--algorithm", "pdq"]).lines().count(), 3);
    fs::write(at.join("none.list"), [1; 7]).unwrap();
    says(at, &["list", "show", "none.list"], 4, &["no list by any algorithm"]);
}

#[test]
fn videos_that_are_imported_with_another_quality_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let frame = |(number, hash): (usize, &str)| format!("{number},{},{hash},{number}.0\n", 90 - 30 * (number % 3));
    fs::write(at.join("v.txt"), hashes(0..6).lines().enumerate().map(frame).collect::<String>()).unwrap();
    let import = |more: &[&str]| {
        run(at, &[&["list", "import", "v.txt", "--algorithm", "vpdq", "--format", "vpdq"][..], more].concat()).1
    };
    assert_eq!(import(&["--min-quality", "50", "--out", "old"])["entries"], 4);
    let same = import(&["--min-quality", "50", "--base", "old", "--out", "same"]);
    assert_eq!((&same["entries"], &same["renumbered"]), (&4.into(), &0.into()), "{same:#}");
    let other = import(&["--base", "old", "--out", "other"]);
    assert_eq!((&other["entries"], &other["renumbered"]), (&10.into(), &4.into()), "{other:#}");
    let told = words(
        at,
        &[
            "list",
            "import",
            "v.txt",
            "--algorithm",
            "vpdq",
            "--format",
            "vpdq",
            "--base",
            "old",
            "--out",
            "other",
            "--force",
        ],
    );
    assert!(told.contains("! 4 frames that come are on the list as it was"), "{told}");
}

#[test]
fn disputed_hashes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let hash = hashes(0..1);
    fs::write(at.join("a.te"), format!("{},4711,2026-01-01,disputed\n", hash.trim())).unwrap();
    let told = words(at, &["list", "import", "a.te", "--out", "a.list"]);
    assert!(told.contains("! 1 of these hashes are disputed") && told.matches(hash.trim()).count() == 1, "{told}");
}

#[test]
fn classes_and_tags_are_shown_to_whoever_imports() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let row =
        |(number, hash): (usize, &str)| format!("{hash},A1,{}\n", if number % 3 == 0 { "gelöscht" } else { "csam" });
    fs::write(
        at.join("a.csv"),
        format!("hash,class,tags\n{}", hashes(0..6).lines().enumerate().map(row).collect::<String>()),
    )
    .unwrap();
    let told = words(at, &["list", "import", "a.csv", "--out", "a.list"]);
    assert!(told.contains("classes of what was taken (how often each): \"A1\" 6"), "{told}");
    assert!(told.contains("tags of what was taken (how often each): \"gelöscht\" 2, \"csam\" 4"), "{told}");
    let (_, report) = run(at, &["list", "import", "a.csv", "--out", "a.list", "--force"]);
    let tags =
        serde_json::json!({"words": [{"word": "gelöscht", "records": 2}, {"word": "csam", "records": 4}], "others": 0});
    assert_eq!(report["imported"][0]["report"]["tags"], tags, "{report:#}");
}

#[test]
fn sums_with_a_name_like_a_word_of_leaving_have_a_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let named = |(number, hash): (usize, &str)| format!("{hash}  {}\n", ["a.jpg", "deleted"][number % 2]);
    fs::write(at.join("sums"), hashes(0..4).lines().enumerate().map(named).collect::<String>()).unwrap();
    let import = ["list", "import", "sums", "--out", "a.list"];
    says(at, &import, 4, &["where the name of a file should", "--ignore-column name"]);
    let (code, report) = run(at, &[&import[..], &["--ignore-column", "name"]].concat());
    assert_eq!((code, &report["entries"], &report["not_ignored"]), (Some(0), &4.into(), &serde_json::json!([])));
}

#[test]
fn ids_that_were_emptied_or_cut_import_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let image = |(id, hash): (usize, &str)| {
        format!("<image><member id=\"1\"/><id>{id}</id><fingerprints><pdq>{hash}</pdq></fingerprints></image>")
    };
    let images: String = hashes(0..3).lines().enumerate().map(image).collect();
    fs::write(at.join("first.xml"), format!("<queryResult><images>{images}</images></queryResult>")).unwrap();
    let gone = "<deletedImage><member id=\"1\"/><id>1</id></deletedImage>";
    fs::write(at.join("second.xml"), format!("<queryResult><images>{gone}</images></queryResult>")).unwrap();
    let (code, report) = run(at, &["list", "import", "first.xml", "--ids", "ids", "--out", "first"]);
    assert_eq!((code, &report["ids"]), (Some(0), &"missing".into()), "{report:#}");
    let kept = fs::read_to_string(at.join("ids")).unwrap();
    assert_eq!(kept.lines().count(), 4, "{kept}");
    let import = ["list", "import", "second.xml", "--base", "first", "--ids", "ids", "--out", "second"];
    let half = kept.lines().next().unwrap().len() + 1;
    for (cut, end) in [(0, "`end 0`"), (half, "`end 1`"), (half + 9, "`end 1`")] {
        fs::write(at.join("ids"), &kept[..cut]).unwrap();
        says(at, &import, 4, &["ids is not used", "cut off, or empty", "from a copy", end]);
        assert!(!at.join("second").exists());
        assert_eq!(fs::read_to_string(at.join("ids")).unwrap(), kept[..cut], "it is not written over");
    }
    // Whether there ever was one can't be told from a file that is missing: that is said, beside a list that there was.
    let new = ["list", "import", "first.xml", "--base", "first", "--ids", "new-ids", "--out", "again"];
    let told = words(at, &new);
    assert!(told.contains("! new-ids was not there, so nothing is known of the ids"), "{told}");
    fs::write(at.join("ids"), &kept).unwrap();
    let (code, report) = run(at, &import);
    assert_eq!((code, &report["entries"], &report["unknown_ids"]), (Some(0), &2.into(), &0.into()), "{report:#}");
    assert_eq!(report["ids"], "known");
    let told = words(at, &[&import[..8], &["third"]].concat());
    assert!(!told.contains("was not there"), "{told}");
}

#[test]
fn a_column_that_may_mark_what_is_withdrawn_is_ignored_if_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows = |mark: &str| {
        let row = |(number, hash): (usize, &str)| format!("{hash},{mark},{}\n", 12 + number);
        hashes(0..6).lines().enumerate().map(row).collect::<String>()
    };
    fs::write(at.join("a.csv"), format!("hash,is_csam,weight\n{}{}", rows("true"), rows("false"))).unwrap();
    let import = ["list", "import", "a.csv", "--out", "a.list"];
    says(at, &import, 4, &["the column is_csam is not read", "--ignore-column"]);
    says(at, &[&import[..], &["--skip-invalid"]].concat(), 4, &["is_csam"]);
    assert!(!at.join("a.list").exists());
    let ignoring = [&import[..], &["--ignore-column", "other", "--ignore-column", "Is CSAM"]].concat();
    let (code, report) = run(at, &ignoring);
    assert_eq!((code, &report["entries"]), (Some(0), &6.into()), "{report:#}");
    let unread = serde_json::json!([{ "name": "weight", "rows": 12, "values": ["12", "13", "14", "15"] }]);
    assert_eq!(report["imported"][0]["report"]["unread"], unread, "{report:#}");
    let told = words(at, &[&ignoring[..], &["--force"]].concat());
    assert!(told.contains("): weight (12: \"12\" \"13\" \"14\" \"15\" …)"), "{told}");
    assert_eq!(report["not_ignored"], serde_json::json!(["other"]), "{report:#}");
    assert!(told.contains("! no file has a column \"other\"") && !told.contains("no file has a column \"Is"), "{told}");
}

#[test]
fn entries_in_records_that_were_refused_are_named_if_they_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("old.txt"), hashes(0..4)).unwrap();
    let (code, old) = run(at, &["list", "import", "old.txt", "--out", "old"]);
    assert_eq!((code, &old["refused_kept"]), (Some(0), &serde_json::Value::Null), "{old:#}");
    let list: Vec<String> = hashes(0..6).lines().map(str::to_owned).collect();
    let row = |number: usize, status: &str| format!("{},{status}\n", list[number]);
    let rows = [row(0, "active"), row(1, "withdrawn"), row(2, "perhaps"), row(5, "perhaps")].concat();
    fs::write(at.join("new.csv"), format!("hash,status\n{rows}")).unwrap();
    let import = ["list", "import", "new.csv", "--skip-invalid", "--base", "old", "--out", "new"];
    let (code, report) = run(at, &import);
    assert_eq!((code, &report["entries"]), (Some(0), &3.into()), "{report:#}");
    assert_eq!(report["refused_kept"], serde_json::json!({ "entries": 1, "first": [list[2]] }), "{report:#}");
    let told = words(at, &[&import[..], &["--force"]].concat());
    let expected = "! 1 entries of the list as it was are in records that were refused";
    assert!(told.contains(expected) && told.contains(&format!("\n  {}", list[2])), "{told}");
}

#[test]
fn what_was_refused_and_the_list_are_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.txt"), hashes(0..2) + "wrong\n").unwrap();
    for (refused, out) in [("x", "x"), ("./x", "x")] {
        let import = ["list", "import", "a.txt", "--skip-invalid", "--refused", refused, "--out", out, "--force"];
        says(at, &import, 4, &["--refused and --out name one file"]);
        assert!(!at.join("x").exists());
    }
}

#[test]
fn ids_are_for_one_import_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.txt"), hashes(0..2)).unwrap();
    let import = ["list", "import", "a.txt", "--ids", "ids", "--out", "a.list"];
    let lock = fs::File::create(at.join("ids.lock")).unwrap();
    lock.lock().unwrap();
    says(at, &import, 1, &["/ids is in use by another process"]);
    assert!(!at.join("a.list").exists() && !at.join("ids").exists());
    lock.unlock().unwrap();
    assert_eq!(run(at, &import).0, Some(0));
}

#[cfg(unix)]
#[test]
fn ids_behind_a_symbolic_link_are_locked_and_kept_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("kept")).unwrap();
    fs::write(at.join("a.txt"), hashes(0..2)).unwrap();
    std::os::unix::fs::symlink("kept/ids", at.join("link")).unwrap();
    let import = ["list", "import", "a.txt", "--ids", "link", "--out", "a.list"];
    // Also before there is a file, and for whoever names the file itself.
    for step in 0..2 {
        let lock = fs::File::create(at.join("kept/ids.lock")).unwrap();
        lock.lock().unwrap();
        says(at, &[&import[..], &["--force"]].concat(), 1, &["kept/ids is in use by another process"]);
        lock.unlock().unwrap();
        assert_eq!(run(at, &[&import[..], &["--force"]].concat()).0, Some(0), "{step}");
        assert!(at.join("link").is_symlink() && !at.join("link.lock").exists(), "{step}");
        assert_eq!(fs::read_to_string(at.join("kept/ids")).unwrap(), "end 0\n", "{step}");
    }
    let same = ["list", "import", "a.txt", "--ids", "link", "--out", "kept/ids", "--force"];
    says(at, &same, 4, &["--ids is to be kept"]);
}
