//! A monitor as an auditor runs it from cron: `isonomy monitor run --once` against a log over HTTP that is honest at first
//! and then isn't. What is proven is checked by `isonomy evidence verify` and by the implementation in Python.

#[allow(dead_code)]
#[path = "../../monitor/tests/all/world.rs"]
mod world;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use isonomy_core::encoding::{from_hex, to_base64, to_hex};
use isonomy_core::hash::sha256;
use isonomy_core::time::Timestamp;
use isonomy_monitor::folder;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tower_http::services::ServeDir;
use world::*;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/second/verify.py");

fn ago(seconds: u64) -> Timestamp {
    Timestamp(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - seconds)
}

/// A log, its mirror and three witnesses over HTTP, and the configuration of a monitor.
struct Stage {
    world: World,
    mirror: Log,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    async fn new() -> Self {
        let mut world = World::empty();
        world.log.charter(|_| ());
        world.log.publish(ago(3 * DAY));
        world.log.release(entries(0..10), ago(2 * DAY), |_| ());
        world.log.publish(ago(2 * DAY));
        world.log.release(entries(2..40), ago(120), |_| ());
        world.log.publish(ago(100));
        let mirror = world.log.split(world.path("mirror"));
        let stage = Self { world, mirror, shown: Arc::default() };
        stage.witnesses_see();
        stage.configure().await;
        stage
    }

    /// Every witness shows the log as it is now.
    fn witnesses_see(&self) {
        let show = |number: usize| self.world.log.checkpoint(&[number], ago(10)).to_string();
        *self.shown.lock().unwrap() = (0..3).map(show).collect();
    }

    async fn configure(&self) {
        let mut urls = Vec::new();
        for number in 0..3 {
            urls.push(self.witness(number).await);
        }
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let trust = String::from_utf8(policy(&urls).to_text()).unwrap();
        let key = format!("log {}", log_key().verifier());
        let trust = trust.replace(&key, &format!("{key} {}", serve(&self.world.log.path).await));
        fs::write(self.world.path("trust.policy"), trust).unwrap();
        let mirror = serve(&self.mirror.path).await;
        let config = format!(
            "data = \"data\"\n[[log]]\npolicy = \"trust.policy\"\nsources = [\"{mirror}\"]\n[logging]\nlevel = \"error\"\n"
        );
        fs::write(self.world.path("monitor.toml"), config).unwrap();
    }

    async fn witness(&self, number: usize) -> String {
        let path = format!("/{}/checkpoint", to_hex(&sha256(&[ORIGIN.as_bytes()])));
        let show =
            move |State(shown): State<Arc<Mutex<Vec<String>>>>| async move { shown.lock().unwrap()[number].clone() };
        start(Router::new().route(&path, get(show)).with_state(Arc::clone(&self.shown))).await
    }

    /// One look by the command: its exit code, and the report.
    async fn look(&self) -> (Option<i32>, Value) {
        let output = self.run(&["monitor", "run", "--once", "--config", "monitor.toml"]).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{errors}")))
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
        command.current_dir(self.world.dir.path()).arg("--json").args(arguments).env_remove("RUST_LOG");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    fn evidence(&self, digest: &str) -> PathBuf {
        let name = folder::name(log_key().verifier());
        self.world.path("data").join("logs").join(name).join("evidence").join(format!("{digest}.json"))
    }
}

async fn serve(folder: &Path) -> String {
    start(Router::new().fallback_service(ServeDir::new(folder))).await
}

async fn start(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// What the implementation in Python says of a file; `None` if there is no Python that can run it.
fn by_python(policy: &Path, file: &Path) -> Option<String> {
    let ready = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("ISONOMY_REQUIRE_PYTHON").is_none(), "python3 lacks the package `cryptography`");
        return None;
    }
    let output = Command::new("python3").arg(PYTHON).args([policy, file]).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// An honest look, the misbehaviour, the next look: it must have found a breach, with a file that everybody accepts.
async fn proven_at_the_next_look(code: &str, kind: &str, stage: impl FnOnce(&mut Stage)) {
    let mut world = Stage::new().await;
    let (exit, honest) = world.look().await;
    assert_eq!((exit, &honest["findings"]), (Some(0), &serde_json::json!([])));
    stage(&mut world);
    let (exit, report) = world.look().await;
    assert_eq!(exit, Some(6), "{code}");
    let findings = report["findings"].as_array().unwrap();
    let found =
        findings.iter().find(|found| found["code"] == code).unwrap_or_else(|| panic!("no {code}: {findings:?}"));
    assert_eq!((&found["severity"], &found["standing"]), (&"breach".into(), &true.into()));
    let file = world.evidence(found["evidence"].as_str().unwrap());
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(kind), "{text}");

