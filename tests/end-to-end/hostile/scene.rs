//! A device with a client's folder, the log as it is, and what is served instead of it.

use crate::conditions::set_clock;
use crate::process::isonomy;
use crate::server::{Fault, Server};
use isonomy_core::encoding::to_hex;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a device has when the attack begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Start {
    /// Version 1 is in force; the log has version 2, which may be used.
    Behind,
    /// Version 1 is in force, the newest there is.
    Current,
    /// Nothing; the log has versions 1 and 2.
    New,
    /// Version 4 is in force, in a log of five entries.
    Four,
}

/// Everything that an attack can change.
pub(crate) struct Scene {
    pub(crate) start: Start,
    /// What is served. At first it is the honest log.
    pub(crate) world: World,
    pub(crate) faults: HashMap<String, Fault>,
    pub(crate) everywhere: Option<Fault>,
    /// The policy's text.
    pub(crate) policy: String,
    /// What the device's clock shows.
    pub(crate) clock: Timestamp,
    /// The policy's text before anything was changed.
    usual: String,
    folder: tempfile::TempDir,
}

/// The honest log, as it is when the attack begins.
pub(crate) fn world(start: Start) -> World {
    let mut world = World::founded();
    if start == Start::Four {
        for version in 1..=4 {
            world.release(hashes(0..10 + version), 100 * version);
        }
        world.publish(400);
        world.publish(405);
        return world;
    }
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    if start != Start::Current {
        world.release(hashes(0..12), 1000);
        world.publish(1000);
        world.publish(1010);
    }
    world
}

impl Scene {
    /// A device that was prepared by the command itself, against an honest log.
    pub(crate) fn new(start: Start, prepared: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (world, clock) = (world(start), if start == Start::Four { at(405) } else { at(1010) });
        let policy = world.policy_text();
        let (faults, everywhere) = (HashMap::new(), None);
        let usual = policy.clone();
        let scene = Self { start, world, faults, everywhere, policy, clock, usual, folder };
        if start != Start::New {
            copy(&prepared.join(format!("{start:?}")), &scene.state());
        }
        scene
    }

    /// Makes the folder of a device with this start, to be copied.
    pub(crate) fn prepare(start: Start, prepared: &Path) {
        if start == Start::New {
            return;
        }
        let mut scene = Self::new(Start::New, prepared);
        (scene.world, scene.clock) = match start {
            Start::Four => (world(start), at(405)),
            _ => (world(Start::Current), at(105)),
        };
        let outcome = scene.update();
        assert_eq!(outcome.exit, 0, "{start:?}: {outcome:?}");
        copy(&scene.state(), &prepared.join(format!("{start:?}")));
    }

    /// The client's folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder beside it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Misbehaves where `resource` is asked for.
    pub(crate) fn fault(&mut self, resource: &Resource, fault: Fault) {
        self.faults.insert(resource.to_string(), fault);
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(self.world.clone(), self.faults.clone(), self.everywhere.clone())
    }

    /// The command with the device's policy, folder and clock.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_under(&self.policy, words)
    }

    fn command_under(&self, text: &str, words: &[&str]) -> Command {
        let policy = self.beside("policy.toml");
        fs::write(&policy, text).expect("the policy");
        let mut command = Command::new(isonomy());
        command.arg("--json").args(words).arg("--policy").arg(policy).arg("--state").arg(self.state());
        set_clock(&mut command, self.clock);
        // Whatever is tested, no proxy is.
        command.env_remove("http_proxy").env_remove("HTTP_PROXY").env_remove("ALL_PROXY").env_remove("all_proxy");
        command
    }

    /// Updates from these sources.
    pub(crate) fn update_from(&self, sources: &[&str]) -> Outcome {
        self.update_with(&["client", "update"], sources)
    }

    /// Updates from all of these sources, whatever the first one has.
    pub(crate) fn update_from_all(&self, sources: &[&str]) -> Outcome {
        self.update_with(&["client", "update", "--ask-all"], sources)
    }

    fn update_with(&self, words: &[&str], sources: &[&str]) -> Outcome {
        let mut command = self.command(words);
        for source in sources {
            command.args(["--source", source]);
        }
        Outcome::of(command.output().expect("the command runs"))
    }

    /// Updates from what is served.
    pub(crate) fn update(&self) -> Outcome {
        let server = self.serve();
        self.update_from(&[&server.url()])
    }

    /// Updates from the honest log.
    pub(crate) fn update_honestly(&self) -> Outcome {
        let server = Server::start(world(self.start), HashMap::new(), None);
        self.update_from(&[&server.url()])
    }

    pub(crate) fn status(&self) -> Outcome {
        Outcome::of(self.command(&["client", "status"]).output().expect("the command runs"))
    }

    /// Looks up an entry that every version has, and gives the version in which it is found.
    pub(crate) fn match_entry(&self) -> Result<u64, Outcome> {
        let outcome = Outcome::of(self.command(&["match", &to_hex(&hash(3))]).output().expect("the command runs"));
        let answer = &outcome.json[0]["answers"][0];
        match (answer["verdict"].as_str(), answer["version"].as_u64()) {
            (Some("matched"), Some(version)) if outcome.exit == 5 => Ok(version),
            _ => Err(outcome),
        }
    }

    /// The same under the policy from before the attack: the version in force, if it verifies and matches.
    pub(crate) fn last_good(&self) -> Option<u64> {
        let mut command = self.command_under(&self.usual, &["match", &to_hex(&hash(3))]);
        let outcome = Outcome::of(command.output().expect("the command runs"));
        let answer = &outcome.json[0]["answers"][0];
        (outcome.exit == 5 && answer["verdict"] == "matched").then(|| answer["version"].as_u64())?
    }

    /// What stands before and after an attack.
    pub(crate) fn standing(&self) -> Standing {
        Standing { version: self.status().json["version"].as_u64(), matches: self.last_good() }
    }

    /// Reads the log that is served as an independent monitor does, once.
    pub(crate) fn monitor(&self) -> Outcome {
        let trust = self.beside("trust.policy");
        fs::write(&trust, self.world.trust_text()).expect("the policy");
        let server = self.serve();
        let mut command = Command::new(isonomy());
        set_clock(&mut command, self.clock);
        command.env_remove("http_proxy").env_remove("HTTP_PROXY").env_remove("ALL_PROXY").env_remove("all_proxy");
        command.args(["--json", "monitor", "run", "--once", "--source", &server.url()]);
        command.arg("--data").arg(self.beside("monitor")).arg("--policy").arg(trust);
        Outcome::of(command.output().expect("the command runs"))
    }

    /// Checks an evidence file as anybody would.
    pub(crate) fn verify_evidence(&self, name: &str) -> Outcome {
        let trust = self.beside("trust.policy");
        fs::write(&trust, world(self.start).trust_text()).expect("the policy");
        let mut command = Command::new(isonomy());
        command.args(["--json", "evidence", "verify"]).arg(self.state().join("evidence").join(name));
        Outcome::of(command.arg("--policy").arg(trust).output().expect("the command runs"))
    }
}

/// What a device has in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// The version that is accepted.
    pub(crate) version: Option<u64>,
    /// The version that verifies and matches, under the policy from before the attack.
    pub(crate) matches: Option<u64>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code; -1 if it was killed.
    pub(crate) exit: i32,
    /// Its document.
    pub(crate) json: Value,
    /// What it wrote to standard error.
    pub(crate) said: String,
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The last refusal.
    pub(crate) fn refusal(&self) -> &Value {
        self.json["refusals"].as_array().and_then(|refusals| refusals.last()).unwrap_or(&Value::Null)
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
