//! Rules 1, 2, 5 and 7 for releases.

use super::editions::{Edition, Editions};
use super::{Series, Violation, signatures};
use crate::charter::{Charter, Limits};
use crate::hash::StatementId;
use crate::release::Release;
use crate::statement::Signed;
use crate::time::Timestamp;
use crate::tree::LeafIndex;

/// What is known of an earlier release when a later one is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earlier {
    /// Its identity.
    pub id: StatementId,
    /// Its version.
    pub version: u64,
    /// The edition that it cites, as a number.
    pub edition: u64,
    /// When it was created.
    pub created: Timestamp,
    /// Its place in the log.
    pub index: LeafIndex,
}

/// What may be known of the releases before the one judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Before {
    /// The release directly before it, or an older one if those between aren't known (a client that catches up).
    pub earlier: Option<Earlier>,
    /// When the last release that added entries was created, where all releases are known.
    pub last_addition: Option<Timestamp>,
}

/// Where a release stands, or would stand, in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its place.
    pub index: LeafIndex,
    /// Since when it is public, as witnessed; at admission, the log's time.
    pub public_since: Timestamp,
}

/// Judges a release: its chain, the edition that it cites, its signatures and its limits. What it says of its content is
/// for [`super::content`], and whether it may be used already for [`visible`].
pub fn judge(release: &Signed<Release>, editions: &Editions, before: &Before, place: Place) -> Result<(), Violation> {
    let edition = judge_text(release.body(), editions, before, place)?;
    signatures::release(release, edition.charter())
}

/// What is known of a list of which every release is known: its newest one, and any older one by its version.
pub struct Chain<'c> {
    /// The newest version; 0 if there is no release yet.
    pub newest: u64,
    /// The identity of the release of a version.
    pub release: &'c dyn Fn(u64) -> Option<StatementId>,
    /// What the next release is judged by.
    pub before: Before,
}

/// Judges the text of the next release of a list, where all releases before it are known: the log, before it admits it, and
/// whoever drafts or signs it. Gives the edition that it cites.
pub fn judge_next<'e>(
    release: &Release,
    editions: &'e Editions,
    chain: &Chain<'_>,
    place: Place,
) -> Result<&'e Edition, Violation> {
    let expected = chain.newest.saturating_add(1);
    if release.version != expected {
        return Err(Violation::NotContiguous { series: Series::Version, expected, found: release.version });
    }
    if let Some(unknown) = release.deltas.iter().find(|delta| (chain.release)(delta.from) != Some(delta.release)) {
        return Err(Violation::UnknownRelease { id: unknown.release });
    }
    judge_text(release, editions, &chain.before, place)
}

/// The same as [`judge`] without its signatures, for a draft. Gives the edition that it cites.
pub fn judge_text<'e>(
    release: &Release,
    editions: &'e Editions,
    before: &Before,
    place: Place,
) -> Result<&'e Edition, Violation> {
    if let Some(earlier) = &before.earlier {
        follows(release, earlier, place.index)?;
    }
    let edition = cited_edition(release, editions, before, place)?;
    within_limits(release, &edition.charter().limits, before, place.public_since)?;
    Ok(edition)
}

/// Rule 1: later than `earlier`, and, if it is the next one, citing it.
fn follows(release: &Release, earlier: &Earlier, index: LeafIndex) -> Result<(), Violation> {
    let number = release.version;
    let next = earlier.version + 1;
    if number < next || earlier.index >= index {
        return Err(Violation::NotContiguous { series: Series::Version, expected: next, found: number });
    }
    if number == next && release.previous != Some(earlier.id) {
        return Err(Violation::PreviousMismatch { series: Series::Version, number });
    }
    if release.created < earlier.created {
        return Err(Violation::CreatedEarly { created: release.created, predecessor: earlier.created });
    }
    Ok(())
}

