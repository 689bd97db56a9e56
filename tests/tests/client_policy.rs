//! The app's policy: a list that exceeds it is refused, whatever its charter says.

use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes, key, sign};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::Rejection;
use isonomy_verifier::policy::{MAX_POLICY_SIZE, Policy, PolicyError};
use isonomy_verifier::rejection::{Blame, Lag};

/// Version 1, visible at 105.
fn world() -> World {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    world
}

/// A line of the policy, the line in its place, and what the refusal says; `None` if the list is within it.
type Case = (&'static str, &'static str, Option<&'static str>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("purposes = [\"other\"]",   "purposes = [\"csam-known\", \"ncii\"]", Some("purpose is Other")),
    ("purposes = [\"other\"]",   "purposes = []",                         Some("purpose is Other")),
    ("purposes = [\"other\"]",   "purposes = [\"tve\", \"other\"]",       None),
    ("aims = [\"suppress\"]",    "aims = [\"protect-victims\"]",          Some("aim is Suppress")),
    ("action = \"block\"",       "action = \"warn\"",                     Some("allows to block")),
    ("action = \"block\"",       "action = \"report\"",                   None),
    ("surface = \"private\"",    "surface = \"end-to-end-encrypted\"",    Some("surface")),
    ("surface = \"private\"",    "",                                      None),
    ("max_distance = 31",        "max_distance = 23",                     Some("distance of a match: 24")),
    ("max_distance = 31",        "max_distance = 24",                     None),
    ("max_distance = 31",        "",                                      None),
    ("min_curators = 2",         "min_curators = 3",                      Some("curators that count: 2")),
    ("min_jurisdictions = 2",    "min_jurisdictions = 3",                 Some("jurisdictions of curators: 2")),
    ("min_notice = 3600",        "min_notice = 3601",                     Some("notice in seconds: 3600")),
    ("min_visibility = 5",       "min_visibility = 6",                    Some("visibility in seconds: 5")),
    ("min_version = 1",          "min_version = 2",                       Some("version: 1")),
    ("min_version = 1",          "",                                      None),
];

#[test]
fn a_policy_can_only_narrow() {
    let world = world();
    for (line, by, words) in CASES {
        let mut client = Client::with(world.policy_with(line, by));
        match (client.version_from(&world, 105), words) {
            (Ok(1), None) => {}
            (Err(rejection), Some(words)) => {
                assert_eq!((rejection.code(), rejection.blame()), ("policy", Blame::Policy), "{by}: {rejection}");
                assert!(rejection.to_string().contains(words), "{by}: {rejection}");
                assert_eq!(client.state.accepted(), None, "{by}");
            }
            (outcome, _) => panic!("{by}: {outcome:?}"),
        }
    }
}

#[test]
fn curators_that_the_app_does_not_know_do_not_count() {
    let world = world();
    let known = |names: &[&str]| {
        let keys: Vec<String> = names.iter().map(|name| format!("\"{}\"", key(name).verifier())).collect();
        world.policy_with("curators = []", &format!("curators = [{}]", keys.join(", ")))
    };
    assert_eq!(Client::with(known(&["c1", "c3", "c9"])).version_from(&world, 105), Ok(1));
    for names in [&["c1", "c2"][..], &["c8", "c9"]] {
        assert_eq!(Client::with(known(names)).refusal(&world, 105), ("policy", None), "{names:?}");
    }
}

#[test]
fn a_policy_that_honest_witnesses_can_be_split_by_is_refused() {
    let text = world().policy_text();
    let parse = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Policy::parse(text.replace(from, to).as_bytes()).map(|policy| policy.trust().weak_split())
    };
    assert_eq!(parse("group two 2 ", "group two 2 "), Ok(1));
    assert_eq!(parse("group two 2 ", "group two all "), Ok(3));
    for threshold in ["1", "any"] {
        assert_eq!(parse("group two 2 ", &format!("group two {threshold} ")), Err(PolicyError::SplitQuorum));
    }
    let nobody = |what| Err(PolicyError::NoCurators(what));
    assert_eq!(parse("min_curators = 2", "min_curators = 0"), nobody("accept.min_curators"));
    assert_eq!(parse("min_jurisdictions = 2", "min_jurisdictions = 0"), nobody("accept.min_jurisdictions"));
}

