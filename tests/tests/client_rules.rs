//! Publishers, and a log that admits what they sign, who break the rules of `docs/rules.md`. Every client refuses, and
//! names the rule.

use isonomy_core::charter::{Action, Charter};
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::statement::Statement;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, curator, hashes, key, sign, sign_charter};
use isonomy_tests::world::World;
use isonomy_verifier::rejection::Blame;

/// Version 1 in force at a client, at 105.
fn prepared() -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    (world, client)
}

/// Logs version 2 with two entries more, changed by `edit`.
fn edited(world: &mut World, edit: impl FnOnce(&mut Release)) {
    world.release_with(hashes(0..12), 1000, edit);
}

/// Logs version 2, signed by these people.
fn signed(world: &mut World, signers: &[&str]) {
    let draft = world.draft(hashes(0..12), 1000);
    world.log(draft, signers);
}

/// Logs version 2 with this content, and this many irregular entries as the release says.
fn with_content(world: &mut World, content: Entries, irregular: u64) {
    world.release_with(content, 1000, |release| release.irregular = irregular);
}

/// The ten entries of version 1, and this one.
fn and_entry(entry: [u8; 32]) -> Entries {
    Entries::from_unsorted(32, [hashes(0..10).as_bytes(), &entry].concat()).unwrap().0
}

fn narrow(charter: &mut Charter) {
    charter.matching.max_distance -= 1;
}

fn widen(charter: &mut Charter) {
    charter.matching.max_distance += 1;
}

fn edition_one(world: &World) -> StatementId {
    world.charters().next().unwrap().id()
}

/// Logs an edition 2 that is signed by these people.
fn edition_signed_by(world: &mut World, edit: fn(&mut Charter), signers: &[&str]) {
    let text = world.amended(edit).to_text().unwrap();
    world.append(Statement::from_note(sign(&text, signers)).unwrap());
}

/// What is logged, and the code and number of the rule that it breaks.
type Breach = (&'static str, fn(&mut World), &'static str, u8);

#[rustfmt::skip]
const RELEASES: &[Breach] = &[
    ("cites another release as previous", |w| edited(w, |r| {
        r.previous = Some(StatementId([9; 32]));
        r.deltas[0].release = StatementId([9; 32]);
    }), "previous-mismatch", 1),
    ("cites a charter that nobody logged", |w| edited(w, |r| r.charter = StatementId([9; 32])), "unknown-charter", 1),
    ("cites a charter that was logged after it", |w| {
        let later = sign_charter(&w.amended(narrow));
        edited(w, |r| r.charter = later.id());
        w.append(later);
    }, "unknown-charter", 1),
    ("cites an edition that a narrower one has replaced", |w| {
        w.edition(narrow);
        let old = edition_one(w);
        edited(w, |r| r.charter = old);
    }, "superseded-edition", 1),

    ("no maintainer", |w| signed(w, &["c1", "c3"]), "maintainer-missing", 2),
    ("too few curators", |w| signed(w, &["m1", "c1"]), "too-few-curators", 2),
    ("curators of one jurisdiction", |w| signed(w, &["m1", "c1", "c2"]), "too-few-jurisdictions", 2),
    ("a stranger's signature", |w| signed(w, &["m1", "c1", "c3", "stranger"]), "uncounted-signature", 2),
    ("one curator twice", |w| signed(w, &["m1", "c1", "c1"]), "uncounted-signature", 2),
    ("signatures out of order", |w| signed(w, &["c1", "m1", "c3"]), "uncounted-signature", 2),
    ("a curator's signature of another text", |w| {
        let draft = w.draft(hashes(0..12), 1000);
        let note = sign(&draft.release.to_text().unwrap(), &["m1", "c1"]);
        let lines = [note.signatures(), &[key("c3").sign("another text\n")]].concat();
        let note = Note::new(note.text().into(), lines).unwrap();
        w.append(Statement::from_note(note).unwrap());
    }, "wrong-signature", 2),

    ("more entries than allowed", |w| edited(w, |r| r.entries = 1001), "over-limit", 7),
    ("more additions than allowed", |w| edited(w, |r| { r.entries = 501; r.added = 501; }), "over-limit", 7),
    ("valid for too long", |w| edited(w, |r| r.expires = at(1000 + 86_401)), "over-limit", 7),
    ("created after it was public", |w| edited(w, |r| r.created = at(1001)), "created-late", 7),
    ("created before the one in force", |w| edited(w, |r| r.created = at(99)), "created-early", 7),

    ("another number of entries", |w| edited(w, |r| r.entries += 1), "count-mismatch", 8),
    ("another number of additions", |w| edited(w, |r| r.added = 1), "count-mismatch", 8),
    ("another number of removals", |w| edited(w, |r| r.removed = 1), "count-mismatch", 8),
    ("another root", |w| edited(w, |r| r.root.0[0] ^= 1), "root-mismatch", 8),
    ("irregular entries that it does not count", |w| with_content(w, and_entry([0xff; 32]), 0), "count-mismatch", 8),
    ("irregular entries that are not there", |w| with_content(w, hashes(0..12), 1), "count-mismatch", 8),
    ("an all-zero entry", |w| with_content(w, and_entry([0; 32]), 1), "forbidden-entry", 8),
];

