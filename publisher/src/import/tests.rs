//! Every format of one record a line, what is refused, and what is not selected.

mod beside;
mod feeds;
mod marks;
mod properties;
mod tables;

use super::*;
use crate::testing::entries;
use isonomy_core::encoding::{to_base64, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_matcher::pdq::PdqHash;
use isonomy_matcher::video::Video;

/// How a list of PDQ hashes is imported, in the middle of 2026.
fn options() -> ImportOptions {
    let now = Timestamp::from_rfc3339("2026-06-30T12:00:00Z").unwrap();
    ImportOptions { now, ..ImportOptions::new(Algorithm::PdqFull) }
}

fn pdq(text: &str) -> Result<(Imported, ImportReport), ImportError> {
    import(text.as_bytes(), &options())
}

fn hexes(count: u64) -> Vec<String> {
    entries(1, count).iter().map(to_hex).collect()
}

#[test]
fn every_line_format_gives_the_same_entries() {
    let (list, hexes) = (entries(1, 3), hexes(3));
    let table = |format: &dyn Fn(&str) -> String| hexes.iter().map(|hex| format(hex)).collect::<String>();
    for (format, text) in [
        (Format::Lines, table(&|hex| format!("{hex}\n"))),
        (Format::Lines, table(&|hex| format!("  {}\r\n", hex.to_uppercase()))),
        (Format::Lines, "# a comment\n\n".to_owned() + &table(&|hex| format!("pdq {hex}\n"))),
        (Format::Lines, list.iter().map(|entry| to_base64(entry) + "\n").collect()),
        (Format::Sums, table(&|hex| format!("{hex}  a name, with a comma.jpg\n"))),
        (Format::Sums, table(&|hex| format!("{hex} *name\n"))),
        (Format::Sums, table(&|hex| format!("\\{hex}  na\\nme\n"))),
        (Format::Csv, "\u{feff}File,Quality,PDQ\n".to_owned() + &table(&|hex| format!("\"a,\nb\",100,{hex}\n"))),
        (Format::Csv, "hash;note\n".to_owned() + &table(&|hex| format!("{hex};\n"))),
        (Format::Csv, "indicator\tother\n".to_owned() + &table(&|hex| format!("{hex}\tmeta {hex:.6}\n"))),
        (Format::Csv, "pdq\n".to_owned() + &table(&|hex| format!("{hex}\n"))),
        (Format::Csv, table(&|hex| format!("{hex},meta {hex:.6},more {hex:.6}\n"))),
        (Format::Pdq, table(&|hex| format!("hash={hex},norm=1,delta=0,quality=100,filename=x,y\n"))),
        (Format::Vpdq, table(&|hex| format!("0,100,{hex},0.033\n"))),
        (Format::ThreatExchange, table(&|hex| format!("{hex},4711,2020-07-31T18:47:45+0000,tag other\n"))),
        (Format::Csv, table(&|hex| format!("{hex},4711{hex:.6},mine {hex:.6},tag {hex:.6}\n"))),
        (Format::Csv, "pdq\r".to_owned() + &table(&|hex| format!("{hex}\r"))),
        (Format::ThreatExchange, table(&|hex| format!("{hex},51,4711,1596221265,\n"))),
    ] {
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries, report.format), (list.clone(), format), "{text}");
        assert_eq!((report.records, report.refused_records), (3, 0));
    }
}

