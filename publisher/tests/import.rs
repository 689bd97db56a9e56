//! Every format that maintainers have, by files of our own in its shape (`fixtures/README.md`); and files made to do harm.

use isonomy_core::encoding::to_hex;
use isonomy_core::list::Algorithm;
use isonomy_publisher::import::{
    Format, ImportError, ImportOptions, ImportReport, Imported, Importer, Invalid, import,
};
use std::fs;
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn read(name: &str, options: &ImportOptions) -> (Imported, ImportReport) {
    import(&fixture(name)[..], options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn pdq() -> ImportOptions {
    ImportOptions::new(Algorithm::PdqFull)
}

fn lines(imported: &Imported) -> String {
    imported.entries.iter().map(|entry| to_hex(entry) + "\n").collect()
}

const FIXTURES: [(&str, Format); 13] = [
    ("lines.txt", Format::Lines),
    ("tx.txt", Format::Lines),
    ("base64.txt", Format::Lines),
    ("table.csv", Format::Csv),
    ("pdq.txt", Format::Pdq),
    ("vpdq.txt", Format::Vpdq),
    ("threatexchange.te", Format::ThreatExchange),
    ("threatexchange-ids.te", Format::ThreatExchange),
    ("threat_updates.json", Format::Updates),
    ("stopncii.json", Format::StopNcii),
    ("terrorism.json", Format::Terrorism),
    ("ncmec.xml", Format::Ncmec),
    ("expected.txt", Format::Lines),
];

#[test]
fn every_format_is_recognised_and_gives_the_same_entries() {
    let expected = String::from_utf8(fixture("expected.txt")).unwrap();
    for (name, format) in FIXTURES {
        let (imported, report) = read(name, &pdq());
        assert_eq!((report.format, lines(&imported)), (format, expected.clone()), "{name}");
        assert_eq!(report.refused_records, 0, "{name}");
        let forced = ImportOptions { format: Some(format), ..pdq() };
        assert_eq!(read(name, &forced).0, imported, "{name}");
    }
}

#[test]
fn feeds_withdraw_and_pass_over_what_is_not_theirs() {
    let withdrawn =
        [("stopncii.json", 1, 1), ("terrorism.json", 1, 1), ("threat_updates.json", 2, 1), ("ncmec.xml", 1, 1)];
    for (name, withdrawals, other_hashes) in withdrawn {
        let (imported, report) = read(name, &pdq());
        assert_eq!((report.withdrawals, report.other_hashes), (withdrawals, other_hashes), "{name}: {report:?}");
        assert_eq!((imported.withdrawn.len(), imported.unknown_ids), (1, 0), "{name}");
        assert!(!imported.entries.contains(imported.withdrawn.get(0).unwrap()), "{name}");
    }
}

#[test]
fn all_files_together_give_the_same_in_any_order() {
    let mut names = FIXTURES.map(|(name, _)| name);
    let options = pdq();
    let together = |names: &[&str]| {
        let mut importer = Importer::new(&options);
        for name in names {
            importer.read(&fixture(name)[..]).unwrap();
        }
        importer.finish().unwrap()
    };
    let one = together(&names);
    names.reverse();
    assert_eq!(together(&names), one);
    assert_eq!(lines(&one), String::from_utf8(fixture("expected.txt")).unwrap());
}

#[test]
fn exact_digests_come_from_sums_and_feeds() {
    for (name, algorithm, count) in [
        ("md5sum.txt", Algorithm::Md5, 4),
        ("md5sum-tag.txt", Algorithm::Md5, 4),
        ("sha1sum.txt", Algorithm::Sha1, 4),
        ("ncmec.xml", Algorithm::Md5, 5),
        ("ncmec.xml", Algorithm::Sha1, 4),
        ("stopncii.json", Algorithm::Md5, 1),
        ("terrorism.json", Algorithm::Md5, 1),
        ("threat_updates.json", Algorithm::Md5, 1),
    ] {
        let (imported, _) = read(name, &ImportOptions::new(algorithm));
        assert_eq!(imported.entries.len(), count, "{name} as {algorithm}");
    }
}

#[test]
fn classes_and_tags_select() {
    let classes =
        |classes: &[&str]| ImportOptions { classes: classes.iter().map(ToString::to_string).collect(), ..pdq() };
    let tags = |tags: &[&str]| ImportOptions { tags: tags.iter().map(ToString::to_string).collect(), ..pdq() };
    for (name, options, count) in [
        ("ncmec.xml", classes(&["A1", "b2"]), 2),
        ("terrorism.json", classes(&["ideology-1"]), 2),
        ("terrorism.json", tags(&["jpg"]), 4),
        ("threat_updates.json", tags(&["tag_2", "tag_3"]), 2),
        ("threatexchange.te", tags(&["tag_4"]), 1),
        ("table.csv", ImportOptions { min_quality: 93, ..pdq() }, 2),
    ] {
        assert_eq!(read(name, &options).0.entries.len(), count, "{name}");
    }
    let nothing = import(&fixture("stopncii.json")[..], &classes(&["A1"]));
    assert!(matches!(nothing, Err(ImportError::NothingToSelectBy { what: "class", .. })));
}

#[test]
fn what_a_record_says_of_itself_counts_as_what_its_descriptors_say() {
    let (imported, report) = read("threat_updates-flat.json", &pdq());
    assert_eq!((imported.entries.len(), imported.withdrawn.len(), report.disputed), (2, 1, 0));
    let tags = |tags: &[&str]| ImportOptions { tags: tags.iter().map(ToString::to_string).collect(), ..pdq() };
    assert_eq!(read("threat_updates-flat.json", &tags(&["tag_2"])).0.entries.len(), 1);
    // Of both levels; the last record has no descriptors, where others have.
    let levels = |options: ImportOptions| {
        let (imported, report) =
            read("threat_updates-levels.json", &ImportOptions { invalid: Invalid::Skip, ..options });
        let refused: Vec<_> = report.refused.iter().map(|refused| (refused.record, refused.field)).collect();
        assert_eq!(refused, [(4, "descriptors")]);
        (imported.entries.len(), imported.withdrawn.len(), report.disputed)
    };
    assert_eq!(levels(pdq()), (2, 1, 1));
    assert_eq!(levels(tags(&["own", "tag_3"])), (2, 1, 1));
    let text = String::from_utf8(fixture("threat_updates-levels.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    document["data"].as_array_mut().unwrap().reverse();
    let skip = ImportOptions { invalid: Invalid::Skip, ..pdq() };
    let refused = import(document.to_string().as_bytes(), &skip).unwrap_err().to_string();
    assert!(refused.contains("has no descriptors, and a later one has"), "{refused}");
}

#[test]
fn digests_of_images_and_videos_are_digests() {
    let (imported, report) = read("threat_updates-kinds.json", &ImportOptions::new(Algorithm::Md5));
    assert_eq!((imported.entries.len(), report.other_hashes), (3, 2));
}

#[test]
fn a_deletion_by_id_finds_what_an_earlier_import_gave() {
    let options = pdq();
    let (first, _) = read("ncmec.xml", &options);
    let mut kept = Vec::new();
    first.write_ids(&mut kept).unwrap();
    let mut later = Importer::new(&options);
    later.know_ids(&kept[..]).unwrap();
    later.read(&fixture("ncmec-deletion.xml")[..]).unwrap();
    let later = later.finish().unwrap();
    assert_eq!((later.entries.len(), later.withdrawn.len(), later.unknown_ids), (0, 1, 0));
    assert!(first.entries.contains(later.withdrawn.get(0).unwrap()));
    // What was emptied, or cut wherever it may be, is not believed.
    let lines = kept.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end + 1);
    for end in lines.take_while(|end| *end < kept.len()).chain([0, kept.len() - 1]) {
        let cut = Importer::new(&options).know_ids(&kept[..end]).unwrap_err();
        assert!(matches!(cut, ImportError::IdsCut { .. }), "{end}: {cut}");
        assert!(cut.to_string().contains("Restore the file from a copy"), "{cut}");
    }
    let (forgotten, _) = read("ncmec-deletion.xml", &options);
    assert_eq!((forgotten.withdrawn.len(), forgotten.unknown_ids), (0, 1));
    let mut damaged = Importer::new(&options);
    let refused = damaged.know_ids(&b"PRIVATE+KEY+log.example+1234\n"[..]).unwrap_err();
    assert!(matches!(refused, ImportError::Ids { line: 1 }) && !refused.to_string().contains("1234"), "{refused}");
}

#[test]
fn a_feed_of_deletions_alone_passes_any_selection() {
    for options in [
        ImportOptions { classes: vec!["A1".into()], ..pdq() },
        ImportOptions { min_quality: 50, ..pdq() },
        ImportOptions { tags: vec!["x".into()], ..pdq() },
    ] {
        let (imported, report) = read("ncmec-deletion.xml", &options);
        assert_eq!((imported.entries.len(), report.withdrawals), (0, 1));
    }
}

#[test]
fn a_quotation_mark_that_is_not_closed_hides_no_rows() {
    let hash = |number: u8| to_hex(&[[number, !number].repeat(8), vec![0x0f; 16]].concat());
    let row = |number: u8| format!("{},name {number}\n", hash(number));
    let table = |middle: &str| -> String {
        let rows = (1..50).map(|number| if number == 4 { middle.to_owned() } else { row(number) });
        "pdq,name\n".to_owned() + &rows.collect::<String>()
    };
    let (sound, report) = import(table(&row(4)).as_bytes(), &pdq()).unwrap();
    assert_eq!((sound.entries.len(), report.records), (49, 49));
    let (sound, _) = import(table(&format!("{},\"two\nlines\"\n", hash(4))).as_bytes(), &pdq()).unwrap();
    assert_eq!(sound.entries.len(), 49);
    // Open to the end of the file, or to the next one.
    for (middle, later) in [("\"12 inch\n", "name 9"), ("\"12 inch\n", "name \"9\"")] {
        let text = table(&format!("{},{middle}", hash(4))).replace("name 9\n", &format!("{later}\n"));
        let Err(ImportError::Refused(report)) = import(text.as_bytes(), &pdq()) else { panic!("{text}") };
        assert_eq!(report.refused[0].line, 5);
        assert!(report.refused[0].reason.contains("quotation mark"), "{report:?}");
    }
    // Nor does it fill the memory.
    let endless = table(&format!("{},\"{}", hash(4), "x\n".repeat(2 << 20)));
    let refused = import(endless.as_bytes(), &pdq()).unwrap_err();
    assert!(refused.to_string().contains("larger than"), "{refused}");
}

#[test]
fn digits_are_never_taken_for_base64() {
    let pdq_hash = "f0358f8f".repeat(8);
    let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::VpdqV1) };
    let taken = import(format!("{pdq_hash}\n").as_bytes(), &options).map(|(imported, _)| imported.entries.len());
    assert!(!matches!(taken, Ok(1..)), "{taken:?}");
}

fn ncmec(body: &str) -> String {
    format!("<queryResult xmlns=\"http://hashsharing.ncmec.org/hashsharing/v2\"><images>{body}</images></queryResult>")
}

#[test]
fn hostile_xml_is_refused() {
    let image = "<image><member id=\"1\"/><id>a</id><fingerprints><pdq>&x;</pdq></fingerprints></image>";
    let bomb = "<!DOCTYPE queryResult [<!ENTITY x \"xxxxxxxxxx\">]>".to_owned() + &ncmec(image);
    let deep = ncmec(&("<image>".to_owned() + &"<a>".repeat(40)));
    let whole = |body: &str| format!("<queryResult>{body}</queryResult>");
    let images = format!("<deletedImages>{}</deletedImages>", image.replace("&x;", ""));
    let long = ncmec(&format!("<image><id>{}</id></image>", "x".repeat(2 << 20)));
    let attribute = ncmec(&format!("<image a=\"{}\"></image>", "x".repeat(2 << 20)));
    for (name, text, why) in [
        ("a document type", bomb, "document type"),
        ("an entity", ncmec(image), "the entity x is refused"),
        ("depth", deep, "deeper than 32"),
        ("a long text", long, "larger than"),
        ("a long attribute", attribute, "larger than"),
        ("an early end", ncmec("<image>").replace("</images></queryResult>", ""), "too early"),
        ("crossed elements", ncmec("<image></video>"), "at line 1"),
        ("another root", ncmec("").replace("queryResult xmlns", "other xmlns"), "at line 1"),
        ("other lists", whole(&images), "the element deletedImages is none"),
        ("other records", ncmec("<removedImage/>"), "the element removedImage is none"),
        ("nothing", whole(""), "neither images nor videos"),
        ("only a page", whole("<paging><next>/x</next></paging>"), "neither images nor videos"),
        ("two roots", ncmec("") + &ncmec(""), "one queryResult"),
    ] {
        let options = ImportOptions { format: Some(Format::Ncmec), ..pdq() };
        let error = import(text.as_bytes(), &options).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn hostile_json_is_refused() {
    let deep = format!("{{\"hashRecords\":[{}{}]}}", "[".repeat(200), "]".repeat(200));
    let long = format!("{{\"hashRecords\":[{{\"hashValue\":\"{}\"}}]}}", "x".repeat(2 << 20));
    for (name, text, why) in [
        ("depth", deep, "recursion limit"),
        ("a long record", long, "larger than"),
        ("an early end", "{\"hashRecords\":[".to_owned(), "EOF"),
        ("no records", "{\"count\":1}".to_owned(), "hashRecords"),
        (
            "a field twice",
            "{\"hashRecords\":[{\"hashStatus\":\"Active\",\"hashStatus\":\"Withdrawn\"}]}".to_owned(),
            "twice",
        ),
        ("records twice", "{\"hashRecords\":[],\"hashRecords\":[]}".to_owned(), "twice"),
        ("something behind it", "{\"hashRecords\":[]} {}".to_owned(), "trailing"),
        ("another shape", "5".to_owned(), "an object"),
        ("records of another shape", "{\"hashRecords\":5}".to_owned(), "a list of records"),
    ] {
        let options = ImportOptions { format: Some(Format::StopNcii), ..pdq() };
        let error = import(text.as_bytes(), &options).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn records_that_are_wrong_are_named_by_line_and_field() {
    let text = "{\"hashRecords\":[\n{\"signalType\":\"ImagePDQ\",\"hashValue\":\"12\",\"hashStatus\":\"Active\"},\n\
        {\"signalType\":\"ImagePDQ\",\"hashStatus\":\"Lost\"},\n{\"hashStatus\":\"Active\"},\n5]}";
    let skip = ImportOptions { invalid: Invalid::Skip, ..pdq() };
    let (_, report) = import(text.as_bytes(), &skip).unwrap();
    let found: Vec<(u64, &str)> = report.refused.iter().map(|refused| (refused.line, refused.field)).collect();
    assert_eq!(found, [(2, "hashValue"), (3, "hashStatus"), (4, "signalType"), (5, "signalType")]);
    let text = ncmec(
        "\n<image><member id=\"1\"/><id>a</id><fingerprints><pdq>12</pdq></fingerprints></image>\n<image><id>a</id></image>",
    );
    let (_, report) = import(text.as_bytes(), &skip).unwrap();
    let found: Vec<(u64, &str)> = report.refused.iter().map(|refused| (refused.line, refused.field)).collect();
    assert_eq!(found, [(2, "fingerprints"), (3, "member")]);
}
