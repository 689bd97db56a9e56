//! Tables: which column is what, and that no hash in one is lost.

use super::*;

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
        (format!("{one},see a\n#,{two}\n"), "row", 1),
        // Several in a row.
        (format!("{one},{two}\n"), "row", 0),
        (format!("{one};{two};{three}\n{three};;\n"), "row", 1),
        // A quotation mark that is not closed: before the hash, with any ends of lines.
        (format!("file,pdq\n\"a,{one}\n\"b\",{two}\nc,{three}\n"), "row", 1),
        (format!("file,pdq\r\n\"a,{one}\r\n\"b\",{two}\r\nc,{three}\r\n"), "row", 1),
        (format!("pdq,file\r{one},\"a\r{two},b\r{three},\"c\"\r"), "row", 0),
        // The same in tables whose hashes stand in quotation marks, or behind a word.
        (format!("hash,note\n\"{one}\",\"oops\n\"{two}\",\"b\"\n\"{three}\",\"see c\"\n"), "row", 1),
        (format!("name,hash,note\na,\"{one}\",\"oops\nb,\"{two}\",b\nc,\"{three}\",see c\n"), "row", 1),
        (format!("hash,note\npdq {one},\"oops\n\"pdq {two}\",b\npdq {three},see c\n"), "row", 1),
        (format!("name,hash,note\n\"n,\"{one}\",\"q\n\"m\",\"{two}\",\n"), "row", 0),
        // Where the rows that follow are wrong themselves, or the first line or a comment is not closed.
        (format!("hash,note\n{one},\"oops\n{}\",b\n{three},see c\n", &two[1..]), "row", 1),
        (format!("hash,\"note\n{one},a\n{two},\"b\"\n{three},see c\n"), "row", 1),
        (format!("hash,note\n#,\"x\n{one},a\"\n{three},see c\n"), "row", 1),
        // A row that lacks the end of its line, and words of leaving that no name explains.
        (format!("hash,note\n{one},a,{two},b\n{three},see c\n"), "row", 1),
        // A column that has no name, or one without a letter.
        (format!("hash,\n{one},{two}\n{three},see x\n"), "row", 1),
        (format!("hash,#\n{one},{two}\n{three},7\n"), "row", 1),
        (format!("file, ,hash\na,{two},{one}\nb,,{three}\n"), "row", 1),
        (format!("{one},see x\n{two},Withdrawn\n"), "row", 1),
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
    let named = format!("{one},{one}.jpg\n{two},see x\n");
    assert_eq!(pdq(&named).unwrap().0.entries.len(), 2);
    let digests = format!("sha256,pdq,note,more notes\n{three},{one},\"two\nlines\",see x\n{three},{two}\n");
    assert_eq!(pdq(&digests).unwrap().0.entries.len(), 2);
    let twice = pdq(&format!("pdq,Pdq\n{one},{two}\n"));
    assert!(matches!(twice, Err(ImportError::SeveralColumns { .. })), "{twice:?}");
}

