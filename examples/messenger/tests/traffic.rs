//! What the relay sees, with a match and without one; and what two devices make of each other's views.

use isonomy_client::Policy;
use isonomy_core::encoding::to_hex;
use isonomy_messenger::device::{Answer, Choice, Device, Event, Received, SameView, Sent};
use isonomy_messenger::relay::{MAX_MESSAGE, MAX_WAITING, Post, Relay};
use isonomy_messenger::story::{LISTED, Stage, UNLISTED};
use isonomy_tests::people::{at, hashes};
use isonomy_verifier::peer::Outcome;
use std::io::Write;
use std::net::TcpListener;

/// One conversation, and the shapes of all that the relay saw of it.
struct Conversation {
    shapes: Vec<String>,
    bytes: Vec<u8>,
    notices: Vec<String>,
}

/// Two people greet each other, one sends a picture or does not, and the other answers.
fn conversation(picture: Option<&[u8]>, choice: Choice) -> Conversation {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, mut bob] = stage.pair(&relay).unwrap();
    assert_eq!((alice.update(at(106)).unwrap(), bob.update(at(106)).unwrap()), (1, 1));
    let mut notices = Vec::new();
    alice.send_text("Hello!").unwrap();
    assert_eq!(text(bob.receive().unwrap()), "Hello!");
    if let Some(file) = picture {
        let decide = |notice: &isonomy_matcher::Notice| {
            notices.push(notice.to_string());
            choice
        };
        let sent = alice.send_picture(file, at(107), decide).unwrap();
        match sent {
            Sent::Sent => assert_eq!(bob.receive().unwrap().unwrap().event, Event::Picture(file.to_vec())),
            Sent::Kept => assert_eq!(choice, Choice::Keep),
        }
    }
    bob.send_text("Hello yourself!").unwrap();
    assert_eq!(text(alice.receive().unwrap()), "Hello yourself!");
    assert_eq!(alice.receive().unwrap(), None);
    let seen = relay.seen();
    let bytes = seen.iter().flat_map(|exchange| [exchange.request.clone(), exchange.answer.clone()].concat()).collect();
    Conversation { shapes: seen.iter().map(|exchange| exchange.shape()).collect(), bytes, notices }
}

