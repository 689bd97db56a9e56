//! Policies that ask for a client that reads the whole log itself.

use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::list::snapshot;
use isonomy_core::release::{DeltaRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{MAX_ENTRY_SIZE, TileKind, TilePath, encode_entries, parse_entries};
use isonomy_tests::client::Client;
use isonomy_tests::people::{SIGNERS, at, curator, hashes, sign, sign_charter};
use isonomy_tests::world::{Draft, World};
use isonomy_verifier::list::ReopenError;
use isonomy_verifier::policy::PolicyBreach;
use isonomy_verifier::rejection::Blame;
use isonomy_verifier::{Evidence, Policy, Rejection, VerifiedList};

fn complete(world: &World) -> Client {
    let text = world.policy_text() + "\n[audit]\ncomplete = true\n";
    Client::with(Policy::parse(text.as_bytes()).unwrap())
}

fn newest(world: &World) -> StatementId {
    world.releases().last().unwrap().id()
}

/// Logs another text for the newest version, with other content.
fn second_text(world: &mut World, signers: &[&str]) -> StatementId {
    let release = world.releases().last().unwrap().body().clone();
    let content = hashes(100..100 + release.entries);
    let snapshot = world.object(snapshot::encode(&content));
    world.log(Draft { release: Release { root: content.root(), snapshot, ..release }, content }, signers)
}

fn entries_tile(width: u16) -> Resource {
    Resource::Tile(TilePath::new(TileKind::Entries, 0, width).unwrap())
}

/// Whoever may write to the log could otherwise stop everybody who reads it.
#[test]
fn a_second_text_for_an_edition_without_consent_stops_no_reader() {
    let mut world = World::with_release();
    let text = world.amended(|charter| charter.matching.max_distance = 31).to_text().unwrap();
    let alone = world.append(Statement::from_note(sign(&text, &["m1"])).unwrap());
    world.publish(110);
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != alone));
    assert_eq!(complete(&world).version_from(&world, 110), Ok(1));
}

/// Edition 2, pending until 3710, has c4 in the place of c1. c3 and c4 may decide under it, not under edition 1: so until then
/// what they alone sign is no edition 3 by its time. But whoever shows proofs can show later ones, by which the edition before seems to
/// wait still; and no honest log holds such a text. So a reader takes it for what it may be, and refuses to be shown less.
#[test]
fn a_reader_refuses_to_go_without_what_the_edition_before_consents_to_whenever_that_is_in_force() {
    let after_notice = 110 + 3600;
    for (what, with_third, logged_at, expected) in [
        ("an edition 3 too early", false, 200, ("malformed", None)),
        ("an edition 3 that is left out", false, after_notice, ("malformed", None)),
        ("a second edition 3 too early", true, 200, ("equivocation", Some(1))),
        ("a second edition 3", true, after_notice, ("equivocation", Some(1))),
    ] {
        let is_early = logged_at < after_notice;
        let mut world = World::with_release();
        world.edition(|charter| charter.curation.curators[0] = curator("c4", "DE"));
        world.publish(110);
        let text = world.amended(|charter| charter.matching.max_distance = 20).to_text().unwrap();
        if with_third {
            world.edition(|charter| charter.matching.max_distance = 22);
        }
        world.publish(120);
        let alone = world.append(Statement::from_note(sign(&text, &["m1", "c4", "c3"])).unwrap());
        for time in [logged_at, logged_at + 1000] {
            world.publish(time);
        }
        let shown = world.clone();
        world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != alone));
        let mut client = complete(&world);
        assert_eq!(client.refusal(&world, logged_at + 1000), expected, "{what}");
        assert!(!client.asked.contains(&Resource::SeenProof(alone)), "{what}: since when it is public does not matter");
        let refused_for = match (with_third, is_early) {
            (false, false) => continue, // it is an edition
            (false, true) => ("too-few-curators", Some(2)),
            (true, true) => ("not-contiguous", Some(1)),
            (true, false) => ("equivocation", Some(1)),
        };
        let refusal = Client::of(&shown).refusal(&shown, logged_at + 1000);
        assert_eq!(refusal, refused_for, "{what}, shown to a light client");
    }
}

/// Logs an edition 2 that replaces a curator, and an edition 3, signed by its own alone once that is in force, which narrows. Gives
/// their identities.
fn narrow(world: &mut World) -> [StatementId; 2] {
    let second = world.edition(|charter| charter.curation.curators[0] = curator("c4", "DE"));
    world.publish(110);
    let text = world.amended(|charter| charter.matching.max_distance = 20).to_text().unwrap();
    let third = world.append(Statement::from_note(sign(&text, &["m1", "c4", "c3"])).unwrap());
    world.publish(5000);
    [second, third]
}

/// Logs version 2, under edition 3.
fn release_under_third(world: &mut World) {
    let draft = world.draft(hashes(0..12), 6000);
    world.log(draft, &["m1", "c4", "c3"]);
    world.publish(6000);
    world.publish(6010);
}

/// A mirror without a key: it leaves edition 3 out, with the release under it, and proves both editions by the newest checkpoint, so
/// that edition 2 seems to wait.
fn without_third(world: &World, [second, third]: [StatementId; 2], is_stripped: bool) -> World {
    let (mut mirror, newest) = (world.clone(), newest(world));
    for id in [second, third] {
        let mut proof = world.proof(&id);
        if is_stripped {
            proof.checkpoint = proof.checkpoint.without_cosignatures(world.policy().log());
        }
        mirror.serve(Resource::SeenProof(id), proof.to_bytes());
    }
    mirror.edit_bundle(|bundle| {
        bundle.charters.retain(|charter| charter.id != third);
        bundle.releases.retain(|release| release.id != newest);
    });
    mirror
}