#[test]
fn a_table_is_read_by_the_number_of_a_column_and_as_it_is_called() {
    let hexes = hexes(2);
    let text = format!("a.jpg,{},see one\nb.jpg,{},see two\n", hexes[0], hexes[1]);
    let by = |column: &str| {
        let options = ImportOptions { column: Some(column.into()), ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &options)
    };
    assert_eq!(by("2").unwrap().0.entries.len(), 2);
    assert!(matches!(by("4"), Err(ImportError::NoColumn { .. })));
    assert!(matches!(by("0"), Err(ImportError::NoColumn { .. })));
    // By its number no other column is heard: whoever gives that of one with a name is told, and no row is taken.
    let named = format!("pdq,deleted\n{},no\n{},yes\n", hexes[0], hexes[1]);
    for invalid in [Invalid::Refuse, Invalid::Skip] {
        let by_number = ImportOptions { column: Some("1".into()), invalid, ..ImportOptions::new(Algorithm::PdqFull) };
        let refused = import(named.as_bytes(), &by_number).unwrap_err().to_string();
        assert!(refused.contains("no hash in column 1"), "{refused}");
    }
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
        (format!("hash,note\n{one},withdrawn\n{two},see b\n"), "row"),
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
fn a_class_of_several_words_is_one_class() {
    let hexes = hexes(3);
    let text = format!("pdq,class\n{},Far Right\n{},\"b, far right\"\n{},right\n", hexes[0], hexes[1], hexes[2]);
    let of = |class: &str| {
        let options = ImportOptions { classes: vec![class.into()], ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &options).unwrap().0.entries.len()
    };
    assert_eq!((of("far right"), of("right"), of("far"), of("b")), (2, 1, 0, 1));
}

/// Why a table is not imported.
fn refused(text: &str) -> String {
    match pdq(text) {
        Ok((imported, _)) => panic!("{} hashes were taken from {text}", imported.entries.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_column_that_is_not_read_and_may_mark_what_is_withdrawn_stops_the_import() {
    let hexes = hexes(3);
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    for (name, values) in [
        ("is_csam", ["true", "false", "true"]),
        ("valid_from", ["", "2025-12-31", ""]),
        ("valid_from", ["", "46022", ""]),
        ("is_csam", ["no", "yes", "unsure"]),
        ("is_csam", ["WAHR", "FALSCH", "WAHR"]),
        ("hash_valid", ["1", "0", "1"]),
        ("void", ["1", "0", "1"]),
        ("file_is_csam", ["yes", "no", "yes"]),
        ("ended", ["", "31.12.2025", "null"]),
        ("keep?", ["ja", "nein", "ja"]),
        ("mark", ["", "-", ""]),
        ("mark", ["+", "-", "+"]),
        ("mark", ["", "\u{2717}", ""]),
        ("flag", ["", "D", ""]),
        ("bit", ["0", "1", "0"]),
        ("date", ["", "2025-12-31", ""]),
        ("from", ["1767225600", "1767225601", "1767225602"]),
        ("#", ["", "yes", ""]),
    ] {
        let rows: String = hexes.iter().zip(values).map(|(hash, value)| format!("{hash},{value},a note\n")).collect();
        let text = format!("hash,{name},note\n{rows}");
        let why = refused(&text);
        let called = if name == "#" { "2" } else { name };
        let advice = format!("`isonomy list import --ignore-column '{called}'`");
        assert!(why.contains(&format!("the column {called} is not read")) && why.contains(&advice), "{text}: {why}");
        // Also where records may be skipped: it is none of them that is wrong.
        let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let skipped = import(text.as_bytes(), &skip);
        assert!(matches!(skipped, Err(ImportError::UnreadMarks { .. })), "{text}");
        for ignored in [called.to_owned(), format!(" {} ", called.to_uppercase())] {
            let options = ImportOptions { ignored: vec![ignored], ..ImportOptions::new(Algorithm::PdqFull) };
            let (imported, report) =
                import(text.as_bytes(), &options).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((imported.entries.len(), report.unread.len()), (3, 1), "{text}");
        }
    }
    // In tables without names, and beyond the columns that have one.
    for text in [format!("{one},yes\n{two},no\n"), format!("hash\n{one},yes\n{two}\n{three},\n")] {
        assert!(refused(&text).contains("the column 2 is not read"), "{text}");
        let options = ImportOptions { ignored: vec!["2".into()], ..ImportOptions::new(Algorithm::PdqFull) };
        assert!(import(text.as_bytes(), &options).is_ok(), "{text}");
    }
    // What a name explains, or what is more than a mark, stops nothing; each column is told once.
    let fine = format!(
        "file,pdq,width,added_on,descriptor_id,comment\nx,{one},1,2026-01-01,1596221265,\ny,{two},1,2026-01-02,1596221266,fine so\n"
    );
    let (imported, report) = pdq(&fine).unwrap();
    let unread: Vec<(&str, u64)> = report.unread.iter().map(|column| (column.name.as_str(), column.rows)).collect();
    assert_eq!(imported.entries.len(), 2);
    assert_eq!(unread, [("file", 2), ("width", 2), ("added_on", 2), ("descriptor_id", 2), ("comment", 1)]);
}

#[test]
fn few_words_in_any_language_stop_the_import_until_somebody_has_looked_at_them() {
    let hexes = hexes(4);
    let table = |name: &str, values: [&str; 4]| -> String {
        let rows = hexes.iter().zip(values).map(|(hash, value)| format!("{hash};{value}\n"));
        format!("pdq;{name}\n{}", rows.collect::<String>())
    };
    for (name, values) in [
        ("Zustand", ["aktiv", "gelöscht", "aktiv", "aktiv"]),
        ("état", ["actif", "retiré", "retiré", "actif"]),
        ("lifecycle_stage", ["live", "retired", "live", "live"]),
        ("gelöscht", ["", "gelöscht", "gelöscht", ""]),
        ("supprimé", ["", "supprimé", "", ""]),
        ("supprimé", ["-", "supprimé", "-", "NULL"]),
        ("entfernt", ["", "1. März 2026", "", ""]),
        ("entfernt", ["", "2026年3月1日", "2026年4月1日", "nicht vor 2027"]),
        ("entfernt", ["", "03.2026", "04.2026", "05.2026"]),
        ("entfernt", ["", "2026", "2025", "2024"]),
        ("entfernt am", ["", "Q1 2026", "Q2 2026", "Q3 2026"]),
        ("Zustand", ["3", "3", "7", "3"]),
        // As in a file of withdrawals alone.
        ("Zustand", ["gelöscht"; 4]),
        ("note", ["", "gelöscht", "", ""]),
        ("отозвано", ["", "отозвано заявителем", "", ""]),
        ("lifecycle", ["live", "withdrawn_by_request_of_person", "live", "withdrawn_by_request_of_person"]),
        (
            "lifecycle",
            ["currentlyListedInTheDatabase", "withdrawnByRequestOfPerson", "currentlyListedInTheDatabase", ""],
        ),
        (
            "状態",
            [
                "",
                "この画像は本人からの申し立てにより一覧から削除されました。",
                "",
                "この画像は本人からの申し立てにより一覧から削除されました。",
            ],
        ),
        ("entfernt", ["", "20260301120000", "", "20260301120500"]),
        ("entfernt", ["", "1767225600000000", "1767225600000001", "1767225600000002"]),
        ("entfernt", ["", "1.3.26", "2.3.26", "13.4.26"]),
    ] {
        let text = table(name, values);
        let why = refused(&text);
        let first = values.iter().find(|value| !["", "-"].contains(value)).unwrap();
        assert!(why.contains(&format!("the column {name} is not read")) && why.contains(first), "{text}: {why}");
        assert!(
            why.contains(&format!("--ignore-column '{name}'")) && why.contains("in English alone"),
            "{text}: {why}"
        );
        let ignoring = ImportOptions { ignored: vec![name.to_owned()], ..ImportOptions::new(Algorithm::PdqFull) };
        assert_eq!(import(text.as_bytes(), &ignoring).unwrap().0.entries.len(), 4, "{text}");
    }
    // What differs in each row, or has a name that says what it is.
    for (name, values) in [
        ("Kennung", ["K-1", "K-2", "K-3", "K-4"]),
        ("Adresse", ["http://a.example/1", "http://a.example/2", "", "http://a.example/4"]),
        ("Bemerkung", ["siehe Akte 1", "siehe Akte 2", "", "eine längere Erklärung, die nur hier steht"]),
        ("Gewicht", ["12", "13.5", "17", "1024"]),
        ("note", ["", "two lines of it", "", ""]),
        ("mime", ["image/png", "image/jpeg", "image/png", "image/png"]),
        ("image_width", ["640", "641", "642", "643"]),
        ("width", ["640", "640", "480", "640"]),
        ("source", ["iwf", "iwf", "iwf", "iwf"]),
        ("Ordner", ["\\N", "NULL", "", "-a-"]),
    ] {
        let text = table(name, values).replace("-a-", "");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.unread.len()), (4, 1), "{text}");
        assert!(report.unread[0].values.iter().all(|shown| shown.chars().count() <= 41), "{report:?}");
    }
    let (_, report) = pdq(&table("Gewicht", ["12", "13.5", "", "1024"])).unwrap();
    assert_eq!(
        (report.unread[0].rows, &report.unread[0].values[..]),
        (3, &["12", "13.5", "1024"].map(str::to_owned)[..])
    );
}

#[test]
fn nothing_in_a_column_of_what_counts_withdraws_nothing() {
    let hexes = hexes(4);
    let [one, two, three, four] = [&hexes[0], &hexes[1], &hexes[2], &hexes[3]];
    let text = format!("pdq,is_active\n{one},1\n{two},NULL\n{three},\\N\n{four},n/a\n");
    let (imported, report) = pdq(&text).unwrap();
    assert_eq!((imported.entries.len(), report.withdrawals), (4, 0));
}

#[test]
fn a_row_with_far_more_fields_than_columns_is_refused_and_named_shortly() {
    let hexes = hexes(2);
    let wide = |fields: usize| format!("pdq,note\n{},see file{}\n{},see b\n", hexes[0], ",x".repeat(fields), hexes[1]);
    let Err(ImportError::Refused(report)) = pdq(&wide(500_000)) else { panic!("it is a row of no table") };
    assert_eq!((report.refused_records, report.refused[0].field), (1, "row"));
    assert!(report.refused[0].reason.contains("500002 fields"), "{report:?}");
    let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
    let (imported, report) = import(wide(500_000).as_bytes(), &skip).unwrap();
    assert_eq!((imported.entries.len(), report.unread.len()), (1, 1));
    // Fewer are columns without a name, of which the first are named.
    let why = refused(&wide(64));
    assert!(why.contains("and 48 more columns") && why.len() < 4_000, "{why}");
    // Of fields without anything there may be any number.
    assert_eq!(pdq(&wide(9_000).replace(",x", ",")).unwrap().0.entries.len(), 2);
    let names: String = (0..9_000).map(|number| format!(",c{number}")).collect();
    let (_, report) = pdq(&format!("pdq{names}\n{}\n", hexes[0])).unwrap();
    assert_eq!((report.unread.len(), report.unread_more), (100, 8_900));
}

#[test]
fn a_comment_before_the_names_takes_not_their_place() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for before in ["# list 7, hotline\n", "# Hash export; confidential\n# a, b, c\n#\n", "sep=,\n#x,y\n", "\n # a,b\n"]
    {
        let text = format!("{before}pdq,deleted\n{one},0\n{two},1\n");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
        assert_eq!((both, report.records), ([one.clone(), two.clone()], 2), "{text}");
    }
    // A name may begin so, in quotation marks; and a row with a hash is none of the comments.
    let named = format!("\"#\",pdq,deleted\n7,{one},0\n8,{two},1\n");
    assert_eq!(pdq(&named).unwrap().0.withdrawn.len(), 1);
    let Err(ImportError::Refused(report)) = pdq(&format!("#,{two}\npdq,deleted\n{one},0\n")) else { panic!("lost") };
    assert_eq!((report.refused_records, report.refused[0].field), (1, "row"));
}

#[test]
fn a_column_that_is_not_there_can_t_be_ignored() {
    let hexes = hexes(2);
    let ignored = |text: &str, format| {
        let ignored = ["3", "4", "12"].map(str::to_owned).to_vec();
        let options = ImportOptions { ignored, format, ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &options).unwrap().1.not_ignored
    };
    let table = format!("pdq,file\n{},a.jpg\n{},b.jpg,x\n", hexes[0], hexes[1]);
    assert_eq!(ignored(&table, None), ["4", "12"]);
    let table = format!("{},a.jpg\n{},b.jpg,x,\n", hexes[0], hexes[1]);
    assert_eq!(ignored(&table, Some(Format::Csv)), ["12"]);
    // Of ThreatExchange's the format says what they are.
    let table = format!("{},4711,2026-01-31,tag\n", hexes[0]);
    assert_eq!(ignored(&table, None), ["3", "4", "12"]);
}

#[test]
fn a_column_that_is_read_can_be_ignored_and_nothing_else_is() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    let text = format!("hash,archived,status\n{one},page,active\n{two},withdrawn,active\n");
    assert!(matches!(pdq(&text), Err(ImportError::Refused(_))) || pdq(&text).unwrap().0.withdrawn.len() == 1);
    let ignoring = |ignored: &[&str]| {
        let ignored = ignored.iter().map(ToString::to_string).collect();
        import(text.as_bytes(), &ImportOptions { ignored, ..ImportOptions::new(Algorithm::PdqFull) })
    };
    assert_eq!(ignoring(&["Archived"]).unwrap().0.entries.len(), 2);
    // Not by its number, which is not said of a column with a name; nor is the hash's own column.
    for other in ["2", "archive", "hash", ""] {
        assert!(ignoring(&[other]).is_err(), "{other}");
    }
}

