//! A charter by questions and answers.

use crate::scene::{Scene, command};
use isonomy_publisher::charter::dialogue::{Question, questions};
use std::io::Write;
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