#[test]
fn releases_that_break_a_rule_are_refused() {
    let (honest, client) = prepared();
    for (name, log, code, rule) in RELEASES {
        let (mut world, mut client) = (honest.clone(), client.clone());
        log(&mut world);
        world.publish(1000);
        world.publish(1010);
        let rejection = client.version_from(&world, 1010).expect_err(name);
        let found = (rejection.code(), rejection.rule().map(|rule| rule.number()));
        assert_eq!(found, (*code, Some(*rule)), "{name}: {rejection}");
        assert_eq!(client.state.accepted().map(|accepted| accepted.version), Some(1), "{name}");
        assert_eq!(client.list.as_ref().map(|list| list.version()), Some(1), "{name}");
        client.restart();
    }
}

#[test]
fn irregular_entries_that_are_counted_are_accepted() {
    let (mut world, mut client) = prepared();
    with_content(&mut world, and_entry([0xff; 32]), 1);
    world.publish(1000);
    world.publish(1005);
    assert_eq!(client.version_from(&world, 1005), Ok(2));
}

#[rustfmt::skip]
const EDITIONS: &[Breach] = &[
    ("an edition is left out", |w| {
        w.append(sign_charter(&w.amended(|c| c.edition = 3)));
    }, "not-contiguous", 1),
    ("cites another edition as previous", |w| {
        w.append(sign_charter(&w.amended(|c| c.previous = Some(StatementId([9; 32])))));
    }, "previous-mismatch", 1),
    ("counts in another log", |w| {
        w.edition(|c| c.log = "other.example/log".into());
    }, "other-log", 1),
    ("two texts for one edition", |w| {
        let other = sign_charter(&w.amended(narrow));
        w.edition(widen);
        w.append(other);
    }, "equivocation", 1),
    ("without the maintainer", |w| edition_signed_by(w, narrow, &["c1", "c2", "c3"]), "maintainer-missing", 2),
    ("without the curators", |w| edition_signed_by(w, narrow, &["m1", "c1"]), "too-few-curators", 2),
    ("without the curators' jurisdictions", |w| edition_signed_by(w, narrow, &["m1", "c1", "c2"]), "too-few-jurisdictions", 2),
    ("without a curator that it adds", |w| {
        edition_signed_by(w, |c| c.curation.curators.push(curator("c4", "FR")), &["m1", "c1", "c3"]);
    }, "added-key-missing", 2),
    ("by new curators without the old ones", |w| {
        let replace = |c: &mut Charter| c.curation.curators = vec![curator("c4", "DE"), curator("c5", "FR")];
        edition_signed_by(w, replace, &["m1", "c4", "c5"]);
    }, "too-few-curators", 2),
    ("without the new threshold", |w| edition_signed_by(w, |c| c.curation.threshold = 3, &["m1", "c1", "c3"]), "too-few-curators", 2),
    ("with a stranger's signature", |w| edition_signed_by(w, narrow, &["m1", "c1", "c3", "stranger"]), "uncounted-signature", 2),
    ("another algorithm", |w| {
        w.edition(|c| {
            c.matching.algorithm = Algorithm::Sha256;
            (c.matching.max_distance, c.matching.min_quality) = (0, 0);
        });
    }, "algorithm-changed", 3),
];