#[test]
fn what_takes_a_word_for_its_state_takes_no_sign_for_nothing() {
    let hexes = hexes(2);
    for (name, value) in [
        ("op", "-"),
        ("change", "-"),
        ("status", "\u{2014}"),
        ("status code", "410"),
        ("undeleted", "no"),
        ("undeleted", "yes"),
        ("not_withdrawn", "false"),
    ] {
        let text = format!("hash,{name}\n{},\n{},{value}\n", hexes[0], hexes[1]);
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "status"), "{text}");
    }
    for (name, counts, gone) in
        [("cancelled", "no", "yes"), ("cancelled_on", "", "2026-01-01"), ("suspended", "-", "x")]
    {
        let text = format!("hash,{name}\n{},{counts}\n{},{gone}\n", hexes[0], hexes[1]);
        let kept = pdq(&text).map(|(imported, _)| imported.entries.len());
        assert!(if gone == "x" { kept.is_err() } else { kept.unwrap() == 1 }, "{text}");
    }
}

#[test]
fn what_is_disabled_until_a_time_is_read_as_its_source_means_it() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    let text = format!("hash,disable_until_ts\n{one},0\n{two},1\n");
    let (imported, _) = pdq(&text).unwrap();
    let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
    assert_eq!(both, [two.clone(), one.clone()]);
    // When a time comes is not known here; of other columns neither what their values mean.
    for (name, value) in [
        ("disable_until_ts", "1800000000"),
        ("disable_until_ts", "true"),
        ("disabled_until", "0"),
        ("disabled_until", "1"),
        ("suspended until", "2026-01-01"),
        ("valid_until", "2025-12-31"),
        ("valid_until", "46022"),
        ("until", "1767225600"),
        ("until", "null"),
    ] {
        let text = format!("hash,{name}\n{one},{value}\n{two},\n");
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "status"), "{text}");
        let skip = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        assert_eq!(to_hex(import(text.as_bytes(), &skip).unwrap().0.entries.as_bytes()), *two, "{text}");
    }
}