#[test]
fn the_list_is_pinned_by_any_of_its_charters() {
    let mut world = world();
    let second = world.edition(|charter| charter.matching.max_distance = 20);
    world.publish(200);
    let pinned = |id: &StatementId| {
        let first = world.charters().next().unwrap().id().to_hex();
        world.policy_with(&format!("charter = \"{first}\""), &format!("charter = \"{}\"", id.to_hex()))
    };
    assert_eq!(Client::with(pinned(&second)).version_from(&world, 200), Ok(1));
    let rejection = Client::with(pinned(&StatementId([9; 32]))).update(&world, 200).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("other-list", Blame::Policy));
}

#[test]
fn an_amendment_beyond_the_policy_is_refused_and_the_last_good_list_stays() {
    let mut world = world();
    let mut client = Client::with(world.policy_with("max_distance = 31", "max_distance = 24"));
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.edition(|charter| charter.matching.max_distance = 31);
    world.publish(200);
    world.release(hashes(0..12), 4000);
    world.publish(4000);
    world.publish(4005);
    assert_eq!(client.refusal(&world, 4005), ("policy", None));
    assert_eq!(client.list.as_ref().map(|list| list.version()), Some(1));
    assert_eq!(Client::of(&world).version_from(&world, 4005), Ok(2), "another app accepts it");
}

#[test]
fn a_policy_that_asks_for_more_notice_or_pins_another_charter_judges_the_list_in_force_anew() {
    let mut world = world();
    let pin = world.charters().next().unwrap().id().to_hex();
    world.edition(|charter| charter.limits.notice = 60);
    world.publish(200);
    world.edition(|charter| (charter.limits.notice, charter.matching.max_distance) = (3600, 31));
    world.publish(4000);
    world.release(hashes(0..12), 4100);
    world.publish(4100);
    world.publish(4105);
    let mut client = Client::with(world.policy_with("min_notice = 3600", "min_notice = 60"));
    assert_eq!(client.version_from(&world, 4105), Ok(2));
    client.restart();
    client.policy = world.policy();
    let rejection = client.clone().update(&world, 4105).unwrap_err();
    assert!(rejection.to_string().contains("notice in seconds that a widening edition had: 60"), "{rejection}");
    client.policy = world.policy_with(&format!("charter = \"{pin}\""), &format!("charter = \"{}\"", "01".repeat(32)));
    assert_eq!(client.refusal(&world, 4105), ("other-list", None));

    let second = world.charters().nth(1).unwrap().id().to_hex();
    let text = world.policy_text().replace(&pin, &second).replace("min_notice = 3600", "min_notice = 30");
    client.policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!(client.version_from(&world, 4105), Ok(2), "judged anew, and good");
    client.restart();
}

/// A list that was accepted by the word of two witnesses is not in force, not even in memory, once three are asked for: until
/// three have seen it.
#[test]
fn a_policy_with_another_quorum_judges_the_list_in_force_anew() {
    let mut world = world();
    world.cosign(2, &[(1, 106), (2, 106)]);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 106), Ok(1));
    client.policy = Policy::parse(world.policy_text().replace("group two 2", "group two 3").as_bytes()).unwrap();
    world.publish(107);
    assert_eq!(client.version_from(&world, 107), Ok(1));
    assert!(client.asked.iter().any(|asked| matches!(asked, Resource::Object(_))), "all of it was judged anew");
    assert_eq!(client.version_from(&world, 107), Ok(1));
    assert!(!client.asked.iter().any(|asked| matches!(asked, Resource::Object(_))), "and is in force from then on");
}

/// The policy of an app that takes the word of witness 1 alone.
fn by_one_witness(world: &World) -> Policy {
    let text = world.policy_text().replace("group two 2 w1 w2 w3\nquorum two", "quorum w1");
    assert_ne!(text, world.policy_text());
    Policy::parse(text.as_bytes()).unwrap()
}