fn text(received: Option<Received>) -> String {
    match received {
        Some(Received { event: Event::Text(text), same_view: SameView::Yes, answer: Answer::None }) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_can_tell_from_the_traffic_whether_a_picture_matched() {
    let with = conversation(Some(LISTED), Choice::SendAnyway);
    let without = conversation(Some(UNLISTED), Choice::SendAnyway);
    assert_eq!((with.notices.len(), without.notices.len()), (1, 0), "the one was shown a notice, the other not");
    assert!(with.notices[0].contains("Test pictures."), "{}", with.notices[0]);
    assert_eq!(with.shapes, without.shapes);
    assert!(with.shapes.len() >= 6, "{:?}", with.shapes);
}

#[test]
fn a_picture_that_is_kept_back_never_was() {
    let kept = conversation(Some(LISTED), Choice::Keep);
    let never = conversation(None, Choice::Keep);
    assert_eq!((kept.notices.len(), kept.shapes), (1, never.shapes));
}

#[test]
fn the_relay_reads_nothing() {
    let seen = conversation(Some(LISTED), Choice::SendAnyway).bytes;
    let has = |needle: &[u8]| seen.windows(needle.len()).any(|window| window == needle);
    assert!(!has(b"Hello") && !has(&LISTED[1000..1040]) && !has(b"hotline.example") && !has(b"picture"));
    let hash = isonomy_matcher::Fingerprint::of_file(
        isonomy_core::list::Algorithm::PdqFull,
        LISTED,
        &isonomy_matcher::image::Limits::default(),
    );
    let hash = hash.unwrap().hash;
    assert!(!has(&hash) && !has(to_hex(&hash).as_bytes()));
    // The mailbox's name it must know.
    assert!(has(b"alice"));
}

/// Two devices, the first of which has the newest version, and the second the one before.
fn a_version_apart() -> (Stage, Relay, [Device; 2]) {
    let (mut stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, mut bob] = stage.pair(&relay).unwrap();
    alice.update(at(106)).unwrap();
    bob.update(at(106)).unwrap();
    stage.grow().unwrap();
    assert_eq!(alice.update(at(1006)).unwrap(), 2);
    (stage, relay, [alice, bob])
}

#[test]
fn a_device_that_is_behind_finds_out_from_a_message() {
    let (_stage, _relay, [mut alice, mut bob]) = a_version_apart();
    alice.send_text("news").unwrap();
    let first = bob.receive().unwrap().unwrap();
    assert_eq!((first.event, first.same_view), (Event::Text("news".into()), SameView::No));
    assert_eq!(compared(&mut alice), Outcome::Older { version: 1 });
    assert_eq!(compared(&mut bob), Outcome::Newer { version: 2 });
    assert_eq!(bob.update(at(1007)).unwrap(), 2);
    bob.send_text("up to date").unwrap();
    assert_eq!(alice.receive().unwrap().unwrap().same_view, SameView::Yes);
    assert_eq!((alice.receive().unwrap(), bob.receive().unwrap()), (None, None), "and that is the end of it");
}

fn compared(device: &mut Device) -> Outcome {
    match device.receive().unwrap() {
        Some(Received { event: Event::Compared(compared), .. }) => compared.outcome,
        other => panic!("{other:?}"),
    }
}

/// The log and as many witnesses as it takes show one of the two another history.
#[test]
fn a_split_view_comes_out_in_a_message() {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let mut fork = stage.world.fork(1);
    fork.release(hashes(5000..5900), 100);
    fork.publish(100);
    fork.publish(105);
    fork.mirror(&elsewhere.path().join("mirror")).unwrap();
    let policy: Policy = stage.policy().unwrap();
    let mut alice = stage.device("alice", &stage.mirror_folder(), &relay).unwrap();
    let (folder, post) = (elsewhere.path().join("bob"), Post::to(relay.address()));
    let mut bob = Device::new("bob", &folder, policy, &elsewhere.path().join("mirror"), post).unwrap();
    let (of_alice, of_bob) = (alice.contact().unwrap(), bob.contact().unwrap());
    alice.meet(of_bob);
    bob.meet(of_alice);
    assert_eq!((alice.update(at(106)).unwrap(), bob.update(at(106)).unwrap()), (1, 1));

    alice.send_text("hi").unwrap();
    assert_eq!(bob.receive().unwrap().unwrap().same_view, SameView::No);
    assert!(matches!(compared(&mut alice), Outcome::Forked(_)));
    assert!(matches!(compared(&mut bob), Outcome::Forked(_)));
    assert!(alice.is_halted() && bob.is_halted());
    assert!(alice.update(at(107)).is_err(), "updates stop");
    alice.send_text("we were shown different lists").unwrap();
    assert!(bob.receive().unwrap().is_some(), "talking goes on");
}

/// Two devices without a list have nothing in common, and a device without one is shown nothing.
#[test]
fn no_list_is_not_the_same_list() {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, mut bob] = stage.pair(&relay).unwrap();
    alice.send_text("hi").unwrap();
    assert_eq!(bob.receive().unwrap().unwrap().same_view, SameView::Unknown);
    bob.update(at(106)).unwrap();
    alice.send_text("still none").unwrap();
    assert_eq!(bob.receive().unwrap().unwrap().same_view, SameView::Unknown);
    assert_eq!(alice.receive().unwrap(), None);
}

#[test]
fn strangers_and_garbage_are_refused() {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, mut bob] = stage.pair(&relay).unwrap();
    let post = Post::to(relay.address());
    for garbage in [&b""[..], b"\x00", b"\x01abc", &[0xff; 5000]] {
        post.put("bob", garbage).unwrap();
        assert!(bob.receive().is_err());
    }
    let mut mallory = stage.device("mallory", &stage.mirror_folder(), &relay).unwrap();
    mallory.meet(bob.contact().unwrap());
    mallory.send_text("I am Alice").unwrap();
    assert!(bob.receive().is_err(), "she is not whom he met");
    alice.send_text("I am").unwrap();
    assert!(matches!(bob.receive().unwrap().unwrap().event, Event::Text(text) if text == "I am"));
}

