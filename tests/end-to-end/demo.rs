//! `isonomy demo`, run as a newcomer runs it.

#[allow(dead_code)]
mod process;

use process::{isonomy, repository};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(arguments: &[&str], data: &Path) -> (bool, String, String) {
    let output = Command::new(isonomy())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .expect("the demo runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// A command of its own, on what the demo left behind.
fn isonomy_says(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(isonomy()).args(arguments).output().expect("the command runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("an exit code"), text)
}

#[test]
fn the_demo_tells_the_whole_story_and_leaves_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let (success, out, err) = run(&["--json", "demo"], &data);
    assert!(success, "{out}\n{err}");
    let summary: Value = serde_json::from_str(&out).expect("one JSON document");

    assert_eq!(summary["versions"], 2);
    let refusal = summary["first_refusal"].as_str().expect("a reason");
    assert!(refusal.contains("public for ") && refusal.contains(" of 5 s"), "{refusal}");
    let bytes = |field: &str| summary[field].as_u64().expect("a number");
    assert!(bytes("delta_bytes") * 50 < bytes("snapshot_bytes"), "release 2 did not come as a delta");

    let matching = &summary["matching"];
    assert_eq!(matching["edited"], 24, "six photographs, four edits each");
    assert_eq!(matching["found"], matching["edited"]);
    assert_eq!((&matching["others"], &matching["false_matches"]), (&Value::from(7), &Value::from(0)));

    let attacks = summary["attacks"].as_array().expect("attacks");
    let told: Vec<(&str, &str, bool)> = attacks
        .iter()
        .map(|attack| {
            let text = |field: &str| attack[field].as_str().expect("text");
            (text("name"), text("code"), attack["evidence"].is_string())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("split-view", "fork", true),
            ("early-admission", "notice-not-over", true),
            ("replay", "behind", false),
            ("rollback", "rollback", false),
        ]
    );
    assert_eq!(attacks[1]["rule"], 4);
    assert!(summary["findings"].as_u64().expect("a number") >= 1, "the monitor has found nothing");
    left_behind(&data, attacks, matching["receipt"].as_str().expect("a receipt"));
}

/// What the demo wrote is checked by commands of their own, offline: the servers have stopped.
fn left_behind(data: &Path, attacks: &[Value], receipt: &str) {
    let file = |name: &str| data.join(name).display().to_string();
    let trust = file("trust.policy");
    let (code, said) = isonomy_says(&["receipt", "verify", receipt, "--policy", &trust]);
    assert_eq!(code, 0, "{said}");
    for attack in &attacks[..2] {
        let evidence = attack["evidence"].as_str().expect("a file");
        let (code, said) = isonomy_says(&["evidence", "verify", evidence, "--policy", &trust]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("log.example/demo"), "{said}");
    }
    let refusals = std::fs::read_dir(data.join("device/refusals")).expect("a folder").count();
    assert!(refusals >= 4, "{refusals} refusal records");

    // The device keeps release 2 in force, and an edited picture that lies there still matches.
    let device = ["--policy", &file("app-policy.toml"), "--state", &file("device")];
    let picture = file("pictures/edited/chelsea-half.png");
    let (code, said) = isonomy_says(&[&["match", &picture][..], &device].concat());
    assert_eq!(code, 5, "{said}");
    let (code, said) = isonomy_says(&[&["--json", "client", "status"][..], &device].concat());
    assert_eq!(code, 0, "{said}");
    let status: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(status["version"], 2);
}

/// A line without what differs from run to run: the folder, digests, ids of keys, numbers.
fn shape(line: &str, data: &str) -> String {
    let line = line.replace(data, "DATA");
    let digest = |word: &str| {
        let is_base64 = word.len() == 44 && word.ends_with('=');
        let is_hex = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_base64 || is_hex { "DIGEST".to_owned() } else { word.to_owned() }
    };
    let is_key_id = |word: &str| {
        let id = word.strip_prefix('(').and_then(|word| word.strip_suffix(')'));
        id.is_some_and(|id| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let words = line.split(' ').map(|word| {
        if is_key_id(word) {
            return "(ID)".to_owned();
        }
        let parts = word.split(['/', '.']).map(digest).collect::<Vec<_>>();
        if word.len() == 44 { digest(word) } else { parts.join("/") }
    });
    let words: Vec<String> = words.collect();
    let mut shaped = String::new();
    for c in words.join(" ").chars() {
        match c {
            '0'..='9' if shaped.ends_with('0') => {}
            '0'..='9' => shaped.push('0'),
            other => shaped.push(other),
        }
    }
    shaped
}

#[test]
fn the_readme_shows_what_the_demo_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let (success, out, err) = run(&["demo"], &data);
    assert!(success, "{out}\n{err}");
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("the README");
    let shown = readme.split_once("```text\n").expect("a block").1.split_once("```").expect("its end").0;
    let last = shown.trim_end().lines().last().expect("a last line");
    let shown_folder = last.rsplit(' ').next().expect("the folder");
    let data = data.canonicalize().expect("the folder").display().to_string();
    let shapes = |text: &str, data: &str| text.trim_end().lines().map(|line| shape(line, data)).collect::<Vec<_>>();
    let (said, shown) = (shapes(&out, &data), shapes(shown, shown_folder));
    for (said, shown) in said.iter().zip(&shown) {
        assert_eq!(said, shown, "the README is out of date");
    }
    assert_eq!(said.len(), shown.len(), "{out}");
}

#[test]
fn the_demo_takes_photographs_of_one_s_own_and_never_writes_into_a_used_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine"), "something").expect("a file");
    let (success, _, err) = run(&["demo"], folder.path());
    assert!(!success && err.contains("is not empty"), "{err}");
    let empty = folder.path().join("pictures");
    std::fs::create_dir(&empty).expect("a folder");
    let (success, _, err) = run(&["demo", "--images", &empty.display().to_string()], &folder.path().join("demo"));
    assert!(!success && err.contains("needs two"), "{err}");
}
