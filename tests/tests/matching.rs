//! Several lists at once, each with its own rule; and lists of videos.

use isonomy_core::charter::{Action, Charter, Matching};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::ListName;
use isonomy_matcher::image::Limits;
use isonomy_matcher::pdq::PdqHash;
use isonomy_matcher::video::{Frames, VideoMatch};
use isonomy_matcher::{
    Answer, Fingerprint, Matcher, NotCovered, Orientations, Subject, Unseen, Verdict, Video, VideoError, digest,
};
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use std::path::Path;

/// A list of this name, by this charter, with this content, and the world in which it was published.
fn published(name: &str, edit: impl FnOnce(&mut Charter), content: Entries) -> (World, Matcher) {
    let mut world = World::founded_with(|charter| {
        charter.list = ListName::new(name).unwrap();
        edit(charter);
    });
    world.release(content, 100);
    world.publish(100);
    world.publish(105);
    let list = Client::of(&world).update(&world, 105).unwrap().list;
    (world, Matcher::new(list).unwrap())
}

fn matcher(name: &str, rule: Matching, content: Entries) -> Matcher {
    published(name, |charter| charter.matching = rule, content).1
}

fn rule(algorithm: Algorithm, max_distance: u64, min_quality: u64) -> Matching {
    Matching { algorithm, max_distance, min_quality }
}

/// `hash` with its first `count` bits turned.
fn apart(hash: &[u8], count: usize) -> Vec<u8> {
    let mut turned = hash.to_vec();
    (0..count).for_each(|bit| turned[bit / 8] ^= 1 << (bit % 8));
    turned
}

/// `hash` with so many bits turned, half of them from 0 to 1, so that as many are set as before.
fn regular(hash: &[u8], count: usize) -> Vec<u8> {
    let bit = |at: usize| hash[at / 8] >> (at % 8) & 1;
    let some = |value: u8| (0..256).filter(move |at| bit(*at) == value).take(count / 2);
    let mut turned = hash.to_vec();
    some(0).chain(some(1)).for_each(|at| turned[at / 8] ^= 1 << (at % 8));
    turned
}

fn list_of(entries: &[&[u8]]) -> Entries {
    Entries::from_unsorted(entries[0].len(), entries.concat()).unwrap().0
}

/// `matched` with the distances, `not-matched`, or why it is not covered.
fn said(answer: &Answer) -> String {
    match &answer.verdict {
        Verdict::Matched(matches) => {
            let distances: Vec<String> = matches.iter().map(|found| found.distance.to_string()).collect();
            format!("matched at {}", distances.join(", "))
        }
        Verdict::NotMatched => "not matched".into(),
        Verdict::NotCovered(why) => why.to_string(),
    }
}

#[test]
fn several_lists_answer_each_by_its_own_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../photos/chelsea.png");
    let file = std::fs::read(path).unwrap();
    let pdq = Fingerprint::of_file(Algorithm::PdqFull, &file, &Limits::default()).unwrap();
    assert!(pdq.quality.is_some_and(|quality| quality < 101));
    let [near, far] = [10, 30].map(|count| regular(&pdq.hash, count));
    let alike = || list_of(&[&near, &far, &hash(1)]);
    let (sha256, md5) = (digest::sha256(&file), digest::md5(&file));
    let lists = [
        matcher("one.example/wide", rule(Algorithm::PdqFull, 31, 50), alike()),
        matcher("two.example/narrow", rule(Algorithm::PdqFull, 10, 50), alike()),
        matcher("three.example/strict", rule(Algorithm::PdqFull, 9, 50), alike()),
        matcher("four.example/same", rule(Algorithm::Sha256, 0, 0), list_of(&[&sha256, &hash(2)])),
        matcher("five.example/same", rule(Algorithm::Md5, 0, 0), list_of(&[&[7; 16]])),
        matcher(
            "six.example/videos",
            rule(Algorithm::VpdqV1, 31, 50),
            list_of(&[&[[1; 16].to_vec(), near.clone()].concat()]),
        ),
    ];
    let algorithms: Vec<Algorithm> = lists.iter().map(Matcher::algorithm).collect();
    let subject = Subject::of_file(&algorithms, &file, &Limits::default(), Orientations::Stored);
    let answers: Vec<Answer> = lists.iter().map(|list| list.answer(&subject, at(106))).collect();
    let names: Vec<String> = answers.iter().map(|answer| answer.list.to_string()).collect();
    assert_eq!(names[..3], ["one.example/wide", "two.example/narrow", "three.example/strict"]);
    let expected = [
        "matched at 10, 30",
        "matched at 10",
        "not matched",
        "matched at 0",
        "not matched",
        &VideoError::UnknownFormat.to_string(),
    ];
    assert_eq!(answers.iter().map(said).collect::<Vec<_>>(), expected);
    // Lists that were not asked for say so, and nothing about the file.
    let digests = Subject::of_file(&[Algorithm::Sha256], &file, &Limits::default(), Orientations::Stored);
    for list in [0, 5] {
        let answer = lists[list].answer(&digests, at(106));
        let Verdict::NotCovered(why @ NotCovered::NotHashed { .. }) = &answer.verdict else { panic!("{answer:?}") };
        assert_eq!((why.code(), answer.notice()), ("other-algorithm", None));
    }
    // Nearest of what a file has: for whoever checks a receipt.
    let (view, apart) = subject.nearest(&rule(Algorithm::PdqFull, 31, 0), &far).unwrap();
    assert_eq!((view.frame, view.fingerprint.algorithm, apart), (0, Algorithm::PdqFull, 30));
    assert!(subject.nearest(&rule(Algorithm::VpdqV1, 31, 0), &[0; 48]).is_none());
    // A hash alone: only lists of its algorithm can say anything.
    let only = Subject::of_hash(Fingerprint { algorithm: Algorithm::Md5, hash: md5.to_vec(), quality: None });
    let covered = |list: &&Matcher| !matches!(list.answer(&only, at(106)).verdict, Verdict::NotCovered(_));
    assert_eq!(lists.iter().filter(covered).count(), 1);
}

