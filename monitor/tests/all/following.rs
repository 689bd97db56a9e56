//! What vantage points show, and what the monitor remembers.

use crate::world::*;
use axum::Router;
use axum::routing::get;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::resource::Resource;
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
        assert_eq!(evidence.verify(&policy(&[])).unwrap().by, [ORIGIN]);
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
    assert_eq!((codes(&report), report.log.read), (vec![], 3));
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
