//! Rule 2: whose signatures a statement must carry. The lines of a logged statement are only by keys that count, one per
//! key, in the order of the charter: maintainer, then curators. For an amendment the keys of the new edition come first,
//! then those that only older editions have.

use super::{Series, Violation};
use crate::attestation::Attestation;
use crate::charter::Charter;
use crate::note::{Note, NoteError, VerifierKey};
use crate::release::Release;
use crate::statement::Signed;
use crate::time::Timestamp;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::{iter, slice};

/// How long after its creation a release is admitted, in seconds.
pub const DRAFT_LIFETIME: u64 = 24 * 3600;

/// A release carries a maintainer key of its charter, and its curators' threshold.
pub fn release(release: &Signed<Release>, charter: &Charter) -> Result<(), Violation> {
    let signers = signers(release.note(), charter.keys())?;
    approved(charter, &signers)
}

/// Whether enough curators have signed a release, whoever else has: what a maintainer, who signs last, waits for. Lines by other
/// keys are left out.
pub fn curators(release: &Signed<Release>, charter: &Charter) -> Result<(), Violation> {
    curated(charter, &found(release.note(), &counted_keys(&[charter])))
}

/// The first edition carries a maintainer key and every curator that it names.
pub fn first_edition(edition: &Signed<Charter>) -> Result<(), Violation> {
    let charter = edition.body();
    let signers = signers(edition.note(), charter.keys())?;
    approved(charter, &signers)?;
    let curators = charter.curation.curators.iter().map(|curator| &curator.key);
    all_signed(curators, &signers)
}

/// An amendment is approved under the edition before it, under the newest that is in force, and under itself; and it is
/// signed by every key that it adds (rules 2 and 3). `earlier` are the editions before it, newest first: lines by any of
/// their keys may stand there, since an edition that was in force when the log admitted this one may be over once it is public.
pub fn amendment<'c>(
    edition: &'c Signed<Charter>,
    earlier: impl Iterator<Item = &'c Charter> + Clone,
    in_force: &Charter,
) -> Result<(), Violation> {
    let charter = edition.body();
    let Some(before) = earlier.clone().next() else { return first_edition(edition) };
    let signers = signers(edition.note(), iter::once(charter).chain(earlier).flat_map(Charter::keys))?;
    approved(before, &signers)?;
    approved(in_force, &signers)?;
    satisfies_itself(charter, before, &signers)
}

/// Whether an edition has the consent that `older` asks for.
pub fn consents(older: &Charter, edition: &Signed<Charter>) -> Result<(), Violation> {
    approved(older, &found(edition.note(), &counted_keys(&[older])))
}

fn satisfies_itself(charter: &Charter, before: &Charter, signers: &[&VerifierKey]) -> Result<(), Violation> {
    approved(charter, signers)?;
    let known = |key: &&VerifierKey| before.keys().any(|old| old.public_bytes() == key.public_bytes());
    all_signed(charter.keys().filter(|key| !known(key)), signers)
}

/// What an amendment lacks whichever edition is in force: the consent of the edition before it, its own, and the keys that it
/// adds. Lines by other keys are left out, since they may count under the edition that is in force.
pub fn consent(edition: &Signed<Charter>, before: &Charter) -> Result<(), Violation> {
    let charter = edition.body();
    let signers = found(edition.note(), &counted_keys(&[charter, before]));
    approved(before, &signers)?;
    satisfies_itself(charter, before, &signers)
}

/// Whether a release is a text for its version (rule 1): it cites this charter, which is of its list, and carries the
/// signatures that it asks for. Whoever compares two texts goes by this, and by [`edition_after`].
pub fn release_under(text: &Signed<Release>, charter: &Signed<Charter>) -> Result<(), Violation> {
    let (body, terms) = (text.body(), charter.body());
    if body.charter != charter.id() {
        return Err(Violation::UnknownCharter { id: body.charter });
    }
    if body.list != terms.list {
        return Err(Violation::OtherList { expected: terms.list.clone(), found: body.list.clone() });
    }
    release(text, terms)
}