#[test]
fn editions_that_break_a_rule_are_refused_and_with_them_all_that_follows() {
    let (honest, client) = prepared();
    for (name, log, code, rule) in EDITIONS {
        let (mut world, mut client) = (honest.clone(), client.clone());
        log(&mut world);
        world.publish(1000);
        for client in [&mut client, &mut Client::of(&honest)] {
            assert_eq!(client.refusal(&world, 1000), (*code, Some(*rule)), "{name}");
        }
        assert_eq!(client.list.as_ref().map(|list| list.version()), Some(1), "{name}");
    }
}

#[test]
fn a_first_edition_is_signed_by_every_curator() {
    let mut world = World::default();
    edition_signed_by(&mut world, |_| (), &["m1", "c1", "c3"]);
    world.publish(0);
    assert_eq!(Client::of(&world).refusal(&world, 0), ("added-key-missing", Some(2)));
}

#[test]
fn a_bundle_that_leaves_out_an_edition_is_its_source_s_fault() {
    let (mut world, mut client) = prepared();
    world.edition(narrow);
    world.edition(narrow);
    world.publish(1000);
    world.edit_bundle(|bundle| drop(bundle.charters.remove(1)));
    let rejection = client.version_from(&world, 1000).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("not-contiguous", Blame::Source));
}

/// Rule 7. What was skipped may have added entries too, so the interval is at most as long as what is asked for here.
#[test]
fn additions_keep_their_interval_also_where_releases_were_skipped() {
    let (world, client) = prepared();
    let outcome = |releases: &[(std::ops::Range<u64>, u64)], offered: usize| {
        let (mut world, mut client) = (world.clone(), client.clone());
        let mut ids = Vec::new();
        for (content, created) in releases {
            ids.push(world.release(hashes(content.clone()), *created));
        }
        world.publish(1000);
        world.publish(1010);
        world.offer_only(&ids[offered..=offered]);
        client
            .version_from(&world, 1010)
            .map_err(|rejection| (rejection.code(), rejection.rule().map(|rule| rule.number())))
    };
    let too_soon = Err(("too-soon", Some(7)));
    assert_eq!(outcome(&[(0..12, 159)], 0), too_soon, "59 s after version 1 added entries");
    assert_eq!(outcome(&[(0..12, 160)], 0), Ok(2));
    assert_eq!(outcome(&[(0..9, 101)], 0), Ok(2), "a removal need not wait");
    assert_eq!(outcome(&[(0..9, 101), (0..12, 159)], 1), too_soon, "version 2 was skipped");
    assert_eq!(outcome(&[(0..9, 101), (0..12, 160)], 1), Ok(3));
}

/// What is remembered of additions outlives a release that only removes.
#[test]
fn the_last_addition_is_remembered_over_removals_and_restarts() {
    let (mut world, mut client) = prepared();
    world.release(hashes(0..9), 110);
    world.publish(110);
    assert_eq!(client.version_from(&world, 110), Ok(2));
    client.wipe_cache();
    world.publish(120);
    assert_eq!(client.version_from(&world, 120), Ok(2));
    client.restart();
    for (created, expected) in [(159, Err(("too-soon", Some(7)))), (160, Ok(3))] {
        let (mut world, mut client) = (world.clone(), client.clone());
        world.release(hashes(0..12), created);
        world.publish(1000);
        world.publish(1010);
        let outcome = client
            .version_from(&world, 1010)
            .map_err(|rejection| (rejection.code(), rejection.rule().map(|rule| rule.number())));
        assert_eq!(outcome, expected, "{created}");
    }
}

