//! What vantage points show, and what the monitor remembers.

use crate::world::*;
use axum::Router;
use axum::routing::get;
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_fetch::Source;
use isonomy_monitor::report::{ContentState, ListReport, ReleaseState, ViewState};
use isonomy_monitor::{Monitor, MonitorError, Severity};
use isonomy_verifier::Evidence;
use std::fs;

const NOW: u64 = 2 * HOUR + 60;

#[tokio::test]
async fn an_honest_log_is_followed_without_a_finding() {
    let mut world = World::new();
    let mut monitor = world.monitor();
    assert!(monitor.report().lists.is_empty());
    let report = monitor.poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!(codes(&report), [""; 0], "{:#?}", report.findings);
    assert_eq!((report.log.size.0, report.log.read, report.log.witnesses_to_split), (3, 3, 1));
    assert_eq!(report.log.witnessed, Some(START.plus(2 * HOUR)));
    let list = &report.lists[0];
    let releases: Vec<_> = list.releases.iter().map(|r| (r.version, r.entries, r.added, r.removed, r.state)).collect();
    assert_eq!(releases, [(2, 13, 5, 2, ReleaseState::Pending), (1, 10, 10, 0, ReleaseState::Pending)]);
    assert!(list.releases.iter().all(|release| matches!(release.content, ContentState::Verified { .. })));
    assert_eq!(
        list.releases[0].endorsed_by.iter().map(|by| by.name.as_str()).collect::<Vec<_>>(),
        ["Curator c1", "Curator c2"]
    );
    assert_eq!(list.releases[0].comparison_code.len(), 59);

    world.log.release(entries(2..20), START.plus(4 * HOUR), |_| ());
    world.log.publish(START.plus(5 * HOUR));
    let report = monitor.poll_at(START.plus(5 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), [""; 0]);
    let states: Vec<_> = report.lists[0].releases.iter().map(|release| release.state).collect();
    assert_eq!(states, [ReleaseState::Pending, ReleaseState::InUse, ReleaseState::Superseded]);
}

#[tokio::test]
async fn everything_is_known_again_after_a_restart_without_the_log() {
    let world = World::new();
    let before = world.monitor().poll_at(START.plus(NOW)).await.unwrap();
    fs::rename(&world.log.path, world.path("gone")).unwrap();
    let mut monitor = world.monitor();
    let (list, known) = (&monitor.report().lists[0], &before.lists[0]);
    assert_eq!((&list.charter, &list.editions), (&known.charter, &known.editions));
    let facts = |list: &ListReport| -> Vec<_> {
        list.releases
            .iter()
            .map(|release| (release.id.clone(), release.public_since, release.content.clone()))
            .collect()
    };
    assert_eq!(facts(list), facts(known));
    let report = monitor.poll_at(START.plus(NOW + 60)).await.unwrap();
    assert_eq!(codes(&report), ["unreachable"]);
    assert_eq!(find(&report, "unreachable").severity, Severity::Warning);
    assert_eq!(report.sources[0].state, ViewState::Unreachable);
    assert!(!find(&report, "unreachable").words.contains(world.dir.path().to_str().unwrap()), "the page is public");
}

#[tokio::test]
async fn a_forked_view_is_proven_and_stays_so() {
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    for (more, size) in [(0, 4), (1, 5), (3, 8)] {
        // The same size, a larger one, and one for which nothing but the tiles can tell.
        for number in 0..more {
            other.append(format!("filler {size} {number}\n"));
        }
        if size == 4 {
            other.release(entries(100..120), START.plus(3 * HOUR), |_| ());
        }
        other.publish(START.plus(3 * HOUR));
        let mut monitor = world.monitor_of(vec![world.log.source(), other.source()]);
        let report = monitor.poll_at(START.plus(3 * HOUR + 60)).await.unwrap();
        assert_eq!(codes(&report), ["fork"], "{size}");
        let fork = find(&report, "fork");
        assert_eq!((fork.severity, fork.subject.as_str()), (Severity::Breach, "folder other"));
        assert_eq!(fork.answerable[0].name, ORIGIN);
        assert_eq!(report.sources[1].state, ViewState::Contradicts);
        let evidence = Evidence::parse(&world.evidence(fork)).unwrap();
        assert_eq!(evidence.verify(&policy(&[])).unwrap().names(), [ORIGIN]);
        // It is still a breach when nobody shows it any more.
        let mut monitor = {
            drop(monitor);
            world.monitor()
        };
        let later = monitor.poll_at(START.plus(3 * HOUR + 120)).await.unwrap();
        assert_eq!((&find(&later, "fork").evidence, &find(&later, "fork").words), (&fork.evidence, &fork.words));
        drop(monitor);
        // Each of the three is found anew by a monitor that has not seen the others.
        fs::remove_dir_all(world.path("data")).unwrap();
    }
}

