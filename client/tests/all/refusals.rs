//! What is refused, and what that leaves on record.

use crate::updates::names;
use crate::world::{LOG, START, VISIBILITY, World, day};
use isonomy_client::{CacheReport, Change, Client, ClientError, Refusal, Source, UpdateError, UpdateOptions};
use isonomy_core::bundle::Bundle;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_verifier::State;
use isonomy_verifier::rejection::Blame;
use std::fs;
use std::slice::from_ref;
use tempfile::{TempDir, tempdir};

/// A client with version 1 in force, and the mirror that it has it from.
fn updated() -> (World, TempDir, TempDir, Client) {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let mut client = world.client(home.path());
    let now = day(1) + VISIBILITY;
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    (world, mirror, home, client)
}

/// The same log as [`World::with_versions`] of 1, with another entry after the charter.
fn forked() -> World {
    let mut world = World::new(LOG);
    world.append_other(b"another history");
    world.release(1..100, day(1));
    world
}

#[test]
fn a_refused_source_leaves_a_record_and_the_next_is_asked() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let good = world.mirror(mirror.path(), now);
    let missing = Source::folder(home.path().join("nowhere"));
    let mut client = world.client(home.path());
    let report = client.update_blocking(&[missing.clone(), good.clone()], Timestamp(now)).unwrap();
    assert_eq!(report.source, good.to_string());
    let [refusal] = &report.refusals[..] else { panic!("{:?}", report.refusals) };
    assert_eq!((refusal.code.as_str(), refusal.blame, &refusal.rule), ("unavailable", Blame::Source, &None));
    assert_eq!((refusal.time, &refusal.source), (Timestamp(now), &missing.to_string()));
    assert_eq!(client.refusals(), report.refusals);
    assert_eq!(names(&home.path().join("refusals")), ["20270116T090000Z-unavailable.json"]);
    let record = fs::read(home.path().join("refusals/20270116T090000Z-unavailable.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Refusal>(&record).unwrap(), *refusal);
}

#[test]
fn a_broken_rule_is_cited() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + 10;
    let mut client = world.client(home.path());
    let error = client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap_err();
    let [refusal] = error.refusals() else { panic!("{error}") };
    let rule = refusal.rule.as_ref().unwrap();
    assert_eq!((refusal.code.as_str(), rule.number, rule.name.as_str()), ("not-visible", 5, "visibility"));
    assert!(matches!(error, UpdateError::Refused(_)));
}

#[test]
fn wrong_content_is_refused_and_the_list_in_force_stays() {
    let (_, mirror, home, mut client) = updated();
    let world = World::with_versions(2);
    let now = day(2) + VISIBILITY;
    let source = world.mirror(mirror.path(), now);
    for object in fs::read_dir(mirror.path().join("object")).unwrap() {
        let path = object.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    }
    let error = client.update_blocking(&[source], Timestamp(now)).unwrap_err();
    assert_eq!(error.refusals()[0].code, "malformed");
    assert_eq!(client.list().unwrap().version(), 1);
    // The checkpoint was proven before that, so it is remembered; but nothing came to its end under it.
    let status = client.status(Timestamp(now));
    assert_eq!((status.checkpoint.unwrap().size, status.seen.unwrap().size), (TreeSize(2), TreeSize(3)));
    drop(client);
    assert_eq!(world.client(home.path()).list().unwrap().version(), 1);
}

#[test]
fn a_proof_in_the_folder_stops_updates_whatever_the_state_says() {
    let (world, _mirror, home, client) = updated();
    let mut other = World::new(LOG);
    other.append_other(b"another history");
    let (a, b) = (world.checkpoint(START), other.checkpoint(START));
    let proof = isonomy_verifier::Evidence::fork(&a, &b, Vec::new());
    fs::create_dir_all(home.path().join("evidence")).unwrap();
    fs::write(home.path().join("evidence/kept.json"), proof.to_text()).unwrap();
    fs::write(home.path().join("evidence/nothing.json"), "{}").unwrap();
    assert!(client.state().halted().is_none());
    drop(client);
    let client = world.client(home.path());
    assert_eq!(client.state().halted(), Some(&proof.digest()));
    assert_eq!(client.list().unwrap().version(), 1);
}

#[test]
fn an_object_larger_than_the_client_takes_is_not_fetched() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let mut client = world.client(home.path()).with_max_object_size(100);
    let error = client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap_err();
    let [refusal] = error.refusals() else { panic!("{error}") };
    assert_eq!(refusal.code, "unavailable");
    assert!(refusal.message.contains("this client takes at most 100"), "{}", refusal.message);
}