/// Rules 1 and 4: the edition that it cites, in force when the release became public, and not superseded.
fn cited_edition<'e>(
    release: &Release,
    editions: &'e Editions,
    before: &Before,
    place: Place,
) -> Result<&'e Edition, Violation> {
    let edition = editions
        .find(&release.charter)
        .filter(|edition| edition.index() < place.index)
        .ok_or(Violation::UnknownCharter { id: release.charter })?;
    if edition.charter().list != release.list {
        let (expected, found) = (edition.charter().list.clone(), release.list.clone());
        return Err(Violation::OtherList { expected, found });
    }
    if edition.in_force_since() > place.public_since {
        return Err(Violation::NoticeNotOver {
            edition: edition.number(),
            widens: editions.widenings_of(&edition.id()).join("; "),
            public_since: edition.public_since(),
            in_force_since: edition.in_force_since(),
            at: place.public_since,
        });
    }
    let narrowed = editions.oldest_citable(place.index).map_or(1, Edition::number);
    let required = before.earlier.map_or(narrowed, |earlier| earlier.edition.max(narrowed));
    if edition.number() < required {
        return Err(Violation::SupersededEdition { cited: edition.number(), required });
    }
    Ok(edition)
}

/// Rule 7: its text and its time, against the limits of its charter. What it says of its content is not counted here.
pub fn within_limits(
    release: &Release,
    limits: &Limits,
    before: &Before,
    public_since: Timestamp,
) -> Result<(), Violation> {
    if release.created > public_since {
        return Err(Violation::CreatedLate { created: release.created, at: public_since });
    }
    for (what, found, limit) in [
        ("entries", release.entries, limits.max_entries),
        ("added entries", release.added, limits.max_added),
        ("seconds of validity", release.expires.since(release.created), limits.validity),
    ] {
        if found > limit {
            return Err(Violation::OverLimit { what, found, limit });
        }
    }
    if let Some(last) = before.last_addition.filter(|_| release.added > 0) {
        let (found, limit) = (release.created.since(last), limits.min_interval);
        if found < limit {
            return Err(Violation::TooSoon { found, limit });
        }
    }
    Ok(())
}