#[test]
fn late_proofs_hide_no_edition_from_a_reader() {
    let mut world = World::with_release();
    let mut has_read = complete(&world);
    assert_eq!(has_read.version_from(&world, 105), Ok(1));
    let editions = narrow(&mut world);
    assert_eq!(
        has_read.version_from(&world, 5000),
        Ok(1),
        "it has read edition 3, and version 1 is in force since before"
    );
    assert!(has_read.state.knows_edition(&editions[1]));
    release_under_third(&mut world);
    for is_stripped in [false, true] {
        let mirror = without_third(&world, editions, is_stripped);
        let [is_in_log, is_known] = ["edition", "charter"].map(|word| format!("without the {word} {}", editions[1]));
        for (mut client, why) in [(complete(&world), is_in_log), (has_read.clone(), is_known)] {
            let refused = client.update(&mirror, 6010).unwrap_err();
            let words = refused.to_string();
            assert_eq!(refused.code(), "malformed");
            assert!(words.contains(&why), "{words}");
            assert_eq!(client.version_from(&world, 6010), Ok(2), "the log itself is believed after that");
        }
    }
}

/// No update came to its end under edition 3, but the log was read beyond it.
#[test]
fn what_was_read_in_an_update_that_was_refused_is_not_hidden_from_the_next() {
    let mut world = World::founded();
    let founding = world.charters().next().unwrap().id();
    let second = world.edition(|charter| charter.curation.curators[0] = curator("c4", "DE"));
    world.publish(110);
    world.release_with(hashes(0..10), 4990, |release| release.charter = founding);
    let text = world.amended(|charter| charter.matching.max_distance = 20).to_text().unwrap();
    let third = world.append(Statement::from_note(sign(&text, &["m1", "c4", "c3"])).unwrap());
    world.publish(5000);
    let mut client = complete(&world);
    assert_eq!(client.refusal(&world, 5000), ("not-visible", Some(5)));
    assert_eq!(client.state.read().and_then(|read| read.edition), Some(third));
    assert!(!client.state.knows_edition(&third));
    release_under_third(&mut world);
    let refused = client.update(&without_third(&world, [second, third], false), 6010).unwrap_err().to_string();
    assert!(refused.contains(&format!("without the edition {third}, which is in the log")), "{refused}");
    assert_eq!(client.version_from(&world, 6010), Ok(2));
}

/// The app asked for a reader, then for none, then for one again: what was accepted in between was read by nobody.
#[test]
fn what_was_accepted_unread_is_not_opened_by_an_app_that_asks_for_a_reader() {
    let mut world = World::with_release();
    let mut client = complete(&world);
    let policy = client.policy.clone();
    client.update(&world, 105).unwrap();
    client.restart();
    client.policy = world.policy();
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    assert_eq!(client.version_from(&world, 205), Ok(2));
    let kept = client.list.clone().unwrap();
    let (charter, release) = (kept.signed_charter().to_bytes(), kept.signed_release().to_bytes());
    let opened = VerifiedList::reopen(&policy, &client.state, &charter, &release, kept.entries().clone());
    assert!(matches!(opened, Err(ReopenError::Policy(PolicyBreach::Unread))), "{opened:?}");
    client.policy = policy;
    assert_eq!(client.version_from(&world, 205), Ok(2));
    client.restart();
}

