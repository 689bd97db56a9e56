//! Logs that break the rules.

use crate::world::*;
use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::ListRoot;
use isonomy_core::note::{KeyType, Note, SigningKey, VerifierKey};
use isonomy_core::release::DeltaRef;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_monitor::report::{ContentState, Report};
use isonomy_monitor::{Role, Severity};
use isonomy_verifier::Evidence;
use std::fs;

async fn look(world: &World, after: u64) -> Report {
    world.monitor().poll_at(START.plus(after)).await.unwrap()
}

fn proven(world: &World, report: &Report, code: &str) -> String {
    let found = find(report, code);
    assert_eq!(found.severity, Severity::Breach);
    Evidence::parse(&world.evidence(found)).unwrap().verify(&policy(&[])).unwrap().what
}

/// Edition 2 widens the action; a release goes by it an hour later, long before the notice of a week is over.
fn early(world: &mut World) {
    world.log.charter(|charter| {
        charter.limits.max_added = 600;
    });
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(0..20), START.plus(4 * HOUR), |_| ());
    world.log.publish(START.plus(4 * HOUR));
}

#[tokio::test]
async fn a_release_before_its_notice_is_over_is_proven_against_the_log() {
    let mut world = World::new();
    early(&mut world);
    let report = look(&world, 4 * HOUR).await;
    assert_eq!(codes(&report), ["notice-not-over", "widening-announced"]);
    let what = proven(&world, &report, "notice-not-over");
    assert!(what.contains("admitted version 3 of hotline.example/images under edition 2"), "{what}");
    let found = find(&report, "notice-not-over");
    assert_eq!(found.rule.as_ref().map(|rule| rule.number), Some(4));
    assert_eq!(found.index.unwrap().0, 4);
    let roles: Vec<Role> = found.answerable.iter().map(|who| who.role).collect();
    assert_eq!(roles, [Role::Log], "whom the evidence names");
    let edition = &report.lists[0].editions[0];
    assert!(!edition.in_force && edition.widens == ["limits.max_added from 500 to 600"]);
    assert_eq!(report.lists[0].releases.len(), 2, "it is not one of the list's");
    // The same finding with the same evidence after a restart, though proofs could be made anew under another checkpoint.
    world.log.publish(START.plus(5 * HOUR));
    let again = look(&world, 5 * HOUR).await;
    let found_again = find(&again, "notice-not-over");
    assert_eq!((&found_again.evidence, &found_again.answerable), (&found.evidence, &found.answerable));
    assert_eq!(fs::read_dir(world.path("data/evidence")).unwrap().count(), 1);
}

/// Of what this monitor has not read, it says as much as the file does.
#[tokio::test]
async fn a_file_of_evidence_names_list_rule_place_and_whoever_signed() {
    let mut world = World::new();
    let before = world.log.split(world.path("before"));
    world.log.release(entries(0..600), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    let read = find(&report, "over-limit");
    let file = format!("{}.json", read.evidence.as_ref().unwrap());
    fs::create_dir_all(world.path("other/evidence")).unwrap();
    fs::copy(world.path("data/evidence").join(&file), world.path("other/evidence").join(&file)).unwrap();
    let config = isonomy_monitor::Config { data: world.path("other"), ..world.config(vec![before.source()], &[]) };
    let report = isonomy_monitor::Monitor::open(config).unwrap().poll_at(START.plus(3 * HOUR)).await.unwrap();
    let found = find(&report, "evidence");
    assert_eq!((&found.list, &found.rule, &found.index), (&read.list, &read.rule, &read.index));
    assert_eq!((&found.statement, &found.evidence), (&read.statement, &read.evidence));
    assert_eq!(found.answerable, read.answerable);
    let breach = Evidence::parse(&world.evidence(read)).unwrap().verify(&policy(&[])).unwrap();
    let by = |at: usize| breach.by[at].called();
    let said = format!("{} {}; signed by {} and {} and {}", by(0), breach.what, by(1), by(2), by(3));
    assert_eq!(breach.sentence(), said, "who signed admitted nothing");
    let log = format!("The log {} ({}) admitted entry 3", log_key().verifier().name(), found.answerable[0].id);
    let signed = format!("It was signed by m1 ({})", found.answerable[1].id);
    assert!(found.words.starts_with(&log) && found.words.contains(&signed), "{}", found.words);
}

#[tokio::test]
async fn what_no_checkpoint_proves_is_an_observation() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.charter(|charter| charter.limits.max_added = 600);
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |_| ());
    world.log.publish(START.plus(HOUR));
    let report = look(&world, HOUR).await;
    let found = find(&report, "notice-not-over");
    assert_eq!((found.severity, &found.evidence), (Severity::Warning, &None));
    assert!(found.words.contains("no checkpoint from before"));
}