/// Rule 5: whether a release may be used at `now`. `counted_additions` is what the client itself counted when it applied
/// the release to the one that it has in use; `None` if it has none, or didn't. What the release claims is not believed.
pub fn visible(
    charter: &Charter,
    public_since: Timestamp,
    now: Timestamp,
    counted_additions: Option<u64>,
) -> Result<(), Violation> {
    let (public_for, needed) = (now.since(public_since), charter.limits.min_visibility);
    if public_for >= needed || counted_additions == Some(0) {
        return Ok(());
    }
    Err(Violation::NotVisible { public_for, needed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ALL, LOG, charter, release_of, sign_charter, sign_release};

    const START: Timestamp = Timestamp(1_000_000);

    fn editions() -> Editions {
        let first = charter();
        let mut editions = Editions::new(LOG, &first.list);
        editions.push(sign_charter(&first, &ALL), LeafIndex(0), START).unwrap();
        let mut second = first.clone();
        second.edition = 2;
        second.previous = Some(editions.newest().unwrap().id());
        second.matching.max_distance = 31;
        editions.push(sign_charter(&second, &ALL), LeafIndex(1), START.plus(100)).unwrap();
        editions
    }

    fn place(index: u64, after: u64) -> Place {
        Place { index: LeafIndex(index), public_since: START.plus(after) }
    }

    fn release(edit: impl Fn(&mut Release)) -> Release {
        let editions = editions();
        let mut release = release_of(editions.all()[0].charter(), 1);
        release.charter = editions.all()[0].id();
        release.created = START;
        release.expires = START.plus(1000);
        edit(&mut release);
        release
    }

    fn judged(edit: impl Fn(&mut Release), place: Place) -> Result<u64, Violation> {
        judge_text(&release(edit), &editions(), &Before::default(), place).map(Edition::number)
    }

    #[test]
    fn it_cites_an_edition_in_force_when_it_became_public() {
        assert_eq!(judged(|_| (), place(2, 200)), Ok(1));
        let second = editions().all()[1].id();
        let Err(violation) = judged(|r| r.charter = second, place(2, 200)) else { panic!("accepted") };
        assert_eq!(
            (violation.rule().number(), violation.code()),
            (4, "notice-not-over"),
            "the notice of 3600 s ends at 3700"
        );
        assert_eq!(judged(|r| r.charter = second, place(2, 3700)), Ok(2));
        let unknown = Err(Violation::UnknownCharter { id: second });
        assert_eq!(judged(|r| r.charter = second, place(1, 3700)), unknown, "not logged before the release");
    }

    #[test]
    fn it_follows_the_release_before() {
        let release = release(|r| {
            r.version = 2;
            r.previous = Some(StatementId([1; 32]));
        });
        let earlier = Earlier { id: StatementId([1; 32]), version: 1, edition: 1, created: START, index: LeafIndex(2) };
        let judge = |earlier: Earlier| {
            let before = Before { earlier: Some(earlier), last_addition: None };
            judge_text(&release, &editions(), &before, place(3, 200)).map(Edition::number)
        };
        assert_eq!(judge(earlier), Ok(1));
        let mismatch = Err(Violation::PreviousMismatch { series: Series::Version, number: 2 });
        assert_eq!(judge(Earlier { id: StatementId([2; 32]), ..earlier }), mismatch);
        let gap = Err(Violation::NotContiguous { series: Series::Version, expected: 3, found: 2 });
        assert_eq!(judge(Earlier { version: 2, ..earlier }), gap);
        let order = Err(Violation::NotContiguous { series: Series::Version, expected: 2, found: 2 });
        assert_eq!(judge(Earlier { index: LeafIndex(3), ..earlier }), order);
        let superseded = Err(Violation::SupersededEdition { cited: 1, required: 2 });
        assert_eq!(judge(Earlier { edition: 2, ..earlier }), superseded);
        let early = Violation::CreatedEarly { created: START, predecessor: START.plus(1) };
        assert_eq!(judge(Earlier { created: START.plus(1), ..earlier }), Err(early));
    }

    #[test]
    fn it_keeps_the_limits_of_its_charter() {
        let over = |what, found, limit| Err(Violation::OverLimit { what, found, limit });
        assert_eq!(judged(|r| r.entries = 1001, place(2, 200)), over("entries", 1001, 1000));
        assert_eq!(judged(|r| r.added = 501, place(2, 200)), over("added entries", 501, 500));
        let long = |r: &mut Release| r.expires = START.plus(86_401);
        assert_eq!(judged(long, place(2, 200)), over("seconds of validity", 86_401, 86_400));
        let at_the_limits = |r: &mut Release| {
            (r.entries, r.added, r.expires) = (1000, 500, START.plus(86_400));
        };
        assert_eq!(judged(at_the_limits, place(2, 200)), Ok(1));
        let late = |r: &mut Release| r.created = START.plus(201);
        assert!(matches!(judged(late, place(2, 200)), Err(Violation::CreatedLate { .. })));
    }

    #[test]
    fn additions_keep_their_interval_and_removals_need_none() {
        let judge = |added: u64, last: u64| {
            let release = release(|r| {
                r.created = START.plus(100);
                r.added = added;
            });
            let before = Before { earlier: None, last_addition: Some(START.plus(last)) };
            judge_text(&release, &editions(), &before, place(2, 200)).map(Edition::number)
        };
        assert_eq!(judge(1, 41), Err(Violation::TooSoon { found: 59, limit: 60 }));
        assert_eq!(judge(1, 40), Ok(1));
        assert_eq!(judge(0, 99), Ok(1));
    }

    #[test]
    fn the_next_release_has_the_next_version() {
        let release = release(|_| ());
        let judge = |newest| {
            let chain = Chain { newest, release: &|_| None, before: Before::default() };
            judge_next(&release, &editions(), &chain, place(2, 200)).map(Edition::number)
        };
        assert_eq!(judge(0), Ok(1));
        assert_eq!(judge(1), Err(Violation::NotContiguous { series: Series::Version, expected: 2, found: 1 }));
    }

    #[test]
    fn visibility_is_waited_for_unless_nothing_is_added() {
        let charter = charter();
        let since = START;
        assert_eq!(visible(&charter, since, START.plus(5), None), Ok(()));
        let early = Err(Violation::NotVisible { public_for: 4, needed: 5 });
        assert_eq!(visible(&charter, since, START.plus(4), None), early);
        assert_eq!(visible(&charter, since, START.plus(4), Some(1)), early);
        assert_eq!(visible(&charter, since, START.plus(4), Some(0)), Ok(()));
        let behind = Err(Violation::NotVisible { public_for: 0, needed: 5 });
        assert_eq!(visible(&charter, since, Timestamp(0), None), behind);
    }

    #[test]
    fn signatures_are_judged_under_the_cited_edition() {
        let draft = release(|_| ());
        let judge =
            |names: &[&str]| judge(&sign_release(&draft, names), &editions(), &Before::default(), place(2, 200));
        assert_eq!(judge(&["m1", "c1", "c3"]), Ok(()));
        assert_eq!(judge(&["m1", "c1"]), Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 }));
    }
}