#[test]
fn digests_of_files_are_imported_by_their_algorithm() {
    for (algorithm, name, hex) in [
        (Algorithm::Sha256, "SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (Algorithm::Sha1, "SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (Algorithm::Md5, "MD5", "900150983cd24fb0d6963f7d28e17f72"),
    ] {
        let marks = format!("{hex}  a (copy) = b) = c.jpg\n");
        for text in [
            marks,
            format!("{hex}  photo (1).jpg\n"),
            format!("{hex}  abc\n"),
            format!("{name} (a) = b) = {hex}\n"),
            format!("\\{name} (a) = {hex}\n"),
        ] {
            let (imported, report) = import(text.as_bytes(), &ImportOptions::new(algorithm)).unwrap();
            assert_eq!((imported.entries.len(), report.format), (1, Format::Sums), "{text}");
        }
    }
    let wrong = import(&b"900150983cd24fb0d6963f7d28e17f72\n"[..], &ImportOptions::new(Algorithm::Sha256));
    assert!(matches!(wrong, Err(ImportError::Unrecognised { .. })));
    let sums = ImportOptions { format: Some(Format::Sums), ..ImportOptions::new(Algorithm::Sha256) };
    let other = import(&b"MD5 (a) = 900150983cd24fb0d6963f7d28e17f72\n"[..], &sums).unwrap_err();
    assert!(other.to_string().contains("(line 1, byte 0), algorithm"), "{other}");
}

#[test]
fn nothing_of_a_private_key_is_shown() {
    let text = crate::testing::key("c1").to_private_text();
    let table = ImportOptions { column: Some("pdq".into()), ..ImportOptions::new(Algorithm::PdqFull) };
    for options in [table, ImportOptions::new(Algorithm::PdqFull)] {
        for file in [format!("{}\n", *text), format!("\n # key\n \t{}", *text)] {
            let error = import(file.as_bytes(), &options).unwrap_err();
            assert!(matches!(error, ImportError::PrivateKey), "{error}");
        }
    }
}

#[test]
fn a_bad_line_refuses_the_file_or_is_skipped_and_reported() {
    let hexes = hexes(2);
    let text = format!("{}\nnonsense\n{}\n{}\n{}\n", hexes[0], &hexes[1][1..], "0".repeat(64), hexes[1]);
    let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("accepted") };
    let lines: Vec<(u64, &str)> = report.refused.iter().map(|one| (one.line, one.field)).collect();
    assert_eq!((report.records, report.refused_records), (5, 3));
    assert_eq!(lines, [(2, "hash"), (3, "hash"), (4, "hash")]);
    assert!(report.refused[1].reason.contains("63 hexadecimal digits"), "{report:?}");
    assert!(pdq(&text).unwrap_err().to_string().contains("record 2 (line 2, byte 65), hash"));
    let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
    let (imported, report) = import(text.as_bytes(), &options).unwrap();
    assert_eq!((imported.entries.len(), report.refused_records), (2, 3));
}

#[test]
fn irregular_hashes_need_permission_and_blank_ones_never_get_it() {
    let text = format!("{}\n{}\n", hexes(1)[0], "01".repeat(32));
    assert!(matches!(pdq(&text), Err(ImportError::Refused(_))));
    let options = ImportOptions { irregular: Irregular::Allow, ..ImportOptions::new(Algorithm::PdqFull) };
    assert_eq!(import(text.as_bytes(), &options).unwrap().0.irregular, 1);
    let blank = text + &"00".repeat(32);
    assert!(matches!(import(blank.as_bytes(), &options), Err(ImportError::Refused(_))));
}

#[test]
fn the_frames_of_a_file_are_one_video_in_a_list_of_videos() {
    let (hexes, frames) = (hexes(4), entries(1, 4));
    let frame = |number: usize, quality: u8| format!("{number},{quality},{},{number}.0\n", hexes[number]);
    let text = [(0, 90), (1, 100), (2, 10), (0, 90)].map(|(number, quality)| frame(number, quality)).concat();
    for (min_quality, kept) in [(50, 2), (0, 3)] {
        let options = ImportOptions { min_quality, ..ImportOptions::new(Algorithm::VpdqV1) };
        let (imported, report) = import(text.as_bytes(), &options).unwrap();
        let hashed = (0..kept).map(|at| PdqHash { hash: *frames.get(at).unwrap().as_array().unwrap(), quality: 90 });
        let expected = Video::new(hashed.collect()).entries(50);
        assert_eq!(imported.entries.iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), expected);
        assert_eq!((report.format, report.records, report.not_selected), (Format::Vpdq, 4, 3 - kept as u64));
    }
    // Two videos in one file would be one.
    let Err(ImportError::Refused(report)) =
        import(format!("{text}0,90,{},0.0\n", hexes[3]).as_bytes(), &ImportOptions::new(Algorithm::VpdqV1))
    else {
        panic!("two videos are one")
    };
    assert_eq!((report.refused[0].line, report.refused[0].field), (5, "frame"));
    let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::VpdqV1) };
    let (imported, report) = import(format!("{text}5,90,nonsense,5\n").as_bytes(), &skip).unwrap();
    assert_eq!((imported.entries.len(), report.refused[0].line), (3, 5));
}

#[test]
fn two_hashes_on_a_line_are_not_one_and_its_name() {
    let hexes = hexes(3);
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
    for line in [format!("{one}  {two}"), format!("{one} *{two} x"), format!("{one}  a {}", two.to_uppercase())] {
        let text = format!("{three}  a.jpg\n{line}\n");
        let (imported, report) = import(text.as_bytes(), &skip).unwrap();
        assert_eq!((to_hex(imported.entries.as_bytes()), report.refused_records), (three.clone(), 1), "{text}");
        assert!(pdq(&line).is_err(), "{line}");
    }
    // A file may be called by its own digest, or have one in its name.
    let text = format!("{one}  {one}\n{two}  {three}.jpg\n");
    assert_eq!(pdq(&text).unwrap().0.entries.len(), 2);
}

