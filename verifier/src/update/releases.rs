//! Which release may be in force: the newest that keeps the rules, is within the policy and has been public for long
//! enough. Never an older one than before.

use super::statements::rule;
use super::{Pending, Stop, Update, Updated, malformed};
use crate::evidence::{EarlyAdmission, Evidence, InLog};
use crate::list::VerifiedList;
use crate::policy::PolicyBreach;
use crate::rejection::Rejection;
use crate::state::{Accepted, Logged};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::NodeHash;
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::rules::releases::{self, Before, Earlier, Place};
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;

/// What a policy may find too little that rests on times.
pub(super) const GIVEN_NOTICE: &str = "notice in seconds that a widening edition had";

/// What the checks say of a release that need no content of it, or no more than to count what it adds.
pub(super) enum Judged {
    /// It is the list in force.
    InForce(Box<VerifiedList>),
    /// It may be used later.
    Waits(Pending),
    /// It may be used.
    Usable(Box<Usable>),
}

impl Judged {
    /// The version, unless it waits.
    fn version(&self) -> Option<u64> {
        match self {
            Self::InForce(list) => Some(list.version()),
            Self::Usable(usable) => Some(usable.release.body().version),
            Self::Waits(_) => None,
        }
    }
}

/// A release that may be used.
pub(super) struct Usable {
    release: Signed<Release>,
    edition: Edition,
    public_since: Timestamp,
    attested_by: Vec<VerifierKey>,
}

impl Update {
    /// Judges the releases of the bundle, newest first: where one waits, or has expired, an older one may do. Then, if the
    /// client reads the log, what the bundle does not have.
    pub(super) fn check_releases(
        &mut self,
        bundle: &Bundle,
        editions: &Editions,
        now: Timestamp,
    ) -> Result<Updated, Stop> {
        let (mut pending, mut refused, mut found) = (Vec::new(), None, None);
        for included in self.not_older(bundle).iter().rev() {
            match self.judge(bundle, included, editions, now) {
                Ok(Judged::Waits(waiting)) => pending.push(waiting),
                Ok(usable) => {
                    found = Some((included.clone(), usable));
                    break;
                }
                Err(Stop::Reject(rejection)) if self.gives_way(&rejection, &pending) => {
                    refused.get_or_insert(rejection);
                }
                Err(stop) => return Err(stop),
            }
        }
        // What is older than a release that the policy refuses need not be offered beside it.
        let refused_version = refused.as_ref().and_then(|rejection| version_against_policy(rejection));
        // Without a list the floor itself may be used.
        let least = self.state.floor().map(|floor| floor.saturating_sub(1));
        let held = self.in_force.as_ref().map(VerifiedList::version).or(least);
        let version = found.as_ref().and_then(|(_, judged)| judged.version());
        let beyond = version.or(refused_version).or(held).unwrap_or(0);
        found = self.usable_between(bundle, editions, beyond, now)?.or(found);
        let waiting = || pending.first().map(|waiting| rule(waiting.release, waiting.waits_for.clone()));
        let list = match found {
            Some((included, Judged::Usable(usable))) => self.put_in_force(bundle, &included, editions, *usable)?,
            Some((_, Judged::InForce(list))) => *list,
            Some((_, Judged::Waits(_))) | None => match (waiting(), &self.in_force, refused) {
                (Some(_), Some(list), _) => list.clone(),
                (Some(waiting), None, _) => return Err(waiting),
                // Nothing newer may be used, offered or not.
                (None, Some(list), Some(_)) if self.looks_between() && !has_expired(list, now.max(self.clock)) => {
                    list.clone()
                }
                (None, _, Some(refused)) => return Err(Stop::Reject(refused)),
                (None, _, None) => return Err(Rejection::NoRelease.into()),
            },
        };
        Ok(Updated { list, pending })
    }

    /// Whether what a release is refused for leaves the word to others: one that has expired to older ones, which may be valid
    /// for longer; and one that the policy does not accept, or that is older than a floor alone, to newer ones that wait.
    fn gives_way(&self, rejection: &Rejection, pending: &[Pending]) -> bool {
        match rejection {
            Rejection::Expired { .. } => true,
            Rejection::Policy { .. } => !pending.is_empty(),
            Rejection::Rollback { .. } => self.state.accepted().is_none() && !pending.is_empty(),
            _ => false,
        }
    }