#[test]
fn a_fork_stops_updates_for_good_and_leaves_evidence_for_anyone() {
    let (world, mirror, home, mut client) = updated();
    let (other, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + 2 * VISIBILITY;
    let fork = forked().mirror(other.path(), now);
    let good = world.mirror(mirror.path(), now);

    let error = client.update_blocking(&[fork, good.clone()], Timestamp(now)).unwrap_err();
    let [refusal] = error.refusals() else { panic!("the second source was asked: {error}") };
    assert_eq!((refusal.code.as_str(), refusal.blame), ("fork", Blame::Log));
    let file = home.path().join("evidence").join(refusal.evidence.as_ref().unwrap());
    assert_eq!(client.evidence_path(client.state().halted().unwrap()), Some(file.clone()));
    assert_eq!(client.list().unwrap().version(), 1);

    drop(client);
    let mut client = world.client(home.path());
    let error = client.update_blocking(from_ref(&good), Timestamp(now)).unwrap_err();
    assert_eq!(error.refusals()[0].code, "halted");
    assert!(client.status(Timestamp(now)).halted.is_some() && client.list().is_some());

    // Whoever is shown the file stops too.
    let mut peer = world.client(elsewhere.path());
    let shown = peer.show_evidence(&fs::read(&file).unwrap()).unwrap();
    assert!(shown.halts && shown.breach.names() == [LOG]);
    assert_eq!(peer.state().halted(), Some(&shown.digest));
    let error = peer.update_blocking(&[good], Timestamp(now)).unwrap_err();
    assert_eq!(error.refusals()[0].code, "halted");
    drop(peer);
    assert!(world.client(elsewhere.path()).evidence_path(&shown.digest).is_some());
}

#[test]
fn a_fork_whose_proof_can_t_be_written_stops_updates_all_the_same_and_is_written_when_it_can() {
    let (world, mirror, home, mut client) = updated();
    let other = tempdir().unwrap();
    let now = day(1) + 2 * VISIBILITY;
    let (good, evidence) = (world.mirror(mirror.path(), now), home.path().join("evidence"));
    fs::write(&evidence, b"in the way").unwrap();
    for source in [forked().mirror(other.path(), now), good.clone()] {
        let error = client.update_blocking(&[source], Timestamp(now)).unwrap_err();
        assert!(matches!(error, UpdateError::Client(ClientError::ForkNotKept(_))) && error.is_halt(), "{error}");
        assert!(error.to_string().starts_with("the log showed two histories"), "{error}");
        assert!(error.next_update_after().is_some(), "a program that goes on by that comes back");
    }
    assert!(client.state().halted().is_some());
    let state = fs::read(home.path().join("state.json")).unwrap();
    assert_eq!(State::parse(&state, client.policy().list()).unwrap(), *client.state(), "a later run stops, too");
    fs::remove_file(&evidence).unwrap();
    let error = client.update_blocking(from_ref(&good), Timestamp(now)).unwrap_err();
    assert_eq!(error.refusals()[0].code, "halted");
    drop(client);
    let client = world.client(home.path());
    assert!(client.evidence_path(client.state().halted().unwrap()).is_some());
}

#[test]
fn a_fork_counts_for_more_than_a_source_that_stands_still() {
    let (_world, mirror, _home, mut client) = updated();
    let other = tempdir().unwrap();
    let now = day(1) + 2 * VISIBILITY;
    // The first is stale by now, so the second is asked, too.
    let stale = Timestamp(day(3));
    let fork = forked().mirror(other.path(), now);
    let error = client.update_blocking(&[Source::folder(mirror.path()), fork], stale).unwrap_err();
    assert_eq!(error.refusals().last().unwrap().code, "fork");
    assert_eq!(error.next_update_after(), None, "no later attempt helps");
    assert!(error.to_string().starts_with("updates have stopped"), "{error}");
}

#[test]
fn a_mirror_that_hides_the_newest_release_is_made_up_for_by_any_that_does_not() {
    let (_, _folder, _home, mut client) = updated();
    let (world, [hiding, honest]) = (World::with_versions(2), [(); 2].map(|()| tempdir().unwrap()));
    let (now, first) = (day(2) + VISIBILITY, day(1) + VISIBILITY);
    let old = Bundle { checkpoint: world.checkpoint(now), ..world.bundle(first) };
    let old = Bundle { releases: old.releases[..1].to_vec(), ..old };
    let sources = [world.mirror(hiding.path(), now), world.mirror(honest.path(), now)];
    fs::write(hiding.path().join(Resource::Bundle(old.list.clone()).to_string()), old.to_bytes()).unwrap();
    let report = client.update_blocking(&sources, Timestamp(now)).unwrap();
    assert_eq!((report.kind, report.updated.list.version()), (Change::Same, 1), "nothing in it is false");
    let all = || UpdateOptions::at(Timestamp(now)).asking_all();
    let report = client.update_blocking_with(&sources, all()).unwrap();
    assert_eq!((report.kind, report.updated.list.version()), (Change::Newer { from: 1 }, 2));
    assert_eq!((report.source, report.objects.len()), (sources[1].to_string(), 1));
    // Whatever comes after it takes nothing away: who is behind by then is refused, and on record.
    let report = client.update_blocking_with(&sources, all()).unwrap();
    assert_eq!((report.kind, report.updated.list.version()), (Change::Same, 2));
    assert_eq!(report.refusals.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(), ["rollback"]);
}

#[test]
fn what_can_t_be_recorded_keeps_no_good_source_from_being_asked() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let mut client = world.client(home.path());
    fs::write(home.path().join("refusals"), b"in the way").unwrap();
    let sources = [Source::folder(home.path().join("nowhere")), world.mirror(mirror.path(), now)];
    let report = client.update_blocking(&sources, Timestamp(now)).unwrap();
    assert!(report.refusals[0].message.contains("There is no record of it"), "{:?}", report.refusals);
}

