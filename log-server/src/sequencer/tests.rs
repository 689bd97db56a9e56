//! What happens when nothing can be published: too few witnesses answer, and statements go on coming.

use super::*;
use crate::admission::Admission;
use crate::clock::Moment;
use crate::faults::lists::{self, LIST, by_all, charter, maintainer};
use crate::faults::world::{cosigned, log_key, policy};
use crate::health::Health;
use crate::http::{self, Surface};
use crate::publication;
use crate::recovery::SeenProofs;
use crate::shelf::Shelf;
use crate::state::now;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::time::Timestamp;
use isonomy_serve::{Rates, Settings};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many may be unpublished, and how many wait in the queue behind them.
const MOST: u64 = 4;
const QUEUE: usize = 3;

fn open(folder: &Path) -> Arc<State> {
    let admission = Admission::new(vec![maintainer().verifier().clone()], Vec::new());
    let state = crate::server::open_state(folder, log_key(), policy(), SeenProofs::Keep, admission, Default::default());
    Arc::new(state.unwrap())
}

async fn serve(state: &Arc<State>) -> (SocketAddr, watch::Sender<bool>) {
    let (stopper, stop) = watch::channel(false);
    let (sender, queue) = mpsc::channel(QUEUE);
    let sequencer = Sequencer { state: Arc::clone(state), queue, most_unpublished: MOST, stop: stop.clone() };
    tokio::spawn(sequencer.run());
    let serving = Settings::new(Rates::UNLIMITED);
    let surface = Surface {
        shared: Arc::clone(state),
        queue: sender,
        stop: stop.clone(),
        judges: Arc::new(Semaphore::new(1)),
        health: Arc::new(Health::new(Duration::from_secs(60))),
        meter: Arc::clone(&serving.meter),
        shelf: Arc::new(Shelf::default()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut stop = stop;
    let shutdown = async move { drop(stop.wait_for(|stop| *stop).await) };
    tokio::spawn(isonomy_serve::serve_with(listener, http::router(surface), serving, shutdown));
    (address, stopper)
}

async fn exchange(address: SocketAddr, head: String, body: Vec<u8>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head} HTTP/1.1\r\nhost: l\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.into_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn submit(address: SocketAddr, number: u64) -> String {
    let statement = by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap());
    exchange(address, "POST /submit".to_owned(), statement.to_bytes()).await
}

/// What the publisher does once enough witnesses answer.
fn publish(state: &State) {
    let head = cosigned(&state.log.integrate().unwrap());
    let times = policy().checkpoint_times(head.note()).unwrap().unwrap();
    publication::publish(state, head, times).unwrap();
}

fn status(answer: &str) -> &str {
    &answer[9..12]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_published_pauses_the_log_and_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    publish(&state); // the empty tree: that the witnesses know of no larger one
    let (address, stopper) = serve(&state).await;
    let (taken, mut answers) = (MOST + QUEUE as u64, JoinSet::new());
    let mut grown = state.grown.subscribe();
    for number in 0..MOST {
        answers.spawn(submit(address, number));
        grown.wait_for(|size| size.0 == number + 1).await.unwrap();
    }
    // Nothing more is sequenced now: as many wait as the queue has places.
    (MOST..taken).for_each(|number| drop(answers.spawn(submit(address, number))));
    let is_full = "the queue of submissions is full";
    while !exchange(address, "GET /healthz".to_owned(), Vec::new()).await.contains(is_full) {
        tokio::task::yield_now().await;
    }
    // For whom there is no place is told at once.
    for number in taken..taken + 3 {
        let answer = submit(address, number).await;
        assert!(status(&answer) == "503" && answer.contains("\"error\":\"busy\""), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nretry-after: 10\r\n"), "{answer}");
    }
    assert_eq!(state.log.size().0, MOST);
    assert!(answers.try_join_next().is_none(), "nothing is acknowledged before it is published");

    publish(&state);
    grown.wait_for(|size| size.0 == taken).await.unwrap();
    for _ in 0..MOST {
        assert_eq!(status(&answers.join_next().await.unwrap().unwrap()), "200");
    }
    assert!(answers.try_join_next().is_none());
    publish(&state);
    while let Some(answer) = answers.join_next().await {
        assert_eq!(status(&answer.unwrap()), "200");
    }
    assert_eq!(state.log.size().0, taken, "what was refused was not logged");
    stopper.send_replace(true);
}

/// A round of witnesses whose clocks are behind by so many seconds.
fn note_round(state: &State, behind: u64) {
    let time = Timestamp(now().0 - behind);
    state.clock.note(QuorumTimes { earliest: time, latest: time }, behind, Moment::now());
}

#[test]
fn nothing_is_signed_while_the_clock_is_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    publish(&state);
    let founding = by_all(charter(LIST).to_text().unwrap());
    let submit = || {
        let (answer, mut answered) = oneshot::channel();
        append(&state, vec![Submission { statement: founding.clone(), answer }]).unwrap();
        answered.try_recv().unwrap()
    };
    // As after an image was restored: there may be more that this log has signed.
    state.clock.stood_still(Duration::from_secs(600));
    let refusal = submit().unwrap_err();
    assert_eq!((refusal.code(), state.log.size().0), ("clock-in-doubt", 0));
    note_round(&state, 0);
    assert_eq!((submit().unwrap(), state.log.size().0), (LeafIndex(0), 1));
}

/// Before the first round this machine's clock is all that the log knows, and it may be slow or fast by any time.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_round_no_release_is_refused_for_good_by_its_date() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    publish(&state);
    let (address, stopper) = serve(&state).await;
    let founding = charter(LIST);
    let (answer, mut answered) = oneshot::channel();
    append(&state, vec![Submission { statement: by_all(founding.to_text().unwrap()), answer }]).unwrap();
    answered.try_recv().unwrap().unwrap();
    publish(&state);
    let mut publisher = lists::Publisher::new(&founding);
    let mut dated = |change: &dyn Fn(Timestamp) -> Timestamp, too_long: bool| {
        let (release, _) = publisher.compose(0..3, |release| {
            release.created = change(release.created);
            release.expires = release.created.plus(if too_long { 20 * 365 * 86_400 } else { 3600 });
        });
        by_all(release.to_text().unwrap())
    };
    let (ahead, old) = (dated(&|now| now.plus(LONG), false), dated(&|now| Timestamp(now.0 - 2 * LONG), false));
    let over_limit = dated(&|now| now.plus(LONG), true);
    let ask = |path: &str, statement: &Statement| exchange(address, format!("POST {path}"), statement.to_bytes());
    for (release, code) in [(&ahead, "created-late"), (&old, "stale-draft")] {
        for path in ["/check", "/submit"] {
            let answer = ask(path, release).await;
            assert!(status(&answer) == "503" && answer.contains("\"error\":\"time-unknown\""), "{code}: {answer}");
            assert!(answer.to_lowercase().contains("\r\nretry-after: 10\r\n"), "{code}: {answer}");
            assert!(answer.contains("the log does not know the time yet"), "{code}: {answer}");
        }
    }
    // What breaks another rule does so at any time.
    let answer = ask("/check", &over_limit).await;
    assert!(status(&answer) == "422", "{answer}");
    note_round(&state, 0);
    for (release, code) in [(&ahead, "created-late"), (&old, "stale-draft")] {
        let answer = ask("/check", release).await;
        assert!(status(&answer) == "422" && answer.contains(code), "{code}: {answer}");
    }
    stopper.send_replace(true);
}