/// Whether an edition is a text for its number (rule 1): the first one, or the one after `before`, of the same list and log,
/// and consented to by it. What rule 3 asks for beside that, while `before` isn't in force, depends on since when it is.
pub fn edition_after(edition: &Signed<Charter>, before: Option<&Signed<Charter>>) -> Result<(), Violation> {
    let (new, series) = (edition.body(), Series::Edition);
    let expected = before.map_or(1, |before| before.body().edition.saturating_add(1));
    if new.edition != expected {
        return Err(Violation::NotContiguous { series, expected, found: new.edition });
    }
    if new.previous != before.map(Signed::id) {
        return Err(Violation::PreviousMismatch { series, number: new.edition });
    }
    let Some(old) = before.map(Signed::body) else { return first_edition(edition) };
    if new.list != old.list {
        return Err(Violation::OtherList { expected: old.list.clone(), found: new.list.clone() });
    }
    if new.log != old.log {
        return Err(Violation::OtherLog { charter: new.log.clone(), log: old.log.clone() });
    }
    // Lines by keys of older editions may stand there, which are not at hand.
    consent(edition, old)
}

/// An attestation is signed by the auditor that it names, alone.
pub fn attestation(attestation: &Signed<Attestation>) -> Result<(), Violation> {
    let auditor = &attestation.body().auditor;
    if signers(attestation.note(), iter::once(auditor))?.is_empty() {
        return Err(Violation::AuditorMissing { name: auditor.name().to_string() });
    }
    Ok(())
}

/// A release is admitted from its creation until 24 hours later.
pub fn admissible_at(release: &Release, at: Timestamp) -> Result<(), Violation> {
    if release.created > at {
        return Err(Violation::CreatedLate { created: release.created, at });
    }
    if at.since(release.created) > DRAFT_LIFETIME {
        return Err(Violation::StaleDraft { created: release.created, at });
    }
    Ok(())
}

/// The keys that count under any of `charters`, each once, in order.
pub fn counted_keys<'c>(charters: &[&'c Charter]) -> Vec<&'c VerifierKey> {
    let mut keys: Vec<&VerifierKey> = Vec::new();
    for key in charters.iter().flat_map(|charter| charter.keys()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The keys that signed, if every line is by a key that counts, one per key, in the order of their first places. Nobody goes
/// further than the lines ask for: there may be thousands of keys.
fn signers<'k>(
    note: &Note,
    counted: impl Iterator<Item = &'k VerifierKey> + Clone,
) -> Result<Vec<&'k VerifierKey>, Violation> {
    let mut remaining = counted.clone().enumerate();
    let mut signers = Vec::new();
    for line in note.signatures() {
        let is_first = |at: usize, key: &VerifierKey| counted.clone().take(at).all(|earlier| earlier != key);
        let found = remaining.find(|(at, key)| key.matches(line) && is_first(*at, key));
        let Some((_, key)) = found else {
            return Err(Violation::UncountedSignature { name: line.name.clone() });
        };
        match note.signers(slice::from_ref(key)) {
            Err(NoteError::WrongSignature(name)) => return Err(Violation::WrongSignature { name }),
            _ => signers.push(key),
        }
    }
    Ok(signers)
}

/// The keys that signed, in their order; other lines, and what order they have, don't matter.
fn found<'k>(note: &Note, counted: &[&'k VerifierKey]) -> Vec<&'k VerifierKey> {
    let has_signed =
        |key: &&&VerifierKey| note.signers(slice::from_ref(**key)).is_ok_and(|signers| !signers.is_empty());
    counted.iter().filter(has_signed).copied().collect()
}

fn has_signed(signers: &[&VerifierKey], key: &VerifierKey) -> bool {
    signers.iter().any(|signer| signer.public_bytes() == key.public_bytes())
}

