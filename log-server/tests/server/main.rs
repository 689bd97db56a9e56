//! The real server with real witnesses.

mod access;
mod attacks;
mod fsck;
#[cfg(unix)]
mod hammer;
#[cfg(unix)]
mod kills;
mod lists;
mod restoring;
mod starting;
mod witnessing;
mod world;

use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{LeafHash, ObjectDigest};
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{self, TileKind};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use isonomy_fetch::{FetchError, Submitted};
use isonomy_log_server::ServeError;
use lists::{LIST, Publisher, attestation, by_all, charter, curator, followed, maintainer, sign};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use world::{World, now};

/// Submits a statement, and its objects if the log asks for them; the proof, verified.
async fn publish(world: &World, statement: &Statement, publisher: &Publisher) -> TlogProof {
    let client = world.client();
    let proof = match client.submit(&statement.to_bytes()).await.unwrap() {
        Submitted::Logged(proof) => proof,
        Submitted::Missing(digests) => {
            for digest in digests {
                client.put_object(&digest, publisher.objects[&digest].clone()).await.unwrap();
            }
            match client.submit(&statement.to_bytes()).await.unwrap() {
                Submitted::Logged(proof) => proof,
                missing => panic!("{missing:?}"),
            }
        }
    };
    proof.verify(&statement.to_bytes(), &world.log_verifier(), &world.policy).unwrap();
    proof
}

/// A log with a charter and two releases.
async fn published(world: &World) -> (Publisher, [Statement; 3]) {
    let charter = charter(LIST);
    let mut publisher = Publisher::new(&charter);
    let first = by_all(charter.to_text().unwrap());
    assert_eq!(publish(world, &first, &publisher).await.index, LeafIndex(0));
    let second = publisher.release(0..100);
    assert_eq!(publish(world, &second, &publisher).await.index, LeafIndex(1));
    let third = publisher.release(2..110);
    assert_eq!(publish(world, &third, &publisher).await.index, LeafIndex(2));
    (publisher, [first, second, third])
}

async fn checkpoint(world: &World) -> CheckpointNote {
    let checkpoint = CheckpointNote::parse(&world.get_soon(&Resource::Checkpoint).await).unwrap();
    checkpoint.verify_log(&world.log_verifier()).unwrap();
    assert!(world.policy.checkpoint_times(checkpoint.note()).unwrap().is_some());
    checkpoint
}

/// Reads the whole tree, entries and hashes, and compares both with the checkpoint.
async fn audit(world: &World, checkpoint: &CheckpointNote) -> Vec<Vec<u8>> {
    let tree = checkpoint.checkpoint();
    let mut entries = Vec::new();
    for path in tile::entry_tiles(LeafIndex(0), tree.size) {
        entries.extend(tile::parse_entries(&world.get(&Resource::Tile(path)).await.unwrap(), path.width()).unwrap());
    }
    let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(leaves.iter().copied().collect::<Frontier>().root(), tree.root);
    for path in tile::tiles_of(tree.size) {
        let hashes = tile::parse_hashes(&world.get(&Resource::Tile(path)).await.unwrap(), path.width()).unwrap();
        if path.kind() == (TileKind::Hashes { level: 0 }) {
            let start = path.index() as usize * 256;
            let same = hashes.iter().zip(&leaves[start..]).all(|(hash, leaf)| hash.0 == leaf.0);
            assert!(same && hashes.len() == usize::from(path.width()));
        }
    }
    entries
}

/// Waits until the log has published something since it started.
async fn until_published(world: &World) {
    let until = Instant::now() + Duration::from_secs(60);
    while !world.raw("GET /healthz", b"").await.starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "nothing is published");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn bundle(world: &World) -> Bundle {
    bundle_of(world, LIST).await
}

async fn bundle_of(world: &World, list: &str) -> Bundle {
    let list = ListName::new(list).unwrap();
    Bundle::parse(&world.get_soon(&Resource::Bundle(list)).await).unwrap()
}