    let arguments = ["evidence", "verify", file.to_str().unwrap(), "--policy", "trust.policy"];
    let output = world.run(&arguments).await;
    let verified: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &verified["verified"]), (Some(0), &true.into()), "{verified}");
    assert!(!verified["by"].as_array().unwrap().is_empty());
    let policy = world.world.path("trust.policy");
    let said = by_python(&policy, &file);
    assert!(said.as_ref().is_none_or(|said| said.starts_with("ok")), "{said:?}");

    // With one character of a signature changed it proves nothing, to neither.
    let line = "\u{2014} log.example/isonomy ";
    let place = text.find(line).unwrap() + line.len() + 20;
    let other = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
    fs::write(&file, changed).unwrap();
    assert_ne!(world.run(&arguments).await.status.code(), Some(0));
    let said = by_python(&policy, &file);
    assert!(said.as_ref().is_none_or(|said| said.starts_with("refused")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_at_a_mirror_is_proven() {
    proven_at_the_next_look("fork", "isonomy/fork/v1", |stage| {
        stage.mirror.append("another history\n");
        stage.mirror.publish(ago(20));
        stage.world.log.release(entries(2..50), ago(30), |_| ());
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_at_a_witness_is_proven() {
    proven_at_the_next_look("fork", "isonomy/fork/v1", |stage| {
        let mut other = stage.world.log.split(stage.world.path("other"));
        other.append("another history\n");
        stage.world.log.release(entries(2..50), ago(30), |_| ());
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
        stage.shown.lock().unwrap()[1] = other.checkpoint(&[1], ago(10)).to_string();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_for_one_version_are_proven() {
    proven_at_the_next_look("equivocation", "isonomy/equivocation/v1", |stage| {
        let log = &mut stage.world.log;
        let third = log.draft(&entries(0..60), ago(60));
        let mut other = third.clone();
        other.expires = other.expires.plus(1);
        for release in [&third, &other] {
            log.append(signed(&release.to_text().unwrap(), &SIGNERS).to_bytes());
        }
        log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_under_two_editions_are_proven() {
    proven_at_the_next_look("equivocation", "isonomy/equivocation/v2", |stage| {
        let log = &mut stage.world.log;
        let third = log.draft(&entries(0..60), ago(60));
        log.append(signed(&third.to_text().unwrap(), &SIGNERS).to_bytes());
        log.charter(|charter| charter.limits.max_added = 400);
        let other = log.draft(&entries(0..60), ago(60));
        log.append(signed(&other.to_text().unwrap(), &SIGNERS).to_bytes());
        log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_for_one_edition_are_proven() {
    proven_at_the_next_look("equivocation", "isonomy/two-editions/v1", |stage| {
        let log = &mut stage.world.log;
        let mut other = charter();
        (other.edition, other.previous, other.limits.max_added) = (2, Some(log.first_charter()), 300);
        log.charter(|charter| charter.limits.max_added = 400);
        log.append(signed(&other.to_text().unwrap(), &SIGNERS).to_bytes());
        log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_before_its_notice_is_over_is_proven() {
    proven_at_the_next_look("notice-not-over", "isonomy/early-admission/v1", |stage| {
        stage.world.log.charter(|charter| charter.limits.max_added = 600);
        stage.world.log.publish(ago(60));
        stage.world.log.release(entries(2..50), ago(30), |_| ());
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_should_not_have_admitted_is_proven() {
    proven_at_the_next_look("not-a-statement", "isonomy/not-a-statement/v1", |stage| {
        stage.world.log.append([0xff, 0, b'\n']);
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
    proven_at_the_next_look("already-logged", "isonomy/logged-twice/v1", |stage| {
        stage.world.log.again(1);
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
    proven_at_the_next_look("too-few-curators", "isonomy/inadmissible/v1", |stage| {
        let weak = stage.world.log.draft(&entries(0..60), ago(60));
        stage.world.log.append(signed(&weak.to_text().unwrap(), &["m1", "c1"]).to_bytes());
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
    proven_at_the_next_look("content-broken", "isonomy/wrong-content/v1", |stage| {
        stage.world.log.release(entries(0..60), ago(30), |release| release.added += 1);
        stage.world.log.publish(ago(20));
        stage.witnesses_see();
    })
    .await;
}

/// A trace is made from the log, and checked without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_a_file_that_others_check_offline() {
    let stage = Stage::new().await;
    let entry = to_hex(&sha256(&[&1u64.to_be_bytes()]));
    let made = stage.run(&["monitor", "trace", &entry, "--policy", "trust.policy", "--list", LIST]).await;
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stdout));
    let file = stage.world.path("trace.json");
    fs::write(&file, &made.stdout).unwrap();
    fs::remove_dir_all(&stage.world.log.path).unwrap();
    let check = ["monitor", "trace", "--verify", "trace.json", "--policy", "trust.policy"];
    let checked = stage.run(&check).await;
    assert_eq!((checked.status.code(), &checked.stdout), (Some(0), &made.stdout));
    let text = String::from_utf8(made.stdout).unwrap();
    assert!(text.contains("\"listed\": true") && text.contains("\"listed\": false"), "{text}");
    fs::write(&file, text.replacen("\"listed\": true", "\"listed\": false", 1)).unwrap();
    assert_eq!(stage.run(&check).await.status.code(), Some(3));
    fs::write(&file, "{}").unwrap();
    assert_eq!(stage.run(&check).await.status.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_or_that_nobody_is_told_of_has_an_exit_code_of_its_own() {
    let stage = Stage::new().await;
    let file = stage.world.path("monitor.toml");
    let config = fs::read_to_string(&file).unwrap();
    // Nobody can be told: that must not look like a quiet day.
    fs::write(&file, format!("{config}[alerts]\nfrom = \"notice\"\ncommand = \"nowhere\"\n")).unwrap();
    stage.mirror.remove(&isonomy_core::resource::Resource::Checkpoint);
    let output = stage.run(&["monitor", "run", "--once", "--config", "monitor.toml"]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && errors.contains("can't be run"), "{errors}");
    // The next look tells it, though nothing is new.
    fs::write(&file, format!("{config}[alerts]\nfrom = \"notice\"\ncommand = \"/bin/true\"\n")).unwrap();
    assert_eq!(stage.look().await.0, Some(6));
    for (from, to, words) in [
        ("policy = \"trust.policy\"", "policy = \"missing.policy\"", "there is no file"),
        ("data = ", "date = ", "date"),
        (
            "[logging]",
            "[alerts.mail]\nserver = \"mail.example\"\nfrom = \"nobody\"\nto = []\n[logging]",
            "no mail address",
        ),
    ] {
        fs::write(&file, config.replace(from, to)).unwrap();
        let output = stage.run(&["monitor", "run", "--once", "--config", "monitor.toml"]).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!matches!(output.status.code(), Some(0 | 6)) && said.contains(words), "{words}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_a_monitor_is_made_and_never_over_another() {
    let stage = Stage::new().await;
    assert_eq!(stage.run(&["monitor", "init", "new"]).await.status.code(), Some(0));
    assert_ne!(stage.run(&["monitor", "init", "new"]).await.status.code(), Some(0), "it exists");
    // Until there are a log and a quorum in it, it does not start.
    let refused = stage.run(&["monitor", "run", "--once", "--config", "new/monitor.toml"]).await;
    assert!(String::from_utf8_lossy(&refused.stdout).contains("no log is named"));
    fs::copy(stage.world.path("trust.policy"), stage.world.path("new/trust.policy")).unwrap();
    let output = stage.run(&["monitor", "run", "--once", "--config", "new/monitor.toml"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A running `monitor serve`, which ends with the test.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What systemd runs: this line, no environment, no terminal; SIGHUP to reload, SIGTERM to stop.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_unit_s_command_needs_no_environment_survives_a_reload_and_stops_when_told() {
    use std::io::{BufRead, BufReader, Read, Write};
    let stage = Stage::new().await;
    let file = stage.world.path("monitor.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}[http]\nlisten = \"127.0.0.1:0\"\n")).unwrap();
    let unit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/isonomy-monitor.service")).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/isonomy ")).unwrap();
    let arguments = line.split(' ').map(|word| if word.starts_with('/') { "monitor.toml" } else { word });
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.current_dir(stage.world.dir.path()).args(arguments).env_clear().stdin(std::process::Stdio::null());
    let mut serving = Serving(command.stdout(std::process::Stdio::piped()).spawn().unwrap());
    let out = serving.0.stdout.take().unwrap();
    let line = tokio::task::spawn_blocking(move || BufReader::new(out).lines().next().unwrap().unwrap()).await.unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let address = said["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let signal = |name: &str| Command::new("kill").args([name, &serving.0.id().to_string()]).status().unwrap();
    assert!(signal("-HUP").success());
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: monitor\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200 "));
    assert!(signal("-TERM").success());
    let ended = tokio::task::spawn_blocking(move || serving.0.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_that_a_monitor_serves_passes_the_check_of_a_whole_log() {
    use std::io::{BufRead, BufReader};
    let stage = Stage::new().await;
    let arguments =
        ["--json", "monitor", "serve", "--data", "data", "--policy", "trust.policy", "--listen", "127.0.0.1:0"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.current_dir(stage.world.dir.path()).args(arguments).env_remove("RUST_LOG");
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let out = child.stdout.take().unwrap();
    let _serving = Serving(child);
    let line = tokio::task::spawn_blocking(move || BufReader::new(out).lines().next().unwrap().unwrap()).await.unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let mirror = format!("{}/mirror", said["url"].as_str().unwrap());
    // Until the first look is over, there is no copy to check.
    for _ in 0..200 {
        let output = stage.run(&["log", "fsck", &mirror, "--policy", "trust.policy"]).await;
        if output.status.code() == Some(0) {
            return assert!(String::from_utf8_lossy(&output.stdout).contains("\"size\": 3"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let output = stage.run(&["log", "fsck", &mirror, "--policy", "trust.policy"]).await;
    panic!("{}", String::from_utf8_lossy(&output.stdout));
}

/// A log that takes a complaint and never answers: whoever made it can open it all the same, and goes on with the same salt.
#[tokio::test(flavor = "multi_thread")]
async fn the_salt_of_a_complaint_is_not_lost_with_the_answer_of_the_log() {
    let stage = Stage::new().await;
    let taken: Arc<Mutex<Vec<String>>> = Arc::default();
    let silent = |State(taken): State<Arc<Mutex<Vec<String>>>>, body: String| async move {
        taken.lock().unwrap().push(body);
        axum::http::StatusCode::BAD_GATEWAY
    };
    let router = Router::new().route("/submit", post(silent)).with_state(Arc::clone(&taken));
    let url = start(router.fallback_service(ServeDir::new(&stage.world.log.path))).await;
    let trust = fs::read_to_string(stage.world.path("trust.policy")).unwrap();
    let key = format!("log {}", log_key().verifier());
    let trust: Vec<String> = trust
        .lines()
        .map(|line| if line.starts_with(&key) { format!("{key} {url}") } else { line.to_owned() })
        .collect();
    fs::write(stage.world.path("trust.policy"), trust.join("\n") + "\n").unwrap();
    fs::write(stage.world.path("auditor.key"), world::key("auditor").to_private_text().as_bytes()).unwrap();
    fs::set_permissions(stage.world.path("auditor.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let entry = sha256(&[&5u64.to_be_bytes()]);
    let hex = to_hex(&entry);
    let attest =
        ["monitor", "attest", "--data", "auditing", "--policy", "trust.policy", "--list", LIST, "--key", "auditor.key"];
    let complaint = ["--method", "complaint", "--finding", "It should not be listed.", "--entry", &hex];
    let complain = [&attest[..], &complaint[..]].concat();
    let lost = stage.run(&complain).await;
    assert_ne!(lost.status.code(), Some(0));
    let said = String::from_utf8(lost.stderr).unwrap();
    let salt = said.split_once("salt ").unwrap().1.split_once(':').unwrap().0.to_owned();
    let commitment = to_base64(&sha256(&[&from_hex(&salt).unwrap(), &entry]));
    let again = stage.run(&[&complain[..], &["--salt", &salt]].concat()).await;
    assert_ne!(again.status.code(), Some(0));
    let taken = taken.lock().unwrap().clone();
    assert_eq!(taken.iter().map(|text| text.contains(&commitment)).collect::<Vec<_>>(), [true, true], "{taken:?}");
    let short = stage.run(&[&complain[..], &["--salt", "0011"]].concat()).await;
    assert_eq!(short.status.code(), Some(4), "{}", String::from_utf8_lossy(&short.stdout));
    assert_eq!(
        stage
            .run(&[&attest[..], &["--method", "followed", "--finding", "x", "--salt", &salt]].concat())
            .await
            .status
            .code(),
        Some(4)
    );
}