#[test]
fn a_complete_client_reads_every_entry_once() {
    let mut world = World::with_release();
    let mut client = complete(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    assert!(client.asked.contains(&entries_tile(2)));
    assert_eq!(client.state.read().unwrap().size.0, 2);
    client.update(&world, 105).unwrap();
    assert!(!client.asked.contains(&entries_tile(2)), "nothing is new");
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(1005);
    assert_eq!(client.version_from(&world, 1005), Ok(2));
    assert_eq!(client.state.read().unwrap().size.0, 3);
    let kept: Vec<u64> = client.state.read().unwrap().releases.iter().map(|release| release.version).collect();
    assert_eq!(kept, [1, 2], "from the release that was in force when it was read");
    client.restart();
    assert!(!Client::of(&world).policy.audit().complete, "others don't ask for entries");
}

/// A client that is far behind, or whose source withholds the content, remembers no more of the log than what was offered.
#[test]
fn what_was_read_is_kept_as_far_as_it_was_offered() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = complete(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    for version in 2..=40 {
        world.release(hashes(0..10 + version), 100 * version);
        world.publish(100 * version);
    }
    world.publish(4005);
    let mut withholding = world.clone();
    let newest = world.releases().last().unwrap().body().snapshot.sha256;
    let deltas: Vec<_> = world.releases().last().unwrap().body().deltas.iter().map(|delta| delta.sha256).collect();
    deltas.into_iter().chain([newest]).for_each(|object| withholding.withhold(Resource::Object(object)));
    assert_eq!(client.version_from(&withholding, 4005).unwrap_err().code(), "unavailable");
    let kept = |client: &Client| -> Vec<u64> {
        client.state.read().unwrap().releases.iter().map(|release| release.version).collect()
    };
    assert_eq!(kept(&client), [1, 40], "the one in force and the one that was offered");
    client.restart();
    assert_eq!(client.version_from(&world, 4005), Ok(40));
    // What lies between is found all the same, by reading once more.
    let second = {
        let body = world.releases().nth(19).unwrap().body().clone();
        let other = Release { created: body.created.plus(1), ..body };
        world.append(Statement::from_note(sign(&other.to_text().unwrap(), &["m1", "c1", "c3"])).unwrap())
    };
    world.publish(4100);
    world.publish(4105);
    let rejection = client.version_from(&world, 4105).unwrap_err();
    assert!(
        matches!(&rejection, Rejection::Entry { violation: Violation::Equivocation { number: 20, second: found, .. }, .. } if *found == second),
        "{rejection}"
    );
}

/// A second text for the version in force, logged after it: a light client that has the first one goes on, a new one may
/// be shown the second one. A complete client refuses both, and says who answers.
#[test]
fn a_complete_client_refuses_two_texts_for_one_version() {
    for (signers, accused) in [(["m1", "c1", "c3"], vec!["m1", "c1", "c3"]), (["m2", "c2", "c3"], vec!["c3"])] {
        let mut world = World::with_release();
        let first = newest(&world);
        let mut holder = complete(&world);
        assert_eq!(holder.version_from(&world, 105), Ok(1));
        let second = second_text(&mut world, &signers);
        world.publish(200);
        world.publish(205);
        let mut for_one = world.clone();
        for_one.offer_only(&[second]);
        world.offer_only(&[first]);
        assert_eq!(Client::of(&world).version_from(&world, 205), Ok(1), "a light client knows no better");
        assert_eq!(Client::of(&for_one).version_from(&for_one, 205), Ok(1), "nor does the other one");
        for world in [&world, &for_one] {
            for client in [&mut complete(world), &mut holder.clone()] {
                let rejection = client.version_from(world, 205).unwrap_err();
                let violation = Violation::Equivocation { series: Series::Version, number: 1, first, second };
                let Rejection::Entry { index, violation: found, evidence: Some(evidence) } = &rejection else {
                    panic!("{rejection}")
                };
                assert_eq!((index.0, found, rejection.blame()), (2, &violation, Blame::Publisher));
                assert_eq!(evidence.verify(&world.trust()).unwrap().names(), accused);
                assert_eq!(client.version_from(world, 206).unwrap_err().code(), "equivocation", "for good");
            }
        }
        assert_eq!(holder.list.as_ref().map(VerifiedList::version), Some(1), "the last good list stays");
    }
}

/// What was read is forgotten but for its right edge; a second text for a version from long ago is found all the same.
#[test]
fn a_second_text_for_an_old_version_is_found_by_reading_once_more() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let first = world.release(hashes(0..10), 100);
    let body = world.releases().last().unwrap().body().clone();
    for version in 2..=5 {
        world.release(hashes(0..10 + version), 100 * version);
    }
    world.publish(500);
    world.publish(505);
    let mut client = complete(&world);
    assert_eq!(client.version_from(&world, 505), Ok(5));
    assert_eq!(client.state.read().unwrap().releases.len(), 1);
    let other = Release { created: body.created.plus(1), ..body };
    let note = sign(&other.to_text().unwrap(), &["m1", "c1", "c3"]);
    let second = world.append(Statement::from_note(note).unwrap());
    world.publish(600);
    world.publish(605);
    let newest = world.releases().nth(4).unwrap().id();
    world.offer_only(&[newest]);
    let rejection = client.version_from(&world, 605).unwrap_err();
    let violation = Violation::Equivocation { series: Series::Version, number: 1, first, second };
    assert!(matches!(&rejection, Rejection::Entry { violation: found, .. } if *found == violation), "{rejection}");
    assert!(matches!(rejection.evidence(), Some(Evidence::Equivocation(_))));
}

#[test]
fn a_text_that_its_signers_did_not_sign_is_no_second_text() {
    let mut world = World::with_release();
    let first = newest(&world);
    for signers in [&["m1", "c1"][..], &["c1", "c3"], &["stranger"]] {
        second_text(&mut world, signers);
    }
    world.publish(200);
    world.publish(205);
    world.offer_only(&[first]);
    assert_eq!(complete(&world).version_from(&world, 205), Ok(1));
}

/// The same text twice is the log's breach. It splits no list, as long as all take it for the one at the first place.
#[test]
fn a_text_that_is_logged_twice_counts_at_its_first_place() {
    let mut world = World::with_release();
    let first = world.statement(&newest(&world)).clone();
    world.append(first.clone());
    world.publish(200);
    world.publish(205);
    assert_eq!(complete(&world).version_from(&world, 205), Ok(1));
    let again = world.proof_at(2);
    world.edit_bundle(|bundle| {
        bundle.releases[0].index = again.index;
        bundle.releases[0].path = again.path;
    });
    world.serve(Resource::SeenProof(first.id()), world.proof_at(2).to_bytes());
    assert_eq!(complete(&world).refusal(&world, 205), ("already-logged", Some(1)));
}

/// The same for an edition.
#[test]
fn an_edition_that_is_logged_twice_counts_at_its_first_place() {
    let mut world = World::with_release();
    let founding = world.statements()[0].clone();
    world.append(founding.clone());
    world.publish(200);
    world.publish(205);
    let again = world.proof_at(2);
    world.edit_bundle(|bundle| bundle.charters.truncate(1));
    assert_eq!(complete(&world).version_from(&world, 205), Ok(1));
    world.edit_bundle(|bundle| {
        bundle.charters.truncate(1);
        bundle.charters[0].index = again.index;
        bundle.charters[0].path = again.path.clone();
    });
    world.serve(Resource::SeenProof(founding.id()), again.to_bytes());
    assert_eq!(complete(&world).refusal(&world, 205), ("already-logged", Some(1)));
}

