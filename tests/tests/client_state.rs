//! What a client keeps: its state, its cache, and how old its knowledge is.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::Entries;
use isonomy_core::statement::ListName;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes, list};
use isonomy_tests::world::World;
use isonomy_verifier::list::ReopenError;
use isonomy_verifier::state::MAX_STATE_SIZE;
use isonomy_verifier::{Freshness, Policy, State, VerifiedList};

/// Version 1 in force at a client, and version 2, visible at 205, that it has not heard of.
fn prepared() -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    (world, client)
}

#[test]
fn every_flipped_bit_of_a_state_is_noticed() {
    let (world, mut client) = prepared();
    client.update(&world, 205).unwrap();
    let halted = client.state.clone().with_halt(ObjectDigest([7; 32]));
    for state in [State::new(&list()), client.state.clone(), halted] {
        let bytes = state.to_bytes().unwrap();
        assert_eq!(State::parse(&bytes, &list()), Ok(state));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(State::parse(&damaged, &list()).is_err(), "bit {bit} of byte {at}");
            }
            assert!(State::parse(&bytes[..at], &list()).is_err(), "cut after {at} bytes");
        }
    }
}

#[test]
fn a_state_is_of_one_list_and_of_limited_size() {
    let (_, client) = prepared();
    let bytes = client.state.to_bytes().unwrap();
    assert!(State::parse(&bytes, &ListName::new("other.example/list").unwrap()).is_err());
    let padded = State::parse(&[bytes, vec![b' '; MAX_STATE_SIZE]].concat(), &list()).unwrap_err();
    assert!(padded.to_string().contains("larger than 1048576 bytes"), "{padded}");
    let blank = State::parse(&vec![b' '; MAX_STATE_SIZE], &list()).unwrap_err();
    assert!(!blank.to_string().contains("larger than"), "{blank}");
}

/// A check sum is no signature: whoever can write the file can make it fit. A checkpoint that can't be read must not be
/// taken for none, since then an older one would do.
#[test]
fn a_checkpoint_that_can_not_be_read_is_damage_whatever_the_check_sum() {
    let (_, client) = prepared();
    let text = String::from_utf8(client.state.to_bytes().unwrap()).unwrap();
    let (body, check) = text.split_once("  \"check\": ").unwrap();
    let unchecked = |body: &str| format!("{body}  \"check\": \"{}\"\n}}\n", ObjectDigest([0; 32]).to_base64());
    let checked = |body: &str| {
        let digest = ObjectDigest::of(unchecked(body).as_bytes()).to_base64();
        format!("{body}  \"check\": \"{digest}\"\n}}\n")
    };
    assert_eq!(checked(body), format!("{body}  \"check\": {check}"), "as the client writes it");
    let lines = body.replacen("    \"log.example/isonomy\",\n", "", 1);
    assert_ne!(lines, body);
    let damaged = State::parse(checked(&lines).as_bytes(), &list());
    assert!(damaged.is_err_and(|error| error.to_string().contains("damaged")));
}

/// What a client kept, and its policy and state.
struct Kept {
    policy: Policy,
    state: State,
    charter: Vec<u8>,
    release: Vec<u8>,
    entries: Vec<u8>,
}

impl Kept {
    /// The state with this text changed wherever it stands, under a right check sum: somebody meant to.
    fn edit_state(&mut self, from: &str, to: &str) {
        let blank = format!("\"check\": \"{}\"", ObjectDigest([0; 32]).to_base64());
        let text = String::from_utf8(self.state.to_bytes().unwrap()).unwrap();
        assert!(text.contains(from), "{from}");
        let (body, check) = text.split_at(text.find("\"check\": ").unwrap());
        let body = [&body.replace(from, to), &blank[..], &check[blank.len()..]].concat();
        let check = format!("\"check\": \"{}\"", ObjectDigest::of(body.as_bytes()).to_base64());
        self.state = State::parse(body.replace(&blank, &check).as_bytes(), &list()).unwrap();
    }

