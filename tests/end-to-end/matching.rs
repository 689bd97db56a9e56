//! `isonomy match` and `isonomy list hash` as they are typed: several lists at once, and videos.
//!
//! What needs ffmpeg runs where it is installed. With `ISONOMY_REQUIRE_FFMPEG` set, it must be there.

#[path = "hostile/conditions.rs"]
#[allow(dead_code)] // The hostile cases need more of it.
mod conditions;
#[allow(dead_code)]
mod process;

use isonomy_client::video::{Ffmpeg, VideoLimits, hash_video};
use isonomy_client::{Client, Source};
use isonomy_core::charter::{Charter, Matching};
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::ListName;
use isonomy_tests::client::drive;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A client's folder with a verified list in it.
struct Device {
    folder: TempDir,
}

impl Device {
    /// A device with version 1 of a list of this name, by this rule, with this content.
    fn with(name: &str, matching: Matching, content: Entries) -> Self {
        let edit = |charter: &mut Charter| {
            charter.list = ListName::new(name).unwrap();
            charter.matching = matching;
        };
        let mut world = World::founded_with(edit);
        world.release(content, 100);
        world.publish(100);
        world.publish(105);
        let device = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(device.policy(), world.policy_text()).unwrap();
        std::fs::write(device.trust(), world.trust_text()).unwrap();
        device.update(&world);
        device
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }

    /// The keys of log and witnesses.
    fn trust(&self) -> PathBuf {
        self.folder.path().join("trust.policy")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn update(&self, world: &World) {
        let (mirror, policy) = (self.folder.path().join("mirror"), world.policy());
        let mut client = Client::open(self.state(), policy.clone()).unwrap();
        let driven = drive(&policy, client.state(), client.list(), at(105), world);
        driven.outcome.unwrap();
        for (resource, _) in driven.asked {
            let path = mirror.join(resource.to_string().trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(bytes) = world.get(&resource) {
                std::fs::write(path, bytes).unwrap();
            }
        }
        client.update_blocking(&[Source::parse(mirror.to_str().unwrap()).unwrap()], at(105)).unwrap();
    }
}

fn isonomy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isonomy"));
    command.args(arguments);
    command
}

/// `isonomy match --json` of these subjects against the lists of these devices.
fn matching(subjects: &[&str], devices: &[&Device]) -> Command {
    let mut command = isonomy(&["match", "--json"]);
    conditions::set_clock(&mut command, at(106));
    command.args(subjects);
    for device in devices {
        command.arg("--policy").arg(device.policy()).arg("--state").arg(device.state());
    }
    command
}

fn json(output: &Output) -> Value {
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"))
}

fn verdicts(output: &Output) -> Vec<String> {
    let answers = json(output);
    let answers = answers.as_array().unwrap().iter().flat_map(|subject| subject["answers"].as_array().unwrap().clone());
    answers
        .map(|answer| format!("{}: {}", answer["list"].as_str().unwrap(), answer["verdict"].as_str().unwrap()))
        .collect()
}

fn pdq(max_distance: u64) -> Matching {
    Matching { algorithm: Algorithm::PdqFull, max_distance, min_quality: 50 }
}

#[test]
fn several_lists_are_asked_at_once_each_by_its_own_rule() {
    let wide = Device::with("one.example/wide", pdq(31), hashes(0..50));
    let narrow = Device::with("two.example/narrow", pdq(4), hashes(0..50));
    let mut near = hash(7);
    near[0] ^= 0xff;
    let (near, receipts) = (to_hex(&near), tempfile::tempdir().unwrap());
    let mut command = matching(&[&near, &to_hex(&hash(1000))], &[&wide, &narrow]);
    let output = command.arg("--receipts").arg(receipts.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let expected = ["one.example/wide: matched", "two.example/narrow: not-matched"];
    let nothing = ["one.example/wide: not-matched", "two.example/narrow: not-matched"];
    assert_eq!(verdicts(&output), [expected, nothing].concat());
    let files: Vec<_> = std::fs::read_dir(receipts.path()).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let name = format!("one.example_wide-1-{}.receipt.json.gz", to_hex(&hash(7)));
    assert_eq!(file.file_name().unwrap().to_str(), Some(&*name));
    let unpaired = matching(&[&near], &[&wide]).arg("--policy").arg(narrow.policy()).output().unwrap();
    assert_eq!(unpaired.status.code(), Some(4), "{unpaired:?}");
    assert!(json(&unpaired)["error"].as_str().unwrap().contains("needs its --state"), "{unpaired:?}");
}

fn video(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/video").join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_video_is_matched_by_the_frames_of_listed_ones() {
    let rule = Matching { algorithm: Algorithm::VpdqV1, max_distance: 31, min_quality: 50 };
    let other = Device::with("three.example/videos", rule.clone(), {
        let entries = (0..50).flat_map(|number| [[1; 16].as_slice(), &hash(number)].concat()).collect();
        Entries::from_unsorted(48, entries).unwrap().0
    });
    let pictures = Device::with("one.example/pictures", pdq(31), hashes(0..50));
    // Where no ffmpeg is installed, the list says so, and that is the exit code.
    let mut command = matching(&[&video("photos.mp4")], &[&other]);
    let without = command.env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(without.status.code(), Some(7), "{without:?}");
    let why = json(&without)[0]["answers"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("ffmpeg, which is not installed here"), "{why}");
    let found = Ffmpeg::find().is_ok();
    assert!(found || std::env::var_os("ISONOMY_REQUIRE_FFMPEG").is_none(), "no ffmpeg is installed");
    if !found {
        return;
    }
    let listed = hash_video(Path::new(&video("photos.mp4")), &VideoLimits::default()).unwrap().entries(50).concat();
    let device = Device::with("two.example/videos", rule, Entries::from_unsorted(48, listed).unwrap().0);
    // The same view in other formats; and in between a file that is none.
    let output =
        matching(&[&video("photos.webm"), &video("vpdq.csv")], &[&device, &other, &pictures]).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let expected = [
        "two.example/videos: matched",
        "three.example/videos: not-matched",
        "one.example/pictures: not-covered",
        "two.example/videos: not-covered",
        "three.example/videos: not-covered",
        "one.example/pictures: not-covered",
    ];
    assert_eq!(verdicts(&output), expected);
    let answers = json(&output);
    let matched = &answers[0]["answers"][0];
    assert_eq!(matched["matches"][0]["video"]["looked_up"]["alike"], matched["matches"][0]["video"]["looked_up"]["of"]);
    assert!(
        matched["notice"]["words"].as_str().unwrap().starts_with("This video looks like one that is, in "),
        "{matched}"
    );
}

#[test]
fn a_folder_of_pictures_and_videos_is_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, frames) = (folder.path().join("pictures.csv"), folder.path().join("videos.csv"));
    let of = video("");
    let mut command = isonomy(&["list", "hash", &of, "--json", "--csv", csv.to_str().unwrap()]);
    let output = command.arg("--videos").arg(&frames).output().unwrap();
    let report = json(&output);
    assert_eq!(report["left_out"].as_array().unwrap().len(), 2, "two files are neither: {report}");
    let has_ffmpeg = Ffmpeg::find().is_ok();
    assert_eq!(output.status.code(), Some(if has_ffmpeg { 0 } else { 4 }), "{output:?}");
    if !has_ffmpeg {
        return assert!(report["failed"][0]["reason"].as_str().unwrap().contains("ffmpeg"), "{report}");
    }
    assert_eq!(report["videos"].as_array().unwrap().len(), 5, "{report}");
    let partly = report["partly"].as_array().unwrap();
    assert_eq!((partly.len(), partly[1]["file"].as_str()), (2, Some("photos.ts")), "{report}");
    let list = folder.path().join("videos.list");
    let mut import = isonomy(&["list", "import", frames.to_str().unwrap(), "--algorithm", "vpdq", "--out"]);
    let output = import.arg(&list).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::metadata(&list).unwrap().len() % 48, 0);
}