    /// The releases of the bundle without those that stand before the one in force: they are there for others. If all of
    /// them do, the newest: it is judged, and is a rollback.
    pub(super) fn not_older<'b>(&self, bundle: &'b Bundle) -> &'b [Included] {
        let in_force = self.state.accepted_index();
        let is_older = |included: &Included| in_force.is_some_and(|in_force| included.index < in_force);
        let older = bundle.releases.partition_point(is_older).min(bundle.releases.len().saturating_sub(1));
        &bundle.releases[older..]
    }

    /// Judges a release whose place in the log is known, whether it is offered or not.
    pub(super) fn judge(
        &mut self,
        bundle: &Bundle,
        included: &Included,
        editions: &Editions,
        now: Timestamp,
    ) -> Result<Judged, Stop> {
        if let Some(waiting) = self.waiting.get(&included.id) {
            return Ok(Judged::Waits(waiting.clone()));
        }
        let resource = Resource::Statement(included.id);
        let statement = self.logged(bundle, included)?;
        let entry = statement.to_bytes();
        let release = statement.into_release().ok_or_else(|| malformed(&resource, "not a release"))?;
        if let Some(list) = self.check_not_older(bundle, included, &release)? {
            return Ok(Judged::InForce(Box::new(list)));
        }
        let public_since = self.public_since(bundle, included, &entry)?;
        let place = Place { index: included.index, public_since };
        let editions = &*editions.known_with(included.index, public_since);
        let edition = self.check_rules(bundle, &release, editions, place)?;
        self.check_descent(&release)?;
        self.policy.judge(edition.charter(), &release).map_err(|breach| {
            let version = release.body().version;
            Rejection::Policy { version, breach }
        })?;
        self.check_notice(&release, edition, editions)?;
        self.check_not_expired(&release, now)?;
        let attested_by = self.check_attested(bundle, included)?;
        let waiting = match &attested_by {
            Ok(_) => self.check_visible(&release, edition, public_since, now)?,
            Err(waits_for) => Some(pending(&release, waits_for.clone())),
        };
        if let Some(waiting) = waiting {
            self.waiting.insert(included.id, waiting.clone());
            return Ok(Judged::Waits(waiting));
        }
        let (edition, attested_by) = (edition.clone(), attested_by.unwrap_or_default());
        Ok(Judged::Usable(Box::new(Usable { release, edition, public_since, attested_by })))
    }

    /// Puts a release in force that is not, once its content is what it should be.
    fn put_in_force(
        &mut self,
        bundle: &Bundle,
        included: &Included,
        editions: &Editions,
        usable: Usable,
    ) -> Result<VerifiedList, Stop> {
        let Usable { release, edition, public_since, attested_by } = usable;
        let entries = self.check_content(&release, &edition)?;
        let accepted = self.accepted(bundle, included, &release, &edition, public_since)?;
        let accepted = Accepted { attested_by, ..accepted };
        let charter = edition.signed().clone();
        let mut times = self.public_since.clone();
        times.retain(|id, _| editions.find(id).is_some() || *id == included.id);
        let state = self.confirmed().with_public_since(&times).with_accepted(accepted.clone());
        let state = state.with_shown_since(&self.shown_since).with_late(
            &self.public_since,
            &self.dated_here,
            &self.editions_proven_in(),
        );
        let list = VerifiedList::new(entries, charter, release, accepted, &state, &self.policy);
        self.save(state, Some(&list))?;
        Ok(list)
    }

    /// Never an older version than the one in force, nor another text for the same. Gives the list in force if this is its
    /// release and its content is at hand.
    fn check_not_older(
        &self,
        bundle: &Bundle,
        included: &Included,
        release: &Signed<Release>,
    ) -> Result<Option<VerifiedList>, Stop> {
        let version = release.body().version;
        if let Some(accepted) = self.state.floor().filter(|floor| version < *floor) {
            return Err(Rejection::Rollback { offered: version, accepted }.into());
        }
        let Some(accepted) = self.state.accepted() else {
            return Ok(None);
        };
        if release.id() == accepted.release {
            return Ok(self.in_force.clone());
        }
        if version == accepted.version {
            let evidence = self.equivocation(bundle, included, release).map(Box::new);
            return Err(Rejection::NotDescended { version, accepted: accepted.version, evidence }.into());
        }
        Ok(None)
    }

    /// Rules 1, 2, 4 and 7.
    fn check_rules<'e>(
        &self,
        bundle: &Bundle,
        release: &Signed<Release>,
        editions: &'e Editions,
        place: Place,
    ) -> Result<&'e Edition, Stop> {
        let before = Before { earlier: self.earlier_release(release), last_addition: self.last_addition(release) };
        releases::judge(release, editions, &before, place).map_err(|violation| {
            let is_early = matches!(violation, Violation::NoticeNotOver { .. });
            let evidence = is_early.then(|| self.early_admission(bundle, release, editions).map(Box::new)).flatten();
            match is_early && evidence.is_none() {
                true => Rejection::ByTimes { statement: release.id(), violation },
                false => Rejection::Rule { statement: release.id(), violation, evidence },
            }
        })?;
        let unknown = || rule(release.id(), Violation::UnknownCharter { id: release.body().charter });
        editions.find(&release.body().charter).ok_or_else(unknown)
    }

    /// The release in force, as far as a later one is judged by it.
    fn earlier_release(&self, later: &Signed<Release>) -> Option<Earlier> {
        let accepted = self.state.accepted().filter(|accepted| accepted.release != later.id())?;
        Some(Earlier {
            id: accepted.release,
            version: accepted.version,
            edition: accepted.edition,
            created: accepted.created,
            // After a recovery it is not known where it stands, if it does.
            index: self.state.accepted_index().unwrap_or(LeafIndex(0)),
        })
    }

    /// When entries were last added before `later`, as far as this client knows. Releases that it has skipped may have
    /// added later still, so this refuses nothing that keeps the interval, and monitors judge the rest.
    fn last_addition(&self, later: &Signed<Release>) -> Option<Timestamp> {
        self.state.accepted().filter(|accepted| accepted.release != later.id())?.last_addition
    }

    /// Walks the hash chain from `release` down to the one in force, by the longest steps that it offers.
    fn check_descent(&self, release: &Signed<Release>) -> Result<(), Stop> {
        let Some(accepted) = self.state.accepted().filter(|accepted| accepted.release != release.id()) else {
            return Ok(());
        };
        let broken = || -> Stop {
            let (version, accepted) = (release.body().version, accepted.version);
            Rejection::NotDescended { version, accepted, evidence: None }.into()
        };
        let mut at = release.clone();
        loop {
            let step = *at.body().step_down_to(accepted.version).ok_or_else(broken)?;
            match (step.release == accepted.release, step.from == accepted.version) {
                (true, true) => return Ok(()),
                (false, false) => {}
                _ => return Err(broken()),
            }
            let older = self.statement(&step.release)?.into_release();
            at = older.filter(|older| older.body().version == step.from).ok_or_else(broken)?;
        }
    }

    /// The notice that the policy asks for was given before every widening since the edition that it pins: also where an
    /// edition in between asked for less.
    fn check_notice(&self, release: &Signed<Release>, edition: &Edition, editions: &Editions) -> Result<(), Stop> {
        let pinned = editions.find(self.policy.charter()).map_or(0, Edition::number);
        let since = editions.all().iter().filter(|at| (pinned + 1..=edition.number()).contains(&at.number()));
        let (least, version) = (self.policy.accept().min_notice, release.body().version);
        match since.filter_map(Edition::notice).find(|notice| *notice < least) {
            Some(found) => {
                let what = GIVEN_NOTICE;
                Err(Rejection::Policy { version, breach: PolicyBreach::TooLittle { what, found, least } }.into())
            }
            None => Ok(()),
        }
    }

    fn check_not_expired(&self, release: &Signed<Release>, now: Timestamp) -> Result<(), Stop> {
        let Release { version, expires, .. } = *release.body();
        if now.max(self.clock) >= expires {
            return Err(Rejection::Expired { version, expired: expires, witnessed: now, clock: self.clock }.into());
        }
        Ok(())
    }

    /// Rule 5. Where too little time has passed, a release that claims to add nothing is applied and counted first.
    fn check_visible(
        &mut self,
        release: &Signed<Release>,
        edition: &Edition,
        public_since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Pending>, Stop> {
        // What is in force was visible, or added nothing, when it was accepted. Here it is fetched again.
        if self.state.accepted().is_some_and(|accepted| accepted.release == release.id()) {
            return Ok(None);
        }
        let visible = |counted| releases::visible(edition.charter(), public_since, now, counted);
        let Err(waits_for) = visible(None) else {
            return Ok(None);
        };
        if release.body().added == 0 && self.in_force.is_some() {
            let entries = self.check_content(release, edition)?;
            if visible(self.additions(&entries)).is_ok() {
                return Ok(None);
            }
        }
        Ok(Some(pending(release, waits_for)))
    }

    fn accepted(
        &self,
        bundle: &Bundle,
        included: &Included,
        release: &Signed<Release>,
        edition: &Edition,
        public_since: Timestamp,
    ) -> Result<Accepted, Stop> {
        let charter = bundle.charters.iter().find(|charter| charter.id == edition.id());
        let charter = charter.ok_or_else(|| malformed(&Resource::Statement(edition.id()), "not in the bundle"))?;
        Ok(Accepted {
            release: release.id(),
            version: release.body().version,
            created: release.body().created,
            public_since,
            charter: edition.id(),
            edition: edition.number(),
            pinned: *self.policy.charter(),
            min_notice: self.policy.accept().min_notice,
            proof: Logged {
                checkpoint: Lines::of(bundle.checkpoint.note()),
                release_index: included.index,
                release_path: included.path.clone(),
                charter_index: charter.index,
                charter_path: charter.path.clone(),
            },
            last_addition: match release.body().added {
                0 => self.state.accepted().and_then(|accepted| accepted.last_addition),
                _ => Some(release.body().created),
            },
            attested_by: Vec::new(),
        })
    }

    /// That `other`, which stands in the log, and the release in force are two texts for one version, both signed as
    /// their charters ask.
    fn equivocation(&self, bundle: &Bundle, included: &Included, other: &Signed<Release>) -> Option<Evidence> {
        let list = self.in_force.as_ref()?;
        let Logged { release_index, release_path, charter_index, charter_path, .. } = &list.accepted().proof;
        let accepted = list.accepted().proof.checkpoint()?;
        let cited = bundle.charters.iter().find(|charter| charter.id == other.body().charter)?;
        let edition = self.editions.as_ref()?.find(&cited.id)?;
        let evidence = Evidence::equivocation_across(
            (
                InLog { statement: list.signed_charter(), proof: &proof(*charter_index, charter_path, &accepted) },
                InLog { statement: list.signed_release(), proof: &proof(*release_index, release_path, &accepted) },
            ),
            (
                InLog { statement: edition.signed(), proof: &proof(cited.index, &cited.path, &bundle.checkpoint) },
                InLog { statement: other, proof: &proof(included.index, &included.path, &bundle.checkpoint) },
            ),
        );
        evidence.verify(self.policy.trust()).is_ok().then_some(evidence)
    }

    /// That the log admitted `release` before the notice of its edition could be over: this client remembers a checkpoint
    /// from before the edition.
    fn early_admission(&self, bundle: &Bundle, release: &Signed<Release>, editions: &Editions) -> Option<Evidence> {
        let edition = editions.find(&release.body().charter)?;
        let before = editions.find(&edition.charter().previous?)?;
        let earlier = self.earlier.iter().find(|note| note.checkpoint().size.0 <= edition.index().0)?;
        let included = bundle.charters.iter().find(|charter| charter.id == edition.id())?;
        let edition_proof = proof(included.index, &included.path, &bundle.checkpoint);
        let release_proof = self.seen_proof(&release.id()).ok()?;
        let evidence = Evidence::EarlyAdmission(Box::new(EarlyAdmission {
            before: Lines::of(before.signed().note()),
            edition: Lines::of(edition.signed().note()),
            edition_proof: Lines::of(&edition_proof),
            release: Lines::of(release.note()),
            release_proof: Lines::of(&release_proof),
            earlier: Lines::of(earlier.note()),
        }));
        evidence.verify(self.policy.trust()).is_ok().then_some(evidence)
    }
}

fn has_expired(list: &VerifiedList, now: Timestamp) -> bool {
    now >= list.release().expires
}

/// The version that the policy does not accept.
fn version_against_policy(rejection: &Rejection) -> Option<u64> {
    match rejection {
        Rejection::Policy { version, .. } => Some(*version),
        _ => None,
    }
}

fn pending(release: &Signed<Release>, waits_for: Violation) -> Pending {
    Pending { release: release.id(), version: release.body().version, waits_for }
}

pub(super) fn proof(index: LeafIndex, path: &[NodeHash], checkpoint: &CheckpointNote) -> TlogProof {
    TlogProof { extra: None, index, path: path.to_vec(), checkpoint: checkpoint.clone() }
}