#[test]
fn each_list_has_its_own_floor_of_quality_and_its_own_action() {
    let content = || hashes(0..20);
    let (_, lax) = published("lax.example/list", |charter| charter.action.most = Action::Warn, content());
    let strict = matcher("strict.example/list", rule(Algorithm::PdqFull, 24, 90), content());
    let asked = Fingerprint { algorithm: Algorithm::PdqFull, hash: hash(7).to_vec(), quality: Some(80) };
    let Verdict::Matched(matches) = lax.look_up(&asked, at(106)).verdict else { panic!("no match") };
    assert_eq!(matches[0].action, Action::Warn);
    let answer = strict.look_up(&asked, at(106));
    let Verdict::NotCovered(NotCovered::QualityTooLow { quality: 80, least: 90 }) = answer.verdict else {
        panic!("{:?}", answer.verdict)
    };
}

fn frames(numbers: impl IntoIterator<Item = u64>, quality: u8) -> Vec<PdqHash> {
    numbers.into_iter().map(|number| PdqHash { hash: hash(number), quality }).collect()
}

fn subject(frames: Vec<PdqHash>) -> Subject {
    Subject::of_digests(Vec::new()).with_video(Ok(Video::new(frames)))
}

/// A list of two videos: frames 0 to 9, and 100 to 102.
fn videos() -> (World, Matcher) {
    let entries = [frames(0..10, 80), frames(100..103, 80)].map(|frames| Video::new(frames).entries(50).concat());
    let content = Entries::from_unsorted(48, entries.concat()).unwrap().0;
    published("hotline.example/videos", |charter| charter.matching = rule(Algorithm::VpdqV1, 24, 50), content)
}

#[test]
fn a_piece_of_a_listed_video_matches_and_the_person_is_told_of_a_video() {
    let (world, matcher) = videos();
    // Four of five frames, one of them twice, one too poor to count.
    let piece = [frames([3, 4, 5, 6, 6, 500], 80), frames([600], 10)].concat();
    let answer = matcher.answer(&subject(piece), at(106));
    let Verdict::Matched(matches) = &answer.verdict else { panic!("{:?}", answer.verdict) };
    assert_eq!(matches.len(), 4);
    let expected = VideoMatch { looked_up: Frames { alike: 4, of: 5 }, listed: Frames { alike: 4, of: 10 } };
    assert!(matches.iter().all(|found| found.video == Some(expected) && found.distance == 0));
    let notice = answer.notice().unwrap().to_string();
    for words in ["This video looks like one that is, in 4 of the 5 pictures", "the video may be held back"] {
        assert!(notice.contains(words), "{notice}");
    }
    // The receipt is of a frame; who brings a frame along has its distance checked.
    let (receipt, entry) = (matches[0].receipt.make().unwrap(), &matches[0].entry);
    let proven = receipt.verify(&world.trust(), Some(&apart(&entry[16..], 5))).unwrap();
    assert_eq!((&proven.entry, proven.distance), (entry, Some(5)));
    assert!(receipt.verify(&world.trust(), Some(&apart(&entry[16..], 25))).is_err());
    assert_eq!(
        receipt.verify(&world.trust(), Some(entry)).unwrap().distance,
        Some(0),
        "an entry is a hash with a number"
    );
    assert!(receipt.verify(&world.trust(), Some(&entry[..40])).is_err());
}