#[test]
fn a_complete_client_refuses_two_texts_for_one_edition() {
    let mut world = World::with_release();
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    let narrow = |charter: &mut Charter| charter.matching.max_distance = 20;
    let other = world.amended(|charter| charter.matching.max_distance = 22);
    let first = world.edition(narrow);
    let second = world.append(sign_charter(&other));
    world.publish(1000);
    world.publish(1005);
    let mut for_one = world.clone();
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != second));
    for_one.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != first));
    for (name, world) in [("first", &world), ("second", &for_one)] {
        assert!(Client::of(world).update(world, 1005).is_ok(), "{name}: a light client knows no better");
        for client in [&mut complete(world), &mut holder.clone()] {
            let rejection = client.version_from(world, 1005).unwrap_err();
            let violation = Violation::Equivocation { series: Series::Edition, number: 2, first, second };
            assert!(
                matches!(&rejection, Rejection::Entry { violation: found, .. } if *found == violation),
                "{rejection}"
            );
            let evidence = rejection.evidence().expect("a proof for anybody");
            assert!(matches!(evidence, Evidence::TwoEditions(_)));
            assert_eq!(evidence.verify(&world.trust()).unwrap().names(), ["log.example/isonomy"], "{name}");
        }
    }
}

/// Of several the first is told. Who pins the later one of two texts has read both.
#[test]
fn the_first_second_text_is_told_unless_the_developer_has_read_it() {
    let mut world = World::with_release();
    let texts =
        [22, 20, 18].map(|distance| sign_charter(&world.amended(|charter| charter.matching.max_distance = distance)));
    let ids = texts.map(|text| world.append(text));
    world.publish(1000);
    world.publish(1005);
    let show = |world: &World, shown: StatementId| {
        let mut world = world.clone();
        world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.index.0 == 0 || charter.id == shown));
        world
    };
    let first = show(&world, ids[0]);
    let rejection = complete(&first).version_from(&first, 1005).unwrap_err();
    assert!(matches!(&rejection, Rejection::Entry { index, .. } if index.0 == 3), "{rejection}");
    let last = show(&world, ids[2]);
    let founding = world.charters().next().unwrap().id().to_hex();
    let text = world.policy_text().replace(&founding, &ids[2].to_hex()) + "\n[audit]\ncomplete = true\n";
    let mut pinning = Client::with(Policy::parse(text.as_bytes()).unwrap());
    assert_eq!(pinning.version_from(&last, 1005), Ok(1));
}

/// Of a charter and a release, too.
#[test]
fn of_two_breaches_the_first_in_the_log_is_told() {
    for is_charter_first in [true, false] {
        let mut world = World::with_release();
        let [shown, other] =
            [22, 20].map(|distance| sign_charter(&world.amended(|charter| charter.matching.max_distance = distance)));
        world.append(shown);
        if is_charter_first {
            world.append(other.clone());
        }
        second_text(&mut world, &SIGNERS);
        if !is_charter_first {
            world.append(other.clone());
        }
        world.publish(1000);
        world.edit_bundle(|bundle| {
            bundle.charters.retain(|charter| charter.id != other.id());
            bundle.releases.truncate(1);
        });
        let rejection = complete(&world).version_from(&world, 1000).unwrap_err();
        assert!(matches!(&rejection, Rejection::Entry { index, .. } if index.0 == 3), "{rejection}");
    }
}

/// A log holds many lists. What bears another one's name is no text of this one, whoever has signed it.
#[test]
fn what_is_of_another_list_counts_for_nothing() {
    let mut world = World::with_release();
    let (first, other) = (newest(&world), ListName::new("other.example/images").unwrap());
    let founding = Charter { list: other.clone(), ..world.charters().next().unwrap().body().clone() };
    world.append(sign_charter(&founding));
    world.publish(110);
    assert_eq!(complete(&world).version_from(&world, 110), Ok(1), "a first edition");
    world.release_with(hashes(0..12), 200, |release| release.list = other);
    world.publish(200);
    world.publish(205);
    world.offer_only(&[first]);
    assert_eq!(complete(&world).version_from(&world, 205), Ok(1), "a release under this list's charter");
}

/// An app goes on after an equivocation once its developer has looked at it and pins a later edition.
#[test]
fn what_came_before_the_pinned_edition_is_the_developer_s_to_know() {
    let mut world = World::with_release();
    let mut draft = world.draft(hashes(0..12), 1000);
    second_text(&mut world, &["m1", "c1", "c3"]);
    let pinned = world.edition(|charter| charter.record.legality.foreseeability = Some("Looked into.".into()));
    world.publish(200);
    draft.release.charter = pinned;
    world.log(draft, &["m1", "c1", "c3"]);
    world.publish(1000);
    world.publish(1005);
    world.offer_only(&[newest(&world)]);
    assert_eq!(complete(&world).refusal(&world, 1005), ("equivocation", Some(1)));
    let old = world.charters().next().unwrap().id().to_hex();
    let text = world.policy_text().replace(&old, &pinned.to_hex()) + "\n[audit]\ncomplete = true\n";
    let mut again = Client::with(Policy::parse(text.as_bytes()).unwrap());
    assert_eq!(again.version_from(&world, 1005), Ok(2));
}

#[test]
fn a_mirror_can_hide_nothing_from_a_complete_client() {
    let mut world = World::with_release();
    let first = newest(&world);
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(1005);
    let mut hidden = world.clone();
    hidden.offer_only(&[first]);
    assert_eq!(
        Client::of(&hidden).version_from(&hidden, 1005),
        Ok(1),
        "a light client is kept behind until it is too old"
    );
    let rejection = complete(&hidden).version_from(&hidden, 1005).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("malformed", Blame::Source), "{rejection}");

    world.edition(|charter| charter.matching.max_distance = 20);
    world.publish(1100);
    let mut hidden = world.clone();
    hidden.edit_bundle(|bundle| bundle.charters.truncate(1));
    let rejection = complete(&hidden).version_from(&hidden, 1105).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("malformed", Blame::Source), "{rejection}");
    assert!(rejection.to_string().contains("without the edition"), "{rejection}");
}

