//! What the functions do, in safe Rust.

use crate::failure::{Failure, IsonomyStatus};
use isonomy_client::video::{VideoLimits, hash_video_bytes};
use isonomy_client::{CancelFlag, Client, Policy, Progress, ReadOnly, Source, UpdateOptions};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_matcher::image::Limits;
use isonomy_matcher::lookup::Arrangement;
use isonomy_matcher::{Fingerprint, Matcher, Orientations, Subject, Verdict};
use isonomy_verifier::{VerifiedList, view};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A client of one list, and the matcher of what it has in force.
pub struct IsonomyClient {
    client: Mutex<Client>,
    matcher: RwLock<Option<Arc<Matcher>>>,
    folder: PathBuf,
    policy: Policy,
    asks_all: AtomicBool,
}

/// What a lookup came to.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsonomyVerdict {
    /// No entry is near enough.
    NotMatched = 0,
    /// The answer says what matched, what the charter allows, and what the person is told.
    Matched = 1,
    /// The list can't tell: it has expired, or what was given is not what it lists. The answer says why.
    NotCovered = 2,
}

/// Who is told of an update's progress: bytes of the resource, the most it may have, bytes in all.
pub(crate) type Listener<'a> = &'a mut (dyn FnMut(u64, u64, u64) + Send);

impl IsonomyClient {
    pub(crate) fn open(folder: &str, policy: &str) -> Result<Self, Failure> {
        let policy = Policy::parse(policy.as_bytes())?;
        Self::of(folder, Client::open(Path::new(folder), policy.clone())?, policy)
    }

    pub(crate) fn open_recovered(folder: &str, policy: &str) -> Result<Self, Failure> {
        let policy = Policy::parse(policy.as_bytes())?;
        Self::of(folder, Client::open_recovered(Path::new(folder), policy.clone())?, policy)
    }

