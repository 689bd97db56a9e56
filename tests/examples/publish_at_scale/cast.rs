//! Log, witnesses and keys.

use crate::VISIBILITY;
use crate::measure::{Spent, row, run, so_far};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) const LIST: &str = "hotline.example/known-images";

pub(crate) struct Cast {
    folder: tempfile::TempDir,
    command: PathBuf,
    servers: Vec<(String, Child)>,
}

impl Cast {
    /// Builds the command, makes keys, starts servers, and publishes a charter that allows so many entries.
    pub(crate) fn start(entries: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cast = Self { folder, command: build(), servers: Vec::new() };
        let maintainer = cast.key("maintainer.example", &[]);
        let curators = ["curator-one.example", "curator-two.example"].map(|name| cast.key(name, &[]));
        let log = cast.key("log.example", &[]);
        let mut quorum = String::new();
        for name in ["one", "two", "three"] {
            let file = format!("witness-{name}");
            let vkey = cast.key(&file, &["--kind", "witness"]);
            let (data, key) = (file.clone(), format!("{file}.key"));
            let url = cast.serve(&file, &["witness", "serve", "--new", "--data", &data, "--key", &key, "--log", &log]);
            quorum += &format!("witness {name} {vkey} {url}\n");
        }
        quorum += "group two-of-three 2 one two three\nquorum two-of-three\n";
        cast.write("log.policy", &format!("log {log}\n{quorum}"));
        let serve = [
            "log",
            "serve",
            "--data",
            "log",
            "--key",
            "log.example.key",
            "--policy",
            "log.policy",
            "--republish",
            "1",
            "--publisher",
            &maintainer,
        ];
        let url = cast.serve("log", &serve);
        let trust = format!("log {log} {url}\n{quorum}");
        cast.write("trust.policy", &trust);
        let charter = cast.found(entries, &maintainer, &curators);
        cast.write("app.toml", &app_policy(&trust, &charter));
        cast
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of ours to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Spent {
        run(self.isonomy(arguments))
    }

    /// What log and witnesses have spent altogether.
    pub(crate) fn print_servers(&self, raw: u64) {
        for (name, child) in &self.servers {
            row(&format!("server: {name}, for both releases"), &so_far(child), raw, 0);
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn isonomy(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.command);
        command.current_dir(self.folder()).arg("--json").args(arguments);
        command
    }

    fn report(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.isonomy(arguments).output().expect("the command runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {text}");
        serde_json::from_str(&text).expect("a document")
    }

    fn key(&self, name: &str, arguments: &[&str]) -> String {
        let file = format!("{name}.key");
        let report = self.report(&[&["key", "new", name, "--out", &file][..], arguments].concat());
        report["vkey"].as_str().expect("a key").to_owned()
    }

    /// Starts a server and gives its URL.
    fn serve(&mut self, name: &str, arguments: &[&str]) -> String {
        let mut command = self.isonomy(&[arguments, &["--listen", "127.0.0.1:0"]].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        let said: serde_json::Value = serde_json::from_str(&line).expect("its address");
        self.servers.push((name.to_owned(), child));
        said["url"].as_str().expect("its address").to_owned()
    }

    /// Publishes the charter and gives its identity.
    fn found(&self, entries: u64, maintainer: &str, curators: &[String; 2]) -> String {
        self.report(&["charter", "new", "--out", "charter.toml"]);
        let mut text = fs::read_to_string(self.path("charter.toml")).expect("the template");
        text = text.replace("maintainer.example+…", maintainer);
        text = text.replace("curator-one.example+…", &curators[0]).replace("curator-two.example+…", &curators[1]);
        let most = (2 * entries).to_string();
        for (field, value) in [
            ("log", "\"log.example\""),
            ("code", "\"other\""),
            ("max_entries", &most),
            ("max_added", &most),
            ("min_interval", "1"),
            ("min_visibility", &VISIBILITY.to_string()),
        ] {
            let line =
                text.lines().find(|line| line.starts_with(&format!("{field} = "))).expect("the field").to_owned();
            text = text.replacen(&line, &format!("{field} = {value}"), 1);
        }
        self.write("charter.toml", &text);
        self.report(&["charter", "new", "--from", "charter.toml", "--out", "charter.note"]);
        for name in ["maintainer", "curator-one", "curator-two"] {
            self.report(&["charter", "sign", "charter.note", "--key", &format!("{name}.example.key")]);
        }
        let published = self.report(&["charter", "publish", "charter.note", "--policy", "trust.policy"]);
        published["statement"].as_str().expect("its identity").to_owned()
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        for (_, server) in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// The command, built as it is shipped; or the one that `ISONOMY_COMMAND` names.
fn build() -> PathBuf {
    if let Some(named) = std::env::var_os("ISONOMY_COMMAND") {
        return named.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--package", "isonomy"]).current_dir(workspace);
    assert!(build.status().expect("cargo runs").success(), "the command can't be built");
    // This example stands in <target>/release/examples.
    let own = std::env::current_exe().expect("this program");
    own.ancestors().nth(2).expect("its folder").join("isonomy")
}

fn app_policy(trust: &str, charter: &str) -> String {
    format!(
        "trust = \"\"\"\n{trust}\"\"\"\n[list]\nname = \"{LIST}\"\ncharter = \"{charter}\"\n[accept]\npurposes = [\"other\"]\n\
         aims = [\"protect-victims\"]\naction = \"warn\"\nmin_curators = 2\nmin_jurisdictions = 2\nmin_notice = 2592000\n\
         min_visibility = {VISIBILITY}\n[ages]\ncheckpoint = {}\nrelease = 1209600\n",
        VISIBILITY - 1
    )
}
