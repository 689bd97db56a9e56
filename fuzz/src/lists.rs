//! Lists as maintainers have them and as clients get them, and pictures.

use isonomy_core::list::{Algorithm, Entries, ListProof, delta, snapshot};
use isonomy_matcher::image::{Limits, MAX_FRAMES, decode, each_frame, shown_orientation};
use isonomy_matcher::video::is_video;
use isonomy_publisher::draft::{self, Draft};
use isonomy_publisher::import::{self, Format, ImportOptions, Importer, Invalid, Irregular, Unselected};
use isonomy_tests::people::hashes;
use std::sync::LazyLock;

/// What is imported is a list of the algorithm, whatever was skipped; strict import takes no more than lenient import. The
/// format is recognised, and then each is forced in turn.
pub(crate) fn import(bytes: &[u8]) {
    let forced = Format::ALL[bytes.len() % Format::ALL.len()];
    for (algorithm, format) in [(Algorithm::PdqFull, None), (Algorithm::PdqFull, Some(forced)), (Algorithm::Md5, None)]
    {
        let strict = ImportOptions { format, ..ImportOptions::new(algorithm) };
        let lenient = ImportOptions { invalid: Invalid::Skip, irregular: Irregular::Allow, ..strict.clone() };
        let lenient = import::import(bytes, &lenient).map(|(imported, _)| imported);
        if let Ok((imported, _)) = import::import(bytes, &strict) {
            assert_eq!(imported.entries.irregular(algorithm), Ok(0));
            let lenient = lenient.expect("what passes strictly passes leniently");
            assert_eq!((lenient.entries, lenient.withdrawn), (imported.entries, imported.withdrawn));
        } else if let Ok(imported) = lenient {
            assert!(imported.entries.irregular(algorithm).is_ok());
        }
        selection(bytes, algorithm, format);
    }
}

/// A selection takes no more than is there, and what it leaves out is what it does not take.
fn selection(bytes: &[u8], algorithm: Algorithm, format: Option<Format>) {
    let all =
        ImportOptions { format, invalid: Invalid::Skip, irregular: Irregular::Allow, ..ImportOptions::new(algorithm) };
    let some = ImportOptions {
        min_quality: 50,
        classes: vec!["A1".to_owned(), "ideology-1".to_owned()],
        unselected: Unselected::Remember,
        ..all.clone()
    };
    let Ok((some, report)) = import::import(bytes, &some) else { return };
    let (all, of_all) = import::import(bytes, &all).expect("what can be selected from can be read");
    assert!(some.entries.iter().all(|entry| all.entries.contains(entry)));
    assert!(some.unselected.iter().all(|entry| !some.entries.contains(entry) && !some.withdrawn.contains(entry)));
    assert_eq!((report.records, report.withdrawals), (of_all.records, of_all.withdrawals));
    assert!(
        report.refused.iter().all(|refused| refused.byte <= bytes.len() as u64 && refused.record <= report.records)
    );
}

/// What an import remembers of ids is taken back as it was written, or refused.
pub(crate) fn kept_ids(bytes: &[u8]) {
    // The same as if it were all, too: what a fuzzer makes of a file hardly counts its lines.
    let end = format!("end {}\n", bytes.iter().filter(|&&byte| byte == b'\n').count());
    kept_ids_of(bytes);
    kept_ids_of(&[bytes, end.as_bytes()].concat());
}

fn kept_ids_of(bytes: &[u8]) {
    let options = ImportOptions::new(Algorithm::PdqFull);
    let mut importer = Importer::new(&options);
    if importer.know_ids(bytes).is_err() {
        return;
    }
    let mut written = Vec::new();
    let imported = importer.finish().expect("ids alone are no entries");
    imported.write_ids(&mut written).expect("memory takes it");
    let mut again = Importer::new(&options);
    again.know_ids(&written[..]).expect("its own writing");
    let mut rewritten = Vec::new();
    again.finish().expect("ids alone are no entries").write_ids(&mut rewritten).expect("memory takes it");
    assert_eq!(written, rewritten);
    assert!(imported.entries.is_empty());
}

/// A proof about an entry of a list is written as it was read.
pub(crate) fn list_proof(bytes: &[u8]) {
    if let Ok(proof) = ListProof::parse(bytes) {
        assert_eq!(ListProof::parse(proof.to_text().as_bytes()), Ok(proof));
    }
}