/// The newest release waits, so that one of those before it is in force: the newest that may be used, offered or not.
#[test]
fn a_mirror_can_hide_nothing_between_either() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let ids: Vec<StatementId> = (1..=5).map(|version| world.release(hashes(0..10 + version), 100 * version)).collect();
    world.publish(500);
    world.publish(505);
    let mut holder = complete(&world);
    let mut before = world.clone();
    before.offer_only(&ids[4..]);
    assert_eq!(holder.version_from(&before, 505), Ok(5));
    for version in 6..=9 {
        world.release(hashes(0..10 + version), 100 * version);
        world.publish(100 * version);
    }
    world.publish(904);
    let all: Vec<StatementId> = world.releases().map(|release| release.id()).collect();
    let offering = |ids: &[usize]| {
        let mut mirror = world.clone();
        mirror.offer_only(&ids.iter().map(|version| all[version - 1]).collect::<Vec<_>>());
        mirror
    };
    for offered in [&[5, 9][..], &[2, 9], &[7, 9], &[9], &[8, 9]] {
        for mut client in [complete(&world), holder.clone()] {
            assert_eq!(client.version_from(&offering(offered), 904), Ok(8), "{offered:?}");
            client.restart();
            assert_eq!(client.version_from(&offering(offered), 904), Ok(8), "{offered:?}, again");
            let kept: Vec<u64> = client.state.read().unwrap().releases.iter().map(|release| release.version).collect();
            assert!(kept.ends_with(&[8, 9]), "{offered:?}: {kept:?}");
        }
        // Of those that wait no older one is asked for.
        let (mut client, sixth) = (holder.clone(), Resource::SeenProof(all[5]));
        client.version_from(&offering(offered), 904).unwrap();
        assert!(!client.asked.contains(&sixth), "{offered:?}");
    }
    let mut mirror = offering(&[9]);
    let Statement::Release(eighth) = world.statement(&all[7]) else { panic!() };
    let deltas = eighth.body().deltas.iter().map(|delta| delta.sha256);
    deltas.chain([eighth.body().snapshot.sha256]).for_each(|object| mirror.withhold(Resource::Object(object)));
    let rejection = holder.clone().version_from(&mirror, 904).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("unavailable", Blame::Source), "{rejection}");
}

/// The same where the older one of those offered is refused: what lies beyond it counts nevertheless.
#[test]
fn a_release_that_is_refused_hides_nothing_beyond_it() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let mut ids = vec![world.release(hashes(0..11), 100)];
    world.publish(100);
    world.publish(105);
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    ids.push(world.release_with(hashes(0..12), 200, |release| release.expires = at(300)));
    for version in 3..=5 {
        ids.push(world.release(hashes(0..10 + version), 100 * version));
        world.publish(100 * version);
    }
    world.publish(504);
    let mut mirror = world.clone();
    mirror.offer_only(&[ids[1], ids[4]]);
    assert_eq!(holder.clone().version_from(&mirror, 504), Ok(4));
    mirror.offer_only(&[ids[1], ids[2], ids[3], ids[4]]);
    assert_eq!(holder.clone().version_from(&mirror, 504), Ok(4));
    assert_eq!(holder.version_from(&world, 504), Ok(4));
}

/// One that has expired leaves the word to those before it, offered or not. Where all are so old that none can be valid, they are not
/// asked for one by one.
#[test]
fn a_release_that_has_expired_hides_none_before_it() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let mut ids = vec![world.release(hashes(0..11), 100)];
    world.publish(100);
    world.publish(105);
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    ids.push(world.release(hashes(0..12), 200));
    ids.push(world.release_with(hashes(0..13), 201, |release| release.expires = at(300)));
    world.publish(201);
    world.publish(400);
    let mut mirror = world.clone();
    mirror.offer_only(&ids[2..]);
    for mut client in [complete(&world), holder.clone()] {
        assert_eq!(client.version_from(&mirror, 400), Ok(2), "it alone is offered");
    }
    ids.push(world.release(hashes(0..14), 500));
    world.publish(500);
    let mut mirror = world.clone();
    mirror.offer_only(&ids[2..]);
    for mut client in [complete(&world), holder] {
        assert_eq!(client.version_from(&mirror, 500), Ok(2), "one waits beside it");
    }
    let long_after = 500 + 2 * world.charters().next().unwrap().body().limits.validity;
    world.publish(long_after);
    let mut client = complete(&world);
    assert_eq!(client.refusal(&world, long_after), ("expired", None));
    assert!(!client.asked.contains(&Resource::SeenProof(ids[1])));
}

/// What is left out and may not be used is no reason to refuse a source, nor to look no further.
#[test]
fn what_is_left_out_and_of_no_use_is_passed_over() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    world.release(hashes(0..11), 100);
    world.publish(100);
    world.publish(105);
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    world.release_with(hashes(0..12), 200, |release| release.expires = at(300));
    world.publish(200);
    let waiting = world.release(hashes(0..13), 400);
    world.publish(400);
    world.publish(402);
    world.offer_only(&[waiting]);
    for mut client in [holder, complete(&world)] {
        assert_eq!(client.version_from(&world, 402), Ok(1));
    }
}

/// Nor is what is older than a release that the policy refuses: that one is asked for no more than by a light client.
#[test]
fn before_what_the_policy_refuses_nothing_is_looked_for() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let text = world.policy_text().replace("min_curators = 2", "min_curators = 3") + "\n[audit]\ncomplete = true\n";
    let mut holder = Client::with(Policy::parse(text.as_bytes()).unwrap());
    let mut ids = Vec::new();
    for (time, signers) in [(100, &["m1", "c1", "c2", "c3"][..]), (200, &["m1", "c1", "c2", "c3"]), (300, &SIGNERS)] {
        let draft = world.draft(hashes(0..time), time);
        ids.push(world.log(draft, signers));
        world.publish(time);
        if time == 100 {
            world.publish(105);
            assert_eq!(holder.version_from(&world, 105), Ok(1));
        }
    }
    let draft = world.draft(hashes(0..400), 400);
    ids.push(world.log(draft, &["m1", "c1", "c2", "c3"]));
    world.publish(400);
    world.publish(402);
    world.withhold(Resource::SeenProof(ids[1]));
    world.offer_only(&ids[2..]);
    assert_eq!(holder.version_from(&world, 402), Ok(1));
}

