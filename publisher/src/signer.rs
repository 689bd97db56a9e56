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
//! note. What it answers is verified before it is used. It has two minutes, for a person who must touch a token: then it is ended, and
//! what it has answered by then counts. Of an answer the first 4096 bytes are kept; the rest is read all the same, since a program that
//! nobody reads any more fails because of that.
//!
//! Where no signature comes of it, there is surely none only if the program could not be started, or said itself that it failed, by a
//! status from 1 to 127 (above, a shell tells of a signal), and its whole answer is known and holds none ([`SignerError::may_have_signed`]).

use isonomy_core::note::{KeyType, Signature, SigningKey, VerifierKey};
use serde::Deserialize;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long is read what a program has left in its pipe when it has ended.
const READING: Duration = Duration::from_secs(5);
/// How often is looked whether a program has ended.
const GLANCE: Duration = Duration::from_millis(10);
/// How many bytes of an answer are kept: a signature takes far less.
const MAX_ANSWER: usize = 4096;

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
    /// The program was cut off, or its answer is not known as a whole.
    #[error("the signing program {program} was cut off, or its answer was ({status})")]
    CutOff {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// The program signed, and said that it failed.
    #[error("the signing program {program} gave a signature of the text, and then failed ({status})")]
    SignedAndFailed {
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

/// Why a file that should name a program names none that can sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It is not TOML of `vkey` and `command`.
    #[error("{0}. A file that names a signing program has two fields, `vkey` and `command`")]
    Toml(String),
    /// No program is named.
    #[error("`command` is empty: name the program that signs, and its arguments")]
    NoCommand,
    /// Its key is of another kind.
    #[error(
        "{0} is the key of a witness, which cosigns checkpoints: a program signs charters and releases, with a key of its own"
    )]
    Witness(String),
}

impl CommandSigner {
    /// The program that a file of TOML names; `None` if it is something else, such as a key.
    pub fn parse(text: &str) -> Option<Result<Self, ProgramError>> {
        // Also what is no TOML because of a mistake in it.
        let begins = |line: &str| ["vkey", "command"].iter().any(|field| line.trim_start().starts_with(field));
        let is_toml = || toml::from_str::<toml::Table>(text).is_ok_and(|table| !table.is_empty());
        (text.lines().any(begins) || is_toml()).then(|| Self::read(text))
    }

    fn read(text: &str) -> Result<Self, ProgramError> {
        let signer = toml::from_str::<Self>(text).map_err(|error| {
            // Without the words of the file, which may be a secret.
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(String::new(), |before| format!("line {}: ", before.matches('\n').count() + 1));
            let is_secret = isonomy_core::note::holds_private_key(text.as_bytes());
            let problem = if is_secret { "there is a private key in it" } else { error.message() };
            ProgramError::Toml(format!("{line}{}", problem.trim().replace('\n', ", ")))
        })?;
        if signer.vkey.key_type() != KeyType::Ed25519 {
            return Err(ProgramError::Witness(signer.vkey.name().to_owned()));
        }
        if signer.program().trim().is_empty() { Err(ProgramError::NoCommand) } else { Ok(signer) }
    }

    fn program(&self) -> String {
        self.command.first().cloned().unwrap_or_default()
    }

    /// Runs the program with `text` on its standard input, until it is late at most; the signature that it answers with.
    fn sign_until(&self, text: &str, is_late: &dyn Fn() -> bool) -> Result<Signature, SignerError> {
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
        let output = Output::of(child.stdout.take());
        let is_read = || {
            let answer = output.so_far();
            answer.is_over || answer.signature_of(text, &self.vkey).is_some()
        };
        let status = end_of(child, is_late).map_err(|error| self.cut_off(error.to_string()))?;
        if status.is_some_and(|status| status.success()) {
            // What it has left behind may still answer, or never end.
            wait(&is_read, is_late);
        }
        let ended = Instant::now();
        wait(&is_read, &|| ended.elapsed() >= READING);
        let answer = output.so_far();
        self.judge(status, answer.signature_of(text, &self.vkey), &answer)
    }

    /// What comes of an answer, and of how the program ended; `None` if it was ended for being late.
    fn judge(
        &self,
        status: Option<ExitStatus>,
        signature: Option<Signature>,
        answer: &Answer,
    ) -> Result<Signature, SignerError> {
        let program = self.program();
        let Some(status) = status else { return signature.ok_or(SignerError::TimedOut { program }) };
        let is_whole = answer.is_over && !answer.is_cut;
        let how =
            if answer.is_cut { format!("{status}, after {MAX_ANSWER} bytes or more") } else { status.to_string() };
        match (status.code(), signature) {
            (Some(0), Some(signature)) => Ok(signature),
            (Some(0), None) if !answer.is_over => Err(SignerError::TimedOut { program }),
            (Some(0), None) if is_whole => Err(SignerError::WrongAnswer { program, key: self.vkey.name().to_owned() }),
            (Some(1..=127), Some(_)) => Err(SignerError::SignedAndFailed { program, status: how }),
            (Some(1..=127), None) if is_whole => Err(SignerError::Failed { program, status: how }),
            _ => Err(self.cut_off(how)),
        }
    }