/// The sizes that the snapshot itself names stand in for those of a release.
pub(crate) fn snapshot(bytes: &[u8]) {
    let Some((&size, rest)) = bytes.get(8..).and_then(<[u8]>::split_first) else { return };
    let Some((len, _)) = rest.split_first_chunk() else { return };
    let len = u64::from(u32::from_be_bytes(*len));
    if let Ok(entries) = snapshot::decode(bytes, size.into(), len) {
        assert_eq!(snapshot::encode(&entries), bytes);
        assert_eq!(snapshot::encoded_len(size.into(), len), Some(bytes.len() as u64));
    }
}

pub(crate) static FROM: LazyLock<Entries> = LazyLock::new(|| hashes(0..40));

/// The delta applies to a list of 40 entries.
pub(crate) fn delta(bytes: &[u8]) {
    if let Ok(applied) = delta::apply(&FROM, bytes) {
        let difference = delta::diff(&FROM, &applied.entries).expect("entries of one size");
        assert_eq!(delta::encode(&difference), bytes);
        assert_eq!(difference.removed().len() as u64, applied.removed);
    }
}

/// A draft's content is what its release says, or is refused; one whose objects are right has one form.
pub(crate) fn draft(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("draft");
    std::fs::write(&path, bytes).expect("room for it");
    let Ok(draft) = Draft::open(&path) else { return };
    assert!(draft::is_one(&path));
    let release = draft.release().body();
    if let Ok(entries) = draft.entries(draft.charter().body().matching.algorithm) {
        assert_eq!((entries.root(), entries.len() as u64), (release.root, release.entries));
    }
    let object = |name: String, digest| Some((name, draft.object(digest).ok()?));
    let deltas = release.deltas.iter().map(|delta| object(format!("delta-from-{}", delta.from), &delta.sha256));
    let objects = deltas.chain([object("snapshot".to_owned(), &release.snapshot.sha256)]);
    let Some(mut members) = objects.collect::<Option<Vec<_>>>() else { return };
    members.push(("charter.note".to_owned(), draft.charter().to_bytes()));
    members.extend(draft.reason().map(|reason| ("reason.txt".to_owned(), reason.as_bytes().to_vec())));
    members.push(("release.note".to_owned(), draft.release().to_bytes()));
    assert!(archive(&members) == bytes, "a draft has one form");
}

/// A draft's file of these members, by another hand than the one that publishes: as docs/formats.md says it.
pub(crate) fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).expect("a short name");
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append(&header, &bytes[..]).expect("memory takes it");
    }
    archive.into_inner().expect("memory takes it")
}

/// What the decoder of videos writes is read as far as it goes, and no picture is larger than the bytes that are there.
pub(crate) fn decoder_output(bytes: &[u8]) {
    let pictures = isonomy_client::video::read_output(bytes, 1 << 16);
    assert!(pictures * "P6\n1 1\n255\n...".len() <= bytes.len());
}

/// What decoding a file may cost here.
const PICTURE: Limits = Limits { file_bytes: 1 << 20, pixels: 1 << 16, memory: 1 << 24 };

/// What looking at a file may take beside the memory that the limits allow and two copies of the file: what decoders hold however small
/// a picture is.
const SMALL_THINGS: u64 = 1 << 20;

/// The most bytes that are allocated for all pictures of a file, one after the other: what was allocated was mostly written, too, so this
/// bounds time where a clock would measure the machine.
const MOST_ALLOCATED: u64 = 1 << 28;

/// Whatever decodes is no larger than the limits, and can be hashed; and no file costs more than that is worth.
pub(crate) fn picture(bytes: &[u8]) {
    let cost = allocation_counter::measure(|| each_picture(bytes));
    let most = PICTURE.memory + 2 * bytes.len() as u64 + SMALL_THINGS;
    assert!(cost.bytes_max <= most, "{} bytes of memory for a file of {}", cost.bytes_max, bytes.len());
    assert!(cost.bytes_total <= MOST_ALLOCATED, "{} bytes allocated for a file of {}", cost.bytes_total, bytes.len());
    let _ = (shown_orientation(bytes, &PICTURE), is_video(bytes));
    if let Ok(picture) = decode(bytes, &PICTURE) {
        assert!((picture.width() * picture.height()) as u64 <= PICTURE.pixels);
        assert_eq!(picture.data().len(), picture.width() * picture.height() * picture.channels().count());
        let hashed = isonomy_matcher::pdq::hash(&picture);
        assert!(hashed.quality <= 100);
    }
}

fn each_picture(bytes: &[u8]) {
    let (mut frames, mut pixels) = (0, 0);
    let visited = each_frame(bytes, &PICTURE, |frame, _| {
        frames += 1;
        pixels += (frame.width() * frame.height()) as u64;
    });
    assert!(frames <= MAX_FRAMES && visited.is_ok() == (frames > 0));
    // The first frame is decoded once for itself and once for the animation.
    assert!(pixels <= 2 * PICTURE.pixels);
}