#[test]
fn a_line_that_may_say_that_its_hash_is_gone_is_refused() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for (text, field) in [
        (format!("{one}  a.jpg\n{two}  removed\n"), "line"),
        (format!("{one}  a.jpg\n{two} *Withdrawn\n"), "line"),
        (format!("hash={one},quality=90\nhash={two},quality=90,deleted=1\n"), "status"),
        (format!("hash={one},quality=90\nstatus=withdrawn,hash={two}\n"), "status"),
    ] {
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, field), "{text}");
    }
    let named = format!("hash={one},norm=1,dims=4x4,filename=a,deleted=1\n");
    assert_eq!(pdq(&named).unwrap().0.entries.len(), 1);
    assert_eq!(pdq(&format!("{one}  removed.jpg\n")).unwrap().0.entries.len(), 1);
}

#[test]
fn what_is_not_recognised_is_said() {
    assert!(matches!(pdq(""), Err(ImportError::Empty)));
    assert!(matches!(pdq("\n# nothing\n\n"), Err(ImportError::Empty)));
    assert!(matches!(pdq("hello world\n"), Err(ImportError::Unrecognised { .. })));
    assert!(matches!(pdq("a,b,c\n1,2,3\n"), Err(ImportError::Unrecognised { .. })));
    assert!(matches!(pdq("<html></html>"), Err(ImportError::Unrecognised { .. })));
    let forced = ImportOptions { format: Some(Format::Lines), ..ImportOptions::new(Algorithm::PdqFull) };
    assert!(matches!(import(&b"hello world\n"[..], &forced), Err(ImportError::Refused(_))));
    let long = [&vec![b'a'; 3 * MAX_LINE][..], b"\n", hexes(1)[0].as_bytes()].concat();
    let skip = ImportOptions { invalid: Invalid::Skip, ..forced };
    let (imported, report) = import(&long[..], &skip).unwrap();
    assert_eq!((imported.entries.len(), report.refused[0].line), (1, 1));
}

#[test]
fn where_a_quality_is_asked_for_and_missing_the_record_is_refused() {
    let hexes = hexes(3);
    let good = ImportOptions { min_quality: 50, ..ImportOptions::new(Algorithm::PdqFull) };
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    let text = format!("hash={one},quality=90\nhash={two},norm=1\nhash={three},quality=10\n");
    let Err(ImportError::Refused(report)) = import(text.as_bytes(), &good) else { panic!("accepted") };
    assert_eq!((report.refused_records, report.not_selected), (1, 1));
    assert_eq!((report.refused[0].record, report.refused[0].field), (2, "quality"));
    // A file without any beside one with them.
    let mut importer = Importer::new(&good);
    importer.read(format!("hash={one},quality=90\n").as_bytes()).unwrap();
    let plain = importer.read(format!("{two}\n").as_bytes());
    assert!(matches!(plain, Err(ImportError::Refused(_))), "{plain:?}");
    let skip = ImportOptions { invalid: Invalid::Skip, ..good };
    let (imported, report) = import(text.as_bytes(), &skip).unwrap();
    assert_eq!((imported.entries.len(), report.refused_records), (1, 1));
    // Not asked for, it is said.
    assert_eq!(pdq(&text).map(|(imported, report)| (imported.entries.len(), report.low_quality)).unwrap(), (3, 1));
}

#[test]
fn what_is_not_selected_is_remembered_if_that_is_asked_for() {
    let hexes = hexes(4);
    // The first in the other class alone, the second in both, the third withdrawn nowhere, the fourth of low quality.
    let text = format!(
        "hash,class,quality\n{0},B2,90\n{1},B2,90\n{1},A1,90\n{2},A1,90\n{3},A1,10\n",
        hexes[0], hexes[1], hexes[2], hexes[3]
    );
    let forget =
        ImportOptions { classes: vec!["A1".into()], min_quality: 50, ..ImportOptions::new(Algorithm::PdqFull) };
    assert_eq!(import(text.as_bytes(), &forget).unwrap().0.unselected.len(), 0);
    let remember = ImportOptions { unselected: Unselected::Remember, ..forget };
    let (imported, report) = import(text.as_bytes(), &remember).unwrap();
    assert_eq!((imported.entries.len(), report.not_selected), (2, 3));
    let unselected: Vec<String> = imported.unselected.iter().map(to_hex).collect();
    let mut expected = [hexes[0].clone(), hexes[3].clone()];
    expected.sort();
    assert_eq!(unselected, expected);
}