#[tokio::test]
async fn a_fork_that_is_shown_at_a_smaller_size_is_proven_from_the_own_copy() {
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    other.append("something else\n");
    other.publish(START.plus(3 * HOUR));
    for number in 0..300 {
        world.log.append(format!("not a statement, {number}\n"));
    }
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor_of(vec![world.log.source(), other.source()]);
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let evidence = Evidence::parse(&world.evidence(find(&report, "fork"))).unwrap();
    evidence.verify(&policy(&[])).unwrap();
    assert_eq!(report.summary.breaches, 301);
}

#[tokio::test]
async fn a_log_that_shows_an_old_state_is_noticed() {
    let mut world = World::new();
    let old = world.log.split(world.path("old"));
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    world.monitor().poll_at(START.plus(3 * HOUR)).await.unwrap();
    let report = world.monitor_of(vec![old.source()]).poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), ["rolled-back"]);
    assert_eq!(report.log.size.0, 4, "what was seen is not forgotten");
    let report = world.monitor_of(vec![world.log.source(), old.source()]).poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!((codes(&report), find(&report, "behind").severity), (vec!["behind"], Severity::Notice));
    assert!(!find(&report, "rolled-back").standing);
}

#[tokio::test]
async fn a_checkpoint_without_quorum_or_by_another_key_is_not_accepted() {
    let mut world = World::new();
    let mut monitor = world.monitor();
    monitor.poll_at(START.plus(NOW)).await.unwrap();
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish_with(&[1], START.plus(3 * HOUR));
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!((codes(&report), report.log.size.0), (vec!["no-quorum"], 3));
    assert_eq!(report.sources[0].state, ViewState::Ahead);
    let forged = fs::read_to_string(world.log.path.join("checkpoint")).unwrap().replace("\n4\n", "\n5\n");
    world.log.put(&Resource::Checkpoint, forged.as_bytes());
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert_eq!((codes(&report), report.sources[0].state), (vec!["unusable-view"], ViewState::Unusable));
}

#[tokio::test]
async fn entries_that_are_withheld_or_swapped_are_had_from_elsewhere() {
    let world = World::new();
    let mirror = world.log.split(world.path("mirror"));
    let tile = Resource::Tile(world.log.last_tile());
    let good = fs::read(world.log.path.join(tile.to_string())).unwrap();
    let mut swapped = good.clone();
    *swapped.last_mut().unwrap() ^= 1;
    world.log.put(&tile, &swapped);
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!((codes(&report), report.log.size.0), (vec!["entries-missing", "entries-wrong"], 0));
    world.log.remove(&tile);
    let report = monitor.poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!(codes(&report), ["entries-missing"]);
    drop(monitor);
    let report = world.monitor_of(vec![world.log.source(), mirror.source()]).poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!(report.log.read, 3);
    assert!(codes(&report).iter().all(|code| *code == "tile-withheld"), "the log still does not show it");
}

