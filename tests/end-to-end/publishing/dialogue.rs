//! A charter by questions and answers.

use crate::scene::{Scene, command};
use isonomy_publisher::charter::dialogue::{Question, questions};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Output, Stdio};

fn vkey(scene: &Scene, name: &str) -> String {
    let shown = scene.report(&["key", "show", &format!("{name}.example.key")]);
    shown["vkey"].as_str().unwrap().to_owned()
}

/// What somebody types who takes what is offered, and mistypes keys at first.
fn answer(scene: &Scene, question: &Question) -> String {
    match question.name().as_str() {
        "maintainer.keys" => format!("nonsense\n{}", vkey(scene, "maintainer")),
        "curation.curators" => {
            let [one, two] = ["curator-one", "curator-two"].map(|name| vkey(scene, name));
            format!("\nCurator One / DE / {one}; Curator Two / FR / {two}")
        }
        "record.legality.basis" => "A statute.".to_owned(),
        _ => question.example().unwrap_or_default(),
    }
}

fn ask(scene: &Scene, out: &str, answers: &str) -> Output {
    let mut asking = command(scene.folder(), &["charter", "new", "--ask", "--out", out]);
    let asking = asking.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut asking = asking.spawn().unwrap();
    // It may end before it has heard all.
    let _ = asking.stdin.take().unwrap().write_all(answers.as_bytes());
    asking.wait_with_output().unwrap()
}

#[test]
fn a_charter_is_made_by_questions_and_answers() {
    let scene = Scene::founded();
    let answers: Vec<String> = questions().map(|question| answer(&scene, &question)).collect();
    let asked = ask(&scene, "asked.toml", &(answers.join("\n") + "\n"));
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.success(), "{said}");
    assert!(said.contains("\"nonsense\" is no vkey") && said.contains("this needs an answer"), "{said}");
    let made = scene.report(&["charter", "new", "--from", "asked.toml", "--out", "asked.note"]);
    assert_eq!(made["charter"]["list"], "hotline.example/known-images", "{made}");
    let ended = ask(&scene, "ended.toml", "hotline.example/images\n");
    assert!(!ended.status.success() && !scene.path("ended.toml").exists());
    assert!(String::from_utf8_lossy(&ended.stdout).contains("the answers end before the questions do"));
}

/// A terminal: what its person sees and types, and what a program has for its standard streams.
fn terminal() -> (File, impl Fn() -> File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    (File::from(person), move || OpenOptions::new().read(true).write(true).open(&name).unwrap())
}

/// Reads on until what is shown ends so; to its end if the program ends.
fn read_to(person: &mut File, end: &str) -> String {
    let (mut shown, mut bytes) = (Vec::new(), [0; 4096]);
    while !shown.ends_with(end.as_bytes()) {
        match person.read(&mut bytes) {
            Ok(count) if count > 0 => shown.extend_from_slice(&bytes[..count]),
            // The other side is closed: Linux gives an error there.
            _ => break,
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn questions_are_asked_and_answered_at_a_terminal() {
    let scene = Scene::founded();
    let (mut person, stream) = terminal();
    let mut asking = {
        let mut command = command(scene.folder(), &["charter", "new", "--ask", "--out", "asked.toml"]);
        command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap()
    };
    for question in questions() {
        // A wrong answer is asked for again.
        for line in answer(&scene, &question).split('\n') {
            let shown = read_to(&mut person, "> ");
            assert!(shown.contains(&question.name()), "{}: {shown}", question.name());
            person.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }
    let last = read_to(&mut person, "no such end");
    assert!(asking.wait().unwrap().success(), "{last}");
    assert!(last.contains("asked.toml"), "{last}");
    let made = scene.report(&["charter", "new", "--from", "asked.toml", "--out", "asked.note"]);
    assert_eq!(made["charter"]["list"], "hotline.example/known-images", "{made}");
    // Without an answer to what needs one, by the end of the input: Control-D.
    let (mut person, stream) = terminal();
    let mut asking = {
        let mut command = command(scene.folder(), &["charter", "new", "--ask", "--out", "ended.toml"]);
        command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap()
    };
    read_to(&mut person, "> ");
    person.write_all(&[4]).unwrap();
    let last = read_to(&mut person, "no such end");
    assert!(!asking.wait().unwrap().success() && last.contains("nothing was written"), "{last}");
    assert!(!scene.path("ended.toml").exists());
}
