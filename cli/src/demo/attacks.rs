//! Three attacks, each really carried out over HTTP by somebody who holds the log's key, and each refused.

use super::cast::{CURATORS, Cast};
use super::desk::Desk;
use super::folder_server::FolderServer;
use super::rogue::RogueLog;
use anyhow::{Context, Result, bail, ensure};
use isonomy_client::{Client, Refusal, Source, UpdateError, system_clock};
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::Note;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{Signed, Statement};
use isonomy_publisher::draft::Draft;
use isonomy_verifier::{Evidence, Policy};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What an attack came to.
pub(crate) struct Repelled {
    /// What the client said.
    pub(crate) refusal: Refusal,
    /// The evidence that it wrote, where the breach can be proven, and what that proves.
    pub(crate) evidence: Option<(PathBuf, String)>,
}

/// Asks `url` as `client` does, and expects a refusal for this reason.
pub(crate) async fn expect_refusal(client: &mut Client, url: &str, code: &str) -> Result<Repelled> {
    let refusal = match client.update(&[Source::parse(url)?], system_clock()).await {
        Ok(report) => bail!("the attack succeeded: version {} was accepted", report.updated.list.version()),
        Err(UpdateError::Refused(refusals)) => refusals.into_iter().next().context("refused by nobody")?,
        Err(other) => return Err(other.into()),
    };
    ensure!(refusal.code == code, "refused for another reason than {code}: {} ({})", refusal.code, refusal.message);
    let evidence = refusal.evidence.as_ref().map(|name| {
        let path = client.folder().join("evidence").join(name);
        let file = std::fs::read(&path)?;
        let breach = Evidence::parse(&file)?.verify(client.policy().trust())?;
        anyhow::Ok((path, breach.sentence()))
    });
    Ok(Repelled { refusal, evidence: evidence.transpose()? })
}

/// A folder copied with all that is in it: the device of another person with the same app.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What the second attack showed, and what its bundle names.
pub(crate) struct EarlyAdmission {
    pub(crate) charters: Vec<StatementId>,
    pub(crate) releases: Vec<StatementId>,
    pub(crate) repelled: Repelled,
}

/// The story's state when the attacks begin.
pub(crate) struct Scene<'s> {
    pub(crate) cast: &'s Cast,
    pub(crate) desk: &'s Desk<'s>,
    pub(crate) trust: &'s TlogPolicy,
    pub(crate) policy: &'s Policy,
    pub(crate) data: &'s Path,
    pub(crate) charter: &'s Signed<Charter>,
    pub(crate) first: &'s Signed<Release>,
    pub(crate) second: &'s Signed<Release>,
}

/// What the first attack showed.
pub(crate) struct SplitView {
    /// How many of the honest witnesses cosigned the second history.
    pub(crate) cosigned: usize,
    /// A device that has the real list.
    pub(crate) known: Repelled,
    /// A device that asks for the first time.
    pub(crate) fresh: Repelled,
}

impl Scene<'_> {
    /// A log shows one person another list: another release 2, signed by a maintainer and curators who collude with it,
    /// in the place of the real one.
    pub(crate) async fn split_view(&self, targeted: &Path) -> Result<SplitView> {
        let draft = Draft::open(targeted)?;
        let release = self.signed_by_colluders(draft.release().body())?;
        let folder = self.data.join("attack-split-view");
        let mut rogue = RogueLog::open(&folder, self.cast.key("log")?, self.trust)?;
        let (charter, first) = (Statement::Charter(self.charter.clone()), Statement::Release(self.first.clone()));
        let cosigned = rogue.sequence(&[&charter, &first, &Statement::Release(release.clone())]).await?;
        // What came before was really published; its proofs are the real ones.
        let real = Source::parse(self.trust.logs()[0].url.as_deref().context("the log has no address")?)?;
        for id in [self.charter.id(), self.first.id()] {
            let proof = Resource::SeenProof(id);
            rogue.put(&proof, &real.get(&proof, 32 * 1024).await?)?;
        }
        rogue.show(self.desk.list(), &[self.charter.id()], &[release.id()])?;
        let server = rogue.serve().await?;
        let device = self.data.join("device-targeted");
        copy_folder(&self.data.join("device"), &device)?;
        let mut known = Client::open(&device, self.policy.clone())?;
        let known = expect_refusal(&mut known, &server.url, "fork").await?;
        let mut fresh = Client::open(self.data.join("device-fresh"), self.policy.clone())?;
        let fresh = expect_refusal(&mut fresh, &server.url, "no-quorum").await?;
        Ok(SplitView { cosigned, known, fresh })
    }

    /// A log admits an edition with a greater distance, and a release under it before the notice is over. Everybody has
    /// signed both; only time is missing. The honest witnesses cosign, since they don't judge content.
    pub(crate) async fn early_admission(
        &self,
        client: &mut Client,
        address: SocketAddr,
    ) -> Result<(RogueLog, FolderServer, EarlyAdmission)> {
        let (wider, release) = self.widened()?;
        let mut rogue = RogueLog::open(&self.data.join("log"), self.cast.key("log")?, self.trust)?;
        rogue.sequence(&[&Statement::Charter(wider.clone())]).await?;
        rogue.sequence(&[&Statement::Release(release.clone())]).await?;
        let (charters, releases) = (vec![self.charter.id(), wider.id()], vec![self.second.id(), release.id()]);
        rogue.show(self.desk.list(), &charters, &releases)?;
        let server = rogue.serve_at(address).await?;
        let repelled = expect_refusal(client, &server.url, "notice-not-over").await?;
        Ok((rogue, server, EarlyAdmission { charters, releases, repelled }))
    }

    /// An edition with the greatest distance, and the same content as a release under it.
    fn widened(&self) -> Result<(Signed<Charter>, Signed<Release>)> {
        let mut wider = self.charter.body().clone();
        wider.edition = 2;
        wider.previous = Some(self.charter.id());
        wider.matching.max_distance = 31;
        let wider = self.desk.sign_charter(&wider, &[self.charter.body()])?;
        let mut release = self.second.body().clone();
        release.version = 3;
        release.previous = Some(self.second.id());
        release.charter = wider.id();
        release.created = system_clock();
        (release.added, release.removed) = (0, 0);
        release.deltas.truncate(1);
        for delta in &mut release.deltas {
            (delta.from, delta.release) = (2, self.second.id());
        }
        Ok((wider, self.signed_by_colluders(&release)?))
    }

    /// Somebody who can answer for the log shows the first release as the newest, to a client that has the second.
    pub(crate) async fn rollback(&self, client: &mut Client, rogue: &RogueLog, old: &Path) -> Result<[Repelled; 2]> {
        let replayed = FolderServer::start(old).await?;
        let replayed = expect_refusal(client, &replayed.url, "behind").await?;
        rogue.show(self.desk.list(), &[self.charter.id()], &[self.first.id()])?;
        let server = rogue.serve().await?;
        Ok([replayed, expect_refusal(client, &server.url, "rollback").await?])
    }

    /// A release signed by the maintainer and two curators, without asking what they signed before.
    fn signed_by_colluders(&self, release: &Release) -> Result<Signed<Release>> {
        let text = release.to_text()?;
        let names = ["maintainer"].into_iter().chain(CURATORS.into_iter().take(2));
        let lines = names.map(|name| Ok(self.cast.key(name)?.sign(&text))).collect::<Result<Vec<_>>>()?;
        let statement = Statement::from_note(Note::new(text, lines)?)?;
        statement.into_release().context("not a release")
    }
}
