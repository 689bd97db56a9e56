//! What is said while a log does not answer.

use crate::scene::Scene;
use axum::Router;
use axum::routing::post;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;

#[test]
fn who_waits_for_the_log_is_told_that_this_is_usual_and_harmless_to_end() {
    let scene = Scene::founded();
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    // It shows what the log has, and never answers a submission.
    let never = post(|| async { std::future::pending::<()>().await });
    let log = Router::new().route("/submit", never).fallback_service(ServeDir::new(scene.path("log/public")));
    runtime.spawn(async move { axum::serve(listener, log).await });
    let trust = fs::read_to_string(scene.path("trust.policy")).unwrap();
    fs::write(scene.path("silent.policy"), trust.replace(&scene.log.as_ref().unwrap().url, &silent)).unwrap();

    let mut publish = scene.command(&["charter", "publish", "charter.note", "--policy", "silent.policy"]);
    let mut waiting = publish.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(waiting.stderr.take().unwrap()).lines().next();
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    let said = said.expect("it ended without a word").unwrap();
    let parts = ["its witnesses have cosigned", "Ending this command is harmless", "it may be repeated"];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    // As it says: the same again, where the log answers.
    let again = scene.report(&["charter", "publish", "charter.note", "--policy", "trust.policy"]);
    assert_eq!(again["index"], 0, "{again:#}");
}