    fn of(folder: &str, client: Client, policy: Policy) -> Result<Self, Failure> {
        let matcher = client.list().cloned().map(matcher).transpose()?;
        let (client, matcher) = (Mutex::new(client), RwLock::new(matcher));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.into());
        Ok(Self { client, matcher, folder, policy, asks_all: AtomicBool::new(false) })
    }

    pub(crate) fn update(
        &self,
        sources: &[&str],
        clock: Timestamp,
        listener: Option<Listener<'_>>,
        cancel: Option<&CancelFlag>,
    ) -> Result<String, Failure> {
        let sources = sources.iter().map(|text| Source::parse(text)).collect::<Result<Vec<_>, _>>();
        let sources = sources.map_err(|error| Failure::new(IsonomyStatus::InvalidArgument, error))?;
        let mut client = self.client()?;
        let mut options = UpdateOptions::at(clock);
        if self.asks_all.load(Ordering::Relaxed) {
            options = options.asking_all();
        }
        let mut tell = listener.map(|listener| {
            move |progress: Progress<'_>| {
                if let Progress::Fetching { received, of, total, .. } = progress {
                    listener(received, of, total);
                }
            }
        });
        if let Some(tell) = &mut tell {
            options = options.telling(tell);
        }
        if let Some(cancel) = cancel {
            options = options.cancelled_by(cancel);
        }
        let outcome = client.update_blocking_with(&sources, options);
        // Also where the update was refused or stopped: what was accepted or learned before that is in force.
        if let Some(list) = client.list() {
            self.take_over(list.clone())?;
        }
        Ok(outcome?.document(clock).to_string())
    }

    /// From the next update on, every source is asked.
    pub(crate) fn ask_all(&self) {
        self.asks_all.store(true, Ordering::Relaxed);
    }

    pub(crate) fn status(&self, clock: Timestamp) -> Result<String, Failure> {
        // Where no update goes on, the client itself knows most: what could not be written down, too.
        let status = match self.client.try_lock() {
            Ok(client) => client.status(clock),
            Err(_) => self.look()?.status(clock),
        };
        let json = serde_json::to_string(&status);
        json.map_err(|error| Failure::new(IsonomyStatus::Failed, error))
    }

    pub(crate) fn match_hash(
        &self,
        hash: &[u8],
        quality: Option<u8>,
        clock: Timestamp,
    ) -> Result<(IsonomyVerdict, String), Failure> {
        let matcher = self.matcher()?;
        let (algorithm, size) = (matcher.algorithm(), matcher.algorithm().hash_size());
        if hash.len() != size {
            let message = format!("a hash by {algorithm} has {size} bytes, not {}", hash.len());
            return Err(Failure::new(IsonomyStatus::InvalidArgument, message));
        }
        Ok(answer(&matcher, &Subject::of_hash(Fingerprint { algorithm, hash: hash.to_vec(), quality }), clock))
    }

    pub(crate) fn match_file(&self, file: &[u8], clock: Timestamp) -> Result<(IsonomyVerdict, String), Failure> {
        let matcher = self.matcher()?;
        let subject = Subject::of_file(&[matcher.algorithm()], file, &Limits::default(), Orientations::Shown);
        let subject = match matcher.algorithm() {
            Algorithm::VpdqV1 => subject.with_video(hash_video_bytes(file, &VideoLimits::default())),
            _ => subject,
        };
        Ok(answer(&matcher, &subject, clock))
    }

    /// The text of the receipt of an entry.
    pub(crate) fn receipt(&self, entry: &[u8]) -> Result<String, Failure> {
        let receipt = self.matcher()?.receipts().of(entry);
        let unknown = || Failure::new(IsonomyStatus::InvalidArgument, "the list in force does not hold this entry");
        receipt.ok_or_else(unknown)?.to_text().map_err(|error| Failure::new(IsonomyStatus::Failed, error))
    }

    pub(crate) fn recover(&self) -> Result<(), Failure> {
        let mut client = self.client()?;
        client.recover()?;
        *self.matcher.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// The digest of what is in force, and its comparison code.
    pub(crate) fn view(&self) -> Result<([u8; 32], String), Failure> {
        let digest = self.matcher()?.list().view();
        Ok((digest, view::code(&digest)))
    }

    pub(crate) fn view_text(&self) -> Result<String, Failure> {
        Ok(self.look()?.view().ok_or_else(Failure::no_list)?.to_text())
    }

    pub(crate) fn compare(
        &self,
        theirs: &str,
        sources: &[&str],
        cancel: Option<&CancelFlag>,
    ) -> Result<String, Failure> {
        let sources = sources.iter().map(|text| Source::parse(text)).collect::<Result<Vec<_>, _>>();
        let sources = sources.map_err(|error| Failure::new(IsonomyStatus::InvalidArgument, error))?;
        let cancel = cancel.cloned().unwrap_or_default();
        Ok(self.client()?.compare_blocking_until(theirs.as_bytes(), &sources, &cancel)?.document().to_string())
    }

    pub(crate) fn show_evidence(&self, evidence: &[u8]) -> Result<String, Failure> {
        Ok(self.client()?.show_evidence(evidence)?.document().to_string())
    }

    fn client(&self) -> Result<MutexGuard<'_, Client>, Failure> {
        let message = "an earlier call on this handle failed by a defect in this library: free it, and open it again";
        self.client.lock().map_err(|_| Failure::new(IsonomyStatus::Panic, message))
    }

    /// What is in the folder, without waiting for an update that may be going on.
    fn look(&self) -> Result<ReadOnly, Failure> {
        Ok(Client::open_read_only(&self.folder, self.policy.clone())?)
    }

    fn matcher(&self) -> Result<Arc<Matcher>, Failure> {
        let matcher = self.matcher.read().unwrap_or_else(PoisonError::into_inner);
        matcher.clone().ok_or_else(Failure::no_list)
    }

    /// Matches against `list` from now on. Only its knowledge of the time may be new.
    fn take_over(&self, list: VerifiedList) -> Result<(), Failure> {
        let renewed = self.matcher().ok().and_then(|known| known.renewed(list.clone())).map(Arc::new);
        let matcher = renewed.map_or_else(|| matcher(list), Ok)?;
        *self.matcher.write().unwrap_or_else(PoisonError::into_inner) = Some(matcher);
        Ok(())
    }
}

fn matcher(list: VerifiedList) -> Result<Arc<Matcher>, Failure> {
    // Telephones ask about a picture now and then, and have no memory for the tables that make many questions fast.
    Ok(Arc::new(Matcher::arranged(list, Arrangement::Scan)?))
}

fn answer(matcher: &Matcher, subject: &Subject, clock: Timestamp) -> (IsonomyVerdict, String) {
    let answer = matcher.answer(subject, clock);
    let verdict = match &answer.verdict {
        Verdict::Matched(_) => IsonomyVerdict::Matched,
        Verdict::NotMatched => IsonomyVerdict::NotMatched,
        Verdict::NotCovered(_) => IsonomyVerdict::NotCovered,
    };
    // A document of strings and numbers always has a JSON form.
    (verdict, serde_json::to_string(&answer.document(|_| None)).unwrap_or_default())
}
