//! Rounds with witnesses that are slow, gone, or others than before.

use crate::lists::{LIST, Publisher, by_all, charter};
use crate::world::{World, now};
use crate::{checkpoint, publish, published};
use axum::http::StatusCode;
use isonomy_core::add_checkpoint::{AddCheckpoint, CONFLICT_CONTENT_TYPE};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_log_server::SeenProofs;
use isonomy_witness::Restored;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many of the witnesses have cosigned the published checkpoint.
async fn cosigners(world: &World) -> usize {
    checkpoint(world).await.note().signatures().len() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_never_answers_delays_nobody() {
    let mut world = World::new().await;
    world.silent_witness(2).await;
    world.start_log().await;
    checkpoint(&world).await;
    let publisher = Publisher::new(&charter(LIST));
    let began = Instant::now();
    for number in 0..20 {
        let statement = by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap());
        assert_eq!(publish(&world, &statement, &publisher).await.index, LeafIndex(number));
    }
    // It is waited for at most once; twenty times the shortest patience would be ten seconds.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(cosigners(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_is_heard_when_nobody_waits() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(200);
    world.slow_witness(2, Duration::from_millis(1500)).await;
    world.start_log().await;
    publish(&world, &by_all(charter(LIST).to_text().unwrap()), &Publisher::new(&charter(LIST))).await;
    let until = Instant::now() + Duration::from_secs(60);
    while cosigners(&world).await < 3 {
        assert!(Instant::now() < until, "clients that count on it would never see it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_of_a_busy_log_is_heard_late_and_not_blamed() {
    let mut world = World::new().await;
    world.slow_witness(2, Duration::from_millis(1500)).await;
    world.start_log().await;
    checkpoint(&world).await;
    let until = Instant::now() + Duration::from_secs(60);
    let size = async || {
        let metrics = world.raw("GET /metrics", b"").await;
        assert!(metrics.contains("witness_failures{witness=\"witness.example/w2\"} 0"), "{metrics}");
        let (_, after) = metrics.split_once("witness_cosigned_size{witness=\"witness.example/w2\"} ").unwrap();
        after.lines().next().unwrap().parse::<u64>().unwrap()
    };
    // It cosigns again and again, though each round ends long before it answers.
    let (mut number, mut sizes) = (0, std::collections::BTreeSet::new());
    while sizes.len() < 4 {
        assert!(Instant::now() < until, "{sizes:?}");
        found(&world, number).await;
        number += 1;
        sizes.insert(size().await);
    }
    assert!(number > 2 * sizes.len() as u64, "nobody waited for it: {number} statements");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_asks_to_be_left_alone_is_and_delays_nobody() {
    let mut world = World::new().await;
    let asked = world.tired_witness(2, "2").await;
    world.start_log().await;
    let mut number = 0;
    while asked.lock().unwrap().len() < 3 {
        found(&world, number).await;
        number += 1;
    }
    let asked = asked.lock().unwrap().clone();
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(2)), "{asked:?}");
    assert!(number > 3, "the others cosign meanwhile: {number} statements");
    assert_eq!(cosigners(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_witness_fails_is_said_to_whoever_asks() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(100);
    let words = Arc::new(Mutex::new("the first reason"));
    let said = Arc::clone(&words);
    let answer = move |_| (StatusCode::FORBIDDEN, "text/plain", said.lock().unwrap().to_string());
    world.other_witness(2, answer).await;
    world.start_log().await;
    let health = until_it_says(&world, "/healthz", "the first reason").await;
    assert!(health.contains("warning: the witness witness.example/w2 "), "{health}");
    *words.lock().unwrap() = "another reason";
    let health = until_it_says(&world, "/healthz", "another reason").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\r\n\r\nok\n"), "{health}");
}

/// This log's policy with two of the three witnesses, both of which are needed.
fn both_of(world: &World, one: usize, other: usize) -> Policy {
    let text = world.policy_text();
    let left_out = |line: &&str| (0..3).all(|n| n == one || n == other || !line.starts_with(&format!("witness w{n} ")));
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("group")).filter(left_out).collect();
    let group = format!("group all-of-them 2 w{one} w{other}");
    let (quorum, rest) = kept.split_last().unwrap();
    Policy::parse(format!("{}\n{group}\n{quorum}\n", rest.join("\n")).as_bytes()).unwrap()
}

/// Whether every statement's seen proof holds under this policy.
async fn all_hold(world: &World, statements: &[Statement], policy: &Policy) -> bool {
    let mut all = true;
    for statement in statements {
        let proof = TlogProof::parse(&world.get(&Resource::SeenProof(statement.id())).await.unwrap()).unwrap();
        all &= proof.verify(&statement.to_bytes(), &world.log_verifier(), policy).is_ok();
    }
    all
}

/// The policy `now`, which names the witnesses of `before` as former ones, until the log had so many entries.
fn with_former(now: &Policy, before: &Policy, entries: u64) -> Policy {
    let text = |policy: &Policy| String::from_utf8(policy.to_text()).unwrap();
    let (log, witnesses) = (World::log_key(), text(before));
    let witnesses = witnesses.split_once('\n').unwrap().1;
    let text = format!("{}former {} {entries}\n{witnesses}", text(now), log.verifier().name());
    Policy::parse(text.as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn seen_proofs_outlast_their_witnesses_where_the_policy_remembers_these() {
    let mut world = World::new().await;
    let (before, after) = (both_of(&world, 0, 1), both_of(&world, 1, 2));
    world.policy = before.clone();
    world.start_log().await;
    let (publisher, statements) = published(&world).await;
    assert!(all_hold(&world, &statements, &before).await && !all_hold(&world, &statements, &after).await);
    let first = world.get(&Resource::SeenProof(statements[0].id())).await.unwrap();
    // Without a change nothing is renewed.
    world.stop_log().await.unwrap();
    world.start_log().await;
    publish(&world, &by_all(charter("hotline.example/l-0").to_text().unwrap()), &publisher).await;
    world.stop_log().await.unwrap();
    // Nobody is surprised by it, either.
    world.policy = after.clone();
    let error = world.failing_start().await.to_string();
    assert!(
        error.contains("witnesses: 4, the first of entry 0") && error.contains("`former ORIGIN ENTRIES`"),
        "{error}"
    );
    world.policy = with_former(&after, &before, 4);
    world.start_log().await;
    publish(&world, &by_all(charter("hotline.example/l-1").to_text().unwrap()), &publisher).await;
    assert_eq!(world.get(&Resource::SeenProof(statements[0].id())).await.unwrap(), first, "the first one stays");
    assert!(all_hold(&world, &statements, &world.policy).await);
    world.stop_log().await.unwrap();
    // Former witnesses count for what was there until they left.
    world.policy = with_former(&after, &before, 3);
    let error = world.failing_start().await.to_string();
    assert!(error.contains("witnesses: 1, the first of entry 3"), "{error}");
    world.policy = with_former(&after, &before, 99);
    let error = world.failing_start().await.to_string();
    assert!(error.contains("more entries when its witnesses changed than it has now"), "{error}");
    // Whoever really wants it gets new ones.
    (world.policy, world.seen_proofs) = (after.clone(), SeenProofs::Renew);
    world.start_log().await;
    publish(&world, &by_all(charter("hotline.example/l-2").to_text().unwrap()), &publisher).await;
    assert!(all_hold(&world, &statements, &after).await, "clients with the new policy can use what was logged before");
}

/// Whether the log shows the second release to whoever asks what lists there are.
async fn lists_version_2(world: &World) -> bool {
    until_it_says(world, "/lists", "newest").await.contains(r#""version": 2"#)
}

/// A statement keeps its first time in the log's own memory. Else a release that cites a charter whose proof was lost would be
/// left out, and its version free for a second text.
#[tokio::test(flavor = "multi_thread")]
async fn a_seen_proof_that_is_lost_changes_no_verdict() {
    let mut world = World::with_log().await;
    let (publisher, statements) = published(&world).await;
    let proof = world.data().join("public").join(Resource::SeenProof(statements[0].id()).to_string());
    let good = fs::read(&proof).unwrap();
    let harm = |world: &World, lost: &[u8]| {
        fs::write(world.data().join("public").join(Resource::SeenProof(statements[0].id()).to_string()), lost).unwrap();
    };
    world.stop_log().await.unwrap();
    harm(&world, b"");
    // Later than the release that cites the charter.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    world.start_log().await;
    assert!(lists_version_2(&world).await);
    let second = Publisher::new(&charter(LIST)).release(1..50);
    let refused = world.client().submit(&second.to_bytes()).await.unwrap_err().to_string();
    assert!(refused.contains("version 1"), "{refused}");
    publish(&world, &by_all(charter("hotline.example/l-0").to_text().unwrap()), &publisher).await;
    assert_ne!(fs::read(&proof).unwrap(), good, "it is made anew");
    world.stop_log().await.unwrap();
    // Without the log's memory as well: what covers the release covers the charter, for everybody.
    fs::remove_dir_all(world.data().join("private/state")).unwrap();
    harm(&world, b"damaged");
    world.start_log().await;
    assert!(lists_version_2(&world).await);
    world.stop_log().await.unwrap();
    harm(&world, &good);
    world.start_log().await;
    assert!(lists_version_2(&world).await, "put back, all is as it was");
}

/// A list with an edition that widens, after a notice.
struct Widened {
    founding: Statement,
    first: isonomy_core::charter::Charter,
    amendment: Statement,
    second: isonomy_core::charter::Charter,
}

impl Widened {
    /// Publishes both editions, the second with a notice of so many seconds.
    async fn publish(world: &World, notice: u64) -> Self {
        let mut first = charter(LIST);
        first.limits.notice = notice;
        let founding = by_all(first.to_text().unwrap());
        publish(world, &founding, &Publisher::new(&first)).await;
        let mut second = first.clone();
        (second.edition, second.previous) = (2, Some(founding.id()));
        second.limits.max_added += 1;
        let amendment = by_all(second.to_text().unwrap());
        publish(world, &amendment, &Publisher::new(&first)).await;
        Self { founding, first, amendment, second }
    }

    fn proof(&self, world: &World) -> std::path::PathBuf {
        world.data().join("public").join(Resource::SeenProof(self.amendment.id()).to_string())
    }

    /// A release under the second edition, as the first one.
    fn release(&self) -> (Publisher, Statement) {
        self.release_of(0..40)
    }

    fn release_of(&self, numbers: std::ops::Range<u64>) -> (Publisher, Statement) {
        let mut publisher = Publisher::new(&self.second);
        let release = publisher.release(numbers);
        (publisher, release)
    }
}

/// What the log knows, others can't: a new proof of an edition that widens begins its notice again, and they would refuse
/// for good what cites it.
#[tokio::test(flavor = "multi_thread")]
async fn a_seen_proof_is_not_replaced_where_others_would_then_refuse_a_release() {
    let mut world = World::with_log().await;
    let widened = Widened::publish(&world, 2).await;
    tokio::time::sleep(Duration::from_millis(3100)).await;
    let (publisher, release) = widened.release();
    publish(&world, &release, &publisher).await;
    world.stop_log().await.unwrap();
    let (proof, state) = (widened.proof(&world), world.data().join("private/state"));
    let good = fs::read(&proof).unwrap();
    // Also without the log's own memory, and with no checkpoint that would say what was published.
    let of_release = world.data().join("public").join(Resource::SeenProof(release.id()).to_string());
    let good_of_release = fs::read(&of_release).unwrap();
    for also in ["nothing", "the database", "the checkpoint", "and the proof of the release"] {
        fs::remove_file(&proof).unwrap();
        match also {
            "and the proof of the release" => {
                fs::remove_dir_all(&state).unwrap();
                fs::remove_file(&of_release).unwrap();
            }
            "the database" => fs::remove_dir_all(&state).unwrap(),
            "the checkpoint" => {
                fs::remove_dir_all(&state).unwrap();
                fs::remove_file(world.data().join("public/checkpoint")).unwrap();
            }
            _ => {}
        }
        let error = world.failing_start().await.to_string();
        assert!(error.contains("lost or damaged: proof/") && error.contains("(entry 1)"), "{also}: {error}");
        assert!(!error.contains("(entry 0)"), "{also}: {error}");
        assert!(!proof.exists());
        fs::write(&proof, &good).unwrap();
        fs::write(&of_release, &good_of_release).unwrap();
    }
    world.start_log().await;
    publish(&world, &release, &publisher).await;
    world.stop_log().await.unwrap();

    // What was given up was that alone by which a statement broke a rule: here nothing.
    renew(&mut world, &of_release).await;
    fs::remove_file(&proof).unwrap();
    fs::remove_file(world.data().join("public").join(Resource::SeenProof(widened.founding.id()).to_string())).unwrap();
    let error = world.failing_start().await.to_string();
    assert!(error.contains("(entry 0), proof/") && error.contains("(entry 1); and"), "all of this list: {error}");
    fs::write(&proof, &good).unwrap();

    // Whoever has lost it for good may give it up, once: the next start remembers that, and the guard is back.
    renew(&mut world, &proof).await;
    world.start_log().await;
    let ended = "warning: the list hotline.example/images has ended in this log: by what its witnesses' clocks and seen proofs show, entry 2";
    until_it_says(&world, "/healthz", ended).await;
    // A release that others leave out stays one; what would build on it is not admitted, nor another in its place.
    let mut publisher = publisher;
    let next = publisher.release(0..50);
    let refused = world.client().submit(&next.to_bytes()).await.unwrap_err().to_string();
    assert!(refused.contains("ended") && refused.contains("founded anew in another log"), "{refused}");
    let (_, second) = widened.release_of(1..2);
    let refused = world.client().submit(&second.to_bytes()).await.unwrap_err().to_string();
    assert!(refused.contains("ended"), "{refused}");
}

/// Loses a seen proof and gives it up.
async fn renew(world: &mut World, proof: &std::path::Path) {
    fs::remove_file(proof).unwrap();
    world.seen_proofs = SeenProofs::Renew;
    world.start_log().await;
    until(async || proof.exists()).await;
    world.stop_log().await.unwrap();
    world.seen_proofs = SeenProofs::Keep;
}

/// What is admitted keeps the rules also by the proof that takes the place of a lost one: else the log would take a release that
/// everybody refuses for good.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_admitted_keeps_the_rules_also_by_a_later_proof() {
    let mut world = World::with_log().await;
    let notice = 8;
    let widened = Widened::publish(&world, notice).await;
    // A release that stands after the edition, and shows nobody since when that is public: no bundle offers it then.
    let mut publisher = Publisher::new(&widened.first);
    let earlier = publisher.release(0..10);
    publish(&world, &earlier, &publisher).await;
    publisher.cite(&widened.second);
    let proof = widened.proof(&world);
    let times = |world: &World| {
        let proof = TlogProof::parse(&fs::read(&proof).unwrap()).unwrap();
        proof.verify(&widened.amendment.to_bytes(), &world.log_verifier(), &world.policy).unwrap().earliest
    };
    let (first_proof, first) = (fs::read(&proof).unwrap(), times(&world));
    world.stop_log().await.unwrap();
    fs::remove_file(&proof).unwrap();
    while now() < first.plus(notice / 2) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.start_log().await;
    until(async || proof.exists()).await;
    let second = times(&world);
    assert!(second > first);
    // By what the log knows the notice ends now; by what it shows, later.
    loop {
        let (release, _) = publisher.compose(0..40, |_| ());
        let release = by_all(release.to_text().unwrap());
        match world.client().submit(&release.to_bytes()).await {
            Err(error) => assert!(error.to_string().contains("notice"), "{error}"),
            Ok(_) => break assert!(now() >= second.plus(notice), "admitted though others would refuse it"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Once such a release is logged, the first proof is as good as the later one.
    let release = publisher.release(0..40);
    publish(&world, &release, &publisher).await;
    world.stop_log().await.unwrap();
    let later_proof = fs::read(&proof).unwrap();
    fs::write(&proof, &first_proof).unwrap();
    world.start_log().await;
    world.stop_log().await.unwrap();
    fs::write(&proof, &later_proof).unwrap();
    world.start_log().await;
    assert!(all_hold(&world, &[widened.founding, release], &world.policy).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_proof_in_the_place_of_the_first_is_not_taken_where_others_would_refuse_a_release() {
    let mut world = World::with_log().await;
    let widened = Widened::publish(&world, 2).await;
    world.stop_log().await.unwrap();
    let proof = widened.proof(&world);
    let first = fs::read(&proof).unwrap();
    let before = world.data().with_extension("before");
    crate::copy(&world.data(), &before);
    // What a copy of the log has that has lost the proof: a later one.
    fs::remove_file(&proof).unwrap();
    tokio::time::sleep(Duration::from_millis(3100)).await;
    world.start_log().await;
    until(async || proof.exists()).await;
    world.stop_log().await.unwrap();
    let later = fs::read(&proof).unwrap();
    fs::remove_dir_all(world.data()).unwrap();
    crate::copy(&before, &world.data());
    world.start_log().await;
    let (publisher, release) = widened.release();
    publish(&world, &release, &publisher).await;
    world.stop_log().await.unwrap();
    fs::write(&proof, &later).unwrap();
    let error = world.failing_start().await.to_string();
    assert!(
        error.contains("later ones than there were first: proof/")
            && error.contains("(entry 1); and")
            && error.contains("its notice ends at"),
        "{error}"
    );
    fs::write(&proof, &first).unwrap();
    world.start_log().await;
    publish(&world, &release, &publisher).await;
}

/// Publishes the founding of another list.
async fn found(world: &World, number: u64) {
    let statement = by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap());
    publish(world, &statement, &Publisher::new(&charter(LIST))).await;
}

/// Waits until the log's answer to this path holds these words.
pub(crate) async fn until_it_says(world: &World, path: &str, words: &str) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = world.raw(&format!("GET {path}"), b"").await;
        if answer.contains(words) {
            return answer;
        }
        assert!(Instant::now() < until, "{words:?} is not in {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_whose_clock_runs_far_ahead_does_not_count_and_is_seen() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(200);
    world.wrong_clock(2, 3600).await;
    world.start_log().await;
    found(&world, 1).await;
    let health = until_it_says(&world, "/healthz", "warning: the clock of the witness witness.example/w2 is 3").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\r\n\r\nok\n"), "{health}");
    let metrics =
        until_it_says(&world, "/metrics", "witness_clock_ahead_seconds{witness=\"witness.example/w2\"} 3").await;
    let sound = crate::number(&metrics, "isonomy_witness_clock_ahead_seconds{witness=\"witness.example/w0\"}");
    assert!(sound <= 0.0, "it answered a while ago, and not before it was asked: {sound}");
    let newest = checkpoint(&world).await;
    assert_eq!(newest.note().signatures().len(), 3, "the log and the two others");
    let times = world.policy.checkpoint_times(newest.note()).unwrap().unwrap();
    assert!(times.latest <= now(), "no client is told a later time than it is");
    let bundle = crate::bundle_of(&world, "hotline.example/l-1").await;
    assert_eq!(bundle.checkpoint.note().signatures().len(), 3);
}

/// As long as nothing is published for that, operators see why.
#[tokio::test(flavor = "multi_thread")]
async fn that_later_dates_are_waited_for_is_seen() {
    let mut world = World::with_log().await;
    let (mut publisher, _) = published(&world).await;
    let next = publisher.release(5..120);
    // The clocks of a quorum are set back by more than a round shows before the release is taken.
    for number in [0, 1, 2] {
        world.wrong_clock(number, -25).await;
    }
    let (warning, gauge) = ("warning: nothing is published since", "isonomy_awaits_later_dates");
    let publishing = async { publish(&world, &next, &publisher).await };
    let seen = async {
        let health = until_it_says(&world, "/healthz", warning).await;
        assert!(health.contains("later dates are waited for"), "{health}");
        let metrics = until_it_says(&world, "/metrics", &format!("{gauge} 1")).await;
        assert!(metrics.contains("isonomy_unseen_statements 1"), "{metrics}");
    };
    let (proof, ()) = tokio::join!(publishing, seen);
    assert_eq!(proof.index, LeafIndex(3));
    until_it_says(&world, "/metrics", &format!("{gauge} 0")).await;
    assert!(!world.raw("GET /healthz", b"").await.contains(warning));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_witnesses_whose_clocks_can_be_right_nothing_is_published() {
    let mut world = World::new().await;
    for number in [1, 2] {
        world.wrong_clock(number, 3600).await;
    }
    world.start_log().await;
    let health = until_it_says(&world, "/healthz", "too few witnesses").await;
    assert!(health.starts_with("HTTP/1.1 503") && health.contains("warning: the clock of"), "{health}");
    assert!(world.get(&Resource::Checkpoint).await.is_err());
    // By a minute clocks may differ.
    let mut world = World::new().await;
    world.wrong_clock(1, 30).await;
    world.wrong_clock(2, 30).await;
    world.start_log().await;
    checkpoint(&world).await;
}

fn copy(from: &Path, to: &Path) {
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
async fn a_witness_that_was_put_back_as_a_whole_learns_it_from_the_log_and_refuses() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(200);
    world.start_log().await;
    found(&world, 1).await;
    // A backup of the whole folder, made with the witness stopped; then the witness goes on.
    world.stop_witness(2).await;
    let (data, backup) = (world.witness_config(2).data, world.data().with_file_name("backup"));
    copy(&data, &backup);
    world.start_witness(2).await;
    found(&world, 2).await;
    let newest = cosigned_by_all(&world).await;
    assert_eq!(newest.checkpoint().size, TreeSize(2));
    world.stop_witness(2).await;
    std::fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    world.start_witness(2).await;
    // Nothing in the folder tells; the log does.
    found(&world, 3).await;
    until(async || {
        world.ask_witness(2, "metrics").await.contains("isonomy_witness_doubt{origin=\"log.example/isonomy\"} 1")
    })
    .await;
    until_it_says(&world, "/metrics", "witness_failures{witness=\"witness.example/w2\"} 2").await;
    assert_eq!(cosigners(&world).await, 2, "it cosigns nothing that it can't know to follow");

    // Its operator gives it the newest checkpoint with its own cosignature.
    world.stop_witness(2).await;
    let restored = isonomy_witness::restore(world.witness_config(2), newest).unwrap();
    assert_eq!(restored, Restored::Written);
    world.start_witness(2).await;
    found(&world, 4).await;
    assert_eq!(cosigned_by_all(&world).await.checkpoint().size, TreeSize(4));
}

/// The published checkpoint, once all three witnesses have cosigned it.
async fn cosigned_by_all(world: &World) -> CheckpointNote {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let newest = checkpoint(world).await;
        if newest.note().signatures().len() == 4 {
            return newest;
        }
        assert!(Instant::now() < until, "one of them does not cosign");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until(holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < until, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a witness is asked, and what it remembers of it.
#[derive(Default)]
struct Forgetful {
    asked: Vec<AddCheckpoint>,
    known: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_is_shown_its_own_last_line_again_and_goes_on_if_it_takes_it() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(100);
    let memory = Arc::new(Mutex::new(Forgetful::default()));
    let shared = Arc::clone(&memory);
    let answer = move |request: AddCheckpoint| {
        let mut memory = shared.lock().unwrap();
        memory.asked.push(request.clone());
        if request.old.0 != memory.known {
            return (StatusCode::CONFLICT, CONFLICT_CONTENT_TYPE, format!("{}\n", memory.known));
        }
        memory.known = request.checkpoint.checkpoint().size.0;
        let text = request.checkpoint.note().text();
        (StatusCode::OK, "text/plain", cosignature::cosign(&World::witness_key(2), text, now()).to_string())
    };
    world.other_witness(2, answer).await;
    world.start_log().await;
    found(&world, 1).await;
    let own = |request: &AddCheckpoint| -> Option<Timestamp> {
        let (note, key) = (request.checkpoint.note(), World::witness_key(2));
        note.signatures().iter().find_map(|line| cosignature::verify(key.verifier(), note.text(), line))
    };
    // The unchanged tree is shown again under the witness's own line; nobody else's lines are sent.
    let until = Instant::now() + Duration::from_secs(60);
    let is_reminded = |request: &AddCheckpoint| request.old.0 == 1 && own(request).is_some();
    while !memory.lock().unwrap().asked.iter().any(is_reminded) {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    found(&world, 2).await;
    // It forgets; the next that it is shown is what it cosigned, then what is new.
    {
        let mut memory = memory.lock().unwrap();
        (memory.known, memory.asked) = (0, Vec::new());
    }
    found(&world, 3).await;
    until_it_says(&world, "/metrics", "witness_cosigned_size{witness=\"witness.example/w2\"} 3").await;
    let asked = std::mem::take(&mut memory.lock().unwrap().asked);
    let reminder = asked.iter().find(|request| request.old.0 == 0).unwrap();
    assert!(reminder.checkpoint.checkpoint().size.0 == 2 && own(reminder).is_some(), "{reminder:?}");
    for request in &asked {
        assert!(request.checkpoint.note().signatures().len() <= 2, "{request:?}");
        assert_eq!(request.checkpoint.note().signatures().len() == 2, own(request).is_some());
    }
}
