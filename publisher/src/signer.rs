//! Who signs: a key in memory, or a program that holds one (a security module, an agent, a key service).
//!
//! A program is named in the place of a key file, by TOML that nobody but its owner can change:
//!
//! ```toml
//! vkey = "hotline.example/maintainer+…"
//! command = ["/usr/local/bin/sign-with-token", "--slot", "1"]
//! ```
//!
//! It gets the text of the note on its standard input and answers with the signature line, `— name base64`, as it stands in a
//! note. What it answers is verified before it is used. It has two minutes, for a person who must touch a token.

use isonomy_core::note::{Signature, SigningKey, VerifierKey};
use serde::Deserialize;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The most bytes that a program may answer.
const MAX_ANSWER: u64 = 4096;

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The program can't be run.
    #[error("the signing program {program} can't be run: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The program did not end in time.
    #[error("the signing program {program} gave no signature within {} s", PATIENCE.as_secs())]
    TimedOut {
        /// The program.
        program: String,
    },
    /// The program failed.
    #[error("the signing program {program} failed ({status})")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// The program was cut off, or its answer was.
    #[error("the signing program {program} was cut off ({status})")]
    CutOff {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// What it answered is no signature of the text by its key.
    #[error("the signing program {program} answered with something else than a signature of the text by {key}")]
    WrongAnswer {
        /// The program.
        program: String,
        /// The name of the key.
        key: String,
    },
}

impl SignerError {
    /// Whether there may be a signature all the same: only a program that was never run, or ended of itself and said no, made none.
    pub fn may_have_signed(&self) -> bool {
        !matches!(self, Self::Start { .. } | Self::Failed { .. })
    }
}

/// Signs texts with one key.
pub trait Signer {
    /// The public half of the key.
    fn verifier(&self) -> &VerifierKey;

    /// A signature line under `text`.
    fn sign_text(&self, text: &str) -> Result<Signature, SignerError>;
}

impl Signer for SigningKey {
    fn verifier(&self) -> &VerifierKey {
        self.verifier()
    }

    fn sign_text(&self, text: &str) -> Result<Signature, SignerError> {
        Ok(self.sign(text))
    }
}

/// A program that signs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSigner {
    vkey: VerifierKey,
    command: Vec<String>,
}

impl CommandSigner {
    /// The program that a file of TOML names; `None` if it names none.
    pub fn parse(text: &str) -> Option<Self> {
        toml::from_str::<Self>(text).ok().filter(|signer| !signer.command.is_empty())
    }

    fn program(&self) -> String {
        self.command.first().cloned().unwrap_or_default()
    }

    /// Runs the program with `text` on its standard input; what it answers.
    fn answer(&self, text: &str) -> Result<Vec<u8>, SignerError> {
        let start = |source| SignerError::Start { program: self.program(), source };
        let mut command = Command::new(self.program());
        command.args(self.command.iter().skip(1)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(start)?;
        if let Some(mut input) = child.stdin.take() {
            // In a thread, since a program that reads nothing would keep the writer for ever. One that ends early shows by
            // its answer.
            let text = text.to_owned();
            thread::spawn(move || input.write_all(text.as_bytes()));
        }
        let (send, receive) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                let mut answer = Vec::new();
                let read = output.take(MAX_ANSWER).read_to_end(&mut answer).map(|_| answer);
                // Whoever waited may have given up.
                let _ = send.send(read);
            });
        }
        let Ok(answer) = receive.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(SignerError::TimedOut { program: self.program() });
        };
        let cut_off = |status: String| SignerError::CutOff { program: self.program(), status };
        let answer = answer.map_err(|error| cut_off(error.to_string()))?;
        let status = child.wait().map_err(|error| cut_off(error.to_string()))?;
        match status.code() {
            Some(0) => Ok(answer),
            Some(_) => Err(SignerError::Failed { program: self.program(), status: status.to_string() }),
            None => Err(cut_off(status.to_string())),
        }
    }
}

impl Signer for CommandSigner {
    fn verifier(&self) -> &VerifierKey {
        &self.vkey
    }

    fn sign_text(&self, text: &str) -> Result<Signature, SignerError> {
        let answer = self.answer(text)?;
        let line = std::str::from_utf8(&answer).ok().and_then(|answer| Signature::parse(answer.trim_end()));
        let right = line.filter(|line| self.vkey.has_signed(text, line));
        right.ok_or_else(|| SignerError::WrongAnswer { program: self.program(), key: self.vkey.name().to_owned() })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::testing::key;

    fn signer(name: &str, script: &str) -> CommandSigner {
        CommandSigner { vkey: key(name).verifier().clone(), command: ["sh", "-c", script].map(str::to_owned).to_vec() }
    }

    #[test]
    fn a_program_signs_what_it_is_given_and_its_answer_is_verified() {
        let text = "a text\n";
        let line = key("c1").sign(text).to_string();
        let good = format!("test \"$(cat)\" = 'a text' && echo '{}'", line.trim_end());
        assert_eq!(signer("c1", &good).sign_text(text).unwrap(), key("c1").sign(text));
        assert!(matches!(signer("c2", &good).sign_text(text), Err(SignerError::WrongAnswer { .. })));
        assert!(matches!(signer("c1", &good).sign_text("other\n"), Err(SignerError::Failed { .. })));
        let replayed = format!("echo '{}'", line.trim_end());
        assert!(matches!(signer("c1", &replayed).sign_text("other\n"), Err(SignerError::WrongAnswer { .. })));
        // It neither reads its input nor stops answering.
        let endless = signer("c1", "yes").sign_text(&"long\n".repeat(100_000));
        assert!(
            matches!(
                endless,
                Err(SignerError::CutOff { .. } | SignerError::Failed { .. } | SignerError::WrongAnswer { .. })
            ),
            "{endless:?}"
        );
        let killed = signer("c1", "kill -9 $$").sign_text(text).unwrap_err();
        assert!(matches!(killed, SignerError::CutOff { .. }) && killed.may_have_signed(), "{killed}");
        let refused = signer("c1", "exit 3").sign_text(text).unwrap_err();
        assert!(matches!(refused, SignerError::Failed { .. }) && !refused.may_have_signed(), "{refused}");
        let missing = CommandSigner { command: vec!["/nowhere/at-all".to_owned()], ..signer("c1", "") };
        assert!(matches!(missing.sign_text(text), Err(SignerError::Start { .. })));
    }

    #[test]
    fn only_a_key_and_a_command_name_a_program() {
        let vkey = key("c1").verifier().to_string();
        let good = format!("vkey = \"{vkey}\"\ncommand = [\"sign\", \"--slot\", \"1\"]\n");
        assert_eq!(CommandSigner::parse(&good).unwrap().verifier(), key("c1").verifier());
        for bad in
            ["", "vkey = 1", &good.replace("command", "commands"), &good.replace("[\"sign\", \"--slot\", \"1\"]", "[]")]
        {
            assert!(CommandSigner::parse(bad).is_none(), "{bad}");
        }
    }
}