/// Whether `signers` are what `charter` asks for.
fn approved(charter: &Charter, signers: &[&VerifierKey]) -> Result<(), Violation> {
    if !charter.maintainer.keys.iter().any(|key| has_signed(signers, key)) {
        return Err(Violation::MaintainerMissing { under: charter.edition });
    }
    curated(charter, signers)
}

/// Whether the curators among `signers` are enough, from enough jurisdictions.
fn curated(charter: &Charter, signers: &[&VerifierKey]) -> Result<(), Violation> {
    let under = charter.edition;
    let curators = charter.curation.curators.iter().filter(|curator| has_signed(signers, &curator.key));
    let mut jurisdictions: Vec<&str> = curators.map(|curator| curator.jurisdiction.country()).collect();
    let (have, need) = (jurisdictions.len() as u64, charter.curation.threshold);
    if have < need {
        return Err(Violation::TooFewCurators { have, need, under });
    }
    jurisdictions.sort();
    jurisdictions.dedup();
    let (have, need) = (jurisdictions.len() as u64, charter.curation.min_jurisdictions);
    if have < need {
        return Err(Violation::TooFewJurisdictions { have, need, under });
    }
    Ok(())
}

fn all_signed<'k>(mut keys: impl Iterator<Item = &'k VerifierKey>, signers: &[&VerifierKey]) -> Result<(), Violation> {
    match keys.find(|key| !signers.contains(key)) {
        Some(key) => Err(Violation::AddedKeyMissing { name: key.name().to_string() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{charter, key, release_of, sign_charter, sign_release};
    use crate::statement::{ListName, Statement};

    #[test]
    fn a_release_needs_maintainer_and_threshold_from_enough_jurisdictions() {
        let charter = charter();
        let draft = release_of(&charter, 1);
        let judge = |names: &[&str]| release(&sign_release(&draft, names), &charter);
        assert_eq!(judge(&["m1", "c1", "c3"]), Ok(()));
        assert_eq!(judge(&["m2", "c1", "c2", "c3"]), Ok(()));
        assert_eq!(judge(&["c1", "c3"]), Err(Violation::MaintainerMissing { under: 1 }));
        assert_eq!(judge(&["m1", "c1"]), Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 }));
        assert_eq!(judge(&["m1", "c1", "c2"]), Err(Violation::TooFewJurisdictions { have: 1, need: 2, under: 1 }));
        let uncounted = |name: &str| Err(Violation::UncountedSignature { name: name.into() });
        assert_eq!(judge(&["m1", "c1", "c3", "stranger"]), uncounted("stranger"));
        assert_eq!(judge(&["m1", "c1", "c1", "c3"]), uncounted("c1"));
        assert_eq!(judge(&["c1", "m1", "c3"]), uncounted("m1"));
    }

    #[test]
    fn what_a_maintainer_waits_for_is_the_curators_whoever_else_has_signed() {
        let charter = charter();
        let draft = release_of(&charter, 1);
        let judge = |names: &[&str]| curators(&sign_release(&draft, names), &charter);
        for enough in [&["c1", "c3"][..], &["m1", "c1", "c3"], &["c3", "c1"], &["c3", "stranger", "m1", "c2", "c1"]] {
            assert_eq!(judge(enough), Ok(()), "{enough:?}");
        }
        let too_few = |have| Err(Violation::TooFewCurators { have, need: 2, under: 1 });
        assert_eq!(judge(&[]), too_few(0));
        assert_eq!(judge(&["m1", "m2"]), too_few(0), "a maintainer is no curator");
        assert_eq!(judge(&["c1", "c1", "stranger"]), too_few(1));
        assert_eq!(judge(&["c1", "c2"]), Err(Violation::TooFewJurisdictions { have: 1, need: 2, under: 1 }));
        let signed = sign_release(&draft, &["c1", "c3"]);
        let mut lines = signed.note().signatures().to_vec();
        lines[1].bytes[5] ^= 1;
        let forged = Statement::from_note(signed.note().with_signatures(lines)).unwrap().into_release().unwrap();
        assert_eq!(curators(&forged, &charter), too_few(1));
    }

    #[test]
    fn a_wrong_signature_by_a_key_that_counts_is_named() {
        let charter = charter();
        let signed = sign_release(&release_of(&charter, 1), &["m1", "c1", "c3"]);
        let mut lines = signed.note().signatures().to_vec();
        lines[1].bytes[5] ^= 1;
        let note = Note::new(signed.note().text().into(), lines).unwrap();
        let tampered = Statement::from_note(note).unwrap().into_release().unwrap();
        assert_eq!(release(&tampered, &charter), Err(Violation::WrongSignature { name: "c1".into() }));
    }

    #[test]
    fn the_first_edition_needs_every_curator() {
        let charter = charter();
        assert_eq!(first_edition(&sign_charter(&charter, &["m1", "c1", "c2", "c3"])), Ok(()));
        let missing = Err(Violation::AddedKeyMissing { name: "c2".into() });
        assert_eq!(first_edition(&sign_charter(&charter, &["m1", "c1", "c3"])), missing);
    }

    #[test]
    fn an_amendment_needs_the_old_threshold_the_new_one_and_every_added_key() {
        let old = charter();
        let mut new = charter();
        new.edition = 2;
        new.previous = Some(crate::hash::StatementId([0; 32]));
        new.curation.curators[0].key = key("c4").verifier().clone();
        let judge = |names: &[&str]| amendment(&sign_charter(&new, names), iter::once(&old), &old);
        assert_eq!(judge(&["m1", "c4", "c2", "c3"]), Ok(()), "c2 and c3 consent under both");
        assert_eq!(judge(&["m1", "c4", "c3", "c1"]), Ok(()), "c1 and c3 under the old, c4 and c3 under the new");
        let added = Err(Violation::AddedKeyMissing { name: "c4".into() });
        assert_eq!(judge(&["m1", "c2", "c3"]), added);
        assert_eq!(judge(&["m1", "c4", "c3"]), Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 }));
    }

    #[test]
    fn what_an_amendment_lacks_whichever_edition_is_in_force() {
        let old = charter();
        let mut new = Charter { edition: 2, previous: Some(crate::hash::StatementId([0; 32])), ..charter() };
        new.curation.curators[0].key = key("c4").verifier().clone();
        let judge = |names: &[&str]| consent(&sign_charter(&new, names), &old);
        assert_eq!(judge(&["m1", "c4", "c2", "c3"]), Ok(()));
        assert_eq!(judge(&["c5", "c3", "c4", "m1", "c2"]), Ok(()), "c5 may count under another edition");
        assert_eq!(judge(&["m1", "c4", "c3"]), Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 }));
        assert_eq!(judge(&["m1", "c2", "c3"]), Err(Violation::AddedKeyMissing { name: "c4".into() }));
        assert_eq!(judge(&["c4", "c2", "c3"]), Err(Violation::MaintainerMissing { under: 1 }));
    }

    /// Edition 2, which is pending, has c4 and c5 in place of c1 and c2; edition 3 would bring c1 back.
    #[test]
    fn an_amendment_of_a_pending_edition_needs_that_one_s_threshold_and_the_one_s_in_force() {
        let in_force = charter();
        let mut pending = Charter { edition: 2, previous: Some(crate::hash::StatementId([1; 32])), ..charter() };
        pending.curation.curators[0].key = key("c4").verifier().clone();
        pending.curation.curators[1].key = key("c5").verifier().clone();
        let mut third = Charter { edition: 3, ..pending.clone() };
        third.curation.curators[1].key = key("c1").verifier().clone();
        let earlier = [&pending, &in_force];
        let judge = |names: &[&str]| amendment(&sign_charter(&third, names), earlier.into_iter(), &in_force);
        assert_eq!(judge(&["m1", "c4", "c1", "c3"]), Ok(()));
        let too_few = |under| Err(Violation::TooFewCurators { have: 1, need: 2, under });
        assert_eq!(judge(&["m1", "c1", "c3"]), too_few(2), "c1 counts under editions 1 and 3");
        assert_eq!(judge(&["m1", "c4", "c3"]), too_few(1), "c4 counts under editions 2 and 3");
    }

    #[test]
    fn a_text_for_a_version_cites_the_charter_beside_which_it_is_judged() {
        let (charter, signers) = (sign_charter(&charter(), &["m1", "c1", "c2", "c3"]), ["m1", "c1", "c3"]);
        let text = release_of(charter.body(), 1);
        assert_eq!(release_under(&sign_release(&text, &signers), &charter), Ok(()));
        let weak = Violation::TooFewCurators { have: 1, need: 2, under: 1 };
        assert_eq!(release_under(&sign_release(&text, &["m1", "c1"]), &charter), Err(weak));
        let other = Charter { log: "log.example/other".into(), ..charter.body().clone() };
        let unknown = Violation::UnknownCharter { id: charter.id() };
        assert_eq!(release_under(&sign_release(&text, &signers), &sign_charter(&other, &["m1"])), Err(unknown));
        let elsewhere = Release { list: ListName::new("hotline.example/other").unwrap(), ..text };
        let list = Violation::OtherList { expected: charter.body().list.clone(), found: elsewhere.list.clone() };
        assert_eq!(release_under(&sign_release(&elsewhere, &signers), &charter), Err(list));
    }

    #[test]
    fn a_text_for_an_edition_is_the_one_after_the_edition_beside_which_it_is_judged() {
        let (first, all) = (charter(), ["m1", "c1", "c2", "c3"]);
        let before = sign_charter(&first, &all);
        let next = Charter { edition: 2, previous: Some(before.id()), ..first.clone() };
        let judge = |edition: &Charter, before| edition_after(&sign_charter(edition, &all), before);
        assert_eq!([judge(&first, None), judge(&next, Some(&before))], [Ok(()), Ok(())]);
        let few = Violation::TooFewCurators { have: 1, need: 2, under: 1 };
        assert_eq!(edition_after(&sign_charter(&next, &["m1", "c1"]), Some(&before)), Err(few));
        let gap = |expected, found| Err(Violation::NotContiguous { series: Series::Edition, expected, found });
        assert_eq!(judge(&next, None), gap(1, 2));
        assert_eq!(judge(&Charter { edition: 3, ..next.clone() }, Some(&before)), gap(2, 3));
        let cites_another = Charter { previous: Some(crate::hash::StatementId([7; 32])), ..next.clone() };
        let mismatch = Violation::PreviousMismatch { series: Series::Edition, number: 2 };
        assert_eq!(judge(&cites_another, Some(&before)), Err(mismatch));
        let list = Charter { list: ListName::new("hotline.example/other").unwrap(), ..next.clone() };
        let expected = Violation::OtherList { expected: first.list.clone(), found: list.list.clone() };
        assert_eq!(judge(&list, Some(&before)), Err(expected));
        let log = Charter { log: "log.example/other".into(), ..next };
        let expected = Violation::OtherLog { charter: log.log.clone(), log: first.log };
        assert_eq!(judge(&log, Some(&before)), Err(expected));
    }

    #[test]
    fn a_draft_is_admitted_for_a_day() {
        let charter = charter();
        let release = release_of(&charter, 1);
        let created = release.created;
        assert_eq!(admissible_at(&release, created), Ok(()));
        assert_eq!(admissible_at(&release, created.plus(86_400)), Ok(()));
        let late = created.plus(86_401);
        assert_eq!(admissible_at(&release, late), Err(Violation::StaleDraft { created, at: late }));
        let early = Timestamp(created.0 - 1);
        assert_eq!(admissible_at(&release, early), Err(Violation::CreatedLate { created, at: early }));
    }
}
