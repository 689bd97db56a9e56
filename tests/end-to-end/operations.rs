//! What an operator does, each command in a process of its own: folders for a log and its witness, servers from their
//! configurations, their health, a check of the whole log, and a witness that was lost and restored.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn isonomy(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.current_dir(folder).arg("--json").args(arguments).env_remove("RUST_LOG");
    command
}

/// What a command that must succeed reports.
fn report(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let (code, report) = run(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {report}");
    report
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = isonomy(folder, arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}"));
    (output.status.code(), report)
}

/// A server that ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = isonomy(folder, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut errors = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut errors);
            panic!("{arguments:?}: {line}{errors}")
        });
        let url = said["url"].as_str().unwrap();
        Self { child, address: url.rsplit('/').next().unwrap().to_owned() }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks until the answer contains this.
    fn get_until(&self, path: &str, wanted: &str) -> String {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if answer.contains(wanted) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "{answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it and gives what it said.
    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn change(path: &Path, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} in {text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(path, text).unwrap();
}

#[test]
fn a_log_and_a_witness_are_set_up_served_checked_and_restored() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let log = report(folder, &["log", "init", "log", "--name", "log.example/operated"]);
    let witness = report(folder, &["witness", "init", "witness", "--name", "witness.example/operated"]);
    let (log_key, witness_key) = (log["vkey"].as_str().unwrap(), witness["vkey"].as_str().unwrap());
    assert_eq!(
        run(folder, &["log", "init", "log", "--name", "log.example/operated"]).0,
        Some(4),
        "nothing is overwritten"
    );

    // Without a quorum the log does not start, and says why.
    let (code, error) = run(folder, &["log", "serve", "--config", "log/log.toml"]);
    assert!(code == Some(4) && error["error"].as_str().unwrap().contains("quorum none"), "{error}");

    let listen = ("#listen = \"127.0.0.1:7320\"", "listen = \"127.0.0.1:0\"");
    change(&folder.join("witness/witness.toml"), &[listen, ("#format = \"text\"", "format = \"json\"")]);
    let logs = folder.join("witness/logs.policy");
    fs::write(&logs, fs::read_to_string(&logs).unwrap() + &format!("log {log_key}\n")).unwrap();
    let serve_witness = ["witness", "serve", "--config", "witness/witness.toml"];
    let running = Server::start(folder, &serve_witness);
    let line = format!("witness w {witness_key} http://{}\nquorum w\n", running.address);
    change(&folder.join("log/trust.policy"), &[("\nquorum none\n", &format!("\n{line}"))]);
    let listen = ("#listen = \"127.0.0.1:7310\"", "listen = \"127.0.0.1:0\"");
    change(&folder.join("log/log.toml"), &[listen, ("#republish = 300", "republish = 1")]);
    let served = Server::start(folder, &["log", "serve", "--config", "log/log.toml"]);
    assert!(served.get_until("/healthz", "200 OK").ends_with("ok\n"));
    assert!(served.get("/metrics").contains("isonomy_healthy 1\n"));
    assert!(running.get("/metrics").contains("isonomy_witness_size{origin=\"log.example/operated\"} 0\n"));

    // The whole log, over HTTP and from its folder.
    let url = format!("http://{}", served.address);
    for source in [url.as_str(), "log/data"] {
        let checked = report(folder, &["log", "fsck", source, "--policy", "log/trust.policy"]);
        assert_eq!((&checked["sound"], &checked["size"]), (&true.into(), &0.into()), "{checked}");
    }
    let unsigned = run(folder, &["log", "fsck", "log/data", "--key", &witness_key.replace("witness.", "log.")]);
    assert_eq!(unsigned.0, Some(4), "{}", unsigned.1);

    // The witness loses its folder, or its disk is not mounted. It does not take itself for new, which would cosign anything.
    let newest = served.get("/checkpoint");
    let said = running.stop();
    let said: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(said.iter().any(|line| line["fields"]["message"].as_str().unwrap().contains("the witness is ready")));
    drop(served);
    let newest = newest.split_once("\r\n\r\n").unwrap().1;
    fs::write(folder.join("newest"), newest).unwrap();
    for is_there in [false, true] {
        fs::remove_dir_all(folder.join("witness/data")).unwrap();
        if is_there {
            fs::create_dir(folder.join("witness/data")).unwrap();
        }
        let (code, error) = run(folder, &serve_witness);
        assert_eq!(code, Some(1), "{error}");
        assert!(error["error"].as_str().unwrap().contains("isonomy witness restore"), "{error}");
        fs::create_dir_all(folder.join("witness/data")).unwrap();
    }
    let restore = ["witness", "restore", "--config", "witness/witness.toml", "newest"];
    assert_eq!(report(folder, &restore)["written"], true);
    assert_eq!(report(folder, &restore)["written"], false);
    let running = Server::start(folder, &serve_witness);
    assert!(running.get("/healthz").contains("200 OK"));
    drop(running);

    let forged = newest.replacen("\n0\n", "\n1\n", 1);
    fs::write(folder.join("newest"), forged).unwrap();
    assert_eq!(run(folder, &restore).0, Some(3), "not what the log signed");
    let token = report(folder, &["log", "token"]);
    assert_eq!(token["token"].as_str().map(str::len), Some(64));
    assert_ne!(token["token"], token["digest"]);
}