#[test]
fn hashes_in_refused_records_are_remembered_if_that_is_asked_for() {
    let hexes = hexes(4);
    let [one, two, three, four] = [&hexes[0], &hexes[1], &hexes[2], &hexes[3]];
    let skip = ImportOptions {
        invalid: Invalid::Skip,
        unselected: Unselected::Remember,
        ..ImportOptions::new(Algorithm::PdqFull)
    };
    let stop = |hash: &str, status: &str| {
        format!("{{\"signalType\":\"ImagePDQ\",\"hashStatus\":\"{status}\",\"hashValue\":\"{hash}\"}}")
    };
    let image = |hashes: &str| format!("<image><id>a</id><fingerprints>{hashes}</fingerprints></image>");
    for (text, expected) in [
        (format!("hash,status\n{one},perhaps\n{two},active\n{three},perhaps\n{three},active\n"), vec![one]),
        (format!("hash,note\n{one},\"x\n{two},y\"\n{three},z z\n"), vec![one, two]),
        (format!("{three}  a.jpg\n{one}  {two}\n"), vec![one, two]),
        (format!("[{},{}]", stop(one, "Lost"), stop(two, "Active")), vec![one]),
        (format!("<queryResult><images>{}</images></queryResult>", image(&format!("<pdq>{one}</pdq>"))), vec![one]),
        (format!("hash,quality\n{four},90\n{one},101\n"), vec![one]),
    ] {
        let (imported, _) = import(text.as_bytes(), &skip).unwrap_or_else(|error| panic!("{text}: {error}"));
        let refused: Vec<String> = imported.refused.iter().map(to_hex).collect();
        let mut expected: Vec<String> = expected.into_iter().cloned().collect();
        expected.sort();
        assert_eq!(refused, expected, "{text}");
        let forget = ImportOptions { unselected: Unselected::Forget, ..skip.clone() };
        assert_eq!(import(text.as_bytes(), &forget).unwrap().0.refused.len(), 0);
    }
}

/// Each record that is refused begins where the report says, in the file as it is.
fn places(text: &str, options: &ImportOptions, wrong: &str) {
    let mut told = Vec::new();
    let mut importer = Importer::new(options);
    importer
        .read_and_tell(text.as_bytes(), &mut |refused| {
            told.push(refused.clone());
            Ok(())
        })
        .unwrap();
    assert!(!told.is_empty());
    for refused in told {
        let (before, at) = text.split_at(refused.byte as usize);
        assert!(at.starts_with(wrong), "{text:?} at {refused:?}: {:?}", &at[..at.len().min(40)]);
        assert_eq!(refused.line, 1 + before.matches('\n').count() as u64, "{text:?} at {refused:?}");
    }
}

#[test]
fn refused_records_stand_where_it_is_said() {
    let hexes = hexes(3);
    let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
    for end in ["\n", "\r\n", "\n\n\n", "\r\n\r\n"] {
        let lines = [&hexes[0], "wrong 1", "# comment", &hexes[1], "wrong 2", "wrong 3"].join(end);
        for begin in ["", "\u{feff}", "\n\n"] {
            places(&format!("{begin}{lines}"), &skip, "wrong");
            let quoted = format!("{},\"two{end}lines\"", hexes[2]);
            let table = ["hash,note", &quoted, "wrong 1,\"a\nb\"", &quoted, "wrong 2,", "wrong 3,x"].join(end);
            places(&format!("{begin}{table}"), &skip, "wrong");
        }
    }
    let record =
        |hash: &str| format!("{{\"signalType\":\"ImagePDQ\",\"hashStatus\":\"Active\",\"hashValue\":\"{hash}\"}}");
    let wrong = record("wrong").replace("{\"signal", "{ \"signal");
    for between in ["", " ", "\n", " \r\n\t"] {
        let records = [record(&hexes[0]), wrong.clone(), record(&hexes[1]), wrong.clone(), wrong.clone()];
        let records = records.join(&format!("{between},{between}"));
        let document = format!("{{{between}\"count\":5,{between}\"hashRecords\":[{between}{records}{between}]}}");
        places(&document, &skip, "{ \"signal");
        places(&format!("\u{feff}[{records}]"), &skip, "{ \"signal");
        let image = |hash: &str| {
            format!("<image><member id=\"1\"/><id>a</id><fingerprints><pdq>{hash}</pdq></fingerprints></image>")
        };
        let wrong = image("wrong").replace("<image>", "<image >");
        let images = [image(&hexes[0]), wrong.clone(), wrong.clone(), image(&hexes[1]), wrong].join(between);
        let document = format!("<queryResult>{between}<images>{between}{images}{between}</images></queryResult>");
        places(&document, &skip, "<image >");
    }
}

#[test]
fn a_temporary_folder_that_fails_is_not_the_files_fault() {
    let error = ImportError::sorting(std::io::ErrorKind::StorageFull.into()).to_string();
    let folder = std::env::temp_dir().display().to_string();
    assert!(error.contains(&folder) && error.contains("TMPDIR"), "{error}");
}
