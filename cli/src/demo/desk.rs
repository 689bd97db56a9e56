//! The desk of maintainer and curators: what `isonomy charter …` and `isonomy release …` do, one after the other.

use super::cast::{CURATORS, Cast};
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_fetch::LogClient;
use isonomy_publisher::charter;
use isonomy_publisher::compose::{Proposal, Term, compose};
use isonomy_publisher::draft::Draft;
use isonomy_publisher::endorse::{examine, merge};
use isonomy_publisher::memory::SigningMemory;
use isonomy_publisher::submit::{SubmitReport, submit_charter, submit_release};
use isonomy_publisher::view::ListView;
use isonomy_publisher::workspace::{Base, Workspace};
use std::path::{Path, PathBuf};

/// The list's algorithm.
pub(crate) const ALGORITHM: Algorithm = Algorithm::PdqFull;

/// Everything that is needed to publish.
pub(crate) struct Desk<'d> {
    cast: &'d Cast,
    trust: &'d TlogPolicy,
    list: ListName,
    log: LogClient,
    data: PathBuf,
}

impl<'d> Desk<'d> {
    pub(crate) fn new(cast: &'d Cast, trust: &'d TlogPolicy, data: &Path) -> Result<Self> {
        let url = trust.logs().first().and_then(|log| log.url.as_deref()).context("the log has no address")?;
        let list = cast.charter()?.list;
        Ok(Self { cast, trust, list, log: LogClient::new(url)?, data: data.to_owned() })
    }

    /// The list's name.
    pub(crate) fn list(&self) -> &ListName {
        &self.list
    }

    /// The list's first charter.
    pub(crate) fn first_charter(&self) -> Result<Charter> {
        self.cast.charter()
    }

    /// Signs a charter by all whom it names.
    pub(crate) fn sign_charter(&self, text: &Charter, older: &[&Charter]) -> Result<Signed<Charter>> {
        let mut signed = charter::parse(&charter::draft(text)?.to_bytes())?;
        for name in ["maintainer"].into_iter().chain(CURATORS) {
            let mut memory = SigningMemory::of_key(&self.cast.key_file(name))?;
            signed = charter::sign(&signed, older, &self.cast.key(name)?, &mut memory, &[], system_clock())?;
        }
        Ok(signed)
    }

    /// Publishes a signed charter.
    pub(crate) async fn publish_charter(&self, charter: &Signed<Charter>) -> Result<SubmitReport> {
        isonomy_store::files::replace(&self.data.join("charter.note"), &charter.to_bytes())?;
        Ok(submit_charter(&self.log, self.trust, charter).await?)
    }

    /// What the log says of the list, verified.
    pub(crate) async fn view(&self) -> Result<ListView> {
        Ok(ListView::fetch(&self.log.source(), self.trust, &self.list).await?)
    }

    /// Composes the next release with this content, into a file.
    pub(crate) async fn compose(&self, entries: &Entries, file: &str) -> Result<PathBuf> {
        let view = self.view().await?;
        let bases = self.bases("maintainer", &view).await?;
        let term = Term { created: system_clock(), validity: None };
        let composed = compose(&view, &bases, Proposal { entries, term, reason: None }, &self.data)?;
        let path = self.data.join(file);
        composed.draft.save(&path)?;
        Ok(path)
    }

    /// A curator's work: reads the draft, recomputes everything from the content, and signs. Gives what is sent back.
    pub(crate) async fn endorse(&self, draft: &Path, curator: &str) -> Result<Signed<Release>> {
        let (draft, view) = (Draft::open(draft)?, self.view().await?);
        let bases = self.bases(curator, &view).await?;
        let examined = examine(&draft, &view, &bases, system_clock())?;
        let mut memory = SigningMemory::of_key(&self.cast.key_file(curator))?;
        Ok(examined.endorse(&self.cast.key(curator)?, &mut memory, &[], system_clock())?)
    }

    /// The maintainer signs, last of all, and publishes.
    pub(crate) async fn publish(
        &self,
        draft: &Path,
        endorsements: &[Signed<Release>],
        charter: &Charter,
    ) -> Result<(Signed<Release>, SubmitReport)> {
        let (draft, view) = (Draft::open(draft)?, self.view().await?);
        let draft = draft.signed(merge(endorsements, charter)?)?;
        let bases = self.bases("maintainer", &view).await?;
        let examined = examine(&draft, &view, &bases, system_clock())?;
        let mut memory = SigningMemory::of_key(&self.cast.key_file("maintainer"))?;
        let signed = examined.finish(&self.cast.key("maintainer")?, &mut memory, system_clock())?;
        let report = submit_release(&self.log, self.trust, &draft.signed(signed.clone())?, charter).await?;
        Ok((signed, report))
    }

    /// The content of the releases on which the next one builds, in somebody's own folder.
    async fn bases(&self, who: &str, view: &ListView) -> Result<Vec<Base>> {
        let workspace = Workspace::open(&self.data.join(who), &self.list)?;
        Ok(workspace.bases(view.bases(), ALGORITHM, &self.log.source()).await?)
    }
}