#[test]
fn a_title_or_the_names_once_more_excuse_no_column() {
    let hexes = hexes(3);
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    let skip = |text: &str, format| {
        let skip = ImportOptions { invalid: Invalid::Skip, format, ..ImportOptions::new(Algorithm::PdqFull) };
        import(text.as_bytes(), &skip)
    };
    let titles: String = (0..5).map(|part| format!("part {part},this says nothing of part {part}\n")).collect();
    let kinds = "hash_type,hash,is_csam\n";
    for text in [
        format!("hash,is_csam\n{one},no\n{two},yes\n{titles}{three},yes\n"),
        format!("{kinds}pdq,{one},no\n{}pdq,{three},yes\n", kinds.repeat(5)),
    ] {
        let refused = skip(&text, None);
        assert!(matches!(&refused, Err(ImportError::UnreadMarks(found)) if found[0].name == "is_csam"), "{refused:?}");
    }
    let titled = format!("Hashes of 2026-11-01,,\nHash,Still listed,Note\n{one},yes,\n{two},no,\n");
    let refused = skip(&titled, Some(Format::Csv)).unwrap_err();
    assert!(matches!(refused, ImportError::Nameless { .. }), "{refused}");
    assert!(refused.to_string().contains("a title stand before the names"), "{refused}");
    // A first row whose hash is wrong is a row all the same.
    let wrong = format!("{}\n{two}\n", &one[1..]);
    assert_eq!(skip(&wrong, Some(Format::Csv)).unwrap().0.entries.len(), 1);
}