    fn cut_off(&self, status: String) -> SignerError {
        SignerError::CutOff { program: self.program(), status }
    }
}

/// How a program ended; `None` if it was late, and is ended.
fn end_of(mut child: Child, is_late: &dyn Fn() -> bool) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if is_late() {
            let _ = child.kill();
            // Not here: the operating system may keep what can't be interrupted.
            thread::spawn(move || child.wait());
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
}

fn wait(is_done: &dyn Fn() -> bool, is_late: &dyn Fn() -> bool) {
    while !is_done() && !is_late() {
        thread::sleep(GLANCE);
    }
}

/// What a program has answered so far.
#[derive(Clone, Debug, Default)]
struct Answer {
    bytes: Vec<u8>,
    /// Nothing more comes.
    is_over: bool,
    /// There was more than is kept, or it can't be read.
    is_cut: bool,
    /// Nobody asks any more.
    is_dropped: bool,
}

impl Answer {
    /// A line that is a signature of the text by this key.
    fn signature_of(&self, text: &str, key: &VerifierKey) -> Option<Signature> {
        let lines = self.bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        let mut signatures = lines.filter_map(|line| Signature::parse(line.trim_end()));
        signatures.find(|signature| key.has_signed(text, signature))
    }

    fn take(&mut self, read: io::Result<&[u8]>) {
        match read {
            Ok([]) => self.is_over = true,
            Ok(piece) => {
                let room = MAX_ANSWER.saturating_sub(self.bytes.len());
                self.bytes.extend(piece.iter().take(room));
                self.is_cut |= piece.len() >= room;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(_) => (self.is_over, self.is_cut) = (true, true),
        }
    }
}

/// The output of a program, read by a thread of its own until it ends, or is dropped.
struct Output(Arc<Mutex<Answer>>);

impl Output {
    fn of(output: Option<impl Read + Send + 'static>) -> Self {
        let is_over = output.is_none();
        let answer = Arc::new(Mutex::new(Answer { is_over, ..Answer::default() }));
        if let Some(mut output) = output {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut piece = [0; MAX_ANSWER];
                loop {
                    let read = output.read(&mut piece).map(|length| piece.get(..length).unwrap_or_default());
                    let mut answer = lock(&answer);
                    answer.take(read);
                    if answer.is_over || answer.is_dropped {
                        return;
                    }
                }
            });
        }
        Self(answer)
    }

    fn so_far(&self) -> Answer {
        lock(&self.0).clone()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        lock(&self.0).is_dropped = true;
    }
}