/// Witness 1 dates falsely. What it has dated stands in the state, all of it with the list in force, and nothing beside that.
#[test]
fn a_time_that_came_with_the_list_in_force_is_of_the_witnesses_who_dated_it() {
    let mut world = World::founded();
    let founding = world.charters().next().unwrap().id();
    let widening = world.edition(|charter| charter.matching.max_distance = 30);
    world.cosign(2, &[(1, 200)]);
    world.release_with(hashes(0..10), 300, |release| release.charter = founding);
    world.cosign(3, &[(1, 300)]);
    world.cosign(3, &[(1, 305)]);
    let mut client = Client::with(by_one_witness(&world));
    assert_eq!(client.version_from(&world, 305), Ok(1));
    assert!(client.state.public_since(&widening).is_some());
    client.policy = world.policy();
    world.release(hashes(0..12), 10_001);
    world.publish(10_001);
    world.publish(10_010);
    let late = cosigned(&world.checkpoint(2), &[(1, 10_000), (2, 10_000), (3, 10_000)]);
    let proof = TlogProof { checkpoint: late, ..world.seen_proof(&widening) };
    world.serve(Resource::SeenProof(widening), proof.to_bytes());
    assert_eq!(client.refusal(&world, 10_010), ("notice-not-over", Some(4)));
}

/// The same of what was only shown, before there was a list in force.
#[test]
fn a_time_that_was_only_shown_is_of_the_witnesses_who_dated_it() {
    let mut world = World::founded();
    let release = world.release(hashes(0..10), 300);
    world.cosign(2, &[(1, 300)]);
    world.cosign(2, &[(1, 302)]);
    let mut client = Client::with(by_one_witness(&world));
    assert_eq!(client.refusal(&world, 302), ("not-visible", Some(5)));
    client.policy = world.policy();
    world.publish(10_000);
    world.serve(Resource::SeenProof(release), world.proof(&release).to_bytes());
    world.publish(10_003);
    assert_eq!(client.refusal(&world, 10_003), ("not-visible", Some(5)));
    world.publish(10_005);
    world.serve(Resource::SeenProof(release), world.proof(&release).to_bytes());
    assert_eq!(client.version_from(&world, 10_005), Ok(1), "what these have dated is remembered");
}

/// All witnesses have seen the list in force, so it stays; what they say of its charter is remembered for good.
#[test]
fn what_other_witnesses_prove_anew_is_remembered_with_the_list_in_force() {
    let mut world = World::with_release();
    let mut client = Client::with(by_one_witness(&world));
    assert_eq!(client.version_from(&world, 105), Ok(1));
    client.policy = world.policy();
    world.publish(200);
    let charter = world.charters().next().unwrap().id();
    let mut silent = world.clone();
    silent.withhold(Resource::SeenProof(charter));
    assert_eq!(client.refusal(&silent, 200).0, "unavailable");
    assert_eq!(client.state.public_since(&charter), Some(at(0)), "nothing is forgotten before it is proven anew");
    assert_eq!(client.version_from(&world, 200), Ok(1));
    assert!(!client.asked.iter().any(|asked| matches!(asked, Resource::Object(_))), "it stays in force");
    assert!(client.asked.contains(&Resource::SeenProof(charter)));
    assert_eq!(client.state.public_since(&charter), Some(at(0)));
}

/// Witnesses that have just begun cosign whatever they are shown first; what their predecessors have seen stays seen.
#[test]
fn a_tree_from_before_the_policy_s_witnesses_is_none_that_they_have_seen_as_the_newest() {
    let mut world = World::with_release();
    world.cosign(2, &[(9, 105)]);
    let began_at = |entries| {
        let text = world.policy_text().replace(&world.trust_text(), &world.later_trust_text(entries));
        Client::with(Policy::parse(text.as_bytes()).unwrap())
    };
    assert_eq!(began_at(2).version_from(&world, 105), Ok(1));
    let Err(Rejection::Behind { why, .. }) = began_at(3).update(&world, 105) else { panic!("accepted") };
    assert_eq!(why, Lag::BeforeWitnesses);
}