/// Where nothing newer may be used, the list in force stays until its own end.
#[test]
fn a_list_stays_beside_what_has_expired_until_it_has_itself() {
    let mut world = World::with_release();
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    let short = world.release_with(hashes(0..12), 1000, |release| release.expires = at(1100));
    world.publish(1000);
    for (now, expected) in [(86_499, Ok(1)), (86_500, Err("expired"))] {
        world.publish(now);
        world.offer_only(&[short]);
        assert_eq!(holder.clone().version_from(&world, now).map_err(|rejection| rejection.code()), expected, "{now}");
    }
}

/// Without its cache a client has no list, but no older one may take its place.
#[test]
fn what_expired_without_a_cache_is_no_rollback() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    for time in [100, 200, 300] {
        world.release(hashes(0..10 + time / 100), time);
        world.publish(time);
    }
    world.publish(310);
    let mut client = complete(&world);
    assert_eq!(client.version_from(&world, 310), Ok(3));
    client.wipe_cache();
    let late = 300 + world.charters().next().unwrap().body().limits.validity;
    let mut mirror = world.clone();
    mirror.publish(late);
    mirror.offer_only(&[newest(&world)]);
    assert_eq!(client.clone().refusal(&mirror, late), ("expired", None));
    // Its own release is found in the log, too, where what is offered waits.
    let waiting = world.release(hashes(0..20), 400);
    world.publish(400);
    world.offer_only(&[waiting]);
    assert_eq!(client.version_from(&world, 400), Ok(3));
}

/// Two texts for an edition that amends one that waits, each with all the consent that a log asks for: a line, too, by a curator who
/// is in neither that edition nor theirs.
#[test]
fn two_editions_beside_one_that_waits_are_proven() {
    let mut world = World::with_release();
    let curators = |names: [(&str, &str); 3]| names.map(|(name, country)| curator(name, country)).to_vec();
    let second =
        world.amended(|charter| charter.curation.curators = curators([("c4", "DE"), ("c2", "DE"), ("c3", "FR")]));
    world.append(Statement::from_note(sign(&second.to_text().unwrap(), &["m1", "c4", "c2", "c3", "c1"])).unwrap());
    world.publish(1000);
    let texts = [20, 22].map(|distance| {
        let third = world.amended(|charter| {
            charter.matching.max_distance = distance;
            charter.curation.curators = curators([("c4", "DE"), ("c5", "DE"), ("c6", "FR")]);
        });
        sign(&third.to_text().unwrap(), &["m1", "c4", "c5", "c6", "c2", "c3", "c1"])
    });
    let [_, other] = texts.map(|text| world.append(Statement::from_note(text).unwrap()));
    world.publish(1100);
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != other));
    let rejection = complete(&world).update(&world, 1100).unwrap_err();
    assert_eq!(rejection.code(), "equivocation");
    assert!(matches!(rejection.evidence(), Some(Evidence::TwoEditions(_))), "{rejection}");
}

/// What a recovered client remembers of another history is not held against the one that it is shown.
#[test]
fn a_recovered_client_takes_its_release_at_whatever_place() {
    let [mut before, mut after] = [World::founded(), World::founded()];
    let text = before.amended(|charter| charter.matching.max_distance = 31).to_text().unwrap();
    let alone = before.append(Statement::from_note(sign(&text, &["m1"])).unwrap());
    let founding = after.charters().next().unwrap().id();
    for world in [&mut before, &mut after] {
        world.release_with(hashes(0..10), 100, |release| release.charter = founding);
        world.publish(100);
        world.publish(105);
    }
    before.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != alone));
    let mut longer = after.clone();
    longer.release(hashes(0..12), 10_000);
    longer.publish(10_000);
    longer.publish(10_005);
    for mut client in [complete(&before), Client::of(&before)] {
        assert_eq!(client.version_from(&before, 105), Ok(1));
        assert_eq!(client.state.accepted().unwrap().proof.release_index.0, 2);
        client.state = client.state.recovered();
        client.wipe_cache();
        assert_eq!(client.clone().version_from(&after, 105), Ok(1));
        assert_eq!(client.version_from(&longer, 10_005), Ok(2));
        assert_eq!(client.state.accepted().unwrap().proof.release_index.0, 2);
        client.restart();
    }
}

/// A release that adds nothing need not wait, so it may not be hidden while it is new either.
#[test]
fn a_removal_can_not_be_hidden_beside_what_waits() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let kept = world.release(hashes(0..20), 100);
    world.publish(100);
    world.publish(105);
    let mut holder = complete(&world);
    assert_eq!(holder.version_from(&world, 105), Ok(1));
    let removal = world.release(hashes(0..18), 200);
    let newest = world.release(hashes(0..30), 201);
    world.publish(201);
    world.publish(203);
    for offered in [&[kept, newest][..], &[newest]] {
        let mut mirror = world.clone();
        mirror.offer_only(offered);
        assert_eq!(holder.clone().version_from(&mirror, 203), Ok(2), "{offered:?}");
    }
    world.offer_only(&[removal, newest]);
    assert_eq!(holder.version_from(&world, 203), Ok(2));
}