#[tokio::test]
async fn two_texts_for_a_version_are_proven_against_their_signers() {
    let mut world = World::new();
    let third = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
    let mut other = third.clone();
    other.expires = other.expires.plus(1);
    for release in [&third, &other] {
        world.log.append(signed(&release.to_text().unwrap(), &SIGNERS).to_bytes());
    }
    // Without the signatures that count it is the log's mistake alone.
    other.expires = other.expires.plus(1);
    world.log.append(signed(&other.to_text().unwrap(), &["m1"]).to_bytes());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(codes(&report), ["equivocation", "not-contiguous"]);
    assert!(proven(&world, &report, "equivocation").contains("signed two texts for version 3"));
    assert_eq!(report.lists[0].releases[0].version, 3);
}

#[tokio::test]
async fn rules_that_the_log_alone_breaks_are_laid_at_its_door() {
    let mut world = World::new();
    let weak = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
    world.log.append(signed(&weak.to_text().unwrap(), &["m1", "c1"]).to_bytes());
    world.log.append("no statement\n");
    let first = signed(&charter().to_text().unwrap(), &SIGNERS);
    world.log.append(first.to_bytes());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(codes(&report), ["already-logged", "not-a-statement", "too-few-curators"]);
    for found in standing(&report) {
        assert_eq!(found.severity, Severity::Breach);
        assert_eq!(found.answerable.iter().map(|who| who.role).collect::<Vec<_>>(), [Role::Log], "{}", found.code);
    }
    assert_eq!(find(&report, "not-a-statement").index.unwrap().0, 4);
}