/// Edition 2 hands the maintainer's key on. Witness 3, whom the policy asks for, was away when it came, and has seen it at 3000: that
/// it may have come before is not forgotten in an update that asks for no proof.
#[test]
fn that_a_time_is_late_is_remembered_from_update_to_update() {
    let mut world = World::with_release();
    let amend = |world: &mut World, names: &[&str], edit: fn(&mut Charter)| {
        let text = world.amended(edit).to_text().unwrap();
        world.append(Statement::from_note(sign(&text, names)).unwrap())
    };
    let second = amend(&mut world, &["m3", "c1", "c2", "c3", "m1"], |charter| {
        charter.maintainer.keys = vec![key("m3").verifier().clone()];
    });
    world.cosign(3, &[(1, 1000), (2, 1000)]);
    world.publish(3000);
    let stricter = world.policy_text().replace("group two 2 ", "group two 3 ");
    let mut client = Client::with(Policy::parse(stricter.as_bytes()).unwrap());
    assert_eq!(client.version_from(&world, 3000), Ok(1));
    world.publish(4000);
    assert_eq!(client.version_from(&world, 4000), Ok(1));
    assert!(!client.asked.contains(&Resource::SeenProof(second)));
    amend(&mut world, &["m3", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    world.publish(5000);
    let draft = world.draft(hashes(0..12), 20_000);
    world.log(draft, &["m3", "c1", "c3"]);
    world.publish(20_000);
    world.publish(20_010);
    assert_eq!(client.version_from(&world, 20_010), Ok(2));
}

#[test]
fn texts_that_are_no_policy() {
    let text = world().policy_text();
    let parse = |text: &str| Policy::parse(text.as_bytes()).map(drop).unwrap_err();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        parse(&text.replacen(from, to, 1))
    };
    assert_eq!(with("quorum two", "quorum none"), PolicyError::NoQuorum);
    assert_eq!(with("checkpoint = 4", "checkpoint = 5"), PolicyError::Ages { checkpoint: 5, visibility: 5 });
    let log = text.lines().find(|line| line.starts_with("log ")).unwrap();
    assert_eq!(with(log, "# no log"), PolicyError::Logs(0));
    let second = format!("{log}\nlog {}", key("second.example/log").verifier());
    assert_eq!(with(log, &second), PolicyError::Logs(2));
    for (from, to) in [
        ("min_curators = 2\n", ""),
        ("min_curators = 2", "min_curators = -2"),
        ("min_curators = 2", "min_curator = 2"),
        ("action = \"block\"", "action = \"arrest\""),
        ("name = \"hotline", "name = \"../hotline"),
        ("charter = \"", "charter = \"ff"),
        ("[ages]", "[age]"),
    ] {
        assert!(matches!(with(from, to), PolicyError::Toml(_)), "{to}");
    }
    assert!(matches!(with("witness w2", "witness w1"), PolicyError::Trust(_)));
    assert_eq!(parse(&(text.clone() + &"#".repeat(300_000))), PolicyError::TooLarge);
    let padded = |size: usize| text.clone() + &"#".repeat(size - text.len());
    assert!(Policy::parse(padded(MAX_POLICY_SIZE).as_bytes()).is_ok());
    assert_eq!(parse(&padded(MAX_POLICY_SIZE + 1)), PolicyError::TooLarge);
}

#[test]
fn a_policy_says_where_the_log_is_and_from_which_version_on_it_accepts() {
    let policy = world().policy_with("min_version = 1", "min_version = 7");
    assert_eq!(policy.min_version(), 7);
    assert_eq!(policy.log_url(), None);
    let text = world().policy_text();
    let log = text.lines().find(|line| line.starts_with("log ")).unwrap();
    let with_url = text.replacen(log, &format!("{log} https://log.example/demo"), 1);
    assert_eq!(Policy::parse(with_url.as_bytes()).unwrap().log_url(), Some("https://log.example/demo"));
}
