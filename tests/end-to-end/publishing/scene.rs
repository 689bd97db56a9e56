//! A log and its witness, each a process, and a folder in which maintainer and curators work.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

pub(crate) const LIST: &str = "hotline.example/known-images";
pub(crate) const PASSPHRASE: &str = "a passphrase for tests";

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{arguments:?}: {line}"));
        Self { child, url: said["url"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned() }
    }

    /// Asks it to read its configuration again.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command with `--json` in a folder, with the passphrase of the maintainer's key at hand.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.current_dir(folder).arg("--json").args(arguments).env_remove("RUST_LOG");
    command.env("ISONOMY_PASSPHRASE_FILE", folder.join("passphrase")).stdin(Stdio::null());
    command
}

/// The exit code of a command, and its document.
pub(crate) fn answer(output: &Output) -> (Option<i32>, serde_json::Value) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{errors}")))
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Hashes as PDQ has them, with 128 bits set, one a line.
pub(crate) fn hashes(numbers: std::ops::Range<u64>) -> String {
    let word = |seed: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let line = |number: u64| {
        let half = [word(number + 1), word(number + 1_000_003)];
        format!("{:016x}{:016x}{:016x}{:016x}\n", half[0], half[1], !half[0], !half[1])
    };
    numbers.map(line).collect()
}

pub(crate) struct Scene {
    folder: tempfile::TempDir,
    _witness: Server,
    pub(crate) log: Option<Server>,
}

/// A charter's TOML in which this field has another value.
pub(crate) fn charter_field(text: &str, name: &str, value: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap().to_owned();
    text.replacen(&line, &format!("{name} = {value}"), 1)
}

impl Scene {
    /// Keys, servers, and the charter, published.
    pub(crate) fn founded() -> Self {
        Self::founded_with(&[])
    }

    /// The same, with other values of the charter's fields.
    pub(crate) fn founded_with(fields: &[(&str, &str)]) -> Self {
        Self::founded_as(fields, "")
    }