    fn reopen(self) -> Result<VerifiedList, ReopenError> {
        let entries = Entries::from_unsorted(32, self.entries).unwrap().0;
        VerifiedList::reopen(&self.policy, &self.state, &self.charter, &self.release, entries)
    }
}

/// What became of a cache, and which part the refusal names.
type Damage = (&'static str, fn(&World, &mut Kept), &'static str);

#[rustfmt::skip]
const DAMAGES: &[Damage] = &[
    ("an entry changed",         |_, k| k.entries[5] ^= 1,                                         "content"),
    ("an entry less",            |_, k| k.entries.truncate(9 * 32),                                "content"),
    ("an entry more",            |_, k| k.entries.extend(hashes(11..12).as_bytes()),               "content"),
    ("no entries",               |_, k| k.entries.clear(),                                         "content"),
    ("another version's",        |_, k| k.entries = hashes(0..12).into_bytes(),                    "content"),
    ("the charter changed",      |_, k| k.charter[60] ^= 1,                                        "charter"),
    ("the charter empty",        |_, k| k.charter.clear(),                                         "charter"),
    ("a release as the charter", |_, k| k.charter = k.release.clone(),                             "charter"),
    ("a charter signature",      |_, k| { let at = k.charter.len() - 20; k.charter[at] ^= 1; },    "proof"),
    ("the release changed",      |_, k| k.release[60] ^= 1,                                        "release"),
    ("the next release",         |w, k| k.release = w.statement(&w.releases().last().unwrap().id()).to_bytes(), "release"),
    ("a release signature",      |_, k| { let at = k.release.len() - 20; k.release[at] ^= 1; },    "proof"),
    ("a signature less",         |_, k| { k.release.pop(); while k.release.last() != Some(&b'\n') { k.release.pop(); } }, "proof"),
    ("the proof's release path", |_, k| k.edit_state("\"release_path\": [", "\"release_path\": [\n        \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","), "proof"),
    ("the proof's charter path", |_, k| k.edit_state("\"charter_path\": [", "\"charter_path\": [\n        \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","), "proof"),
    ("the release's place",      |_, k| k.edit_state("\"release_index\": 1", "\"release_index\": 0"),   "proof"),
    ("the charter's place",      |_, k| k.edit_state("\"charter_index\": 0", "\"charter_index\": 1"),   "proof"),
    ("the proof's tree",         |_, k| k.edit_state("        \"2\",\n", "        \"3\",\n"),         "proof"),
    ("a cosignature's name",     |_, k| k.edit_state("        \"— witness", "        \"— fitness"),     "proof"),
    ("the log's name",           |_, k| k.edit_state("        \"— log", "        \"— fog"),             "proof"),
    ("another version number",   |_, k| k.edit_state("\"version\": 1", "\"version\": 0"),               "release"),
    ("another edition number",   |_, k| k.edit_state("\"edition\": 1", "\"edition\": 0"),               "release"),
    ("another creation time",    |_, k| k.edit_state("\"created\": \"2027", "\"created\": \"2026"),     "release"),
    ("no state",                 |_, k| k.state = State::new(&list()),                             "nothing"),
    ("an app that asks for more", |w, k| k.policy = w.policy_with("min_curators = 2", "min_curators = 3"), "policy"),
    ("an app that pins another",  |w, k| { let pin = format!("charter = \"{}\"", k.policy.charter().to_hex()); k.policy = w.policy_with(&pin, &format!("charter = \"{}\"", "01".repeat(32))); }, "pin"),
    ("an app with longer notice", |w, k| k.policy = w.policy_with("min_notice = 3600", "min_notice = 3601"), "pin"),
    ("an app with shorter notice", |w, k| { k.policy = w.policy_with("min_notice = 3600", "min_notice = 1"); k.entries.clear(); }, "content"),
    ("an app with more witnesses", |w, k| k.policy = w.policy_with("group two 2 w1 w2 w3", &four_witnesses()), "proof"),
];

fn four_witnesses() -> String {
    let fourth = isonomy_tests::people::witness(4);
    format!("witness w4 {}\ngroup two 4 w1 w2 w3 w4", fourth.verifier())
}

#[test]
fn nothing_of_a_cache_is_believed_unchecked() {
    let (world, client) = prepared();
    let list = client.list.unwrap();
    let kept = || Kept {
        policy: client.policy.clone(),
        state: client.state.clone(),
        charter: list.signed_charter().to_bytes(),
        release: list.signed_release().to_bytes(),
        entries: list.entries().as_bytes().to_vec(),
    };
    let reopened = kept().reopen().unwrap();
    assert_eq!((reopened.version(), reopened.view()), (1, list.view()));
    for (name, damage, part) in DAMAGES {
        let mut kept = kept();
        damage(&world, &mut kept);
        let found = match kept.reopen().map(|list| list.version()) {
            Err(ReopenError::Statement(part)) => part,
            Err(ReopenError::Proof(_)) => "proof",
            Err(ReopenError::Content(_)) => "content",
            Err(ReopenError::Policy(_)) => "policy",
            Err(ReopenError::OtherPolicy) => "pin",
            Err(ReopenError::Nothing) => "nothing",
            Ok(version) => panic!("{name}: opened version {version}"),
        };
        assert_eq!(found, *part, "{name}");
    }
}

#[test]
fn a_list_that_is_not_the_one_in_the_state_is_not_used() {
    let (world, old) = prepared();
    let mut client = old.clone();
    assert_eq!(client.version_from(&world, 205), Ok(2));
    client.list = old.list;
    assert_eq!(client.version_from(&world, 205), Ok(2), "the old cache is not taken for the new one");
    assert_eq!(client.list.unwrap().entries(), &hashes(0..12));
}

/// Seconds on the device's clock, and what a list says of itself that was last heard of at 105, was created at 100 and
/// expires at 86,500. Fresh for 4 s since the checkpoint, and 43,200 s since the release.
const CLOCKS: [(u64, Freshness); 6] = [
    (0, Freshness::Fresh { checkpoint_age: 0 }),
    (105, Freshness::Fresh { checkpoint_age: 0 }),
    (109, Freshness::Fresh { checkpoint_age: 4 }),
    (110, Freshness::Stale { checkpoint_age: 5, release_age: 10 }),
    (86_499, Freshness::Stale { checkpoint_age: 86_394, release_age: 86_399 }),
    (1 << 40, Freshness::Expired { since: at_expiry() }),
];

const fn at_expiry() -> isonomy_core::time::Timestamp {
    isonomy_core::time::Timestamp(1_800_000_000 + 86_500)
}

#[test]
fn freshness_goes_by_the_latest_time_that_is_known() {
    let (_, client) = prepared();
    let list = client.list.unwrap();
    for (clock, freshness) in CLOCKS {
        assert_eq!(list.freshness(at(clock)), freshness, "{clock}");
        assert_eq!(freshness.is_usable(), clock < 86_500);
    }
    assert_eq!(list.freshness(at(86_500)), Freshness::Expired { since: at(86_500) });
    assert_eq!(list.freshness(isonomy_core::time::Timestamp(0)), Freshness::Fresh { checkpoint_age: 0 });
}

#[test]
fn an_old_release_is_stale_even_under_a_new_checkpoint() {
    let (world, mut client) = prepared();
    let mut world = world.fork(2);
    world.publish(50_000);
    assert_eq!(client.version_from(&world, 50_000), Ok(1));
    let list = client.list.unwrap();
    assert_eq!(list.freshness(at(50_000)), Freshness::Stale { checkpoint_age: 0, release_age: 49_900 });
}

#[test]
fn a_clock_that_is_behind_does_not_hide_expiry_once_witnesses_were_heard() {
    let (world, mut client) = prepared();
    let mut world = world.fork(2);
    world.publish(86_500);
    let updated = client.update(&world, 0).unwrap();
    assert_eq!(updated.list.freshness(at(0)), Freshness::Expired { since: at(86_500) });
    client.restart();
    assert_eq!(client.list.unwrap().freshness(at(0)), Freshness::Expired { since: at(86_500) }, "nor a restart");
}