#[test]
fn a_hash_is_looked_up_by_the_algorithm_of_each_list_whatever_their_order() {
    let file = std::fs::read(repository("photos/coins.png")).unwrap();
    let digest = isonomy_matcher::digest::sha256(&file).to_vec();
    let same = Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 };
    let pictures = Device::with("one.example/pictures", pdq(31), hashes(0..50));
    let files = Device::with("two.example/files", same, Entries::from_sorted(32, digest.clone()).unwrap());
    for devices in [[&pictures, &files], [&files, &pictures]] {
        let output = matching(&[&to_hex(&digest)], &devices).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let mut found = verdicts(&output);
        found.sort();
        assert_eq!(found, ["one.example/pictures: not-matched", "two.example/files: matched"]);
        let output = matching(&["--algorithm", "pdq", &to_hex(&digest)], &devices).output().unwrap();
        let mut found = verdicts(&output);
        found.sort();
        assert_eq!(found, ["one.example/pictures: not-matched", "two.example/files: not-covered"]);
        assert_eq!(output.status.code(), Some(0), "a list that is not asked does not count: {output:?}");
        // A sound picture that the list of files doesn't hold: the other list is not asked, and says nothing of the file.
        let output =
            matching(&["--algorithm", "sha256", repository("photos/chelsea.png").to_str().unwrap()], &devices).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let answers = json(&output)[0]["answers"].as_array().unwrap().clone();
        let other = answers.iter().find(|answer| answer["list"] == "one.example/pictures").unwrap();
        assert_eq!(other["code"], "other-algorithm", "{other}");
    }
    let none = matching(&["--algorithm", "md5", &to_hex(&digest)], &[&pictures, &files]).output().unwrap();
    assert_eq!(none.status.code(), Some(4), "no list is asked: {none:?}");
    let told = json(&matching(&[&to_hex(&digest)], &[&files]).output().unwrap());
    assert_eq!(told[0]["taken_as"], "hash", "{told}");
    let short = matching(&["00ff"], &[&pictures, &files]).output().unwrap();
    assert_eq!(short.status.code(), Some(7));
    assert!(
        json(&short)[0]["error"].as_str().unwrap().contains("a hash of 4 digits is none of these lists"),
        "{short:?}"
    );
}