/// Each has begun a conversation before it knew of the other's; all that was written is read, and the talk goes on.
#[test]
fn both_may_write_first() {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, mut bob] = stage.pair(&relay).unwrap();
    assert_eq!((alice.update(at(106)).unwrap(), bob.update(at(106)).unwrap()), (1, 1));
    for words in ["one", "two"] {
        alice.send_text(words).unwrap();
        bob.send_text(words).unwrap();
    }
    // Alice answers before Bob has read anything of hers.
    assert_eq!(text(alice.receive().unwrap()), "one");
    alice.send_text("three").unwrap();
    assert_eq!(text(alice.receive().unwrap()), "two");
    for words in ["one", "two", "three"] {
        assert_eq!(text(bob.receive().unwrap()), words);
    }
    for words in ["four", "five", "six"] {
        bob.send_text(words).unwrap();
        assert_eq!(text(alice.receive().unwrap()), words);
        alice.send_text(words).unwrap();
        assert_eq!(text(bob.receive().unwrap()), words);
    }
    assert_eq!((alice.receive().unwrap(), bob.receive().unwrap()), (None, None));
}

#[test]
fn a_full_mailbox_takes_nothing_more_and_says_so() {
    let (stage, relay) = (Stage::new().unwrap(), Relay::start().unwrap());
    let [mut alice, _] = stage.pair(&relay).unwrap();
    let post = Post::to(relay.address());
    (0..MAX_WAITING).for_each(|_| post.put("bob", b"x").unwrap());
    let error = alice.send_text("one too many").unwrap_err();
    assert!(error.to_string().contains("the mailbox of bob is full"), "{error}");
    assert_eq!(post.take("bob").unwrap(), Some(b"x".to_vec()));
    alice.send_text("now there is room").unwrap();
    assert!(post.put("bob", &vec![0; MAX_MESSAGE + 1]).is_err(), "larger than what is passed on");
}

/// Anybody can fill a mailbox. What was received is not lost to that, and the answer goes out with the next message.
#[test]
fn no_message_is_lost_to_an_answer_that_fails() {
    let (_stage, relay, [mut alice, mut bob]) = a_version_apart();
    let post = Post::to(relay.address());
    (0..MAX_WAITING).for_each(|_| post.put("alice", b"x").unwrap());
    for words in ["one", "two"] {
        alice.send_text(words).unwrap();
        let Received { event, same_view, answer } = bob.receive().unwrap().unwrap();
        assert_eq!((event, same_view), (Event::Text(words.into()), SameView::No));
        assert!(matches!(&answer, Answer::Failed(why) if why.contains("the mailbox of alice is full")), "{answer:?}");
    }
    (0..MAX_WAITING).for_each(|_| assert!(alice.receive().is_err(), "garbage"));
    for (words, expected) in [("three", Answer::Sent), ("four", Answer::None)] {
        alice.send_text(words).unwrap();
        let Received { event, answer, .. } = bob.receive().unwrap().unwrap();
        assert_eq!((event, answer), (Event::Text(words.into()), expected));
    }
    assert_eq!(compared(&mut alice), Outcome::Older { version: 1 });
}

/// Who claims to be the relay can't make a device read for ever.
#[test]
fn an_endless_answer_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let post = Post::to(listener.local_addr().unwrap());
    let endless = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        while connection.write_all(&[1; 1 << 16]).is_ok() {}
    });
    assert!(post.put("bob", b"hello").is_err());
    endless.join().unwrap();
}
