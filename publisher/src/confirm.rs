//! The maintainer's own client: what was published is real only once a client accepts it, from where clients get it.

use isonomy_client::{Client, Refusal, Source, UpdateError};
use isonomy_core::hash::StatementId;
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use serde::Serialize;

/// Why clients don't see what was published.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The client refuses what it was shown, or could not be asked.
    #[error("a client with this policy refuses the list: {0}")]
    Update(#[from] UpdateError),
    /// The client was shown something else.
    #[error(
        "clients are not shown the release {expected} yet: they see version {version}. Ask again in a moment; if it stays so, the log or the mirror hides it"
    )]
    NotShown {
        /// The release that was published.
        expected: StatementId,
        /// The version in force for clients.
        version: u64,
    },
}

/// How far a release has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Confirmation {
    /// Clients use it.
    InUse {
        /// The version.
        version: u64,
    },
    /// Clients use a later one already.
    Superseded {
        /// The version that they use.
        version: u64,
    },
    /// Clients see it and wait.
    Pending {
        /// The version that they use until then; none if it is the first.
        in_force: Option<u64>,
        /// What they wait for, in words.
        waits_for: String,
    },
}

/// Updates `client` from `sources` and says whether it uses `release`, or waits for it.
pub async fn confirm(
    client: &mut Client,
    sources: &[Source],
    release: &Signed<Release>,
    clock: Timestamp,
) -> Result<Confirmation, ConfirmError> {
    let updated = match client.update(sources, clock).await {
        Ok(report) => report.updated,
        // The first release of a list has nothing before it that could stay in force.
        Err(UpdateError::Refused(refusals)) => {
            return match refusals.iter().find(|refusal| is_waiting(refusal)) {
                Some(waiting) => Ok(Confirmation::Pending { in_force: None, waits_for: waiting.message.clone() }),
                None => Err(UpdateError::Refused(refusals).into()),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let version = updated.list.version();
    if updated.list.accepted().release == release.id() {
        return Ok(Confirmation::InUse { version });
    }
    match updated.pending.iter().find(|pending| pending.release == release.id()) {
        Some(pending) => {
            let waits_for = format!("{}: {}", pending.waits_for.rule(), pending.waits_for);
            Ok(Confirmation::Pending { in_force: Some(version), waits_for })
        }
        None if version > release.body().version => Ok(Confirmation::Superseded { version }),
        None => Err(ConfirmError::NotShown { expected: release.id(), version }),
    }
}

fn is_waiting(refusal: &Refusal) -> bool {
    refusal.code == "not-visible"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Draft;
    use crate::testing::{TestLog, compose_in, entries, sign_release};
    use crate::workspace::Workspace;
    use isonomy_core::list::Algorithm;
    use isonomy_core::statement::Statement;

    /// The draft of the next release.
    async fn draft(log: &TestLog, count: u64) -> Draft {
        let view = log.view().await.unwrap();
        let workspace = Workspace::open(&log.path("work"), &crate::testing::list()).unwrap();
        let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
        sign_release(&compose_in(&log.path("drafts"), &view, &bases, &entries(1, count), log.clock()))
    }

    async fn publish(log: &mut TestLog, count: u64) -> Signed<Release> {
        let draft = draft(log, count).await;
        let release = draft.release().clone();
        for object in release.body().objects() {
            log.write(&format!("object/{}", object.sha256), &draft.object(&object.sha256).unwrap());
        }
        log.append(Statement::Release(release.clone()));
        release
    }

    #[tokio::test]
    async fn clients_wait_for_a_release_and_then_use_it() {
        let mut log = TestLog::with_charter().await;
        let folder = tempfile::tempdir().unwrap();
        let mut client = Client::open(folder.path(), log.client_policy()).unwrap();
        let sources = [log.source()];
        let first = publish(&mut log, 20).await;
        let pending = confirm(&mut client, &sources, &first, log.clock()).await.unwrap();
        assert!(matches!(pending, Confirmation::Pending { in_force: None, .. }), "{pending:?}");
        log.advance(100);
        let in_use = confirm(&mut client, &sources, &first, log.clock()).await.unwrap();
        assert_eq!(in_use, Confirmation::InUse { version: 1 });
        let hidden = draft(&log, 22).await.release().clone();
        let unknown = confirm(&mut client, &sources, &hidden, log.clock()).await;
        assert!(matches!(unknown, Err(ConfirmError::NotShown { version: 1, .. })));
        let second = publish(&mut log, 25).await;
        log.advance(100);
        let in_use = confirm(&mut client, &sources, &second, log.clock()).await.unwrap();
        assert_eq!(in_use, Confirmation::InUse { version: 2 });
        let older = confirm(&mut client, &sources, &first, log.clock()).await.unwrap();
        assert_eq!(older, Confirmation::Superseded { version: 2 }, "an old draft submitted again accuses nobody");
    }
}