#[test]
fn what_a_refused_update_has_learned_of_the_time_counts_at_once() {
    let (_, mirror, home, mut client) = updated();
    let world = World::with_versions(2);
    let (before, later) = (Timestamp(day(1) + VISIBILITY), day(1000));
    let source = world.mirror(mirror.path(), later);
    fs::remove_dir_all(mirror.path().join("statement")).unwrap();
    assert!(client.list().unwrap().freshness(before).is_usable());
    client.update_blocking(&[source], before).unwrap_err();
    assert!(!client.list().unwrap().freshness(before).is_usable(), "expired by what a quorum has said");
    drop(client);
    assert!(!world.client(home.path()).list().unwrap().freshness(before).is_usable());
}

#[test]
fn a_recovered_client_matches_nothing_before_its_next_update() {
    let (world, mirror, home, mut client) = updated();
    client.recover().unwrap();
    assert!(client.list().is_none());
    drop(client);
    let mut client = world.client(home.path());
    assert!(client.list().is_none() && *client.cache() == CacheReport::Recovered);
    let now = day(1) + VISIBILITY;
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert_eq!(client.list().unwrap().version(), 1);
}

#[test]
fn a_halted_client_keeps_its_list_until_its_log_has_another_key() {
    let (world, mirror, home, mut client) = updated();
    let (other, now) = (tempdir().unwrap(), day(1) + VISIBILITY);
    client.update_blocking(&[forked().mirror(other.path(), now)], Timestamp(now)).unwrap_err();
    let proof = client.evidence_path(client.state().halted().unwrap()).unwrap();
    let error = client.recover().unwrap_err();
    assert!(matches!(&error, ClientError::Halted { evidence: Some(kept), .. } if *kept == proof), "{error}");
    assert_eq!(client.list().unwrap().version(), 1);
    drop(client);
    // Whoever lost the proof is told the same, as long as nothing else is known of the log.
    fs::rename(&proof, home.path().join("kept")).unwrap();
    let error = Client::open_recovered(home.path(), world.policy()).unwrap_err();
    assert!(matches!(error, ClientError::Halted { evidence: None, .. }), "{error}");
    fs::rename(home.path().join("kept"), &proof).unwrap();

    let world = world.under_another_key();
    let error = Client::open(home.path(), world.policy()).unwrap_err();
    assert!(matches!(&error, ClientError::OtherKey { log, .. } if log == LOG), "{error}");
    let error = Client::open_recovered(home.path(), World::new("log.example/other").policy()).unwrap_err();
    assert!(matches!(error, ClientError::OtherOwner { .. }), "another log needs another folder: {error}");
    let mut client = Client::open_recovered(home.path(), world.policy()).unwrap();
    assert!(client.state().halted().is_none() && client.list().is_none());
    assert_eq!(
        (client.state().accepted(), client.state().floor()),
        (None, Some(1)),
        "nothing older, whatever its text"
    );
    assert_eq!(client.status(Timestamp(now)).version, Some(1));
    assert_eq!(client.status(Timestamp(now)).clock_ahead, 0, "nobody knows");
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert_eq!(client.list().unwrap().version(), 1);
    drop(client);
    assert_eq!(world.client(home.path()).list().unwrap().version(), 1);
}