/// A program that ends within its time, or is ended.
#[cfg(unix)]
fn within_a_minute(command: &mut Command) -> Output {
    use std::process::Stdio;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > end {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_pipe_without_another_end_is_refused_and_one_that_is_open_is_read() {
    let device = Device::with("one.example/wide", pdq(31), hashes(0..50));
    let pipe = device.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let output = within_a_minute(&mut matching(&[pipe.to_str().unwrap()], &[&device]));
    assert_eq!(output.status.code(), Some(7));
    assert!(json(&output)[0]["error"].as_str().unwrap().contains("pipe, socket or device"), "{output:?}");

    let mut cat =
        Command::new("cat").arg(repository("photos/coins.png")).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut command = matching(&["/dev/stdin"], &[&device]);
    let output = within_a_minute(command.stdin(cat.stdout.take().unwrap()));
    assert!(cat.wait().unwrap().success());
    assert_eq!(verdicts(&output), ["one.example/wide: not-matched"], "{output:?}");

    if Ffmpeg::find().is_ok() {
        let rule = Matching { algorithm: Algorithm::VpdqV1, max_distance: 31, min_quality: 50 };
        let listed = hash_video(Path::new(&video("photos.mp4")), &VideoLimits::default()).unwrap().entries(50).concat();
        let device = Device::with("two.example/videos", rule, Entries::from_unsorted(48, listed).unwrap().0);
        let film = std::fs::File::open(video("photos.mp4")).unwrap();
        let mut cat = Command::new("cat").stdin(film).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut command = matching(&["/dev/stdin"], &[&device]);
        let output = within_a_minute(command.stdin(cat.stdout.take().unwrap()));
        assert!(cat.wait().unwrap().success());
        assert_eq!(verdicts(&output), ["two.example/videos: matched"], "{output:?}");
    }
}

/// What is in `receipts` proves of `file`.
fn verified(device: &Device, receipts: &Path, file: &Path) -> Output {
    let receipt = std::fs::read_dir(receipts).unwrap().next().unwrap().unwrap().path();
    let mut command = isonomy(&["receipt", "verify", receipt.to_str().unwrap(), "--json", "--picture"]);
    command.arg(file).arg("--policy").arg(device.trust()).output().unwrap()
}

#[test]
fn a_receipt_is_proven_by_the_file_that_matched_however_it_matched() {
    use isonomy_matcher::image::{Limits, decode};
    use isonomy_matcher::pdq::hash_orientations;
    let hashes_of =
        |path: &str| hash_orientations(&decode(&std::fs::read(repository(path)).unwrap(), &Limits::default()).unwrap());
    let list = |hash: &[u8]| Entries::from_sorted(32, hash.to_vec()).unwrap();
    let turned = hashes_of("photos/chelsea.png")[1].hash;
    let device = Device::with("one.example/turned", pdq(31), list(&turned));
    let receipts = tempfile::tempdir().unwrap();
    let path = repository("photos/chelsea.png");
    let mut command = matching(&["--orientations", "all", path.to_str().unwrap()], &[&device]);
    let output = command.arg("--receipts").arg(receipts.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let proven = verified(&device, receipts.path(), &path);
    assert_eq!(proven.status.code(), Some(0), "{proven:?}");
    let proven = json(&proven);
    assert_eq!(
        (&proven["distance"], &proven["orientation"], &proven["frame"]),
        (&0.into(), &"rotate90".into(), &0.into())
    );
    // It is no evidence, and who takes it for that is told what it is.
    let receipt = std::fs::read_dir(receipts.path()).unwrap().next().unwrap().unwrap().path();
    let mut evidence = isonomy(&["evidence", "verify", receipt.to_str().unwrap(), "--policy"]);
    let evidence = evidence.arg(device.trust()).output().unwrap();
    assert_eq!(evidence.status.code(), Some(4), "{evidence:?}");
    assert!(String::from_utf8_lossy(&evidence.stderr).contains("`isonomy receipt verify` checks it"), "{evidence:?}");
    assert_eq!(
        (&proven["min_quality"], proven["quality"].as_u64().is_some_and(|quality| quality >= 50)),
        (&50.into(), true)
    );
    // Another picture is none, in any orientation.
    let other = verified(&device, receipts.path(), &repository("photos/coffee.png"));
    assert_eq!(other.status.code(), Some(3), "{other:?}");

    // The second of two pages, of which the first matches nothing.
    let folder = tempfile::tempdir().unwrap();
    let (animation, receipts) = (folder.path().join("two.gif"), folder.path().join("receipts"));
    std::fs::write(&animation, gif_of(&["photos/coins.png", "photos/chelsea.png"])).unwrap();
    let mut frames = Vec::new();
    let bytes = std::fs::read(&animation).unwrap();
    let unseen = isonomy_matcher::image::each_frame(&bytes, &Limits::default(), |frame, _| {
        frames.push(isonomy_matcher::pdq::hash(frame).hash);
    });
    assert_eq!((unseen, frames.len()), (Ok(None), 2));
    let device = Device::with("one.example/second", pdq(31), list(&frames[1]));
    let mut command = matching(&[animation.to_str().unwrap()], &[&device]);
    let output = command.arg("--receipts").arg(&receipts).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let found = json(&output);
    assert_eq!(found[0]["answers"][0]["matches"][0]["frame"], 1, "{found}");
    let proven = json(&verified(&device, &receipts, &animation));
    assert_eq!((&proven["distance"], &proven["frame"]), (&0.into(), &1.into()), "{proven}");
}

#[test]
fn a_receipt_says_no_more_of_a_file_than_it_proves() {
    use isonomy_matcher::image::{Limits, decode};
    let list = |size, hash: &[u8]| Entries::from_sorted(size, hash.to_vec()).unwrap();
    let words = |device: &Device, subject: &str, file: &str| {
        let receipts = tempfile::tempdir().unwrap();
        let output = matching(&[subject], &[device]).arg("--receipts").arg(receipts.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let receipt = std::fs::read_dir(receipts.path()).unwrap().next().unwrap().unwrap().path();
        let mut command = isonomy(&["receipt", "verify", receipt.to_str().unwrap(), "--picture", file, "--policy"]);
        let said = command.arg(device.trust()).output().unwrap();
        assert_eq!(said.status.code(), Some(0), "{said:?}");
        (String::from_utf8(said.stdout).unwrap(), json(&verified(device, receipts.path(), Path::new(file))))
    };
    // A picture of too little detail, whose hash was looked up without regard to that.
    let path = repository("photos/clock_motion.png").to_str().unwrap().to_owned();
    let smooth = isonomy_matcher::pdq::hash(&decode(&std::fs::read(&path).unwrap(), &Limits::default()).unwrap());
    assert!(smooth.quality < 50);
    let device = Device::with("one.example/smooth", pdq(31), list(32, &smooth.hash));
    let (said, proven) = words(&device, &to_hex(&smooth.hash), &path);
    let quality = smooth.quality;
    let expected = format!(
        "· the picture is at distance 0 from it; the charter allows 31; its quality is {quality}, and below 50 "
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!((&proven["quality"], &proven["min_quality"]), (&quality.into(), &50.into()));
    // A video of which one frame is listed.
    if Ffmpeg::find().is_ok() {
        let rule = Matching { algorithm: Algorithm::VpdqV1, max_distance: 31, min_quality: 50 };
        let film = hash_video(Path::new(&video("photos.mp4")), &VideoLimits::default()).unwrap();
        let frame = film.frames().iter().find(|frame| frame.quality >= 50).unwrap().hash;
        let device = Device::with("two.example/frame", rule, list(48, &[&[1; 16][..], &frame].concat()));
        let (said, _) = words(&device, &to_hex(&frame), &video("photos.mp4"));
        assert!(
            said.contains("· one frame, number ") && said.contains("A receipt alone can't show that 80 %"),
            "{said}"
        );
    }
}

/// An animation of these photographs, each shown for half a second.
fn gif_of(photographs: &[&str]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new_with_speed(&mut file, 30);
    for path in photographs {
        let picture =
            image::open(repository(path)).unwrap().resize_exact(160, 120, image::imageops::FilterType::Triangle);
        let delay = image::Delay::from_numer_denom_ms(500, 1);
        encoder.encode_frame(image::Frame::from_parts(picture.to_rgba8(), 0, 0, delay)).unwrap();
    }
    drop(encoder);
    file
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_a_file_like_others() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join(std::ffi::OsStr::from_bytes(b"b\xe4r.png"));
    std::fs::copy(repository("photos/coins.png"), &name).unwrap();
    let device = Device::with("one.example/wide", pdq(31), hashes(0..50));
    let output =
        matching(&[repository("photos/chelsea.png").to_str().unwrap()], &[&device]).arg(&name).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(json(&output).as_array().unwrap().len(), 2);
}

#[test]
fn a_file_beyond_the_limit_is_still_matched_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.png");
    let mut file = std::fs::read(repository("photos/coins.png")).unwrap();
    file.resize((64 << 20) + 1, 0);
    std::fs::write(&path, &file).unwrap();
    let digest = isonomy_matcher::digest::sha256(&file).to_vec();
    let same = Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 };
    let pictures = Device::with("one.example/pictures", pdq(31), hashes(0..50));
    let files = Device::with("two.example/files", same, Entries::from_sorted(32, digest).unwrap());
    let output = matching(&[path.to_str().unwrap()], &[&pictures, &files]).output().unwrap();
    assert_eq!(verdicts(&output), ["one.example/pictures: not-covered", "two.example/files: matched"], "{output:?}");
}

#[test]
fn the_exit_code_tells_that_a_file_has_no_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (pictures, table) = (folder.path().join("pictures"), folder.path().join("table.csv"));
    std::fs::create_dir(&pictures).unwrap();
    let hash = || {
        isonomy(&["list", "hash", pictures.to_str().unwrap(), "--force", "--csv", table.to_str().unwrap()])
            .output()
            .unwrap()
    };
    std::fs::write(
        pictures.join("cut.jpg"),
        [&std::fs::read(repository("photos/rocket.jpg")).unwrap()[..40_000], b"\xff\xd9"].concat(),
    )
    .unwrap();
    let output = hash();
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{words}");
    assert!(words.contains("cut.jpg: the JPEG file is incomplete") && words.contains("✗ 1 have no hash"), "{words}");
    assert!(!words.contains('✓'), "{words}");
    std::fs::remove_file(pictures.join("cut.jpg")).unwrap();
    std::fs::copy(repository("photos/coins.png"), pictures.join("coins.png")).unwrap();
    std::fs::write(pictures.join("README.txt"), "no picture").unwrap();
    let output = hash();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("✓ 1 pictures hashed"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("README.txt: left out"));
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