/// The policy asks for three witnesses, of whom one's clock is 25 s slow, and the log for two of them: versions 1 and 2 are
/// old, and versions 3 and 4 came at 300 and 303.
fn of_a_laxer_quorum() -> (World, Client) {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    for (version, time) in [(1, 100), (2, 200), (3, 300), (4, 303)] {
        world.release(hashes(0..10 + version), time);
        publish_with_a_slow_witness(&mut world, time);
    }
    let text = light_text(&world) + "\n[audit]\ncomplete = true\n";
    let mut client = Client::with(Policy::parse(text.as_bytes()).unwrap());
    let mut earlier = world.clone();
    earlier.cosign(3, &[(1, 240), (2, 240), (3, 215)]);
    assert_eq!(client.version_from(&earlier, 240), Ok(2));
    publish_with_a_slow_witness(&mut world, 310);
    (world, client)
}

fn publish_with_a_slow_witness(world: &mut World, time: u64) {
    world.cosign(world.size(), &[(1, time), (2, time), (3, time - 25)]);
}

/// By the log's quorum version 4 is usable, so the log offers nothing older; by the policy's it waits, and so does version 3.
#[test]
fn a_log_of_a_laxer_quorum_hides_nothing() {
    let (mut world, mut client) = of_a_laxer_quorum();
    assert_eq!(world.bundle().releases.len(), 1, "version 4 alone is offered");
    let third = world.releases().nth(2).unwrap().id();
    let light = Client { policy: Policy::parse(light_text(&world).as_bytes()).unwrap(), ..client.clone() };
    for (clock, reads) in [(310, true), (312, false)] {
        publish_with_a_slow_witness(&mut world, clock);
        let updated = client.update(&world, clock).unwrap();
        let pending: Vec<u64> = updated.pending.iter().map(|pending| pending.version).collect();
        assert_eq!((updated.list.version(), pending), (2, vec![4]));
        assert_eq!(client.state.confirmed(), at(clock - 25), "what it knows is as new as the light client's");
        assert!(client.asked.contains(&Resource::SeenProof(third)), "{clock}");
        assert_eq!(client.asked.contains(&entries_tile(5)), reads, "{clock}: what was left out is remembered");
        let mut light = light.clone();
        assert_eq!((light.version_from(&world, clock), light.state.confirmed()), (Ok(2), at(clock - 25)));
    }
    client.restart();
    // For these three seconds version 3, which is not offered, may be used, and version 4 may not.
    publish_with_a_slow_witness(&mut world, 331);
    let new = Client::with(client.policy.clone());
    for mut client in [client.clone(), new] {
        let updated = client.update(&world, 331).unwrap();
        let pending: Vec<u64> = updated.pending.iter().map(|pending| pending.version).collect();
        assert_eq!((updated.list.version(), pending), (3, vec![4]));
        client.restart();
    }
    publish_with_a_slow_witness(&mut world, 333);
    assert_eq!(client.version_from(&world, 333), Ok(4));
}

/// The same policy, for a client that does not read the log.
fn light_text(world: &World) -> String {
    world.policy_text().replace("group two 2 ", "group two 3 ")
}

/// What is left out is judged by what the source proves of it, so it must prove it.
#[test]
fn a_source_can_not_hide_a_release_by_withholding_its_proof() {
    let (world, client) = of_a_laxer_quorum();
    let [.., third, fourth] = world.releases().map(|release| release.id()).collect::<Vec<_>>()[..] else { panic!() };
    let (proof, statement) = (Resource::SeenProof(third), Resource::Statement(third));
    for (resource, lie, code) in [
        (&proof, None, "unavailable"),
        (&proof, Some(Resource::SeenProof(fourth)), "malformed"),
        (&statement, None, "unavailable"),
        (&statement, Some(Resource::Statement(fourth)), "malformed"),
    ] {
        let mut lying = world.clone();
        match lie {
            Some(other) => lying.swap(resource.clone(), other),
            None => lying.withhold(resource.clone()),
        }
        let mut client = client.clone();
        let rejection = client.version_from(&lying, 310).unwrap_err();
        assert_eq!((rejection.code(), rejection.blame()), (code, Blame::Source), "{rejection}");
        assert_eq!(rejection.resource(), Some(resource));
        assert_eq!(client.list.as_ref().map(VerifiedList::version), Some(2));
        // The state does not say where version 3 is, so the log is read from its start.
        let kept: Vec<u64> = client.state.read().unwrap().releases.iter().map(|release| release.version).collect();
        assert_eq!(kept, [2, 4]);
        assert_eq!(client.version_from(&world, 310), Ok(2), "an honest source helps");
        assert!(client.asked.contains(&entries_tile(5)));
    }
}

#[test]
fn entries_are_believed_by_the_root_that_they_make() {
    let world = World::with_release();
    let resource = entries_tile(2);
    let honest = world.get(&resource).unwrap();
    let one = parse_entries(&honest, 2).unwrap();
    let swapped = encode_entries(&[one[1].clone(), one[0].clone()]).unwrap();
    let other = encode_entries(&[one[0].clone(), b"something else".to_vec()]).unwrap();
    for (name, bytes, code) in [
        ("swapped", Some(swapped), "malformed"),
        ("another entry", Some(other), "malformed"),
        ("cut short", Some(honest[..honest.len() - 1].to_vec()), "malformed"),
        ("one too many", Some([&honest[..], b"\0\0"].concat()), "malformed"),
        ("withheld", None, "unavailable"),
    ] {
        let mut lying = world.clone();
        match bytes {
            Some(bytes) => lying.serve(resource.clone(), bytes),
            None => lying.withhold(resource.clone()),
        }
        let mut client = complete(&world);
        let rejection = client.version_from(&lying, 105).unwrap_err();
        assert_eq!((rejection.code(), rejection.blame()), (code, Blame::Source), "{name}: {rejection}");
        assert_eq!(client.version_from(&world, 105), Ok(1), "{name}: an honest source helps");
    }
}