#[tokio::test]
async fn a_damaged_copy_is_fetched_again_and_what_was_signed_is_not_forgotten() {
    let world = World::new();
    world.monitor().poll_at(START.plus(NOW)).await.unwrap();
    let mut other = Log::new(world.path("other"));
    other.charter(|charter| charter.limits.notice = 1);
    (0..3).for_each(|number| other.append(format!("filler {number}\n")));
    other.publish(START.plus(2 * HOUR));
    fs::write(world.path("data/mirror/tile/entries/000.p/3"), b"nonsense").unwrap();
    // The copy is gone, but the checkpoint is still there to compare with.
    let report = world.monitor_of(vec![other.source()]).poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!(codes(&report), ["copy-damaged", "fork"]);
    let report = world.monitor().poll_at(START.plus(NOW + 1)).await.unwrap();
    assert_eq!((codes(&report), report.log.read), (vec!["copy-damaged", "fork"], 3));
    assert!(world.path("data/mirror/damaged-tile-1").exists());
}

#[tokio::test]
async fn a_lost_memory_is_made_good_from_earlier_checkpoints() {
    let world = World::new();
    let mut empty = Log::new(world.path("empty"));
    empty.publish(START.plus(NOW));
    let checkpoint = world.path("data/mirror/checkpoint");
    world.monitor().poll_at(START.plus(NOW)).await.unwrap();
    let newest = fs::read(&checkpoint).unwrap();
    fs::remove_file(&checkpoint).unwrap();
    let report = world.monitor_of(vec![empty.source()]).poll_at(START.plus(NOW + 1)).await.unwrap();
    assert_eq!((codes(&report), report.log.size.0), (vec!["copy-damaged", "rolled-back"], 3));
    let found = find(&report, "copy-damaged");
    assert!(found.words.contains("was missing") && found.words.contains("of 3 entries"), "{}", found.words);
    assert_eq!(fs::read(&checkpoint).unwrap(), newest);
    // An old one that was put back is no better.
    let old = fs::read(world.path("data/checkpoints/1")).unwrap();
    fs::write(&checkpoint, old).unwrap();
    let report = world.monitor().poll_at(START.plus(NOW + 2)).await.unwrap();
    assert_eq!((codes(&report), report.log.size.0), (vec!["copy-damaged"], 3));
    assert!(find(&report, "copy-damaged").words.contains("an old one, of 1 entries"));
}

#[tokio::test]
async fn a_damaged_memory_and_a_foreign_folder_stop_the_monitor() {
    let world = World::new();
    let mut monitor = world.monitor();
    monitor.poll_at(START.plus(NOW)).await.unwrap();
    let open = || Monitor::open(world.config(vec![world.log.source()], &[]));
    assert!(matches!(open(), Err(MonitorError::File(_))), "locked");
    drop(monitor);
    let checkpoint = world.path("data/mirror/checkpoint");
    let good = fs::read_to_string(&checkpoint).unwrap();
    fs::write(&checkpoint, good.replace("\n3\n", "\n2\n")).unwrap();
    assert!(matches!(open(), Err(MonitorError::Memory { .. })));
    fs::write(&checkpoint, good).unwrap();
    open().unwrap();
    fs::write(world.path("data/log"), "another\n").unwrap();
    assert!(matches!(open(), Err(MonitorError::OtherLog { .. })));
}

#[tokio::test]
async fn ages_are_watched() {
    let world = World::new();
    let mut monitor = world.monitor();
    for (after, expected) in [
        (3 * HOUR, vec![]),
        (3 * HOUR + 1, vec!["frozen"]),
        (25 * DAY, vec!["expires-soon", "frozen"]),
        (31 * DAY, vec!["expired", "frozen"]),
    ] {
        let report = monitor.poll_at(START.plus(after)).await.unwrap();
        assert_eq!(codes(&report), expected, "{after}");
        assert_eq!(report.summary.warnings, expected.len());
    }
}