#[test]
fn what_does_not_match_a_list_of_videos_is_told_apart_from_what_it_can_not_answer() {
    let (_, matcher) = videos();
    let answer = |subject: &Subject| said(&matcher.answer(subject, at(106)));
    assert_eq!(answer(&subject(frames([3, 4, 5, 500, 501], 80))), "not matched");
    assert_eq!(answer(&subject(frames([3, 4, 100, 101], 80))), "not matched", "half of one video and half of another");
    assert_eq!(answer(&subject(frames([3, 4], 20))), "the picture's quality is 20; the charter asks for 50");
    assert_eq!(answer(&subject(Vec::new())), "the file holds no video");
    let part = |numbers: &[u64], quality| {
        let video = Video::new(frames(numbers.iter().copied(), quality)).without(Unseen::OtherVideos { videos: 2 });
        Subject::of_digests(Vec::new()).with_video(Ok(video))
    };
    assert_eq!(answer(&part(&[3, 4], 80)), "matched at 0, 0");
    let expected = "nothing matches, but the file holds 2 videos, of which only the first was looked at";
    assert_eq!(answer(&part(&[500], 80)), expected);
    assert_eq!(answer(&part(&[3, 4], 20)), expected, "what was not looked at may be better");
    let undecoded = Subject::of_digests(Vec::new()).with_video(Err(VideoError::NoDecoder));
    assert_eq!(answer(&undecoded), "videos are decoded by ffmpeg, which is not installed here");
    let file = Subject::of_file(&[Algorithm::VpdqV1], b"\0\0\0\x20ftypisom....", &Limits::default(), Orientations::All);
    assert_eq!(answer(&file), VideoError::NoDecoder.to_string());
    // A hash alone is a video of one frame.
    let frame = |hash: &[u8]| Fingerprint { algorithm: Algorithm::VpdqV1, hash: hash.to_vec(), quality: None };
    assert_eq!(said(&matcher.look_up(&frame(&apart(&hash(101), 24)), at(106))), "matched at 24");
    assert_eq!(said(&matcher.look_up(&frame(&hash(500)), at(106))), "not matched");
    let picture = Fingerprint { algorithm: Algorithm::PdqFull, ..frame(&hash(101)) };
    assert_eq!(said(&matcher.look_up(&picture, at(106))), "the list holds vpdq/v1 hashes, not pdq/full");
}

#[test]
fn a_second_look_at_a_video_adds_matches_and_takes_none_away() {
    let (_, matcher) = videos();
    let gap = || Unseen::Gap { seconds: 9 };
    let film = |first: &[u64], second: &[u64]| {
        let [first, second] = [first, second].map(|numbers| frames(numbers.iter().copied(), 80));
        Video::new(first).looked_at_again(second, gap())
    };
    let looked_up = |video: Video| Subject::of_digests(Vec::new()).with_video(Ok(video));
    let answer = |video: Video| matcher.answer(&looked_up(video), at(106));
    assert_eq!(said(&answer(film(&[500, 501], &[3, 4, 5]))), "matched at 0, 0, 0");
    assert_eq!(said(&answer(film(&[3], &[500, 501]))), "matched at 0");
    assert_eq!(said(&answer(film(&[500], &[501]))), "not matched", "both looks together show all of it");
    assert_eq!(said(&answer(film(&[3, 500], &[4, 501]))), "not matched", "looks do not add up");
    let rest = film(&[500], &[501]).without(Unseen::Short { seconds: 9 });
    assert_eq!(said(&answer(rest)), "nothing matches, but the last 9 seconds of the video are missing");
    // Where both match, the first one's word counts; what else the second one finds comes to it.
    let Verdict::Matched(matches) = answer(film(&[3, 4], &[3, 100, 101, 102, 102])).verdict else { panic!() };
    let alike = |alike, of| VideoMatch { looked_up: Frames { alike, of }, listed: Frames { alike, of: 10 } };
    assert_eq!(matches.len(), 2);
    assert!(matches.iter().all(|found| found.video == Some(alike(2, 2))), "{matches:?}");
    // Those of the second look are not what a list would hold.
    let subject = looked_up(film(&[3], &[4, 5]));
    assert_eq!((subject.views().len(), subject.second_look().len()), (1, 2));
    assert_eq!((subject.unseen(), subject.unlisted()), (None, Some(&gap())));
    let (view, apart) = subject.nearest(&rule(Algorithm::VpdqV1, 31, 0), &[&[0; 16][..], &hash(5)].concat()).unwrap();
    assert_eq!((view.frame, apart), (1, 0), "but a receipt may be of one");
    assert_eq!(said(&answer(film(&[], &[3, 4]))), "matched at 0, 0");
}