#[tokio::test]
async fn what_builds_on_a_breach_is_not_blamed_for_it() {
    let mut world = World::new();
    world.log.release(entries(0..20), START.plus(3 * HOUR), |release| release.added = 501.min(release.entries));
    world.log.release(entries(0..30), START.plus(3 * HOUR), |release| release.expires = release.created.plus(31 * DAY));
    world.log.release(entries(0..40), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(codes(&report), ["builds-on-breach", "content-broken", "over-limit"]);
    let over = find(&report, "over-limit");
    assert!(over.words.contains("rule 7 (limits)") && over.words.contains("version 4"), "{}", over.words);
    assert_eq!(over.answerable.len(), 4);
    let follower = find(&report, "builds-on-breach");
    assert_eq!((follower.severity, follower.answerable.len()), (Severity::Notice, 0));
}

/// An edition of a later format is in the log, though this monitor can't read it: nobody is accused of what he cites. One of a format
/// that it knows is none if it can't be read.
#[tokio::test]
async fn what_builds_on_a_later_format_is_not_judged() {
    for (form, codes_then) in [
        ("isonomy/charter/v2", ["not-judged", "not-judged", "unreadable-statement"].as_slice()),
        ("isonomy/charter/v1", &["not-contiguous", "unknown-charter", "unreadable-statement"]),
    ] {
        let mut world = World::new();
        let second = world.log.entry(LeafIndex(0)).to_vec();
        let second = Statement::parse(&second).unwrap().note().text().replacen("isonomy/charter/v1", form, 1);
        let text = second.replacen("\"edition\"", "\"editions\"", 1);
        let note = Note::new(text.clone(), vec![key("m1").sign(&text)]).unwrap();
        world.log.append(note.to_bytes());
        let id = isonomy_core::hash::StatementId::of(&text);
        for number in [20, 21] {
            world.log.release(entries(0..number), START.plus(3 * HOUR), |release| release.charter = id);
        }
        world.log.publish(START.plus(3 * HOUR));
        let report = look(&world, 3 * HOUR).await;
        assert_eq!(codes(&report), codes_then, "{form}");
        let is_later = form.ends_with("v2");
        for found in standing(&report) {
            assert!(!is_later || (found.severity, found.answerable.len()) == (Severity::Warning, 0), "{found:?}");
            assert!(!found.words.contains("isn't in the log") || !is_later, "{}", found.words);
        }
    }
}

/// Anybody can write what has the form of a later statement, and what cites that. A client that has no version yet does not look at the
/// one before: two texts for one version stay a breach, and so does a version that is left out, whatever they cite.
#[tokio::test]
async fn what_may_be_of_a_later_format_hides_no_second_text() {
    let text = "{\n  \"statement\": \"isonomy/x/v2\"\n}\n";
    let made_up = isonomy_core::hash::StatementId::of(text);
    for cites in ["the entry", "an attestation about it", "a release of another list under it"] {
        let mut world = World::new();
        world.log.append(Note::new(text.into(), vec![key("stranger").sign(text)]).unwrap().to_bytes());
        let between = match cites {
            "the entry" => None,
            "an attestation about it" => {
                let attestation = Attestation {
                    statement: Attestation::KIND.into(),
                    list: ListName::new(LIST).unwrap(),
                    release: made_up,
                    auditor: key("auditor").verifier().clone(),
                    method: Method::Followed,
                    log_size: Some(isonomy_core::tree::TreeSize(3)),
                    sample: None,
                    errors: None,
                    complaint: None,
                    finding: "Nothing to object to.".into(),
                    report: None,
                    created: START.plus(3 * HOUR),
                };
                Some(signed(&attestation.to_text().unwrap(), &["auditor"]))
            }
            _ => {
                let mut other = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
                (other.list, other.charter) = (ListName::new("junk.example/list").unwrap(), made_up);
                Some(signed(&other.to_text().unwrap(), &SIGNERS))
            }
        };
        let before = between.as_ref().map_or(made_up, Statement::id);
        between.iter().for_each(|statement| world.log.append(statement.to_bytes()));
        let mut second = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
        (second.version, second.deltas) = (2, second.deltas[..1].to_vec());
        (second.previous, second.deltas[0].from, second.deltas[0].release) = (Some(before), 1, before);
        let mut later = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
        (later.version, later.previous) = (5, Some(before));
        (later.deltas[0].from, later.deltas[0].release) = (4, before);
        for release in [&second, &later] {
            world.log.append(signed(&release.to_text().unwrap(), &SIGNERS).to_bytes());
        }
        world.log.publish(START.plus(3 * HOUR));
        let report = look(&world, 3 * HOUR).await;
        let breaches: Vec<&str> =
            codes(&report).into_iter().filter(|code| find(&report, code).severity == Severity::Breach).collect();
        assert_eq!(breaches, ["equivocation", "not-contiguous"], "{cites}");
        assert!(proven(&world, &report, "equivocation").contains("signed two texts for version 2"), "{cites}");
    }
}

/// What stands in the place of the version before may be that, in a later format, if a key of the list has signed it.
#[tokio::test]
async fn a_release_after_one_of_a_later_format_accuses_nobody() {
    for (signer, expected) in [("m1", "not-judged"), ("stranger", "not-contiguous")] {
        let mut world = World::new();
        let third = world.log.draft(&entries(0..20), START.plus(3 * HOUR)).to_text().unwrap();
        let text = third.replacen("isonomy/release/v1", "isonomy/release/v2", 1);
        world.log.append(Note::new(text.clone(), vec![key(signer).sign(&text)]).unwrap().to_bytes());
        let before = isonomy_core::hash::StatementId::of(&text);
        let mut fourth = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
        (fourth.version, fourth.previous) = (4, Some(before));
        let bases = [(2, world.log.last_release()), (3, before)];
        fourth.deltas = bases.map(|(from, release)| DeltaRef { from, release, ..fourth.deltas[0] }).to_vec();
        world.log.append(signed(&fourth.to_text().unwrap(), &SIGNERS).to_bytes());
        world.log.publish(START.plus(3 * HOUR));
        let report = look(&world, 3 * HOUR).await;
        assert_eq!(codes(&report), [expected, "unreadable-statement"], "{signer}");
        let found = find(&report, expected);
        let is_breach = signer == "stranger";
        assert_eq!(
            (found.severity == Severity::Breach, found.answerable.is_empty()),
            (is_breach, !is_breach),
            "{signer}"
        );
        assert_eq!(found.words.contains("unless entry 3 is that"), !is_breach, "{}", found.words);
    }
}

/// Two texts are two, also where the second builds on one that is refused.
#[tokio::test]
async fn a_second_text_is_one_whatever_it_builds_on() {
    let mut world = World::new();
    let mut second = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
    (second.version, second.deltas) = (2, second.deltas[..1].to_vec());
    let first = Statement::parse(world.log.entry(LeafIndex(1))).unwrap().id();
    (second.previous, second.deltas[0].from, second.deltas[0].release) = (Some(first), 1, first);
    let second = signed(&second.to_text().unwrap(), &SIGNERS);
    let mut third = world.log.draft(&entries(0..20), START.plus(3 * HOUR));
    (third.previous, third.deltas[0].release) = (Some(second.id()), second.id());
    world.log.release(entries(0..30), START.plus(3 * HOUR), |_| ());
    world.log.append(second.to_bytes());
    world.log.append(signed(&third.to_text().unwrap(), &SIGNERS).to_bytes());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(codes(&report), ["builds-on-breach", "equivocation", "equivocation"]);
    for (index, version) in [(4, 2), (5, 3)] {
        let of = |found: &&isonomy_monitor::Finding| found.index == Some(LeafIndex(index)) && found.evidence.is_some();
        let found = report.findings.iter().find(of).unwrap();
        let breach = Evidence::parse(&world.evidence(found)).unwrap().verify(&policy(&[])).unwrap();
        assert!(breach.what.contains(&format!("signed two texts for version {version}")), "{}", breach.what);
    }
}

#[tokio::test]
async fn content_is_counted_by_whoever_holds_it() {
    let mut world = World::new();
    world.log.release(entries(0..20), START.plus(3 * HOUR), |release| release.root = ListRoot([7; 32]));
    world.log.release(entries(0..30), START.plus(3 * HOUR), |release| release.removed = 5);
    let junk = world.log.object(&vec![7; world.log.draft(&entries(0..40), START).snapshot.size as usize]);
    world.log.release(entries(0..40), START.plus(3 * HOUR), |release| release.snapshot = junk);
    world.log.release(entries(0..50), START.plus(3 * HOUR), |release| release.snapshot.size += 1);
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let broken: Vec<&str> =
        report.findings.iter().filter(|f| f.code == "content-broken").map(|f| f.words.as_str()).collect();
    assert_eq!(broken.len(), 4, "{broken:#?}");
    for (version, words) in [(3, "root"), (4, "Removed entries"), (5, "can't be read"), (6, "can't have the size")] {
        let what = format!("version {version} ");
        assert!(broken.iter().any(|found| found.contains(&what) && found.contains(words)), "{version}: {broken:#?}");
    }
    let found = find(&report, "content-broken");
    assert_eq!((found.severity, found.rule.as_ref().unwrap().number, found.answerable.len()), (Severity::Breach, 8, 4));
    // A verdict is final, also when the log takes the object away.
    fs::remove_dir_all(world.log.path.join("object")).unwrap();
    let stand = |report: &Report| report.findings.iter().filter(|f| f.standing && f.code == "content-broken").count();
    assert_eq!(stand(&monitor.poll_at(START.plus(3 * HOUR)).await.unwrap()), 4);
    // What evidence holds stands after a restart, too. Nobody is accused of what can't be shown any more; that it was found
    // once is remembered.
    drop(monitor);
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(stand(&report), 3);
    let past: Vec<_> = report.findings.iter().filter(|f| !f.standing && f.code == "content-broken").collect();
    assert!(past.len() == 1 && past[0].words.contains("version 4 "), "its delta starts from what is broken itself");
}

#[tokio::test]
async fn whoever_writes_to_the_journal_accuses_nobody() {
    let world = World::new();
    drop(look(&world, 3 * HOUR).await);
    let path = world.path("data/content.journal");
    let journal = fs::read_to_string(&path).unwrap();
    let forged = journal.replace("\"state\":\"verified\"", "\"state\":\"broken\",\"words\":\"forged\"");
    assert_ne!(journal, forged);
    fs::write(&path, forged).unwrap();
    let report = look(&world, 3 * HOUR).await;
    assert_eq!(codes(&report), [""; 0]);
    assert!(matches!(report.lists[0].releases[0].content, ContentState::Verified { .. }), "it was checked again");
}

/// A line that somebody has planted, or that is from before a disk went bad, does not spare a release its check.
#[tokio::test]
async fn what_the_journal_calls_verified_is_checked_again() {
    let mut world = World::new();
    drop(look(&world, 3 * HOUR).await);
    let wrong = world.log.release(entries(0..20), START.plus(3 * HOUR), |release| release.root = entries(0..19).root());
    world.log.release(entries(0..21), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let path = world.path("data/content.journal");
    let first = fs::read_to_string(&path).unwrap();
    let id = serde_json::to_value(isonomy_core::hash::StatementId::of(&wrong.to_text().unwrap())).unwrap();
    let line = first.lines().next().unwrap();
    let known = serde_json::from_str::<serde_json::Value>(line).unwrap()["release"].as_str().unwrap().to_owned();
    fs::write(&path, format!("{first}{}\n", line.replace(&known, id.as_str().unwrap()))).unwrap();
    let report = look(&world, 4 * HOUR).await;
    assert_eq!(find(&report, "content-broken").index.unwrap().0, 3);
    // What is gone since it was verified is not found wrong.
    fs::remove_dir_all(world.log.path.join("object")).unwrap();
    let report = look(&world, 5 * HOUR).await;
    assert!(matches!(report.lists[0].releases.last().unwrap().content, ContentState::Verified { .. }));
}

#[tokio::test]
async fn a_swapped_or_missing_object_is_an_observation_until_it_is_there() {
    let mut world = World::new();
    let release = world.log.release(entries(0..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let object = Resource::Object(release.snapshot.sha256);
    let good = fs::read(world.log.path.join(object.to_string())).unwrap();
    let mut swapped = good.clone();
    swapped[20] ^= 1;
    world.log.put(&object, &swapped);
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), ["content-missing", "object-swapped"]);
    assert_eq!(report.summary.breaches, 0);
    assert!(standing(&report).iter().all(|found| found.answerable.is_empty()), "it may be the way there");
    world.log.remove(&object);
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), ["content-missing"]);
    assert!(matches!(report.lists[0].releases[0].content, ContentState::Unavailable { .. }));
    world.log.put(&object, &good);
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), [""; 0]);
    assert!(matches!(report.lists[0].releases[0].content, ContentState::Verified { .. }));
}

