//! A client's folder, looked at beside the client itself.

use crate::cache::CacheReport;
use crate::client::Client;
use crate::error::ClientError;
use crate::folder::Layout;
use crate::refusal::{self, Refusal};
use crate::status::Status;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Policy, State, VerifiedList};
use std::path::{Path, PathBuf};

/// How often the folder is read anew, if an update goes through just then.
const ATTEMPTS: usize = 5;

/// What a client has in force, as it was when its folder was read. Nothing is written, and nothing is locked: the client
/// itself may update at the same time, and the folder may be one that can only be read.
#[derive(Debug)]
pub struct ReadOnly {
    folder: Layout,
    policy: Policy,
    state: State,
    list: Option<VerifiedList>,
    cache: CacheReport,
}

impl Client {
    /// Reads what the client that is kept in `folder` has in force. The same is verified as in [`Client::open`], but a
    /// damaged cache is left where it is, and a folder without a client is an error.
    pub fn open_read_only(folder: impl AsRef<Path>, policy: Policy) -> Result<ReadOnly, ClientError> {
        ReadOnly::open(folder.as_ref(), policy)
    }
}

impl ReadOnly {
    /// An update writes content before the state that needs it, and removes what the state before it needed only then.
    /// So if the content isn't at hand and the state is another one by now, everything is read anew.
    fn open(folder: &Path, policy: Policy) -> Result<Self, ClientError> {
        let folder = Layout::new(folder);
        let mut state = folder.existing_state(&policy)?;
        let (mut list, mut cache) = folder.cache().look(&policy, &state);
        for _ in 1..ATTEMPTS {
            if matches!(cache, CacheReport::Intact | CacheReport::Empty) {
                break;
            }
            let before = std::mem::replace(&mut state, folder.existing_state(&policy)?);
            if state == before {
                break;
            }
            (list, cache) = folder.cache().look(&policy, &state);
        }
        if let (None, Some(proof)) = (state.halted(), folder.proof_of_fork(&policy)) {
            // The client itself stops because of it, too, when it is opened.
            state = state.with_halt(proof.digest());
        }
        Ok(Self { folder, policy, state, list, cache })
    }

    /// The list in force, if its content is at hand. Whether it may be used at a time is for
    /// [`VerifiedList::freshness`] to say.
    pub fn list(&self) -> Option<&VerifiedList> {
        self.list.as_ref()
    }

    /// What the client must never forget.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What is in force, who vouches for it, and how old that knowledge is at `clock`, this machine's clock.
    pub fn status(&self, clock: Timestamp) -> Status {
        Status::of(&self.policy, &self.state, self.list.as_ref(), &self.cache, clock)
    }

    /// The refusals that are on record, oldest first.
    pub fn refusals(&self) -> Vec<Refusal> {
        refusal::records(&self.folder.refusals())
    }

    /// Where the evidence of this digest is kept, if it is.
    pub fn evidence_path(&self, digest: &ObjectDigest) -> Option<PathBuf> {
        Some(self.folder.evidence_path(digest)).filter(|path| path.exists())
    }
}