    /// The same, also with these tables in the log's configuration.
    pub(crate) fn founded_as(fields: &[(&str, &str)], tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write_private(&at.join("passphrase"), &format!("{PASSPHRASE}\n"));
        let key = |name: &str, arguments: &[&str]| {
            let file = format!("{name}.key");
            let arguments = [&["key", "new", name, "--out", &file][..], arguments].concat();
            let (code, report) = answer(&command(at, &arguments).output().unwrap());
            assert_eq!(code, Some(0), "{report}");
            report["vkey"].as_str().unwrap().to_owned()
        };
        let maintainer = key("maintainer.example", &["--passphrase"]);
        let curators = ["curator-one.example", "curator-two.example"].map(|name| key(name, &[]));
        let log_vkey = key("log.example", &[]);
        let witness_vkey = key("witness.example", &["--kind", "witness"]);
        let witness = Server::start(
            at,
            &[
                "witness",
                "serve",
                "--new",
                "--data",
                "witness",
                "--key",
                "witness.example.key",
                "--log",
                &log_vkey,
                "--listen",
                "127.0.0.1:0",
            ],
        );
        let quorum = format!("witness w {witness_vkey} {}\nquorum w\n", witness.url);
        fs::write(at.join("log.policy"), format!("log {log_vkey}\n{quorum}")).unwrap();
        let config = format!(
            "key = \"log.example.key\"\npolicy = \"log.policy\"\ndata = \"log\"\npublishers = [\"{maintainer}\"]\nauditors = []\n\
             republish = 1\n{tables}[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        fs::write(at.join("log.toml"), config).unwrap();
        let log = Server::start(at, &["log", "serve", "--config", "log.toml"]);
        fs::write(at.join("trust.policy"), format!("log {log_vkey} {}\n{quorum}", log.url)).unwrap();
        let scene = Self { folder, _witness: witness, log: Some(log) };
        scene.found(&maintainer, &curators, fields);
        scene
    }

    fn found(&self, maintainer: &str, curators: &[String; 2], fields: &[(&str, &str)]) {
        self.report(&["charter", "new", "--out", "charter.toml"]);
        let mut text = fs::read_to_string(self.path("charter.toml")).unwrap();
        for (from, to) in [
            ("maintainer.example+…", maintainer),
            ("curator-one.example+…", &curators[0]),
            ("curator-two.example+…", &curators[1]),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let usual = [
            ("log", "\"log.example\""),
            ("code", "\"other\""),
            ("min_interval", "0"),
            ("min_visibility", "2"),
            ("validity", "60"),
        ];
        for (name, value) in usual.iter().chain(fields) {
            text = charter_field(&text, name, value);
        }
        fs::write(self.path("charter.toml"), text).unwrap();
        self.report(&["charter", "new", "--from", "charter.toml", "--out", "charter.note"]);
        for name in ["maintainer", "curator-one", "curator-two"] {
            self.report(&["charter", "sign", "charter.note", "--key", &format!("{name}.example.key")]);
        }
        self.report(&["charter", "publish", "charter.note", "--policy", "trust.policy"]);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(self.folder(), arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
        answer(&self.command(arguments).output().unwrap())
    }

    /// The exit code of a command, and what it writes for people.
    pub(crate) fn words(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
        let output = command.current_dir(self.folder()).args(arguments).env_remove("RUST_LOG").output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (output.status.code(), text)
    }

    /// What a command that must succeed reports.
    pub(crate) fn report(&self, arguments: &[&str]) -> serde_json::Value {
        let (code, report) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {report:#}");
        report
    }

    /// What a command that must not succeed says.
    pub(crate) fn refusal(&self, code: i32, arguments: &[&str]) -> String {
        let (found, report) = self.run(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {report:#}");
        let causes = report["causes"].as_array().into_iter().flatten().filter_map(|cause| cause.as_str());
        causes.fold(report["error"].as_str().unwrap().to_owned(), |text, cause| text + "; " + cause)
    }

    /// Imports hashes into a list.
    pub(crate) fn import(&self, numbers: std::ops::Range<u64>, list: &str) {
        let lines = format!("{list}.txt");
        fs::write(self.path(&lines), hashes(numbers)).unwrap();
        self.report(&["list", "import", &lines, "--out", list]);
    }

    /// The arguments of a command about releases, with whose folder it works in.
    pub(crate) fn at_desk<'a>(who: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--policy", "trust.policy", "--workspace", who]].concat()
    }

    /// Composes, endorses and publishes a list.
    pub(crate) fn publish(&self, list: &str, draft: &str) -> serde_json::Value {
        self.report(&Self::at_desk("work", &["release", "new", list, "--list", LIST, "--out", draft]));
        self.finish(draft)
    }

    /// Endorses and publishes a draft.
    pub(crate) fn finish(&self, draft: &str) -> serde_json::Value {
        let notes = ["curator-one", "curator-two"].map(|curator| {
            let (key, note) = (format!("{curator}.example.key"), format!("{draft}.{curator}"));
            self.report(&Self::at_desk(curator, &["release", "endorse", draft, "--key", &key, "--out", &note]));
            note
        });
        let publish = ["release", "publish", draft, &notes[0], &notes[1], "--key", "maintainer.example.key"];
        self.report(&Self::at_desk("work", &publish))
    }

    /// Updates an app's client by this command until this version is in force.
    pub(crate) fn update_by(&self, update: &[&str], version: u64) {
        let mut said = serde_json::Value::Null;
        for _ in 0..240 {
            said = self.run(update).1;
            if said["version"] == version {
                return;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        panic!("{update:?} does not come to version {version}: {said:#}");
    }

    /// What a key is remembered to have signed.
    pub(crate) fn signed(&self, who: &str) -> Vec<serde_json::Value> {
        let journal = self.path(&format!("{who}.example.key.signed")).join("signed.jsonl");
        let text = fs::read_to_string(journal).unwrap_or_default();
        // What follows the last newline was never acknowledged.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{who}: {text}"))).collect()
    }

    /// The policy of an app that accepts the list.
    pub(crate) fn app_policy(&self) -> String {
        let trust = fs::read_to_string(self.path("trust.policy")).unwrap();
        let charter = self.report(&["charter", "publish", "charter.note", "--policy", "trust.policy"]);
        format!(
            "trust = \"\"\"\n{trust}\"\"\"\n[list]\nname = \"{LIST}\"\ncharter = \"{}\"\n[accept]\npurposes = [\"other\"]\n\
             aims = [\"protect-victims\"]\naction = \"warn\"\nmin_curators = 2\nmin_jurisdictions = 2\nmin_notice = 2592000\n\
             min_visibility = 2\n[ages]\ncheckpoint = 1\nrelease = 1209600\n",
            charter["statement"].as_str().unwrap()
        )
    }
}