/// Recovered before the app brought the new policy.
#[test]
fn a_client_that_was_recovered_still_knows_of_which_log_it_is() {
    let (world, mirror, home, mut client) = updated();
    client.recover().unwrap();
    drop(client);
    let other = World::new("log.example/other");
    for opened in [Client::open(home.path(), other.policy()), Client::open_recovered(home.path(), other.policy())] {
        assert!(matches!(opened, Err(ClientError::OtherOwner { .. })), "another log needs another folder: {opened:?}");
    }
    let world = world.under_another_key();
    let error = Client::open(home.path(), world.policy()).unwrap_err();
    assert!(matches!(&error, ClientError::OtherKey { log, .. } if log == LOG), "{error}");
    let mut client = Client::open_recovered(home.path(), world.policy()).unwrap();
    let now = day(1) + VISIBILITY;
    assert!(!client.status(Timestamp(now)).knows_release, "version 1 is a floor by now");
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert!(client.status(Timestamp(now)).knows_release);
    assert_eq!(client.list().unwrap().version(), 1);
}

#[test]
fn whoever_was_never_shown_the_proof_goes_on_under_another_key_too() {
    for was_recovered_before in [false, true] {
        let (world, _, home, mut client) = updated();
        if was_recovered_before {
            client.recover().unwrap();
        }
        drop(client);
        let world = world.under_another_key();
        let client = Client::open_recovered(home.path(), world.policy()).unwrap();
        assert_eq!((client.state().accepted(), client.state().floor()), (None, Some(1)));
    }
}

#[test]
fn a_proof_that_the_state_does_not_know_of_is_neither_forgotten_nor_kept_from_whoever_looks() {
    let (world, mirror, home, mut client) = updated();
    let (other, now) = (tempdir().unwrap(), day(1) + VISIBILITY);
    let good = world.mirror(mirror.path(), now);
    let before = fs::read(home.path().join("state.json")).unwrap();
    client.update_blocking(&[forked().mirror(other.path(), now)], Timestamp(now)).unwrap_err();
    let halted = client.state().halted().copied();
    drop(client);
    // The power failed between the proof and the state.
    let fails = || fs::write(home.path().join("state.json"), &before).unwrap();
    fails();
    let looked = Client::open_read_only(home.path(), world.policy()).unwrap();
    assert_eq!((looked.status(Timestamp(now)).halted, looked.list().unwrap().version()), (halted, 1));
    let error = Client::open_recovered(home.path(), world.policy()).unwrap_err();
    assert!(matches!(error, ClientError::Halted { evidence: Some(_), .. }), "{error}");
    fails();
    let mut client = world.client(home.path());
    assert_eq!(client.state().halted().copied(), halted);
    // Nobody is asked, so nobody is named or on record; also where there is nobody to ask.
    let records = client.refusals().len();
    for sources in [&[good][..], &[]] {
        let error = client.update_blocking(sources, Timestamp(now)).unwrap_err();
        assert!(error.is_halt() && error.refusals()[0].source.is_empty(), "{error}");
        assert!(error.to_string().contains(&format!("{}.json", halted.unwrap())), "{error}");
    }
    assert_eq!((client.refusals().len(), client.list().unwrap().version()), (records, 1));
}

#[test]
fn a_proof_that_was_lost_is_kept_when_it_is_shown_again() {
    let (_world, _mirror, _home, mut client) = updated();
    let (other, now) = (tempdir().unwrap(), day(1) + VISIBILITY);
    client.update_blocking(&[forked().mirror(other.path(), now)], Timestamp(now)).unwrap_err();
    let proof = client.evidence_path(client.state().halted().unwrap()).unwrap();
    let file = fs::read(&proof).unwrap();
    fs::remove_file(&proof).unwrap();
    let error = client.recover().unwrap_err().to_string();
    assert!(error.contains("which is not in the folder any more"), "{error}");
    assert!(client.show_evidence(&file).unwrap().halts);
    assert_eq!(fs::read(&proof).unwrap(), file);
}

#[test]
fn evidence_that_proves_nothing_changes_nothing() {
    let (_world, _mirror, home, mut client) = updated();
    let before = fs::read(home.path().join("state.json")).unwrap();
    let (a, b) = (World::with_versions(1).checkpoint(START), World::with_versions(1).checkpoint(START + 1));
    let nothing = isonomy_verifier::Evidence::fork(&a, &b, Vec::new());
    assert!(client.show_evidence(nothing.to_text().as_bytes()).is_err());
    assert!(client.show_evidence(b"{}").is_err());
    assert_eq!(fs::read(home.path().join("state.json")).unwrap(), before);
    assert!(!home.path().join("evidence").exists());
}