#[test]
fn versions_and_predecessors_are_judged_as_they_stand_in_the_log() {
    let gap = |release: &mut Release| release.version = 3;
    let stranger = |release: &mut Release| release.previous = Some(StatementId([7; 32]));
    for (edit, code) in [(gap as fn(&mut Release), "not-contiguous"), (stranger, "previous-mismatch")] {
        let mut world = World::with_release();
        let mut draft = world.draft(hashes(0..12), 1000);
        edit(&mut draft.release);
        if draft.release.version == 3 {
            draft.release.previous = Some(StatementId([7; 32]));
            draft.release.deltas = vec![DeltaRef { from: 2, release: StatementId([7; 32]), ..draft.release.deltas[0] }];
        } else {
            draft.release.deltas[0].release = StatementId([7; 32]);
        }
        world.log(draft, &["m1", "c1", "c3"]);
        world.publish(1000);
        world.publish(1005);
        world.offer_only(&[newest(&world)]);
        assert_eq!(complete(&world).refusal(&world, 1005), (code, Some(1)));
    }
}

/// A policy that asks for more than before is met by an update, not by what is in the cache.
#[test]
fn a_list_from_before_the_policy_asked_is_not_opened_until_the_log_was_read() {
    let mut world = World::with_release();
    let mut light = Client::of(&world);
    assert_eq!(light.version_from(&world, 105), Ok(1));
    let second = second_text(&mut world, &["m1", "c1", "c3"]);
    world.publish(200);
    world.publish(205);
    let mut now = Client { policy: complete(&world).policy, ..light.clone() };
    let kept = light.list.unwrap();
    let (charter, release) = (kept.signed_charter().to_bytes(), kept.signed_release().to_bytes());
    let opened = VerifiedList::reopen(&now.policy, &now.state, &charter, &release, kept.entries().clone());
    assert!(opened.is_err_and(|error| error.to_string().contains("was not read")));
    world.offer_only(&[second]);
    assert_eq!(now.refusal(&world, 205), ("equivocation", Some(1)));
}

/// A log of two tiles, with version 1 and 298 attestations of it.
fn of_two_tiles() -> World {
    let mut world = World::with_release();
    let release = newest(&world);
    for log_size in 2..300 {
        let attestation = world.attestation("a1", &release, log_size);
        world.attest(&attestation, "a1");
    }
    world.publish(110);
    world.edit_bundle(|bundle| bundle.attestations.clear());
    world
}

fn entry_tiles(client: &Client) -> usize {
    client.asked.iter().filter(|asked| asked.to_string().contains("entries")).count()
}

/// A log of several tiles, read in two updates, of which the second begins inside a tile.
#[test]
fn a_log_of_several_tiles_is_read_from_where_the_last_update_ended() {
    let (mut world, size) = (of_two_tiles(), 300);
    let mut client = complete(&world);
    assert_eq!(client.version_from(&world, 110), Ok(1));
    assert_eq!((entry_tiles(&client), client.state.read().unwrap().size.0), (2, size));
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(1005);
    world.edit_bundle(|bundle| bundle.attestations.clear());
    assert_eq!(client.version_from(&world, 1005), Ok(2));
    assert_eq!((entry_tiles(&client), client.state.read().unwrap().size.0), (1, size + 1));
}

/// Whoever fills tiles with what the log does not hold is found out at the first of them.
#[test]
fn a_tile_of_entries_is_proven_before_the_next_is_asked_for() {
    let world = of_two_tiles();
    let [first, above, edge] =
        ["tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/44"].map(|path| Resource::parse(path).unwrap());
    let (mut honest, mut light) = (complete(&world), Client::of(&world));
    assert_eq!((honest.version_from(&world, 110), light.version_from(&world, 110)), (Ok(1), Ok(1)));
    let more: Vec<String> =
        honest.asked.iter().filter(|asked| !light.asked.contains(asked)).map(Resource::to_string).collect();
    assert_eq!(
        more,
        [above.to_string(), first.to_string(), "tile/entries/001.p/44".to_owned()],
        "one more than the entries"
    );
    let entries = parse_entries(&world.get(&first).unwrap(), 256).unwrap();
    let edition = sign_charter(&world.amended(|charter| charter.matching.max_distance = 20)).to_bytes();
    for filler in [vec![7; MAX_ENTRY_SIZE], edition] {
        for places in [255..256, 2..256] {
            let mut filled = entries.clone();
            filled[places].fill(filler.clone());
            let mut lying = world.clone();
            lying.serve(first.clone(), encode_entries(&filled).unwrap());
            let mut client = complete(&world);
            let rejection = client.version_from(&lying, 110).unwrap_err();
            assert_eq!((rejection.code(), rejection.resource()), ("malformed", Some(&first)), "{rejection}");
            assert_eq!(entry_tiles(&client), 1);
            assert_eq!(client.version_from(&world, 110), Ok(1), "an honest source helps");
        }
    }
    for tile in [above, edge] {
        let mut lying = world.clone();
        lying.withhold(tile.clone());
        lying.withhold(Resource::parse("tile/0/001").unwrap());
        let rejection = complete(&world).version_from(&lying, 110).unwrap_err();
        assert_eq!((rejection.code(), rejection.blame()), ("unavailable", Blame::Source), "{rejection}");
        let mut lying = world.clone();
        lying.tamper(tile, |bytes| bytes[0] ^= 1);
        let mut client = complete(&world);
        let rejection = client.version_from(&lying, 110).unwrap_err();
        assert_eq!((rejection.code(), rejection.resource()), ("malformed", Some(&Resource::Checkpoint)), "{rejection}");
        assert_eq!(entry_tiles(&client), 0);
    }
}