fn refused(result: Result<Submitted, FetchError>) -> (u16, String, Option<u8>) {
    match result {
        Err(FetchError::Refused { status, code, rule, .. }) => (status, code, rule),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charter_and_releases_are_published_with_proofs() {
    let mut world = World::with_log().await;
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(0), "a new log publishes the empty tree");
    let (publisher, statements) = published(&world).await;
    let checkpoint = checkpoint(&world).await;
    assert_eq!(checkpoint.checkpoint().size, TreeSize(3));
    assert_eq!(checkpoint.note().signatures().len(), 4, "all three witnesses, not the quorum alone");
    let entries = audit(&world, &checkpoint).await;
    for (statement, entry) in statements.iter().zip(&entries) {
        assert_eq!(statement.to_bytes(), *entry);
        assert_eq!(world.get(&Resource::Statement(statement.id())).await.unwrap(), *entry);
        let seen = TlogProof::parse(&world.get(&Resource::SeenProof(statement.id())).await.unwrap()).unwrap();
        seen.verify(entry, &world.log_verifier(), &world.policy).unwrap();
    }
    for (digest, bytes) in &publisher.objects {
        assert_eq!(world.get(&Resource::Object(*digest)).await.unwrap(), *bytes);
    }
    let bundle = bundle(&world).await;
    assert_eq!(bundle.checkpoint, checkpoint);
    assert_eq!(bundle.charters.iter().map(|included| included.id).collect::<Vec<_>>(), [statements[0].id()]);
    assert_eq!(bundle.releases.last().unwrap().id, statements[2].id());
    for included in bundle.charters.iter().chain(&bundle.releases) {
        included.verify(&entries[included.index.0 as usize], &checkpoint).unwrap();
    }
    world.stop_log().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_again_gives_the_same_proof_whatever_the_signatures() {
    let world = World::with_log().await;
    let (publisher, statements) = published(&world).await;
    let client = world.client();
    for statement in &statements {
        let again = publish(&world, statement, &publisher).await;
        let seen = world.get(&Resource::SeenProof(statement.id())).await.unwrap();
        assert_eq!(again.to_bytes(), seen);
    }
    let text = statements[1].note().text().to_owned();
    let other = sign(text, &[&maintainer()]);
    let Submitted::Logged(proof) = client.submit(&other.to_bytes()).await.unwrap() else { panic!() };
    assert_eq!(proof.index, LeafIndex(1));
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_logged_once_each() {
    let world = World::with_log().await;
    let statements: Vec<Statement> =
        (0..12).map(|number| by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap())).collect();
    let tasks = statements.iter().chain(&statements).map(|statement| {
        let (client, bytes) = (world.client(), statement.to_bytes());
        tokio::spawn(async move { client.submit(&bytes).await.unwrap() })
    });
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Submitted::Logged(_)));
    }
    let checkpoint = checkpoint(&world).await;
    assert_eq!(checkpoint.checkpoint().size, TreeSize(12));
    audit(&world, &checkpoint).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_which_rule_and_why() {
    let world = World::with_log().await;
    let client = world.client();
    let submit = async |statement: &Statement| refused(client.submit(&statement.to_bytes()).await);
    let own = charter(LIST);
    let mut publisher = Publisher::new(&own);

    assert_eq!(refused(client.submit(b"hello").await), (400, "malformed".into(), None));
    assert_eq!(refused(client.submit(&[b'x'; 70_000]).await).0, 413);
    let (orphan, _) = publisher.compose(0..5, |_| ());
    let orphan = by_all(orphan.to_text().unwrap());
    assert_eq!(submit(&orphan).await, (422, "unknown-charter".into(), Some(1)));
    let mut foreign = charter(LIST);
    foreign.maintainer.keys = vec![lists::auditor().verifier().clone()];
    let foreign = sign(foreign.to_text().unwrap(), &[&lists::auditor(), &curator(0), &curator(1)]);
    assert_eq!(submit(&foreign).await, (403, "unknown-publisher".into(), None));
    let reserved = by_all(charter("hotline.example/bundle").to_text().unwrap());
    assert_eq!(submit(&reserved).await, (422, "reserved-name".into(), None));
    let weak = sign(own.to_text().unwrap(), &[&maintainer(), &curator(0)]);
    assert_eq!(submit(&weak).await.2, Some(2));
    let draft = [own.to_text().unwrap().as_bytes(), b"\n"].concat();
    client.check(&draft).await.unwrap();

    publish(&world, &by_all(own.to_text().unwrap()), &publisher).await;
    let (stale, _) = publisher.compose(0..5, |release| release.created.0 -= 100_000);
    assert_eq!(submit(&by_all(stale.to_text().unwrap())).await.2, Some(7), "validity is counted from creation");
    let (stale, _) = publisher.compose(0..5, |release| {
        release.created.0 -= 90_000;
        release.expires = release.created.plus(3600);
    });
    assert_eq!(submit(&by_all(stale.to_text().unwrap())).await, (422, "stale-draft".into(), Some(2)));
    let (sized, _) = publisher.compose(0..5, |release| release.snapshot.size += 1);
    assert_eq!(submit(&by_all(sized.to_text().unwrap())).await, (422, "object-size".into(), Some(8)));
    let check = client.check(&[sized.to_text().unwrap().as_bytes(), b"\n"].concat()).await;
    assert!(matches!(check, Err(FetchError::Refused { status: 422, .. })));

    let (wrong, _) = publisher.compose(0..5, |release| release.root = isonomy_core::hash::ListRoot([3; 32]));
    let wrong = by_all(wrong.to_text().unwrap());
    let Submitted::Missing(digests) = client.submit(&wrong.to_bytes()).await.unwrap() else { panic!() };
    assert_eq!(digests.len(), 1);
    for (bytes, code) in [
        (b"x".to_vec(), "too-small"),
        (vec![1; 1000], "too-large"),
        (vec![1; publisher.objects[&digests[0]].len()], "other-digest"),
    ] {
        let result = client.put_object(&digests[0], bytes).await;
        assert!(matches!(&result, Err(FetchError::Refused { code: found, .. }) if found == code), "{code} {result:?}");
    }
    let unwanted = client.put_object(&ObjectDigest::of(b"x"), b"x".to_vec()).await;
    assert!(matches!(unwanted, Err(FetchError::Refused { status: 404, .. })));
    client.put_object(&digests[0], publisher.objects[&digests[0]].clone()).await.unwrap();
    client.put_object(&digests[0], publisher.objects[&digests[0]].clone()).await.unwrap();
    let staged = world.get(&Resource::Object(digests[0])).await;
    assert!(
        matches!(staged, Err(FetchError::NotFound { .. })),
        "{staged:?}: nothing of a release is public before it is logged"
    );
    assert_eq!(submit(&wrong).await, (422, "root-mismatch".into(), Some(8)));

    let release = publisher.release(0..5);
    publish(&world, &release, &publisher).await;
    assert_eq!(submit(&attestation(release.id(), &curator(0))).await, (403, "unknown-auditor".into(), None));
    publish(&world, &attestation(release.id(), &lists::auditor()), &publisher).await;
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_has_the_newest_word_of_each_auditor_that_followed_the_log() {
    let world = World::with_log().await;
    let (publisher, [.., third]) = published(&world).await;
    let (release, size) = (third.id(), checkpoint(&world).await.checkpoint().size.0);
    assert!(bundle(&world).await.attestations.is_empty());
    publish(&world, &attestation(release, &lists::auditor()), &publisher).await;
    publish(&world, &followed(release, size), &publisher).await;
    let newest = followed(release, size + 2);
    publish(&world, &newest, &publisher).await;
    let bundle = bundle(&world).await;
    let [word] = bundle.attestations.as_slice() else { panic!("{:?}", bundle.attestations) };
    assert_eq!(
        (word.id, word.index.0),
        (newest.id(), size + 2),
        "recomputed is another method, and the older word is over"
    );
    assert_eq!(word.verify(&newest.to_bytes(), &bundle.checkpoint), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_that_leads_elsewhere_or_counts_wrong_is_refused() {
    let world = World::with_log().await;
    let (mut publisher, _) = published(&world).await;
    let client = world.client();
    for wrong in [1, 2] {
        let (release, _) = publisher.compose(4..120, |release| match wrong {
            1 => {
                release.added += 1;
                release.removed += 1;
            }
            _ => {
                // The delta from version 2 is one that leaves everything as it is.
                let (_, same) = Publisher::new(&charter(LIST)).compose(2..110, |_| ());
                let bytes = isonomy_core::list::delta::encode(&isonomy_core::list::delta::diff(&same, &same).unwrap());
                let delta = release.deltas.last_mut().unwrap();
                (delta.size, delta.sha256) = (bytes.len() as u64, ObjectDigest::of(&bytes));
            }
        });
        let (_, same) = Publisher::new(&charter(LIST)).compose(2..110, |_| ());
        let bytes = isonomy_core::list::delta::encode(&isonomy_core::list::delta::diff(&same, &same).unwrap());
        publisher.objects.insert(ObjectDigest::of(&bytes), bytes);
        let statement = by_all(release.to_text().unwrap());
        let Submitted::Missing(digests) = client.submit(&statement.to_bytes()).await.unwrap() else { panic!() };
        for digest in digests {
            client.put_object(&digest, publisher.objects[&digest].clone()).await.unwrap();
        }
        let (status, code, rule) = refused(client.submit(&statement.to_bytes()).await);
        assert_eq!((status, rule), (422, Some(8)), "{code}");
        assert_eq!(code, if wrong == 1 { "count-mismatch" } else { "root-mismatch" });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_log_goes_on_where_it_was() {
    let mut world = World::with_log().await;
    let (mut publisher, statements) = published(&world).await;
    let before = checkpoint(&world).await;
    let pending = publisher.release(4..120);
    assert!(matches!(world.client().submit(&pending.to_bytes()).await.unwrap(), Submitted::Missing(_)));
    world.stop_log().await.unwrap();
    world.start_log().await;
    assert_eq!(checkpoint(&world).await.checkpoint(), before.checkpoint());
    for statement in &statements {
        publish(&world, statement, &publisher).await;
    }
    // What waits for its objects is remembered: they can be sent without submitting it again.
    for object in pending.clone().into_release().unwrap().body().objects() {
        let bytes = publisher.objects[&object.sha256].clone();
        world.client().put_object(&object.sha256, bytes).await.unwrap();
    }
    assert_eq!(publish(&world, &pending, &publisher).await.index, LeafIndex(3));
    let checkpoint = checkpoint(&world).await;
    audit(&world, &checkpoint).await;
    // Also without its database, of which the rest is in the files.
    world.stop_log().await.unwrap();
    std::fs::remove_dir_all(world.data().join("private/state")).unwrap();
    world.start_log().await;
    let release = publisher.release(6..130);
    assert_eq!(publish(&world, &release, &publisher).await.index, LeafIndex(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_data_is_older_than_what_others_have_seen_refuses_to_start() {
    let mut world = World::with_log().await;
    let charter = charter(LIST);
    let publisher = Publisher::new(&charter);
    world.stop_log().await.unwrap();
    copy(&world.data(), &world.data().with_extension("old"));
    world.start_log().await;
    publish(&world, &by_all(charter.to_text().unwrap()), &publisher).await;
    world.stop_log().await.unwrap();
    std::fs::rename(world.data(), world.data().with_extension("new")).unwrap();
    std::fs::rename(world.data().with_extension("old"), world.data()).unwrap();
    let error = world.failing_start().await;
    assert!(matches!(error, ServeError::Log(isonomy_log_server::log::LogError::RolledBack { .. })), "{error}");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_published_and_with_it_everything_is() {
    let mut world = World::with_log().await;
    let (publisher, _) = published(&world).await;
    let before = checkpoint(&world).await;
    world.stop_witness(1).await;
    let second = by_all(charter("hotline.example/second").to_text().unwrap());
    assert_eq!(publish(&world, &second, &publisher).await.index, LeafIndex(3), "two of three are enough");
    world.stop_witness(2).await;
    let third = by_all(charter("hotline.example/third").to_text().unwrap());
    let (client, bytes) = (world.client(), third.to_bytes());
    let waiting = tokio::spawn(async move { client.submit(&bytes).await });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!waiting.is_finished());
    let during = checkpoint(&world).await;
    assert_eq!((before.checkpoint().size, during.checkpoint().size), (TreeSize(3), TreeSize(4)));
    assert!(world.get(&Resource::SeenProof(third.id())).await.is_err());
    // Not even a restart in the middle loses it.
    world.stop_log().await.unwrap();
    assert_eq!(refused(waiting.await.unwrap()).0, 503);
    world.start_log().await;
    world.start_witness(2).await;
    world.start_witness(1).await;
    assert_eq!(publish(&world, &third, &publisher).await.index, LeafIndex(4));
    let after = checkpoint(&world).await;
    assert_eq!(after.checkpoint().size, TreeSize(5));
    audit(&world, &after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_lies_counts_for_nothing() {
    for answer in [
        "HTTP/1.1 409 Conflict\r\ncontent-type: text/x.tlog.size\r\ncontent-length: 2\r\n\r\n0\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n\u{2014} w AAAAAAAAAAA=\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nx",
        "nonsense",
    ] {
        let mut world = World::new().await;
        world.replace_witness(2, answer).await;
        world.start_log().await;
        let charter = charter(LIST);
        let statement = by_all(charter.to_text().unwrap());
        assert_eq!(publish(&world, &statement, &Publisher::new(&charter)).await.index, LeafIndex(0));
        let checkpoint = checkpoint(&world).await;
        assert_eq!(checkpoint.note().signatures().len(), 3, "the log and two witnesses");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_until_the_witnesses_clocks_have_come_to_its_creation() {
    const BEHIND: u64 = 3;
    let mut world = World::new().await;
    world.wrong_clock(0, -(BEHIND as i64)).await;
    world.wrong_clock(1, -(BEHIND as i64)).await;
    world.start_log().await;
    checkpoint(&world).await;
    let charter = charter(LIST);
    let mut publisher = Publisher::new(&charter);
    publish(&world, &by_all(charter.to_text().unwrap()), &publisher).await;

    let (ahead, _) = publisher.compose(0..10, |release| {
        release.created = now().plus(30);
        release.expires = release.created.plus(3600);
    });
    let result = world.client().submit(&by_all(ahead.to_text().unwrap()).to_bytes()).await;
    assert_eq!(refused(result).2, Some(7), "what is from the log's own future is not waited for");

    let release = publisher.release(0..10);
    let asked = Instant::now();
    let proof = publish(&world, &release, &publisher).await;
    assert!(asked.elapsed() >= Duration::from_secs(BEHIND - 1), "{:?}", asked.elapsed());
    let times = proof.verify(&release.to_bytes(), &world.log_verifier(), &world.policy).unwrap();
    assert!(release.into_release().unwrap().body().created <= times.earliest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_clock_is_behind_its_witnesses_waits_for_it() {
    const AHEAD: u64 = 4;
    let mut world = World::new().await;
    for number in 0..3 {
        world.wrong_clock(number, AHEAD as i64).await;
    }
    world.start_log().await;
    until_published(&world).await;
    let charter = charter(LIST);
    let mut publisher = Publisher::new(&charter);
    publish(&world, &by_all(charter.to_text().unwrap()), &publisher).await;
    // The maintainer's clock is as the witnesses', and right.
    let release = by_all(publisher.compose(0..10, |release| release.created = now().plus(AHEAD)).0.to_text().unwrap());
    assert_eq!(publish(&world, &release, &publisher).await.index, LeafIndex(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_tree_is_published_again_with_fresh_cosignatures() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(300);
    world.start_log().await;
    let (_, statements) = published(&world).await;
    let times = async || {
        let checkpoint = checkpoint(&world).await;
        (world.policy.checkpoint_times(checkpoint.note()).unwrap().unwrap().latest, checkpoint.checkpoint().clone())
    };
    let (first, tree) = times().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (second, same) = times().await;
    assert!(second > first);
    assert_eq!(tree, same);
    let bundle = bundle(&world).await;
    assert!(world.policy.checkpoint_times(bundle.checkpoint.note()).unwrap().unwrap().latest > first);
    // Visible by now, the newest release is the first one that a client needs.
    assert_eq!(bundle.releases.iter().map(|included| included.id).collect::<Vec<_>>(), [statements[2].id()]);
}

/// The value of a number that `/metrics` shows.
fn number(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_those_of_the_work_that_was_done() {
    let world = World::with_log().await;
    published(&world).await;
    let metrics = world.raw("GET /metrics", b"").await;
    let of = |name: &str| number(&metrics, &format!("isonomy_{name}"));
    assert!(!cfg!(unix) || of("data_free_bytes") > 0.0, "{metrics}");
    assert!(of("seconds_since_publication") < 3600.0 && of("rounds_in_vain") == 0.0, "{metrics}");
    assert_eq!(
        [of("log_size"), of("published_size"), of("unseen_statements"), of("pending_releases")],
        [3.0, 3.0, 0.0, 0.0]
    );
    assert_eq!((of("healthy"), of("queue_free")), (1.0, of("queue_capacity")));
    // Three statements, each in a batch of its own, since each was answered before the next one came.
    assert_eq!((of("batch_entries_count"), of("batch_entries_sum")), (3.0, 3.0));
    for work in ["append", "integrate", "round", "publish"] {
        let (count, sum) = (of(&format!("{work}_seconds_count")), of(&format!("{work}_seconds_sum")));
        assert!(count >= 3.0 && sum > 0.0, "{work}: {count} times, {sum} s");
    }
    for witness in ["w0", "w1", "w2"] {
        let of = |name: &str| of(&format!("witness_{name}{{witness=\"witness.example/{witness}\"}}"));
        assert_eq!((of("failures"), of("cosigned_size")), (0.0, 3.0), "{witness}");
        assert!(of("latency_seconds") > 0.0, "{witness}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_has_the_right_headers_and_nothing_else_is_served() {
    let world = World::with_log().await;
    let (publisher, _) = published(&world).await;
    let checkpoint = world.raw("GET /checkpoint", b"").await;
    assert!(checkpoint.starts_with("HTTP/1.1 200"));
    assert!(
        checkpoint.contains("content-type: text/plain; charset=utf-8")
            && checkpoint.contains("cache-control: no-cache")
    );
    let tile = world.raw("GET /tile/0/000.p/3?x=1", b"").await;
    assert!(tile.contains("immutable") && tile.contains("application/octet-stream"), "{tile}");
    for path in ["checkpoint", "tile/0/000.p/3", "lists", "nothing"] {
        let answer = world.raw(&format!("GET /{path}"), b"").await;
        assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
    }
    let digest = publisher.objects.keys().next().unwrap().to_hex();
    let part = world.raw(&format!("GET /object/{digest} HTTP/1.1\r\nrange: bytes=0-2\r\nx-ignored: "), b"").await;
    assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("\r\n\r\niso"), "{part}");
    let beyond =
        world.raw(&format!("GET /object/{digest} HTTP/1.1\r\nrange: bytes=99999999-\r\nx-ignored: "), b"").await;
    assert!(beyond.starts_with("HTTP/1.1 416") && !beyond.contains("etag"), "{beyond}");
    assert!(beyond.contains("cache-control: no-store"), "{beyond}");
    assert!(world.raw("GET /lists", b"").await.contains(r#""list": "hotline.example/images""#));
    assert!(world.raw("GET /healthz", b"").await.ends_with("ok\n"));
    assert!(world.raw("GET /metrics", b"").await.contains("isonomy_log_size 3\n"));
    assert!(world.raw("GET /", b"").await.contains(&world.log_verifier().to_string()));
    for hidden in ["/private/head", "/../private/head", "/%2e%2e/private/head", "/tile", "/list", "/object/", "/lock"] {
        let answer = world.raw(&format!("GET {hidden}"), b"").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{hidden} {answer}");
    }
    assert!(world.raw("POST /checkpoint", b"x").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_can_t_work_is_refused() {
    let mut world = World::new().await;
    let good = world.policy.clone();
    world.policy = isonomy_core::policy::Policy::parse(b"quorum none\n").unwrap();
    assert!(matches!(world.failing_start().await, ServeError::Config(_)));
    world.policy = good;
    world.republish_every = Duration::ZERO;
    assert!(matches!(world.failing_start().await, ServeError::Config(_)));
    world.republish_every = Duration::from_secs(60);
    world.start_log().await;
    checkpoint(&world).await;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = isonomy_log_server::run(other, world.config(), std::future::pending()).await;
    assert!(matches!(second, Err(ServeError::File(_))), "the folder is locked");
}

/// Where the folder has the bundle of a list, for whoever copies that.
fn copy_of_bundle(world: &World, list: &ListName) -> PathBuf {
    world.data().join("public").join(Resource::Bundle(list.clone()).to_string())
}

fn copied_bundle(world: &World, list: &ListName) -> Bundle {
    Bundle::parse(&std::fs::read(copy_of_bundle(world, list)).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_alone_is_a_mirror_and_only_what_changes_is_written_at_once() {
    let mut world = World::with_log().await;
    let charters: Vec<_> = (0..3).map(|number| charter(&format!("hotline.example/l-{number}"))).collect();
    for charter in &charters {
        publish(&world, &by_all(charter.to_text().unwrap()), &Publisher::new(charter)).await;
        while !copy_of_bundle(&world, &charter.list).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    world.stop_log().await.unwrap();
    let sizes = |world: &World| -> Vec<u64> {
        charters.iter().map(|charter| copied_bundle(world, &charter.list).checkpoint.checkpoint().size.0).collect()
    };
    assert_eq!(sizes(&world), [1, 2, 3], "one publication for each, which left the others alone");
    world.start_log().await;
    for charter in &charters {
        let bundle = bundle_of(&world, charter.list.as_str()).await;
        let tree = checkpoint(&world).await.checkpoint().clone();
        assert_eq!(*bundle.checkpoint.checkpoint(), tree, "what is served is always the newest");
    }
    until_published(&world).await;
    world.stop_log().await.unwrap();
    assert_eq!(sizes(&world), [3, 3, 3], "after a start all are written");
    for charter in &charters {
        let bundle = copied_bundle(&world, &charter.list);
        let statement = by_all(charter.to_text().unwrap());
        bundle.charters[0].verify(&statement.to_bytes(), &bundle.checkpoint).unwrap();
    }
    let index = std::fs::read_to_string(world.data().join("public/lists")).unwrap();
    assert_eq!(index.matches("\"bundle\"").count(), 3, "{index}");
    // Copies are no older than the interval between republications.
    world.republish_every = Duration::from_millis(300);
    world.start_log().await;
    let first = copied_bundle(&world, &charters[0].list).checkpoint;
    let until = Instant::now() + Duration::from_secs(60);
    while copied_bundle(&world, &charters[0].list).checkpoint == first {
        assert!(Instant::now() < until, "the copies grow old");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.stop_log().await.unwrap();
}