#[test]
fn a_table_without_names_is_that_of_threat_exchange_only_if_it_says_when_a_hash_was_added() {
    let hexes = hexes(3);
    let rows = |marks: [&str; 3]| -> String {
        let numbered = hexes.iter().zip(marks).enumerate();
        numbered.map(|(number, (hash, mark))| format!("{hash},9{number},{mark},{number}.jpg\n")).collect()
    };
    for marks in [["true", "false", "1"], ["1", "0", "1"], ["", "x", ""]] {
        let refused = pdq(&rows(marks));
        assert!(matches!(&refused, Err(ImportError::UnreadMarks(found)) if found[0].name == "3"), "{refused:?}");
    }
    for date in ["2020-07-31T18:47:45+0000", "2020-07-31", "1596221265"] {
        assert_eq!(pdq(&rows([date; 3])).unwrap().1.format, Format::ThreatExchange, "{date}");
    }
    // Nor is a mark an id, whatever stands behind it.
    for [one, two] in [["{m},4711", "{m},4712"], ["4711,{m}", "4712,{m}"]] {
        let row = |hash: &str, ids: &str, mark: &str| format!("{hash},{},2026-01-31,a\n", ids.replace("{m}", mark));
        let marked = row(&hexes[0], one, "1") + &row(&hexes[1], two, "0");
        assert!(matches!(pdq(&marked), Err(ImportError::UnreadMarks(_))), "{marked}");
    }
    let options = ImportOptions { format: Some(Format::ThreatExchange), ..ImportOptions::new(Algorithm::PdqFull) };
    assert_eq!(import(rows(["mine"; 3]).as_bytes(), &options).unwrap().0.entries.len(), 3);
}