#[tokio::test]
async fn without_a_seen_proof_the_monitor_goes_by_what_it_saw() {
    let mut world = World::new();
    let release = world.log.release(entries(0..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let id = isonomy_core::hash::StatementId::of(&release.to_text().unwrap());
    world.log.remove(&Resource::SeenProof(id));
    world.log.publish(START.plus(3 * HOUR + 600));
    let report = look(&world, 3 * HOUR + 700).await;
    assert_eq!(codes(&report), ["seen-proof-missing"]);
    assert_eq!(report.lists[0].releases[0].public_since, START.plus(3 * HOUR + 600));
    let again = look(&world, 3 * HOUR + 800).await;
    assert_eq!(again.lists[0].releases[0].public_since, START.plus(3 * HOUR + 600));
}

#[tokio::test]
async fn a_release_that_became_public_late_is_noticed() {
    let mut world = World::new();
    world.log.release(entries(0..20), START.plus(3 * HOUR), |_| ());
    let late = START.plus(3 * HOUR + DAY + 1);
    world.log.publish(late);
    let report = world.monitor().poll_at(late).await.unwrap();
    assert_eq!(codes(&report), ["stale-draft"]);
    assert_eq!(find(&report, "stale-draft").severity, Severity::Warning);
    assert!(report.made > Timestamp(0));
}

/// Two texts for version 3, composed and public within an hour of each other.
fn two_texts(world: &mut World) {
    let second = world.log.draft(&entries(4..15), START.plus(3 * HOUR));
    world.log.release(entries(3..15), START.plus(3 * HOUR), |_| ());
    world.log.append(signed(&second.to_text().unwrap(), &SIGNERS).to_bytes());
    world.log.publish(START.plus(4 * HOUR));
}

/// The names of the keys that a file of evidence convicts, and of those whom the finding that cites it names.
fn convicted(world: &World, report: &Report) -> (Vec<String>, Vec<String>) {
    let found = find(report, "equivocation");
    let breach = Evidence::parse(&world.evidence(found)).unwrap().verify(&policy(&[])).unwrap();
    let names = breach.names().into_iter().map(str::to_owned).collect();
    (names, found.answerable.iter().map(|who| who.key.clone()).collect())
}

/// When both were public, their seen proofs say, whenever somebody reads them first. The log had to refuse the second.
#[tokio::test]
async fn two_texts_within_a_day_convict_their_signers_also_when_they_are_read_later() {
    let mut world = World::new();
    two_texts(&mut world);
    for after in [4 * HOUR, 5 * DAY] {
        world.log.publish(START.plus(after));
        let data = world.path(&format!("after {after}"));
        let config = isonomy_monitor::Config { data: data.clone(), ..world.config(vec![world.log.source()], &[]) };
        let mut monitor = isonomy_monitor::Monitor::open(config).unwrap();
        let report = monitor.poll_at(START.plus(after)).await.unwrap();
        let found = find(&report, "equivocation");
        let file = data.join("evidence").join(format!("{}.json", found.evidence.as_ref().unwrap()));
        let breach = Evidence::parse(&fs::read(file).unwrap()).unwrap().verify(&policy(&[])).unwrap();
        assert_eq!(breach.names(), SIGNERS, "{after}");
        let named: Vec<&str> = found.answerable.iter().map(|who| who.key.as_str()).collect();
        assert_eq!(named, [ORIGIN, "m1", "c1", "c2"], "{after}");
    }
    // Without them it is only known that both are public by now, for which the log answers.
    let second = Resource::SeenProof(Statement::parse(world.log.entry(LeafIndex(4))).unwrap().id());
    world.log.remove(&second);
    let report = look(&world, 5 * DAY).await;
    assert_eq!(convicted(&world, &report), (vec![ORIGIN.to_owned()], vec![ORIGIN.to_owned()]));
}

/// Names are anybody's: a list's own key is not the log's, whatever it is called.
#[tokio::test]
async fn a_key_that_is_named_as_the_log_is_not_taken_for_it() {
    let namesake = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[9; 32]).unwrap();
    let note = |text: &str| {
        let lines = [namesake.sign(text), key("c1").sign(text), key("c2").sign(text)];
        Statement::from_note(Note::new(text.into(), lines.to_vec()).unwrap()).unwrap()
    };
    for (withheld, convicted) in [
        (false, vec![namesake.verifier().clone(), key("c1").verifier().clone(), key("c2").verifier().clone()]),
        (true, vec![log_key().verifier().clone()]),
    ] {
        let mut world = World::empty();
        let mut body = charter();
        body.maintainer.keys = vec![namesake.verifier().clone()];
        world.log.take_charter(note(&body.to_text().unwrap()));
        world.log.publish(START);
        for content in [entries(0..10), entries(0..11)] {
            let release = note(&world.log.draft(&content, START.plus(HOUR)).to_text().unwrap());
            world.log.append(release.to_bytes());
        }
        world.log.publish(START.plus(2 * HOUR));
        world.log.publish(START.plus(5 * DAY));
        if withheld {
            let second = Statement::parse(world.log.entry(LeafIndex(2))).unwrap().id();
            world.log.remove(&Resource::SeenProof(second));
        }
        let report = look(&world, 5 * DAY).await;
        let found = find(&report, "equivocation");
        let breach = Evidence::parse(&world.evidence(found)).unwrap().verify(&policy(&[])).unwrap();
        assert_eq!(breach.by, convicted);
        assert!(breach.whom(" and ").contains(&convicted[0].called()));
        let named: Vec<(Role, &str)> = found.answerable.iter().map(|who| (who.role, who.id.as_str())).collect();
        let id = |key: &VerifierKey| to_hex(&key.id().0);
        let (log, own) = (id(log_key().verifier()), id(namesake.verifier()));
        assert_eq!(named[0], (Role::Log, log.as_str()));
        match withheld {
            false => assert_eq!(named[1], (Role::Maintainer, own.as_str())),
            true => assert_eq!(named.len(), 1, "whoever has the log's name alone: {named:?}"),
        }
    }
}

/// A log can give charters to any number of names, and break rules about each.
#[tokio::test]
async fn any_number_of_made_up_lists_hides_no_breach_about_one_in_use() {
    let mut world = World::new();
    for number in 0..2000 {
        let mut made_up = charter();
        made_up.list = ListName::new(&format!("made-up.example/l{number}")).unwrap();
        let statement = signed(&made_up.to_text().unwrap(), &SIGNERS).to_bytes();
        world.log.append(statement.clone());
        world.log.append(statement);
    }
    world.log.release(entries(0..600), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let report = look(&world, 3 * HOUR).await;
    let found = find(&report, "over-limit");
    assert_eq!(found.list.as_ref().map(ListName::as_str), Some(LIST));
    assert!(found.evidence.is_some(), "there is room for the proof, too");
}

/// Names are anybody's: each curator has endorsed what its own key has.
#[tokio::test]
async fn two_curators_whose_keys_have_one_name_are_counted_apart() {
    let curators = [7, 8].map(|seed| SigningKey::from_seed("curator.example", KeyType::Ed25519, &[seed; 32]).unwrap());
    let mut world = World::empty();
    let mut body = charter();
    body.curation.threshold = 1;
    body.curation.min_jurisdictions = 1;
    for (curator, key) in body.curation.curators.iter_mut().zip(&curators) {
        curator.key = key.verifier().clone();
    }
    let note = |text: &str, keys: &[&SigningKey]| {
        let lines = keys.iter().map(|key| key.sign(text)).collect();
        Statement::from_note(Note::new(text.into(), lines).unwrap()).unwrap()
    };
    let [one, other] = &curators;
    let maintainer = key("m1");
    world.log.take_charter(note(&body.to_text().unwrap(), &[&maintainer, one, other]));
    world.log.publish(START);
    for (hours, signers) in
        [(1, vec![&maintainer, one]), (2, vec![&maintainer, one, other]), (3, vec![&maintainer, one])]
    {
        let content = entries(0..10);
        let text = world.log.draft(&content, START.plus(hours * HOUR)).to_text().unwrap();
        world.log.take_release(note(&text, &signers), content);
        world.log.publish(START.plus(hours * HOUR));
    }
    let report = look(&world, 4 * HOUR).await;
    assert_eq!(codes(&report), [""; 0]);
    let mut endorsed: Vec<_> =
        report.lists[0].endorsements.iter().map(|one| (one.key.id.clone(), one.releases)).collect();
    let mut expected = vec![(to_hex(&one.verifier().id().0), 3), (to_hex(&other.verifier().id().0), 1)];
    endorsed.sort();
    expected.sort();
    assert_eq!(endorsed, expected);
}