/// Serves what a witness shows, and gives its URL.
async fn witness(shown: CheckpointNote) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let path = format!("/{}/checkpoint", to_hex(&sha256(&[ORIGIN.as_bytes()])));
    let router = Router::new().route(&path, get(move || async move { shown.to_string() }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn witnesses_views_are_compared() {
    let mut world = World::new();
    let behind = world.log.split(world.path("behind")).checkpoint(&[0], START.plus(2 * HOUR));
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    let forked = other.checkpoint(&[1], START.plus(3 * HOUR));
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let same = world.log.checkpoint(&[2], START.plus(3 * HOUR));
    let foreign = world.log.checkpoint(&[0], START.plus(3 * HOUR));

    let urls = [witness(behind).await, witness(forked).await, witness(same.clone()).await];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let config = world.config(vec![world.log.source()], &urls);
    let report = Monitor::open(config).unwrap().poll_at(START.plus(4 * HOUR)).await.unwrap();
    let states: Vec<ViewState> = report.witnesses.iter().map(|witness| witness.state).collect();
    assert_eq!(states, [ViewState::Behind, ViewState::Contradicts, ViewState::Same]);
    assert_eq!(codes(&report), ["fork", "witness-behind"]);
    assert_eq!(find(&report, "fork").subject, "witness witness.example/w1");
    assert!(report.findings.iter().all(|found| found.code != "views-incomplete"));
    Evidence::parse(&world.evidence(find(&report, "fork"))).unwrap().verify(&policy(&[])).unwrap();

    // Ahead for a moment is normal; one that shows what it did not cosign is not a view.
    world.log.append("next\n");
    world.log.write_tiles();
    let ahead = world.log.checkpoint(&[0], START.plus(3 * HOUR));
    let urls = [witness(ahead).await, "http://127.0.0.1:1".to_owned(), witness(foreign).await];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    fs::remove_dir_all(world.path("data")).unwrap();
    let mut monitor = Monitor::open(world.config(vec![world.log.source()], &urls)).unwrap();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let states: Vec<ViewState> = report.witnesses.iter().map(|witness| witness.state).collect();
    assert_eq!(states, [ViewState::Ahead, ViewState::Unreachable, ViewState::Unusable]);
    assert_eq!(codes(&report), ["unreachable", "unusable-view", "witness-ahead"]);
    assert_eq!(find(&report, "witness-ahead").severity, Severity::Notice);
    assert!(report.findings.iter().any(|found| found.code == "views-incomplete"));
    let later = monitor.poll_at(START.plus(5 * HOUR)).await.unwrap();
    assert_eq!(find(&later, "witness-ahead").severity, Severity::Warning);
}

#[test]
fn a_configuration_that_can_not_work_is_refused() {
    let world = World::empty();
    let open = |policy: &str, sources: Vec<Source>| {
        let policy = isonomy_core::policy::Policy::parse(policy.as_bytes()).unwrap();
        Monitor::open(isonomy_monitor::Config { policy, ..world.config(sources, &[]) }).err()
    };
    let log = format!("log {}\n", log_key().verifier());
    let witness = format!("witness w {}\nquorum w\n", witness_key(0).verifier());
    let source = || vec![world.log.source()];
    for (policy, sources) in [
        (format!("{log}quorum none\n"), source()),
        (witness.clone(), source()),
        (format!("{log}log {}\n{witness}", key("other").verifier()), source()),
        (format!("{log}{witness}"), vec![]),
    ] {
        assert!(matches!(open(&policy, sources), Some(MonitorError::Config(_))), "{policy}");
    }
    let with_url = format!("log {} https://log.example/\n{witness}", log_key().verifier());
    assert!(open(&with_url, vec![]).is_none());
}

/// Editions 2 and 3: by 2 another curator comes, with the consent of the edition in force; 3 narrows that, a week later. And since
/// when 3 is public.
fn amended_twice(world: &mut World) -> ([Signed<Charter>; 2], Timestamp) {
    let mut body = charter();
    (body.edition, body.previous) = (2, Some(world.log.first_charter()));
    body.curation.curators[1] = curator("c3", "FR");
    let second = signed(&body.to_text().unwrap(), &["m1", "c1", "c3", "c2"]).into_charter().unwrap();
    (body.edition, body.previous, body.limits.max_added) = (3, Some(second.id()), 400);
    let third = signed(&body.to_text().unwrap(), &["m1", "c1", "c3"]).into_charter().unwrap();
    let later = START.plus(8 * DAY);
    for (edition, since) in [(&second, START.plus(3 * HOUR)), (&third, later)] {
        world.log.append(edition.to_bytes());
        world.log.publish(since);
    }
    ([second, third], later)
}

/// An edition that has the consent of the edition in force, of a log that keeps every rule and shows no seen proof for a
/// while: what can't be judged without them accuses nobody.
#[tokio::test]
async fn an_honest_log_that_shows_no_seen_proofs_is_accused_of_nothing() {
    let mut world = World::new();
    let ([_, third], later) = amended_twice(&mut world);
    let mut fourth = third.body().clone();
    (fourth.edition, fourth.previous, fourth.limits.max_added) = (4, Some(third.id()), 300);
    world.log.append(signed(&fourth.to_text().unwrap(), &["m1", "c1", "c3"]).to_bytes());
    world.log.publish(later.plus(HOUR));
    fs::rename(world.log.path.join("proof"), world.path("proofs")).unwrap();
    let mut monitor = world.monitor();
    let report = monitor.poll_at(later.plus(2 * HOUR)).await.unwrap();
    assert_eq!(report.summary.breaches, 0, "{:#?}", standing(&report));
    let found = find(&report, "not-judged");
    assert_eq!((found.severity, found.answerable.len()), (Severity::Warning, 0), "{}", found.words);
    assert!(found.words.contains("of the charter of hotline.example/images") && found.words.contains("seen proof of"));
    assert!(!found.words.contains("breaks"), "{}", found.words);
    for accusing in ["too-few-curators", "bundle-unusable"] {
        assert!(!codes(&report).contains(&accusing), "{accusing}");
    }
    assert!(!codes(&report).contains(&"stale-draft"), "that a release was late can't be told, either");
    fs::rename(world.path("proofs"), world.log.path.join("proof")).unwrap();
    let report = monitor.poll_at(later.plus(2 * HOUR + 60)).await.unwrap();
    assert!(codes(&report).iter().all(|code| !["too-few-curators", "not-judged", "seen-proof-missing"].contains(code)));
    assert_eq!(report.lists[0].editions.len(), 4);
}

/// A log that withholds the seen proof of one edition hides no breach by that: what comes after is judged as far as it needs no
/// time, and what it rests on is named.
#[tokio::test]
async fn a_withheld_proof_hides_no_breach_that_comes_after() {
    let mut world = World::new();
    let ([consented, third], later) = amended_twice(&mut world);
    let mut release = world.log.draft(&entries(0..20), later.plus(HOUR));
    (release.charter, release.root) = (third.id(), entries(3..9).root());
    let mut other = release.clone();
    other.expires = other.expires.plus(1);
    for release in [&release, &other] {
        world.log.append(signed(&release.to_text().unwrap(), &["m1", "c1", "c3"]).to_bytes());
    }
    let third_id = signed(&release.to_text().unwrap(), &["m1", "c1", "c3"]).id();
    let mut weak = release.clone();
    (weak.version, weak.previous) = (4, Some(third_id));
    let mut from_third = release.deltas[0];
    (from_third.from, from_third.release) = (3, third_id);
    weak.deltas.push(from_third);
    world.log.append(signed(&weak.to_text().unwrap(), &["m1", "c1"]).to_bytes());
    world.log.publish(later.plus(HOUR));
    world.log.remove(&Resource::SeenProof(consented.id()));
    let mut monitor = world.monitor();
    for look in 0..2 {
        let report = monitor.poll_at(later.plus(2 * HOUR + 60 * look)).await.unwrap();
        let found = find(&report, "not-judged");
        assert_eq!(found.severity, Severity::Warning, "{}", found.words);
        assert!(
            found.words.contains("edition 3 of the charter") && found.words.contains("entry 3."),
            "{}",
            found.words
        );
        let mut proven: Vec<&str> = report
            .findings
            .iter()
            .filter(|found| found.severity == Severity::Breach)
            .map(|found| found.code.as_str())
            .collect();
        proven.sort_unstable();
        assert_eq!(proven, ["content-broken", "equivocation", "too-few-curators"]);
        let with_file = report.findings.iter().filter(|found| found.evidence.is_some()).count();
        assert_eq!(with_file, 3);
    }
}

/// What proves a fork is a file. Without it nothing is proven; but that there was one is said, until it is back.
#[tokio::test]
async fn a_proof_that_is_lost_is_said_until_it_is_back() {
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    other.append("something else\n");
    other.publish(START.plus(3 * HOUR));
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor_of(vec![world.log.source(), other.source()]);
    let proven = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let digest = find(&proven, "fork").evidence.clone().unwrap();
    let path = world.path("data").join("evidence").join(format!("{digest}.json"));
    let whole = fs::read(&path).unwrap();
    let mut tampered = whole.clone();
    *tampered.last_mut().unwrap() ^= 1;
    for changed in [Some(tampered), None] {
        drop(monitor);
        match &changed {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        monitor = world.monitor();
        for time in [4 * HOUR, 5 * HOUR] {
            let report = monitor.poll_at(START.plus(time)).await.unwrap();
            assert!(report.summary.breaches == 0 && codes(&report).contains(&"evidence-lost"), "{:?}", codes(&report));
            let lost = find(&report, "evidence-lost");
            assert_eq!((lost.severity, lost.standing), (Severity::Warning, true));
            assert!(lost.subject.starts_with(&digest), "{}", lost.subject);
            assert!(lost.words.contains("signed two histories"), "{}", lost.words);
        }
    }
    drop(monitor);
    fs::write(&path, whole).unwrap();
    let report = world.monitor().poll_at(START.plus(6 * HOUR)).await.unwrap();
    assert_eq!(report.summary.breaches, 1);
    assert!(!codes(&report).contains(&"evidence-lost"));
}

/// Whoever removes all that a monitor remembers does not make it begin anew in silence.
#[tokio::test]
async fn a_memory_that_is_gone_is_said() {
    let world = World::new();
    drop(world.monitor().poll_at(START.plus(NOW)).await.unwrap());
    for folder in ["mirror", "checkpoints"] {
        fs::remove_dir_all(world.path("data").join(folder)).unwrap();
    }
    let report = world.monitor().poll_at(START.plus(NOW + 60)).await.unwrap();
    let words = &find(&report, "copy-damaged").words;
    assert!(words.contains("is not known any more"), "{words}");
}

/// A quorum that dates a checkpoint two hours ahead hides no freeze, and is remembered until that time has come.
#[tokio::test]
async fn a_date_that_has_not_come_hides_no_freeze() {
    let mut world = World::new();
    let mut monitor = world.monitor();
    let at = |minutes: u64| START.plus(NOW + 60 * minutes);
    world.log.publish(at(120));
    let report = monitor.poll_at(at(0)).await.unwrap();
    assert_eq!(codes(&report), ["time-ahead", "witness-clock-ahead", "witness-clock-ahead", "witness-clock-ahead"]);
    assert_eq!((report.log.witnessed, report.log.known_as_of), (Some(at(120)), Some(at(0))));
    // Nothing but that is shown for longer than half of the visibility, also to a monitor that was restarted meanwhile.
    let report = monitor.poll_at(at(59)).await.unwrap();
    assert!(!codes(&report).contains(&"frozen"));
    drop(monitor);
    let mut monitor = world.monitor();
    let report = monitor.poll_at(at(61)).await.unwrap();
    assert!(codes(&report).contains(&"frozen") && codes(&report).contains(&"time-ahead"), "{:?}", codes(&report));
    // The clocks are set right: that counts, and who saw the date goes by it still.
    world.log.publish(at(70));
    let report = monitor.poll_at(at(70)).await.unwrap();
    assert_eq!((codes(&report), report.log.witnessed), (vec!["time-ahead"], Some(at(70))));
    world.log.publish(at(121));
    let report = monitor.poll_at(at(121)).await.unwrap();
    assert_eq!(codes(&report), [""; 0]);
}

/// Every look gets on by a tile, and what came is not fetched again.
#[tokio::test]
async fn a_look_that_has_no_time_left_goes_on_at_the_next() {
    let mut world = World::empty();
    (0..600).for_each(|number| world.log.append(format!("number {number}\n")));
    world.log.publish(START);
    let config = || world.config(vec![world.log.source()], &[]);
    let brief = isonomy_monitor::Config { look_for: Some(std::time::Duration::ZERO), ..config() };
    let mut monitor = Monitor::open(brief).unwrap();
    let (first, second) = (world.log.path.join("tile/entries/000"), world.log.path.join("tile/entries/001"));
    for look in 1..=3 {
        let report = monitor.poll_at(START.plus(look)).await.unwrap();
        let expected = if look == 3 { 600 } else { 0 };
        assert_eq!((report.log.size.0, find(&report, "catching-up").severity), (expected, Severity::Notice), "{look}");
        if look == 2 {
            fs::remove_file(&first).unwrap();
            fs::remove_file(&second).unwrap();
        }
    }
    drop(monitor);
    let report = Monitor::open(config()).unwrap().poll_at(START.plus(9)).await.unwrap();
    assert_eq!(report.log.read, 600);
}

/// What came at an earlier look and is not what the log signed is fetched anew.
#[tokio::test]
async fn what_was_left_over_is_believed_only_under_the_signed_root() {
    let mut world = World::empty();
    (0..300).for_each(|number| world.log.append(format!("number {number}\n")));
    world.log.publish(START);
    let config = || world.config(vec![world.log.source()], &[]);
    let brief = isonomy_monitor::Config { look_for: Some(std::time::Duration::ZERO), ..config() };
    drop(Monitor::open(brief).unwrap().poll_at(START.plus(1)).await.unwrap());
    let tile = world.path("data/mirror/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[9] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let report = Monitor::open(config()).unwrap().poll_at(START.plus(2)).await.unwrap();
    assert_eq!((report.log.size.0, report.log.read), (300, 300));
    assert!(!codes(&report).contains(&"entries-wrong"), "nobody served these");
}

/// A source that sends a byte now and then holds up neither the look nor the comparison of what others are shown.
#[tokio::test]
async fn a_source_that_dribbles_holds_nothing_up() {
    use axum::body::{Body, Bytes};
    use std::time::Duration;
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    let mut monitor = world.monitor();
    monitor.poll_at(START.plus(NOW)).await.unwrap();
    drop(monitor);
    world.log.release(entries(2..20), START.plus(3 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    other.append("something else\n");
    other.publish(START.plus(3 * HOUR));
    let dribble = || async {
        let bytes = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"\0")), ()))
        });
        Body::from_stream(bytes)
    };
    let serve = tower_http::services::ServeDir::new(&world.log.path);
    let router = Router::new().route("/tile/entries/{*rest}", get(dribble)).fallback_service(serve);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let sources = vec![Source::parse(&url).unwrap(), other.source()];
    let config = world.config(sources, &[]);
    let limits = isonomy_fetch::HttpLimits { idle: Duration::from_millis(100), minimum_rate: 1 << 20, ..config.limits };
    let mut monitor = Monitor::open(isonomy_monitor::Config { limits, ..config }).unwrap();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert!(codes(&report).contains(&"fork"), "{:?}", codes(&report));
}

/// A corpus that can't be looked up is no corpus in which nothing matches.
#[tokio::test]
async fn harmless_files_that_can_not_be_looked_up_are_a_finding() {
    let world = World::new();
    let config = isonomy_monitor::Config {
        canaries: Some(world.path("nowhere")),
        ..world.config(vec![world.log.source()], &[])
    };
    let report = Monitor::open(config).unwrap().poll_at(START.plus(NOW)).await.unwrap();
    assert_eq!(codes(&report), ["canaries-unreadable"]);
}

/// Whoever reads which source shows another history must know which.
#[tokio::test]
async fn sources_in_folders_of_one_name_are_told_apart() {
    let world = World::new();
    let copies = ["a", "b"].map(|name| world.log.split(world.path(name).join("log")));
    let sources = [&world.log, &copies[0], &copies[1]].map(Log::source).to_vec();
    let report = world.monitor_of(sources).poll_at(START.plus(3 * HOUR)).await.unwrap();
    let names: Vec<&str> = report.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["folder log", "folder log, number 2", "folder log, number 3"]);
}