fn lock(answer: &Mutex<Answer>) -> MutexGuard<'_, Answer> {
    answer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signer for CommandSigner {
    fn verifier(&self) -> &VerifierKey {
        &self.vkey
    }

    fn sign_text(&self, text: &str) -> Result<Signature, SignerError> {
        let asked = Instant::now();
        self.sign_until(text, &|| asked.elapsed() >= PATIENCE)
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
        let glances = std::cell::Cell::new(0);
        let third = || glances.replace(glances.get() + 1) == 2;
        let endless = signer("c1", "exec yes").sign_until(&"long\n".repeat(100_000), &third).unwrap_err();
        assert!(matches!(endless, SignerError::TimedOut { .. }) && endless.may_have_signed(), "{endless}");
        let killed = signer("c1", "kill -9 $$").sign_text(text).unwrap_err();
        assert!(matches!(killed, SignerError::CutOff { .. }) && killed.may_have_signed(), "{killed}");
        let refused = signer("c1", "exit 3").sign_text(text).unwrap_err();
        assert!(matches!(refused, SignerError::Failed { .. }) && !refused.may_have_signed(), "{refused}");
        let missing = CommandSigner { command: vec!["/nowhere/at-all".to_owned()], ..signer("c1", "") };
        assert!(matches!(missing.sign_text(text), Err(SignerError::Start { .. })));
    }

    /// The line of c1 under this text, as a shell prints it.
    fn says(text: &str) -> String {
        format!("echo '{}'", key("c1").sign(text).to_string().trim_end())
    }

    fn asked(script: &str) -> Result<Signature, SignerError> {
        signer("c1", script).sign_until("a text\n", &|| false)
    }

    #[test]
    fn a_program_that_says_much_is_read_to_its_end() {
        let sign = says("a text\n");
        let much = "head -c 300000 /dev/zero | tr '\\0' x || exit 1";
        assert_eq!(asked(&format!("{sign}; {much}")).unwrap(), key("c1").sign("a text\n"));
        // It signs at once, and says so after much else.
        let late = asked(&format!("{much}; echo; {sign}")).unwrap_err();
        assert!(matches!(late, SignerError::CutOff { .. }) && late.may_have_signed(), "{late}");
        // What stands in what was thrown away is not known.
        let failed = asked(&format!("{much}; exit 1")).unwrap_err();
        assert!(matches!(failed, SignerError::CutOff { .. }) && failed.may_have_signed(), "{failed}");
        assert_eq!(asked(&format!("echo working; {sign}; echo done")).unwrap(), key("c1").sign("a text\n"));
    }

    #[test]
    fn only_a_program_that_says_itself_that_it_failed_has_not_signed() {
        let sign = says("a text\n");
        for (script, has_perhaps) in [
            ("exit 1", false),
            ("echo sorry; exit 127", false),
            ("exit 128", true),
            ("exit 137", true),
            ("kill -9 $$", true),
            ("exit 0", true),
            ("echo sorry", true),
            (&*format!("{sign}; exit 1"), true),
            (&*format!("{sign}; exit 143"), true),
        ] {
            let error = asked(script).unwrap_err();
            assert_eq!(error.may_have_signed(), has_perhaps, "{script}: {error}");
        }
        let both = asked(&format!("{sign}; exit 1")).unwrap_err();
        assert!(matches!(both, SignerError::SignedAndFailed { .. }), "{both}");
    }

    /// What a program leaves behind goes on as long as the folder is there.
    const WHILE_THERE: &str = "while test -e there; do sleep 0.1; done";

    fn in_folder(folder: &std::path::Path, script: &str) -> String {
        std::fs::write(folder.join("there"), "").unwrap();
        format!("cd '{}' || exit 9; {script}", folder.display())
    }

    #[test]
    fn a_program_is_not_waited_for_beyond_its_time_though_its_answer_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        let script = |sign: &str| in_folder(folder.path(), &format!("{sign}; exec >&-; touch closed; exec sleep 1000"));
        let is_late = || closed.exists();
        let silent = signer("c1", &script(":")).sign_until("a text\n", &is_late).unwrap_err();
        assert!(matches!(silent, SignerError::TimedOut { .. }) && silent.may_have_signed(), "{silent}");
        std::fs::remove_file(&closed).unwrap();
        let signed = signer("c1", &script(&says("a text\n"))).sign_until("a text\n", &is_late);
        assert_eq!(signed.unwrap(), key("c1").sign("a text\n"));
    }

    #[test]
    fn what_a_program_leaves_behind_holds_up_no_signature() {
        let folder = tempfile::tempdir().unwrap();
        let sign = says("a text\n");
        let left = asked(&in_folder(folder.path(), &format!("{sign}; ({WHILE_THERE}) & exit 0")));
        assert_eq!(left.unwrap(), key("c1").sign("a text\n"));
        // It may be that which signs.
        let behind = asked(&in_folder(folder.path(), &format!("(sleep 0.2; {sign}) & exit 0")));
        assert_eq!(behind.unwrap(), key("c1").sign("a text\n"));
        let failed = asked(&in_folder(folder.path(), &format!("({WHILE_THERE}) & exit 1"))).unwrap_err();
        assert!(matches!(failed, SignerError::CutOff { .. }) && failed.may_have_signed(), "{failed}");
    }

    #[test]
    fn only_a_key_and_a_command_name_a_program() {
        let vkey = key("c1").verifier().to_string();
        let good = format!("vkey = \"{vkey}\"\ncommand = [\"sign\", \"--slot\", \"1\"]\n");
        assert_eq!(CommandSigner::parse(&good).unwrap().unwrap().verifier(), key("c1").verifier());
        let list = "[\"sign\", \"--slot\", \"1\"]";
        let private = key("c1").to_private_text().to_string();
        for none in ["", "# nothing", &vkey, &private] {
            assert!(CommandSigner::parse(none).is_none(), "{none}");
        }
        for (bad, why) in [
            ("vkey = 1".to_owned(), "line 1"),
            (good.replace("command", "comand"), "line 2: unknown field `comand`"),
            (good.replace("vkey", "vkeys"), "unknown field `vkeys`"),
            (format!("vkey = \"{vkey}\"\n"), "missing field `command`"),
            (good.replace(list, "[\"sign\""), "line 2"),
            (good.replace(&vkey, "c1+00000000+AAAA"), "line 1"),
            (good.replace(list, "[]"), "`command` is empty"),
            (good.replace(list, "[\" \"]"), "`command` is empty"),
            (good.replace(&vkey, &private), "there is a private key in it"),
        ] {
            let error = CommandSigner::parse(&bad).unwrap().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("PRIVATE"), "{bad}: {error}");
        }
        let witness = crate::testing::key_of_type("w1", KeyType::Cosignature).verifier().to_string();
        let error = CommandSigner::parse(&good.replace(&vkey, &witness)).unwrap().unwrap_err();
        assert_eq!(error, ProgramError::Witness("w1".to_owned()));
    }
}
