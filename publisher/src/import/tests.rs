//! Every format of one record a line, what is refused, and that neither order nor repetition matters.

use super::*;
use crate::testing::entries;
use isonomy_core::encoding::{to_base64, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_matcher::pdq::PdqHash;
use isonomy_matcher::video::Video;
use proptest::prelude::*;

fn pdq(text: &str) -> Result<(Imported, ImportReport), ImportError> {
    import(text.as_bytes(), &ImportOptions::new(Algorithm::PdqFull))
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
        (Format::Csv, "indicator\tother\n".to_owned() + &table(&|hex| format!("{hex}\tx\n"))),
        (Format::Csv, "pdq\n".to_owned() + &table(&|hex| format!("{hex}\n"))),
        (Format::Csv, table(&|hex| format!("{hex},meta,more\n"))),
        (Format::Pdq, table(&|hex| format!("hash={hex},norm=1,delta=0,quality=100,filename=x,y\n"))),
        (Format::Vpdq, table(&|hex| format!("0,100,{hex},0.033\n"))),
        (Format::ThreatExchange, table(&|hex| format!("{hex},4711,2020-07-31T18:47:45+0000,tag other\n"))),
        (Format::ThreatExchange, table(&|hex| format!("{hex},4711,mine,tag other\n"))),
        (Format::Csv, "pdq\r".to_owned() + &table(&|hex| format!("{hex}\r"))),
        (Format::ThreatExchange, table(&|hex| format!("{hex},1,4711,1596221265,\n"))),
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
fn column_quality_class_and_tag_select() {
    let hexes = hexes(2);
    let text = format!(
        "pdq,mine,quality,class,tags\n{},{},49,A1,one two\n{},{},50,b2,three\n",
        hexes[0], hexes[1], hexes[1], hexes[0]
    );
    let plain = || ImportOptions { column: Some("Mine".into()), ..ImportOptions::new(Algorithm::PdqFull) };
    for options in [
        ImportOptions { min_quality: 50, ..plain() },
        ImportOptions { classes: vec!["B1".into(), "B2".into()], ..plain() },
        ImportOptions { tags: vec!["three".into()], ..plain() },
    ] {
        let (imported, report) = import(text.as_bytes(), &options).unwrap();
        assert_eq!((to_hex(imported.entries.as_bytes()), report.not_selected), (hexes[0].clone(), 1), "{options:?}");
    }
    let missing = import(text.as_bytes(), &ImportOptions { column: Some("theirs".into()), ..plain() }).unwrap_err();
    assert!(missing.to_string().contains("it has pdq, mine, quality"), "{missing}");
    let nothing = ImportOptions { min_quality: 50, ..ImportOptions::new(Algorithm::PdqFull) };
    let nothing = import(hexes[0].as_bytes(), &nothing).unwrap_err();
    assert!(matches!(nothing, ImportError::NothingToSelectBy { flag: "--min-quality", .. }), "{nothing}");
    assert!(matches!(pdq(&text.replace(",50,", ",101,")), Err(ImportError::Refused(_))));
}

#[test]
fn no_hash_is_left_out_of_a_table_without_a_word() {
    let hexes = hexes(3);
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    // What must be refused, where it stands, and how many hashes are left if it is skipped.
    for (text, field, left) in [
        // Names of files that begin like a comment.
        (format!("file,pdq\n#1.jpg,{one}\nb.jpg,{two}\n"), "row", 1),
        (format!("file,pdq\n\"#1.jpg\",nonsense\nb.jpg,{two}\n"), "row", 1),
        (format!("{one}\n# {two},{three}\n"), "", 1), // a comment
        (format!("{one},a\n#,{two}\n"), "row", 1),
        // Several in a row.
        (format!("{one},{two}\n"), "row", 0),
        (format!("{one};{two};{three}\n{three};;\n"), "row", 1),
        // A quotation mark that is not closed: before the hash, with any ends of lines.
        (format!("file,pdq\n\"a,{one}\n\"b\",{two}\nc,{three}\n"), "row", 1),
        (format!("file,pdq\r\n\"a,{one}\r\n\"b\",{two}\r\nc,{three}\r\n"), "row", 1),
        (format!("pdq,file\r{one},\"a\r{two},b\r{three},\"c\"\r"), "row", 0),
        // The same in tables whose hashes stand in quotation marks, or behind a word.
        (format!("hash,note\n\"{one}\",\"oops\n\"{two}\",\"b\"\n\"{three}\",\"c\"\n"), "row", 1),
        (format!("name,hash,note\na,\"{one}\",\"oops\nb,\"{two}\",b\nc,\"{three}\",c\n"), "row", 1),
        (format!("hash,note\npdq {one},\"oops\n\"pdq {two}\",b\npdq {three},c\n"), "row", 1),
        (format!("name,hash,note\n\"n,\"{one}\",\"q\n\"m\",\"{two}\",\n"), "row", 0),
        // Where the rows that follow are wrong themselves, or the first line or a comment is not closed.
        (format!("hash,note\n{one},\"oops\n{}\",b\n{three},c\n", &two[1..]), "row", 1),
        (format!("hash,\"note\n{one},a\n{two},\"b\"\n{three},c\n"), "row", 1),
        (format!("hash,note\n#,\"x\n{one},a\"\n{three},c\n"), "row", 1),
        // A row that lacks the end of its line, and words of leaving that no name explains.
        (format!("hash,note\n{one},a,{two},b\n{three},c\n"), "row", 1),
        // A column that has no name, or one without a letter.
        (format!("hash,\n{one},{two}\n{three},x\n"), "row", 1),
        (format!("hash,#\n{one},{two}\n{three},7\n"), "row", 1),
        (format!("file, ,hash\na,{two},{one}\nb,,{three}\n"), "row", 1),
        (format!("{one},x\n{two},Withdrawn\n"), "row", 1),
    ] {
        let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let (imported, report) = import(text.as_bytes(), &options).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(imported.entries.len(), left, "{text}: {report:?}");
        assert_eq!(report.refused.first().map_or("", |refused| refused.field), field, "{text}: {report:?}");
    }
    // The field of a hash may end with an end of a line, and another field hold some.
    let fine = format!("pdq,note\n\"{one}\n\",\"two\nlines\"\n# a comment\n{two},\n");
    assert_eq!(pdq(&fine).unwrap().0.entries.len(), 2);
    // A name can hold a hash, a row of several lines other digests, and a row be short.
    let named = format!("{one},{one}.jpg\n{two},x\n");
    assert_eq!(pdq(&named).unwrap().0.entries.len(), 2);
    let digests = format!("sha256,pdq,note,more\n{three},{one},\"two\nlines\",x\n{three},{two}\n");
    assert_eq!(pdq(&digests).unwrap().0.entries.len(), 2);
    let twice = pdq(&format!("pdq,Pdq\n{one},{two}\n"));
    assert!(matches!(twice, Err(ImportError::SeveralColumns { .. })), "{twice:?}");
}

#[test]
fn a_table_is_read_by_the_number_of_a_column_and_as_it_is_called() {
    let hexes = hexes(2);
    let text = format!("a.jpg,{},x\nb.jpg,{},y\n", hexes[0], hexes[1]);
    let by = |column: &str| {
        let options = ImportOptions { column: Some(column.into()), ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &options)
    };
    assert_eq!(by("2").unwrap().0.entries.len(), 2);
    assert!(matches!(by("4"), Err(ImportError::NoColumn { .. })));
    assert!(matches!(by("0"), Err(ImportError::NoColumn { .. })));
    // Named as ThreatExchange's, a file whose first row is wrong is one, too; its tags select.
    let exchange = format!("nonsense,1,mine,a b\n{},2,2020-07-31T18:47:45+0000,c d\n", hexes[0]);
    let options = ImportOptions {
        format: Some(Format::ThreatExchange),
        invalid: Invalid::Skip,
        tags: vec!["d".into()],
        ..ImportOptions::new(Algorithm::PdqFull)
    };
    let (imported, report) = import(exchange.as_bytes(), &options).unwrap();
    assert_eq!((imported.entries.len(), report.refused_records), (1, 1));
    let utf16: Vec<u8> = "\u{feff}pdq\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = import(&utf16[..], &ImportOptions::new(Algorithm::PdqFull));
    assert!(matches!(refused, Err(ImportError::Utf16)), "{refused:?}");
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
fn a_table_can_withdraw_and_says_nothing_that_is_not_understood() {
    let hexes = hexes(2);
    for (name, counts, gone) in [
        ("deleted", ["", "False"], ["True", "1"]),
        ("Should Delete", ["no", "0"], ["yes", "TRUE"]),
        ("hashStatus", ["Active", "Received"], ["Withdrawn", "Deleted"]),
        ("status", ["MALICIOUS", "UNKNOWN"], ["NON_MALICIOUS", "removed"]),
        ("Hash Status", ["active", "verified"], ["Withdrawn", "inactive"]),
        ("is_deleted", ["n", ""], ["y", "t"]),
        ("withdrawn", ["false", "no"], ["true", "withdrawn"]),
        ("removed_on", ["", "null"], ["2026-01-01", "1767225600"]),
    ] {
        for (counts, gone) in counts.into_iter().zip(gone) {
            let text = format!("sep=;\nPDQ-Hash;{name}\n{};{counts}\n{};{gone}\n", hexes[0], hexes[1]);
            let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
            assert_eq!((both, report.records), ([hexes[0].clone(), hexes[1].clone()], 2), "{text}");
        }
        let text = format!("pdq,{name}\n{},perhaps\n", hexes[0]);
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!(report.refused[0].field, "status");
    }
}

#[test]
fn of_several_columns_one_is_enough_to_withdraw() {
    let hexes = hexes(3);
    let text = format!(
        "hash,deleted,Hash Status\n{},,Withdrawn\n{},false,Withdrawn\n{},false,Active\n",
        hexes[0], hexes[1], hexes[2]
    );
    let (imported, report) = pdq(&text).unwrap();
    assert_eq!((to_hex(imported.entries.as_bytes()), report.withdrawals), (hexes[2].clone(), 2));
    let unclear = format!("hash,status,removal reason\n{},Active,a mistake\n", hexes[0]);
    let refused = pdq(&unclear).unwrap_err().to_string();
    assert!(refused.contains("the column removal reason says \"a mistake\""), "{refused}");
}

#[test]
fn every_column_that_says_that_a_row_is_gone_is_heard() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for (name, counts, gone) in [
        ("inactive", "false", "true"),
        ("disabled", "no", "yes"),
        ("expired", "no", "yes"),
        ("false_positive", "false", "true"),
        ("is_benign", "0", "1"),
        ("invalid", "n", "y"),
        ("rejected", "", "yes"),
        ("archived", "no", "yes"),
        ("takedown", "no", "yes"),
        ("rescinded", "no", "yes"),
        ("obsolete", "no", "yes"),
        ("overturned_at", "", "2026-01-01"),
        ("whitelisted", "no", "yes"),
        ("verdict", "malicious", "NON_MALICIOUS"),
        ("action", "add", "remove"),
        ("op", "update", "delete"),
        ("change", "added", "deleted"),
    ] {
        let text = format!("hash,{name}\n{one},{counts}\n{two},{gone}\n");
        let (imported, _) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
        assert_eq!(both, [one.clone(), two.clone()], "{text}");
    }
    let (imported, report) = pdq(&format!("hash,disputed\n{one},no\n{two},yes\n")).unwrap();
    assert_eq!((imported.entries.len(), report.disputed_first), (2, vec![two.clone()]));
    // What says so where no name tells what it means, or is said in another place than where it should stand.
    for (text, field) in [
        (format!("hash,note\n{one},withdrawn\n{two},ok\n"), "row"),
        (format!("hash,quality,status\n{one},90\n{two},90,Active\n"), "row"),
        (format!("hash,file,deleted\n{one},b,0,true\n{two},a.jpg,false\n"), "row"),
        (format!("hash,expires_at\n{one},2027-01-01\n{two},\n"), "status"),
        (format!("hash,disputed\n{one},perhaps\n{two},\n"), "status"),
        // A word that is good of a hash says of its withdrawal that it stands.
        (format!("hash,false_positive\n{one},confirmed\n{two},no\n"), "status"),
        (format!("hash,is_benign\n{one},verified\n{two},0\n"), "status"),
        (format!("hash,revoked\n{one},active\n{two},\n"), "status"),
        (format!("hash,removed_on\n{one},confirmed\n{two},\n"), "status"),
        (format!("hash,takedown status\n{one},confirmed\n{two},no\n"), "status"),
        (format!("hash,active\n{one},unknown\n{two},yes\n"), "status"),
        (format!("hash,dispute status\n{one},confirmed\n{two},no\n"), "status"),
        // A check mark says something.
        (format!("hash,withdrawn\n{one},\u{2713}\n{two},-\n"), "status"),
        (format!("hash,removed_on\n{one},\u{2717}\n{two},\u{2014}\n"), "status"),
    ] {
        let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let (imported, report) = import(text.as_bytes(), &skip).unwrap();
        assert_eq!((to_hex(imported.entries.as_bytes()), report.refused[0].field), (two.clone(), field), "{text}");
    }
    for (name, advice) in [
        ("status", "write active or withdrawn there"),
        ("deleted", "write yes or no there"),
        ("removed_on", "write the date from which it is gone, or nothing, there"),
    ] {
        let refused = pdq(&format!("hash,{name}\n{one},perhaps\n")).unwrap_err().to_string();
        assert!(refused.contains(advice), "{refused}");
    }
    let fine =
        format!("hash,file,class,tags,status\n{one},removed,archived,disabled expired,active\n{two},x,,,active,,\n");
    assert_eq!(pdq(&fine).unwrap().0.entries.len(), 2);
}

#[test]
fn a_hash_of_another_kind_is_not_taken_for_one_of_the_list() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for (name, own, other) in [
        ("type", "HASH_PDQ", "HASH_SHA256"),
        ("type", "pdq", "sha256"),
        ("type", "image", "HASH_URL_MD5"),
        ("algorithm", "PDQ", "blake3"),
        ("signal_type", "ImagePDQ", "VideoMD5"),
        ("Hash Type", "pdq-full", "sha-256"),
    ] {
        let text = format!("hash,{name}\n{one},{own}\n{two},{other}\nnonsense,{other}\n");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((to_hex(imported.entries.as_bytes()), report.other_hashes), (one.clone(), 2), "{text}");
    }
    for (format, text) in [
        (Format::Lines, format!("{one}\npdq {two}\n")),
        (Format::Csv, format!("hash,note\n{one},\npdq {two},\n")),
        (Format::Pdq, format!("hash={two},quality=90\n")),
        (Format::Vpdq, format!("0,90,{two},0.0\n")),
    ] {
        for format in [Some(format), None] {
            let options = ImportOptions { format, ..ImportOptions::new(Algorithm::Sha256) };
            let refused = import(text.as_bytes(), &options);
            let is_refused = matches!(refused, Err(ImportError::Refused(_) | ImportError::Unrecognised { .. }));
            assert!(is_refused, "{text}: {refused:?}");
        }
    }
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
fn a_time_that_is_none_is_refused() {
    let hex = &hexes(1)[0];
    let update = |time: &str| {
        format!("{{\"data\":[{{\"id\":\"1\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\",\"last_updated\":{time}}}]}}")
    };
    for time in ["5", "\"2026-01-01T00:00:00Z\"", "null"] {
        assert!(pdq(&update(time)).is_ok(), "{time}");
    }
    for time in ["1700000000000", "true", "{\"at\":5}", "\"soon\"", "1e300"] {
        let refused = pdq(&update(time)).unwrap_err().to_string();
        assert!(refused.contains("last_updated: it is no time"), "{time}: {refused}");
    }
}

#[test]
fn what_is_disputed_is_told() {
    let hexes = hexes(3);
    let update = |hex: &str, statuses: &[&str], tag: &str| {
        let describe = |status: &&str| format!("{{\"status\":\"{status}\",\"tags\":[\"{tag}\"]}}");
        let descriptors: Vec<String> = statuses.iter().map(describe).collect();
        format!(
            "{{\"id\":\"{hex}\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\",\"descriptors\":{{\"data\":[{}]}}}}",
            descriptors.join(",")
        )
    };
    let records = [
        update(&hexes[0], &["MALICIOUS", "NON_MALICIOUS"], "a"),
        update(&hexes[1], &["MALICIOUS"], "False Positive"),
        update(&hexes[2], &["MALICIOUS", "UNKNOWN"], "b"),
    ];
    let (imported, report) = pdq(&format!("[{}]", records.join(","))).unwrap();
    assert_eq!((imported.entries.len(), report.disputed, report.withdrawals), (3, 2, 0));
    assert_eq!(report.disputed_first, hexes[..2]);
    let image = |id: usize, feedback: &str| {
        format!(
            "<image><member id=\"1\"/><id>{id}</id><fingerprints><pdq>{}</pdq></fingerprints><feedback><{feedback}/></feedback></image>",
            hexes[id]
        )
    };
    let images = image(0, "negativeFeedback type=\"Pdq\"") + &image(1, "affirmativeFeedback");
    let (imported, report) = pdq(&format!("<queryResult><images>{images}</images></queryResult>")).unwrap();
    assert_eq!((imported.entries.len(), report.disputed, report.disputed_first), (2, 1, vec![hexes[0].clone()]));
    let tagged = format!("{},4711,mine,disputed\n{},4712,mine,\n", hexes[0], hexes[1]);
    assert_eq!(pdq(&tagged).unwrap().1.disputed, 1);
}

#[test]
fn a_class_of_several_words_is_one_class() {
    let hexes = hexes(3);
    let text = format!("pdq,class\n{},Far Right\n{},\"b, far right\"\n{},right\n", hexes[0], hexes[1], hexes[2]);
    let of = |class: &str| {
        let options = ImportOptions { classes: vec![class.into()], ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &options).unwrap().0.entries.len()
    };
    assert_eq!((of("far right"), of("right"), of("far"), of("b")), (2, 1, 0, 1));
}

#[test]
fn a_page_that_has_a_next_one_is_told_as_such() {
    let hex = &hexes(1)[0];
    let hash = format!("{{\"signalType\":\"ImagePDQ\",\"hashStatus\":\"Active\",\"hashValue\":\"{hex}\"}}");
    let update = |status: &str| {
        format!(
            "{{\"id\":\"1\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\",\"descriptors\":{{\"data\":[{{\"status\":\"{status}\"}}]}}}}"
        )
    };
    let digest = format!("{{\"hash_digest\":\"{hex}\",\"algorithm\":\"PDQ\"}}");
    let image = "<images/>";
    for (text, more) in [
        (format!("{{\"hasMoreRecords\":true,\"hashRecords\":[{hash}]}}"), true),
        (format!("{{\"hashRecords\":[{hash}],\"hasMoreRecords\":false}}"), false),
        (format!("{{\"next\":\"https://example/2\",\"results\":[{digest}]}}"), true),
        (format!("{{\"next\":null,\"results\":[{digest}]}}"), false),
        (format!("{{\"data\":[{}],\"paging\":{{\"next\":\"x\"}}}}", update("MALICIOUS")), true),
        (format!("{{\"data\":[{}],\"paging\":{{\"cursors\":{{}}}}}}", update("MALICIOUS")), false),
        (format!("<queryResult>{image}<paging><next>/x?page=2</next></paging></queryResult>"), true),
        (format!("<queryResult>{image}<paging><next/></paging></queryResult>"), false),
    ] {
        assert_eq!(pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}")).1.more_pages, more, "{text}");
    }
    // What all who describe it call harmless goes.
    let (imported, report) = pdq(&format!("[{}]", update("NON_MALICIOUS"))).unwrap();
    assert_eq!((imported.entries.len(), imported.withdrawn.len(), report.withdrawals), (0, 1, 1));
}

#[test]
fn images_and_videos_have_ids_of_their_own() {
    let hexes = hexes(2);
    let item = |kind: &str, hash: &str| {
        let fingerprint = format!("<fingerprints><pdq>{hash}</pdq></fingerprints>");
        let body = if hash.is_empty() { "" } else { &fingerprint };
        format!("<{kind}><member id=\"1\"/><id>a</id>{body}</{kind}>")
    };
    let document = |deleted: &str| {
        let images = item("image", &hexes[0]);
        let videos = item("video", &hexes[1]) + &item(deleted, "");
        format!("<queryResult><images>{images}</images><videos>{videos}</videos></queryResult>")
    };
    for (deleted, left) in [("deletedVideo", &hexes[0]), ("deletedImage", &hexes[1])] {
        let (imported, _) = pdq(&document(deleted)).unwrap();
        assert_eq!(&to_hex(imported.entries.as_bytes()), left, "{deleted}");
    }
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
fn a_feed_is_recognised_by_its_fields_and_not_by_its_words() {
    let hex = &hexes(1)[0];
    let update = |tags: &str| {
        format!(
            "{{\"data\":[{{\"id\":\"1\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\",\"should_delete\":false,\
             \"descriptors\":{{\"data\":[{{\"tags\":[{tags}],\"results\":[]}}]}}}}]}}"
        )
    };
    for tags in ["\"results\"", "\"hashRecords\", \"hash_digest\"", "\"a\\\" \\\\\", \"results\""] {
        let text = update(tags);
        for text in [text.clone(), text.replace("{\"data\":[{\"id", "[{\"id").replace("}]}}]}", "}]}}]")] {
            let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((imported.entries.len(), report.format), (1, Format::Updates), "{text}");
        }
    }
    let terrorism = format!(
        "{{\"count\":1,\"results\":[{{\"hash_digest\":\"{hex}\",\"algorithm\":\"PDQ\",\"data\":\"hashRecords\"}}]}}"
    );
    assert_eq!(pdq(&terrorism).unwrap().1.format, Format::Terrorism);
}

#[test]
fn a_temporary_folder_that_fails_is_not_the_files_fault() {
    let error = ImportError::sorting(std::io::ErrorKind::StorageFull.into()).to_string();
    let folder = std::env::temp_dir().display().to_string();
    assert!(error.contains(&folder) && error.contains("TMPDIR"), "{error}");
}

fn any_options() -> impl Strategy<Value = ImportOptions> {
    (
        prop::sample::select(&Algorithm::ALL[..]),
        proptest::option::of(prop::sample::select(&Format::ALL[..])),
        proptest::option::of(Just("hash".to_owned())),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(algorithm, format, column, skip, allow)| ImportOptions {
            format,
            column,
            invalid: if skip { Invalid::Skip } else { Invalid::Refuse },
            irregular: if allow { Irregular::Allow } else { Irregular::Refuse },
            unselected: if skip { Unselected::Remember } else { Unselected::Forget },
            min_quality: if allow { 50 } else { 0 },
            ..ImportOptions::new(algorithm)
        })
}

/// Records of a table: which of six hashes, its class, tags and quality.
fn rows() -> impl Strategy<Value = Vec<(usize, usize, usize, Option<u64>)>> {
    proptest::collection::vec((0..6usize, 0..3usize, 0..4usize, proptest::option::weighted(0.9, 0..=100u64)), 1..25)
}

const CLASSES: [&str; 3] = ["A1", "b2", "A1; B2"];
const TAGS: [&str; 4] = ["", "x", "y;z", "X y"];

proptest! {
    /// A selection takes exactly the hashes of which one record at least has what it asks for, by a plain reading of the rows.
    #[test]
    fn selections_take_what_they_ask_for(
        rows in rows(),
        class in proptest::option::of(prop::sample::select(vec!["a1", "B2", "C9"])),
        tag in proptest::option::of(prop::sample::select(vec!["X", "z", "none"])),
        min_quality in prop_oneof![Just(0u64), 1..=100u64],
    ) {
        let hexes = hexes(6);
        let words = |text: &str| -> Vec<String> { text.split([' ', ';']).map(str::to_lowercase).collect() };
        let line = |&(hash, class, tags, quality): &(usize, usize, usize, Option<u64>)| {
            let quality = quality.map_or("unknown".to_owned(), |quality| quality.to_string());
            format!("{},{},{},{quality}\n", hexes[hash], CLASSES[class], TAGS[tags])
        };
        // A quality that is none is refused, and so left out.
        let text = "hash,class,tags,quality\n".to_owned() + &rows.iter().map(line).collect::<String>();
        let options = ImportOptions {
            classes: class.into_iter().map(str::to_owned).collect(),
            tags: tag.into_iter().map(str::to_owned).collect(),
            min_quality,
            invalid: Invalid::Skip,
            unselected: Unselected::Remember,
            ..ImportOptions::new(Algorithm::PdqFull)
        };
        let takes = |&&(_, own, tags, quality): &&(usize, usize, usize, Option<u64>)| {
            class.is_none_or(|wanted| words(CLASSES[own]).contains(&wanted.to_lowercase()))
                && tag.is_none_or(|wanted| words(TAGS[tags]).contains(&wanted.to_lowercase()))
                && quality.is_some_and(|quality| quality >= min_quality)
        };
        let list = |rows: Vec<&(usize, usize, usize, Option<u64>)>| {
            let set: std::collections::BTreeSet<&str> = rows.iter().map(|row| hexes[row.0].as_str()).collect();
            set.into_iter().map(str::to_owned).collect::<Vec<String>>()
        };
        let read: Vec<_> = rows.iter().filter(|row| row.3.is_some()).collect();
        let taken = list(read.iter().copied().filter(takes).collect());
        let mut passed_over = list(read.iter().copied().filter(|row| !takes(row)).collect());
        passed_over.retain(|hash| !taken.contains(hash));
        match import(text.as_bytes(), &options) {
            Ok((imported, report)) => {
                prop_assert_eq!(imported.entries.iter().map(to_hex).collect::<Vec<_>>(), taken);
                prop_assert_eq!(imported.unselected.iter().map(to_hex).collect::<Vec<_>>(), passed_over);
                prop_assert_eq!(report.refused_records as usize, rows.len() - read.len());
            }
            Err(ImportError::NothingToSelectBy { .. }) => prop_assert!(taken.is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    /// Every row of a table is counted, but for comments, empty rows and the names of the columns; and each hash in a row is taken, or
    /// the row refused.
    #[test]
    fn every_row_of_a_table_counts(
        rows in proptest::collection::vec((0..6usize, 0..6usize), 1..12),
        header in any::<bool>(),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let hexes = hexes(3);
        let fields = [hexes[0].as_str(), hexes[1].as_str(), hexes[2].as_str(), "#x", "x", ""];
        let start = if header { "pdq,file".to_owned() } else { format!("{},x", hexes[0]) };
        let lines = rows.iter().map(|(one, other)| format!("{},{}", fields[*one], fields[*other]));
        let text = std::iter::once(start).chain(lines).map(|line| line + end).collect::<String>();
        let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let (imported, report) = import(text.as_bytes(), &options).unwrap();
        // All have as many fields as the first line, so none is a comment.
        let counted = rows.iter().filter(|row| **row != (5, 5)).count() + usize::from(!header);
        prop_assert_eq!(report.records as usize, counted);
        let fine = |(one, other): &&(usize, usize)| *one < 3 && (header || *other >= 3);
        prop_assert_eq!(report.taken as usize, rows.iter().filter(fine).count() + usize::from(!header));
        let listed = |hex: &str| imported.entries.iter().any(|entry| to_hex(entry) == hex);
        for (one, _) in rows.iter().filter(fine) {
            prop_assert!(listed(fields[*one]));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), options in any_options()) {
        if let Ok((imported, report)) = import(&bytes[..], &options) {
            prop_assert_eq!(report.taken, imported.entries.len() as u64 + imported.duplicates);
        }
    }

    #[test]
    fn text_that_looks_like_hashes_never_panics(
        text in "([0-9a-fA-F]{0,66}[ ,;*\n\"=#(){}\\[\\]<>/&:]{0,3}(hash|pdq |hashRecords|queryResult|data)?){0,9}",
        options in any_options(),
    ) {
        let _ = import(text.as_bytes(), &options);
    }

    #[test]
    fn order_and_repetition_do_not_matter(
        mut lines in Just(hexes(20)).prop_shuffle(),
        repeated in proptest::collection::vec(0..20usize, 0..5),
        cut in 1usize..20,
    ) {
        let again: Vec<String> = repeated.iter().map(|at| lines[*at].clone()).collect();
        lines.extend(again);
        let (imported, _) = pdq(&lines.join("\n")).unwrap();
        prop_assert_eq!(&imported.entries, &entries(1, 20));
        prop_assert_eq!(imported.duplicates, repeated.len() as u64);
        // In two files, the second first.
        let options = ImportOptions::new(Algorithm::PdqFull);
        let mut importer = Importer::new(&options);
        importer.read(lines[cut..].join("\n").as_bytes()).unwrap();
        importer.read(lines[..cut].join("\n").as_bytes()).unwrap();
        prop_assert_eq!(importer.finish().unwrap(), imported);
    }
}
