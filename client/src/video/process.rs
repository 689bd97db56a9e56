//! A program that runs within limits.

use super::VideoLimits;
use isonomy_matcher::video::VideoError;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Sets limits, then becomes the program. Not every system can limit the address space; the others have to hold.
const LIMITED: &str = r#"ulimit -v "$1" 2>/dev/null; ulimit -t "$2" && ulimit -f 0 && shift 2 && exec "$@""#;

/// The most bytes of a line of what a program says.
const MAX_LINE: u64 = 4096;

/// The most letters of a line that are told.
const MAX_LETTERS: usize = 200;

/// How often a process that has nothing more to say is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How often is asked whether its work is still of use.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How long work goes on: until its time is over, or nobody wants it any more.
#[derive(Clone, Copy)]
pub(super) struct Patience<'p> {
    deadline: Instant,
    seconds: u64,
    is_over: &'p dyn Fn() -> bool,
}

impl<'p> Patience<'p> {
    pub(super) fn new(time: Duration, is_over: &'p dyn Fn() -> bool) -> Self {
        Self { deadline: Instant::now() + time, seconds: time.as_secs().max(1), is_over }
    }

    /// The next of what a thread sends; `None` once that has ended.
    pub(super) fn next<T>(&self, from: &Receiver<T>) -> Result<Option<T>, VideoError> {
        loop {
            match from.recv_timeout(self.left().min(ASK_EVERY)) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.check()?,
            }
        }
    }

    fn check(&self) -> Result<(), VideoError> {
        match (self.is_over)() {
            true => Err(VideoError::Abandoned),
            false if self.left().is_zero() => Err(VideoError::TookTooLong { seconds: self.seconds }),
            false => Ok(()),
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A program that runs within limits. It is stopped when this is dropped.
pub(super) struct Process {
    child: Child,
    words: Option<JoinHandle<Said>>,
}

impl Process {
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        mut file: &File,
        limits: &VideoLimits,
    ) -> Result<(Self, ChildStdout), VideoError> {
        file.rewind().map_err(failed)?;
        let (memory, time) = ((limits.memory / 1024).to_string(), limits.time.as_secs().max(1).to_string());
        let mut child = Command::new("/bin/sh")
            .args(["-c", LIMITED, "sh", &memory, &time])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(file.try_clone().map_err(failed)?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (output, words) = (child.stdout.take(), child.stderr.take());
        let words = words.map(|words| thread::spawn(move || Said::listen(words)));
        Ok((Self { child, words }, output.ok_or_else(|| failed(io::Error::other("it has no output")))?))
    }

    /// Waits for its end, after all of its output was read. What it complained of, though it went on.
    pub(super) fn finish(&mut self, patience: &Patience<'_>) -> Result<Option<String>, VideoError> {
        let status = self.wait(patience)?;
        let said = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(said.complaint);
        }
        let kind = said.refused.map(|kind| format!("a part of it is of the kind {kind}, which is not decoded here"));
        let reason = said.complaint.or(kind).unwrap_or_else(|| format!("ffmpeg ended with {status}"));
        Err(VideoError::Malformed { reason })
    }

    fn wait(&mut self, patience: &Patience<'_>) -> Result<ExitStatus, VideoError> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            patience.check()?;
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program said while it ran.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Said {
    /// The first thing that is wrong.
    complaint: Option<String>,
    /// The first kind of stream that it was told not to decode.
    refused: Option<String>,
}

impl Said {
    /// All of it is read, so that the program doesn't wait.
    fn listen(words: impl Read) -> Self {
        let (mut words, mut said, mut line) = (BufReader::new(words), Self::default(), Vec::new());
        while (&mut words).take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            said.hear(&String::from_utf8_lossy(&line));
            line.clear();
        }
        said
    }

    fn hear(&mut self, line: &str) {
        let line = without_speakers(line);
        let refused = line.strip_prefix("Codec (").and_then(|rest| rest.split_once(") not on whitelist"));
        match refused {
            Some((kind, _)) => drop(self.refused.get_or_insert_with(|| printable(kind))),
            None if line.is_empty() || line.starts_with("Last message repeated") => {}
            None => drop(self.complaint.get_or_insert_with(|| printable(line))),
        }
    }
}

/// A line without the parts of the program that say it, such as `[h264 @ 0x55d0c8f0a2c0]`: their places in memory are others each
/// time.
fn without_speakers(line: &str) -> &str {
    let mut rest = line.trim();
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after.trim_start();
    }
    rest
}

fn printable(text: &str) -> String {
    text.chars().take(MAX_LETTERS).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub(super) fn failed(error: io::Error) -> VideoError {
    VideoError::Decoder { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    fn run(script: &str, limits: VideoLimits) -> (Result<Option<String>, VideoError>, String) {
        let file = tempfile::tempfile().unwrap();
        let patience = Patience::new(limits.time, &|| false);
        let (mut process, mut output) = Process::start(Path::new("/bin/sh"), &["-c", script], &file, &limits).unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        (process.finish(&patience), text)
    }

    #[test]
    fn a_program_is_held_to_its_limits() {
        let limits = VideoLimits { time: Duration::from_secs(5), memory: 64 << 20, ..VideoLimits::default() };
        let (ended, text) = run("ulimit -v; ulimit -t; ulimit -f; env | grep -v PATH= | sort", limits);
        assert_eq!(ended, Ok(None));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["65536", "5", "0"]);
        assert!(
            lines[3..]
                .iter()
                .all(|line| ["LC_ALL=C", "PWD=/", "_=", "OLDPWD="].iter().any(|known| line.starts_with(known))),
            "{text}"
        );
        // Says nothing more, and does not end.
        let short = VideoLimits { time: Duration::from_secs(1), ..limits };
        let (ended, _) = run("exec >&- 2>&-; exec sleep 600", short);
        assert_eq!(ended, Err(VideoError::TookTooLong { seconds: 1 }));
    }

    #[test]
    fn its_first_complaint_is_told_in_the_same_words_each_time() {
        let said = |script: &str| run(script, VideoLimits::default()).0;
        let complaint = "[mov,mp4 @ 0x55] [h264 @ 0x56] too\x07 bad";
        assert_eq!(said(&format!("echo '{complaint}' >&2; echo more >&2")), Ok(Some("too  bad".into())));
        let wrong = |reason: &str| Err(VideoError::Malformed { reason: reason.into() });
        assert_eq!(said(&format!("echo '{complaint}' >&2; exit 3")), wrong("too  bad"));
        // A stream that it is not to decode is not the file's fault, unless nothing is left then.
        let refused =
            "echo \"[aac @ 0x55] Codec (aac) not on whitelist 'h264'\" >&2; echo ' Last message repeated 1 times' >&2";
        assert_eq!(said(refused), Ok(None));
        let expected = wrong("a part of it is of the kind aac, which is not decoded here");
        assert_eq!(said(&format!("{refused}; exit 1")), expected);
    }

    #[test]
    fn nobody_is_waited_for_who_has_gone() {
        let (sender, never) = sync_channel::<()>(1);
        let gone = Patience::new(Duration::from_secs(3600), &|| true);
        assert_eq!(gone.next(&never), Err(VideoError::Abandoned));
        sender.send(()).unwrap();
        assert_eq!(gone.next(&never), Ok(Some(())));
        drop(sender);
        assert_eq!(gone.next(&never), Ok(None));
    }
}
