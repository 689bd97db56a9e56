//! Who plays in the demo: each with a key of its own, in a file of its own.

use anyhow::Result;
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::statement::ListName;
use isonomy_publisher::charter::{Edition, from_toml};
use isonomy_publisher::keys::{self, Protection};
use isonomy_verifier::Policy;
use std::path::{Path, PathBuf};

/// The witnesses, two of which make the quorum.
pub(crate) const WITNESSES: [&str; 3] = ["witness-one", "witness-two", "witness-three"];
/// The curators, two of which endorse a release.
pub(crate) const CURATORS: [&str; 3] = ["curator-one", "curator-two", "curator-three"];

const CHARTER: &str = include_str!("charter.toml");

/// Everybody's keys.
pub(crate) struct Cast {
    folder: PathBuf,
}

impl Cast {
    /// Makes everybody's keys.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let cast = Self { folder: folder.to_owned() };
        for name in ["log", "maintainer"].into_iter().chain(CURATORS).chain(WITNESSES) {
            isonomy_store::files::create_dir_all_durable(&folder.join(name))?;
        }
        keys::create(&cast.key_file("log"), "log.example/demo", KeyType::Ed25519, Protection::Permissions)?;
        keys::create(
            &cast.key_file("maintainer"),
            "hotline.example/maintainer",
            KeyType::Ed25519,
            Protection::Permissions,
        )?;
        for name in CURATORS {
            keys::create(&cast.key_file(name), &format!("{name}.example"), KeyType::Ed25519, Protection::Permissions)?;
        }
        for name in WITNESSES {
            keys::create(
                &cast.key_file(name),
                &format!("{name}.example"),
                KeyType::Cosignature,
                Protection::Permissions,
            )?;
        }
        Ok(cast)
    }

    /// Where somebody's key is.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        // A folder each: what a key has signed is remembered beside it.
        self.folder.join(name).join("key")
    }

    /// Somebody's key.
    pub(crate) fn key(&self, name: &str) -> Result<SigningKey> {
        Ok(keys::read(&self.key_file(name), &keys::nobody_to_ask)?)
    }

    /// The demo's charter.
    pub(crate) fn charter(&self) -> Result<Charter> {
        let mut text = CHARTER.replace("MAINTAINER", &self.key("maintainer")?.verifier().to_string());
        for name in CURATORS {
            text = text.replace(&name.to_uppercase(), &self.key(name)?.verifier().to_string());
        }
        Ok(from_toml(text.as_bytes(), Edition::First)?)
    }

    /// Log, witnesses and quorum, in C2SP tlog-policy form.
    pub(crate) fn trust_text(&self, log: &str, witnesses: &[&str]) -> Result<String> {
        let mut text = format!("log {} {log}\n", self.key("log")?.verifier());
        for (name, url) in WITNESSES.iter().zip(witnesses) {
            text += &format!("witness {name} {} {url}\n", self.key(name)?.verifier());
        }
        text += &format!("group two-of-three 2 {}\nquorum two-of-three\n", WITNESSES.join(" "));
        Ok(text)
    }

    /// The policy of the demo's app, as its developer would write it.
    pub(crate) fn app_policy(&self, trust: &str, list: &ListName, charter: &StatementId) -> Result<(String, Policy)> {
        let text = format!(
            "# What the demo's app trusts and accepts.\n\
             trust = \"\"\"\n{trust}\"\"\"\n\n\
             [list]\nname = \"{list}\"\ncharter = \"{}\"\n\n\
             [accept]\npurposes = [\"other\"]\naims = [\"suppress\"]\naction = \"warn\"\nsurface = \"private\"\n\
             min_curators = 2\nmin_jurisdictions = 2\nmin_notice = 3600\nmin_visibility = 5\n\n\
             [ages]\ncheckpoint = 4\nrelease = 86400\n",
            charter.to_hex()
        );
        let policy = Policy::parse(text.as_bytes())?;
        Ok((text, policy))
    }
}