#[test]
fn all_columns_that_may_mark_are_named_at_once() {
    let hexes = hexes(2);
    let text = format!("hash,Is CSAM,keep,weight\n{},yes,1,12\n{},no,0,13\n", hexes[0], hexes[1]);
    let why = refused(&text);
    for part in ["the column Is CSAM is not read", "the column keep is not read", "\"yes\", \"no\""] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(why.contains("`isonomy list import --ignore-column 'Is CSAM' --ignore-column 'keep'`"), "{why}");
    let ignored = vec!["Is CSAM".into(), "KEEP".into(), "wieght".into(), "hash".into(), "9".into()];
    let options = ImportOptions { ignored, ..ImportOptions::new(Algorithm::PdqFull) };
    let (_, report) = import(text.as_bytes(), &options).unwrap();
    assert_eq!(report.not_ignored, ["wieght", "hash", "9"]);
    let (_, lines) = import(hexes[0].as_bytes(), &options).unwrap();
    assert_eq!(lines.not_ignored, options.ignored, "it has no columns");
}

#[test]
fn no_quality_is_none_and_what_is_withdrawn_needs_none() {
    let hexes = hexes(3);
    let [one, two, three] = [&hexes[0], &hexes[1], &hexes[2]];
    for none in ["", " ", "-", "null", "N/A"] {
        let text = format!("hash,quality,deleted\n{one},90,no\n{two},{none},no\n{three},{none},yes\n");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.withdrawals), (2, 1), "{text}");
        let least = ImportOptions { min_quality: 50, ..ImportOptions::new(Algorithm::PdqFull) };
        let Err(ImportError::Refused(report)) = import(text.as_bytes(), &least) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].record), (1, 2), "{text}");
    }
    assert_eq!(pdq(&format!("hash,quality,deleted\n{one},90,no\n{two},good,yes\n")).unwrap().0.withdrawn.len(), 1);
    assert!(matches!(pdq(&format!("hash,quality\n{one},good\n")), Err(ImportError::Refused(_))));
}

#[test]
fn only_names_of_files_may_say_that_something_is_gone() {
    let hexes = hexes(2);
    for (name, is_fine) in [
        ("file", true),
        ("filename", true),
        ("file_name", true),
        ("File Path", true),
        ("profile_note", false),
        ("file_verdict", false),
        ("file remark", false),
    ] {
        let text = format!("hash,{name}\n{},of 2026\n{},withdrawn\n", hexes[0], hexes[1]);
        assert_eq!(pdq(&text).is_ok(), is_fine, "{text}");
    }
}

#[test]
fn a_class_or_tag_that_says_that_a_hash_does_not_belong_there_is_told() {
    let hexes = hexes(2);
    for (name, word) in
        [("Classification", "benign"), ("class", "Not illegal"), ("tags", "withdrawn"), ("tags", "non_malicious")]
    {
        let text = format!("hash,{name}\n{},A1\n{},{word}\n", hexes[0], hexes[1]);
        let (_, report) = pdq(&text).unwrap();
        assert_eq!((report.disputed, &report.disputed_first[..]), (1, &hexes[1..]), "{text}");
    }
    for name in ["fp_status", "appeal status", "complaint_status", "error status"] {
        let text = format!("hash,{name}\n{},confirmed\n{},no\n", hexes[0], hexes[1]);
        assert!(matches!(pdq(&text), Err(ImportError::Refused(_))), "{text}");
        assert_eq!(pdq(&text.replace("confirmed", "yes")).unwrap().1.disputed, 1, "{text}");
    }
}

/// The advice of an error is pasted into a shell by somebody who has keys; the names are the file's.
#[test]
fn a_column_that_is_to_be_ignored_is_named_so_that_a_shell_takes_it_for_that() {
    let hexes = hexes(4);
    for (name, flag) in [
        ("wert $USD", "--ignore-column 'wert $USD'"),
        ("a $(touch pwned) b", "--ignore-column 'a $(touch pwned) b'"),
        ("it's `odd`", r"--ignore-column 'it'\''s `odd`'"),
        ("Supprim\u{e9}\u{a0}?", "--ignore-column 'Supprim\u{e9}\u{a0}?'"),
    ] {
        let rows = hexes.iter().zip(["0", "1", "0", "1"]).map(|(hash, value)| format!("{hash};{value}\n"));
        let text = format!("pdq;{name}\n{}", rows.collect::<String>());
        let why = refused(&text);
        assert!(why.contains(flag), "{why}");
        let ignoring = ImportOptions { ignored: vec![name.to_owned()], ..ImportOptions::new(Algorithm::PdqFull) };
        assert_eq!(import(text.as_bytes(), &ignoring).unwrap().0.entries.len(), 4, "{text}");
    }
}

