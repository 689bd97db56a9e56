//! A log operator that breaks the rules: the real log's key, the real tree and tiles, the real witnesses, but whatever
//! entries it likes, and whatever bundle it likes. What it serves is a folder, over HTTP.

use super::folder_server::FolderServer;
use super::servers::REPUBLISH;
use anyhow::{Context, Result};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::StatementId;
use isonomy_core::note::SigningKey;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_log_server::bundles::{self, Candidate, Visibility};
use isonomy_log_server::files::PublicFolder;
use isonomy_log_server::log::Log;
use isonomy_log_server::witnesses::Witnesses;
use isonomy_store::kv::Store;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A log in the hands of somebody who checks nothing before it is sequenced.
pub(crate) struct RogueLog {
    log: Arc<Log>,
    witnesses: Witnesses,
    places: BTreeMap<StatementId, LeafIndex>,
}

impl RogueLog {
    /// Takes over the log in this folder, or starts another one with the same key if the folder is empty.
    pub(crate) fn open(folder: &Path, key: SigningKey, trust: &TlogPolicy) -> Result<Self> {
        let private = folder.join("private");
        let public = PublicFolder::open(folder.join("public"))?;
        let store = Store::open(&private.join("state"))?;
        let log = Arc::new(Log::open(public, &private, &store, key)?);
        let mut places = BTreeMap::new();
        let identify = |index, entry: Vec<u8>| Ok((Statement::parse(&entry).ok().map(|it| it.id()), index));
        log.replay(identify, |(id, index)| {
            places.extend(id.map(|id| (id, index)));
            Ok::<(), isonomy_log_server::log::LogError>(())
        })?;
        Ok(Self { log, witnesses: Witnesses::new(trust.clone())?, places })
    }

    /// Sequences statements without asking any rule, and shows the result to the witnesses. Gives how many cosigned.
    pub(crate) async fn sequence(&mut self, statements: &[&Statement]) -> Result<usize> {
        let entries: Vec<Vec<u8>> = statements.iter().map(|statement| statement.to_bytes()).collect();
        let first = self.log.append(&entries)?;
        self.log.integrate()?;
        for (statement, place) in statements.iter().zip(first.0..) {
            self.places.insert(statement.id(), LeafIndex(place));
            self.log.public().replace(&Resource::Statement(statement.id()), &statement.to_bytes())?;
        }
        let cosigned = self.cosign().await?;
        let size = cosigned.checkpoint().size;
        for statement in statements {
            let index = self.places[&statement.id()];
            let path = self.log.reader(size).inclusion(index)?;
            let proof = TlogProof { extra: None, index, path, checkpoint: cosigned.clone() };
            self.log.public().replace(&Resource::SeenProof(statement.id()), &proof.to_bytes())?;
        }
        Ok(cosigned.note().signatures().len() - 1)
    }

    /// Shows the tree to the witnesses, and publishes it with whatever cosignatures they give.
    pub(crate) async fn cosign(&mut self) -> Result<CheckpointNote> {
        let (_grows_here_alone, grown) = watch::channel(self.log.size());
        let round = self.witnesses.round(&self.log, None, grown).await;
        self.log.publish(&round.cosigned)?;
        Ok(round.cosigned)
    }

    /// Serves these statements as the list's bundle, under the newest checkpoint.
    pub(crate) fn show(&self, list: &ListName, charters: &[StatementId], releases: &[StatementId]) -> Result<()> {
        let checkpoint = self.log.published()?.context("the rogue log has published nothing")?;
        let place = |id: &StatementId| self.places.get(id).copied().context("not in the rogue log");
        let charters = charters.iter().map(|id| Ok((*id, place(id)?))).collect::<Result<Vec<_>>>()?;
        let candidate = |id: &StatementId| Ok(Candidate { id: *id, index: place(id)?, visible: Visibility::Usable });
        let releases = releases.iter().map(candidate).collect::<Result<Vec<_>>>()?;
        let mut reader = self.log.reader(checkpoint.checkpoint().size);
        let bundle = bundles::compose(list, &charters, &releases, &[], &checkpoint, |index| reader.inclusion(index))?;
        Ok(self.log.public().replace(&Resource::Bundle(list.clone()), &bundle.to_bytes())?)
    }

    /// Puts an object where clients find it.
    pub(crate) fn put(&self, resource: &Resource, bytes: &[u8]) -> Result<()> {
        Ok(self.log.public().replace(resource, bytes)?)
    }

    /// Goes on showing the tree to the witnesses and publishing it, and these statements under it, until the task is
    /// aborted: a log that misbehaves does not fall silent.
    pub(crate) fn go_on(
        mut self,
        list: ListName,
        charters: Vec<StatementId>,
        releases: Vec<StatementId>,
    ) -> JoinHandle<Result<()>> {
        tokio::spawn(async move {
            loop {
                self.cosign().await?;
                self.show(&list, &charters, &releases)?;
                tokio::time::sleep(REPUBLISH).await;
            }
        })
    }

    /// Serves all this over HTTP, on a free port.
    pub(crate) async fn serve(&self) -> Result<FolderServer> {
        FolderServer::start(self.log.public().root()).await
    }

    /// The same at an address where the log was served before.
    pub(crate) async fn serve_at(&self, address: SocketAddr) -> Result<FolderServer> {
        FolderServer::start_at(address, self.log.public().root()).await
    }
}