#[test]
fn a_narrowing_edition_binds_at_once() {
    let (mut world, mut client) = prepared();
    world.edition(|charter| charter.action.most = Action::Warn);
    world.release(hashes(0..9), 1000);
    world.publish(1000);
    let updated = client.update(&world, 1000).unwrap();
    assert_eq!((updated.list.version(), updated.list.charter().edition), (2, 2));
    assert_eq!(updated.list.charter().action.most, Action::Warn);
    let old = edition_one(&world);
    world.release_with(hashes(0..8), 1100, |release| release.charter = old);
    world.publish(1100);
    assert_eq!(client.refusal(&world, 1100), ("superseded-edition", Some(1)));
}

#[test]
fn a_widening_edition_binds_after_its_notice() {
    let (mut world, mut client) = prepared();
    world.edition(widen);
    world.publish(1000);
    let mut early = world.clone();
    early.release(hashes(0..12), 2000);
    early.publish(2000);
    early.publish(2010);
    assert_eq!(client.clone().refusal(&early, 2010), ("notice-not-over", Some(4)));
    // Waiting does not heal it: the edition must have been in force when the release became public.
    early.publish(9000);
    assert_eq!(client.clone().refusal(&early, 9000), ("notice-not-over", Some(4)));

    let old = edition_one(&world);
    world.release_with(hashes(0..12), 2000, |release| release.charter = old);
    world.publish(2000);
    world.publish(2010);
    assert_eq!(client.version_from(&world, 2010), Ok(2), "the edition in force goes on meanwhile");
    world.release(hashes(0..14), 4600);
    world.publish(4600);
    world.publish(4605);
    let updated = client.update(&world, 4605).unwrap();
    assert_eq!((updated.list.version(), updated.list.charter().edition), (3, 2));
    let first = edition_one(&world);
    world.release_with(hashes(0..15), 4700, |release| release.charter = first);
    world.publish(4700);
    world.publish(4705);
    assert_eq!(client.refusal(&world, 4705), ("superseded-edition", Some(1)), "no way back to an older edition");
}

#[test]
fn notice_is_not_laundered_through_a_pending_edition() {
    let (mut world, mut client) = prepared();
    world.edition(|charter| charter.matching.max_distance = 31);
    world.edition(|charter| charter.matching.max_distance = 28);
    world.release(hashes(0..12), 2000);
    world.publish(2000);
    world.publish(2010);
    assert_eq!(client.refusal(&world, 2010), ("notice-not-over", Some(4)));
}

/// A seen proof may come late, from a mirror or a log that lost the first one. That can only delay.
#[test]
fn a_late_seen_proof_of_an_edition_lengthens_its_notice() {
    let (mut world, client) = prepared();
    let second = world.edition(widen);
    world.publish(1000);
    world.release(hashes(0..12), 4600);
    world.publish(4600);
    world.publish(4610);
    assert_eq!(client.clone().version_from(&world, 4610), Ok(2));
    let late = world.proof(&second).to_bytes();
    world.serve(isonomy_core::resource::Resource::SeenProof(second), late);
    assert_eq!(client.clone().refusal(&world, 4610), ("notice-not-over", Some(4)));
}

#[test]
fn an_expired_release_is_not_accepted() {
    let (mut world, mut client) = prepared();
    edited(&mut world, |release| release.expires = at(1100));
    world.publish(1000);
    world.publish(1010);
    assert_eq!(client.clone().refusal(&world, 1100), ("expired", None), "by the device's clock");
    world.publish(1100);
    assert_eq!(client.refusal(&world, 0), ("expired", None), "by the witnesses' clocks");
}

#[test]
fn a_version_that_was_left_out_does_not_descend() {
    let (mut world, mut client) = prepared();
    // It is signed as version 3 and names version 1 as version 2.
    edited(&mut world, |release| {
        release.version = 3;
        release.deltas[0].from = 2;
    });
    world.publish(1000);
    world.publish(1010);
    assert_eq!(client.refusal(&world, 1010), ("not-descended", Some(1)));
}