/// Two names that differ by marks alone.
#[test]
fn a_column_is_ignored_by_its_own_name_and_by_none_that_is_like_another() {
    let hexes = hexes(4);
    let rows = hexes.iter().zip(["active", "withdrawn", "active", "active"]).enumerate();
    let rows = rows.map(|(number, (hash, status))| format!("{hash};{status};{}\n", number % 2));
    let text = format!("pdq;status;status (%)\n{}", rows.collect::<String>());
    let ignoring =
        |name: &str| ImportOptions { ignored: vec![name.to_owned()], ..ImportOptions::new(Algorithm::PdqFull) };
    let (imported, _) = import(text.as_bytes(), &ignoring("status (%)")).unwrap();
    assert_eq!(imported.entries.len(), 3, "the other one is heard");
    let why = import(text.as_bytes(), &ignoring("Status %")).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("status (%)"), "it is like both, and means neither: {why}");
}

#[test]
fn a_table_with_tabs_may_have_a_first_column_without_a_name() {
    let hexes = hexes(3);
    let table = |names: &str, gone: &str| -> String {
        let rows = hexes.iter().enumerate();
        rows.fold(names.to_owned(), |table, (number, hash)| {
            format!("{table}{number}a\t{hash}\t{number}.jpg\t{}\n", if number == 1 { gone } else { "" })
        })
    };
    for names in ["\thash\tfile\tdeleted\n", "  \thash\tfile\tdeleted\n", "\t\n\thash\tfile\tdeleted\n"] {
        let text = table(names, "yes");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(to_hex(imported.withdrawn.as_bytes()), hexes[1], "{text}");
        let unread: Vec<&str> = report.unread.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            (imported.entries.len(), report.format, &unread[..]),
            (2, Format::Csv, &["1", "file"][..]),
            "{text}"
        );
        let by_name = ImportOptions { column: Some("hash".into()), ..options() };
        assert_eq!(import(text.as_bytes(), &by_name).unwrap().0.entries.len(), 2, "{text}");
    }
    // The last column may have none, too; what is in it is looked at.
    let text = format!("hash\tfile\t\n{}\ta.jpg\tyes\n", hexes[0]);
    assert!(refused(&text).contains("the column 3 is not read"));
    // Without names, a hash is found by the number of its column.
    let text = format!("\t{}\ta.jpg\n\t{}\tb.jpg\n", hexes[0], hexes[1]);
    let by_number = |column: &str| {
        let by_number = ImportOptions { column: Some(column.into()), ..options() };
        import(text.as_bytes(), &by_number).map(|(imported, _)| imported.entries.len())
    };
    assert!(by_number("1").is_err());
    assert_eq!(by_number("2").unwrap(), 2);
}

#[test]
fn a_date_that_programs_write_where_there_is_none_neither_withdraws_nor_lists() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for name in ["deleted_at", "removed_on", "Withdrawal Date"] {
        for never in [
            "0001-01-01T00:00:00",
            "0001-01-01 00:00:00+00:00",
            "1900-01-01",
            "1/1/1900",
            "1899-12-30",
            "01.01.1970",
            "1970-01-01T00:00:00Z",
            "1969-12-31 16:00:00",
            "1980-01-01",
            "2000-01-01",
        ] {
            let text = format!("hash,{name}\n{one},{never}\n{two},\n");
            let why = refused(&text);
            assert!(why.contains(&format!("the column {} says {never:?}", name.to_lowercase())), "{why}");
            assert!(why.contains("programs write where there is no date"), "{text}: {why}");
            let skip = ImportOptions { invalid: Invalid::Skip, ..options() };
            let (imported, report) = import(text.as_bytes(), &skip).unwrap();
            let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
            assert_eq!((both, report.refused_records), ([two.clone(), String::new()], 1), "{text}");
        }
        // What is no date at all is none, in whatever form.
        for none in ["0", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00.000Z", "00.00.0000"] {
            assert_eq!(pdq(&format!("hash,{name}\n{one},{none}\n{two},\n")).unwrap().0.entries.len(), 2, "{none}");
        }
        for unclear in ["-1", "-62135596800", "2 people complained", "2026-13-45", "86400", "-0001-11-30"] {
            let why = refused(&format!("hash,{name}\n{one},{unclear}\n{two},\n"));
            assert!(why.contains("does not tell whether the record still counts"), "{why}");
        }
    }
}