/// Too long for any test to last.
const LONG: u64 = 50_000;

#[tokio::test(flavor = "multi_thread")]
async fn no_honest_release_is_refused_for_good_by_a_time_that_was_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    publish(&state);
    let (address, stopper) = serve(&state).await;
    let founding = charter(LIST);
    let (answer, mut answered) = oneshot::channel();
    append(&state, vec![Submission { statement: by_all(founding.to_text().unwrap()), answer }]).unwrap();
    answered.try_recv().unwrap().unwrap();
    publish(&state);
    let mut publisher = lists::Publisher::new(&founding);
    let [fresh, early] = [0, 2 * LONG].map(|ahead| {
        let (release, _) = publisher.compose(0..3, |release| {
            release.created = release.created.plus(ahead);
            release.expires = release.created.plus(3600);
        });
        by_all(release.to_text().unwrap())
    });
    let ask = |path: &str, statement: &Statement| exchange(address, format!("POST {path}"), statement.to_bytes());
    let health = || exchange(address, "GET /healthz".to_owned(), Vec::new());
    let warning = "warning: this machine's clock was set by 50000 s";

    note_round(&state, 0);
    assert_eq!(status(&ask("/check", &fresh).await), "200");
    assert!(!health().await.contains(warning));
    // What a submission would wait for is none too early for a check.
    note_round(&state, 20);
    assert_eq!(status(&ask("/check", &fresh).await), "200");
    note_round(&state, LONG);
    let answer = ask("/check", &fresh).await;
    assert!(status(&answer) == "422" && answer.contains("created-late"), "{answer}");

    state.clock.stood_still(Duration::from_secs(LONG));
    for path in ["/check", "/submit"] {
        let answer = ask(path, &fresh).await;
        assert!(status(&answer) == "503" && answer.contains("\"error\":\"clock-in-doubt\""), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nretry-after: 10\r\n"), "{answer}");
        let answer = ask(path, &early).await;
        assert!(status(&answer) == "422" && answer.contains("created-late"), "{answer}");
    }
    let shown = health().await;
    assert!(shown.contains(warning), "{shown}");
    note_round(&state, 0);
    assert_eq!(status(&ask("/submit", &fresh).await), "202", "its objects are missing");
    assert!(!health().await.contains(warning));
    stopper.send_replace(true);
}
