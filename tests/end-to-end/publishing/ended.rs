//! A log that has a release and does not show it: a list has ended there, or a mirror is old.

use crate::scene::{LIST, Scene};
use axum::Router;
use std::fs;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Serves a folder as long as the runtime lives; gives its URL.
fn serve(folder: &Path, runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = Router::new().fallback_service(ServeDir::new(folder));
    runtime.spawn(async move { axum::serve(listener, folder).await });
    url
}

#[test]
fn no_second_text_is_signed_beside_one_that_the_log_has_and_does_not_show() {
    let mut scene = Scene::founded();
    let bundle = format!("list/{LIST}/bundle");
    scene.import(0..20, "one");
    let before = fs::read(scene.path("log/public").join(&bundle)).unwrap();
    let published = scene.publish("one", "draft-1");
    let first = published["published"]["statement"].as_str().unwrap();
    let log = scene.log.take().unwrap();
    let trust = fs::read_to_string(scene.path("trust.policy")).unwrap();
    let runtime = Runtime::new().unwrap();
    let old = serve(&scene.path("old"), &runtime);
    fs::write(scene.path("old.policy"), trust.replace(&log.url, &old)).unwrap();
    drop(log);
    copy(&scene.path("log/public"), &scene.path("old"));
    fs::write(scene.path("old").join(&bundle), before).unwrap();

    // As if there were none, another text is composed for version 1, by somebody who does not know of the first.
    scene.import(0..25, "two");
    let at = |who, arguments: &[&str]| {
        let desk = ["--policy", "old.policy", "--workspace", who];
        arguments.iter().chain(&desk).map(|&argument| argument.to_owned()).collect::<Vec<String>>()
    };
    let run = |arguments: Vec<String>| scene.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (code, composed) = run(at("new", &["release", "new", "two", "--list", LIST, "--out", "draft-2"]));
    assert_eq!((code, &composed["draft"]["version"]), (Some(0), &1.into()), "{composed:#}");
    // Neither curator nor maintainer signs it, and nobody is told to replace the first one.
    let endorse = ["release", "endorse", "draft-2", "--key", "curator-one.example.key", "--out", "two.note"];
    let publish = ["release", "publish", "draft-2", "--key", "maintainer.example.key"];
    for refused in [
        at("curator-one", &endorse),
        at("curator-one", &[&endorse[..], &["--replaces", first]].concat()),
        at("a-new-folder", &endorse),
        at("work", &publish),
    ] {
        let (code, said) = run(refused.clone());
        let said = said.to_string();
        let told = said.contains("nothing was signed: the log has another text") && said.contains(first);
        assert!(code == Some(3) && told && !said.contains("--replaces"), "{refused:?}: {said}");
    }
    for who in ["curator-one", "maintainer"] {
        assert_eq!(scene.signed(who).iter().filter(|line| line["series"] == "version").count(), 1, "{who}");
    }
}