#[test]
fn a_withdrawal_that_takes_effect_later_neither_withdraws_nor_lists() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    // It is noon of 2026-06-30; where the day is not clear, the later one may be meant.
    for ahead in
        ["2026-07-02", "2027-01-01T00:00:00Z", "9999-12-31", "2/12/2026", "Q4 2026", "1. August 2026", "1893456000"]
    {
        let text = format!("hash,deleted_at\n{one},{ahead}\n{two},\n");
        let why = refused(&text);
        assert!(why.contains(&format!("the column deleted_at says {ahead:?}")), "{why}");
        assert!(why.contains("has not come yet") && why.contains("write yes if it is to go now"), "{text}: {why}");
        let skip = ImportOptions { invalid: Invalid::Skip, ..options() };
        let (imported, _) = import(text.as_bytes(), &skip).unwrap();
        let both = [&imported.entries, &imported.withdrawn].map(|list| to_hex(list.as_bytes()));
        assert_eq!(both, [two.clone(), String::new()], "{text}");
    }
    for past in [
        "2026-06-30",
        "2026-07-01",
        "2026-06-30T23:59:59+14:00",
        "30.6.2026",
        "June 2026",
        "2026",
        "1782820800",
        "46022",
    ] {
        let (imported, _) =
            pdq(&format!("hash,deleted_at\n{one},{past}\n{two},\n")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(to_hex(imported.withdrawn.as_bytes()), *one, "{past}");
    }
    // Who does not say what time it is hears of none.
    let text = format!("hash,deleted_at\n{one},2026-01-01\n{two},\n");
    let timeless = import(text.as_bytes(), &ImportOptions::new(Algorithm::PdqFull));
    assert!(matches!(timeless, Err(ImportError::Refused(_))), "{timeless:?}");
    // Where a column does not say whether its date is an end that comes or one that came, none is read.
    for name in ["expires", "expires_at", "Expiry date", "expired", "deleted"] {
        for date in ["2027-01-01", "2025-01-01", "1970-01-01T00:00:00Z"] {
            let why = refused(&format!("hash,{name}\n{one},{date}\n{two},\n"));
            assert!(why.contains("is a date, and no date is read there"), "{why}");
        }
    }
}

#[test]
fn a_file_of_one_row_or_two_says_what_it_says() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    for text in [
        format!("hash,status\n{one},removed\n"),
        format!("hash,status,removed\n{one},,yes\n"),
        format!("status,hash\nremoved,{one}\n"),
        format!("\thash\tstatus\n1\t{one}\tremoved\n"),
    ] {
        let ignoring = ImportOptions { ignored: vec!["1".to_owned()], ..options() };
        let (imported, report) = import(text.as_bytes(), &ignoring).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), imported.withdrawn.len(), report.withdrawals), (0, 1, 1), "{text}");
    }
    for text in [
        // Words that are known, where no name says what they tell.
        format!("{one},removed\n"),
        format!("{one}\tremoved\n"),
        format!("{one},status,removed\n"),
        format!("hash,Zustand\n{one},removed\n"),
        format!("hash,note\n{one},removed\n"),
        // And others.
        format!("hash,Zustand\n{one},gelöscht\n"),
        format!("hash,Zustand\n{one},aktiv\n{two},gelöscht\n"),
        format!("hash,lifecycle\n{one},gone\n"),
        format!("{one},gelöscht\n"),
        format!("{one};retiré\n{two};actif\n"),
        format!("hash,mark\n{one},x\n"),
    ] {
        assert!(pdq(&text).is_err(), "{text}");
    }
    for text in [
        format!("hash,file\n{one},removal.jpg\n"),
        format!("hash,Bild\n{one},a.jpg\n"),
        format!("hash,Kennung\n{one},K-12\n{two},K-13\n"),
        format!("hash,Bemerkung\n{one},siehe Akte 12\n"),
        format!("{one},see x\n"),
    ] {
        assert!(pdq(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_state_of_many_words_stops_the_import() {
    let hexes = hexes(24);
    let table = |values: &[&str]| -> String {
        let rows = hexes.iter().zip(values.iter().cycle()).map(|(hash, value)| format!("{hash},{value}\n"));
        format!("hash,Zustand\n{}", rows.collect::<String>())
    };
    let states = ["aktiv", "entfernt", "beanstandet", "offen", "geprüft", "abgelaufen"];
    let text = table(&states);
    let why = refused(&text);
    assert!(why.contains("the column Zustand is not read") && why.contains("\"entfernt\""), "{why}");
    let ignoring = ImportOptions { ignored: vec!["Zustand".into()], ..options() };
    assert_eq!(import(text.as_bytes(), &ignoring).unwrap().0.entries.len(), 24);
    let numbers: Vec<String> = (0..24).map(|number| format!("Fall {number}")).collect();
    assert!(pdq(&table(&numbers.iter().map(String::as_str).collect::<Vec<_>>())).is_ok());
}
