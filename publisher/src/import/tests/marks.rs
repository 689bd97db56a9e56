//! What a source says of a hash where nobody may think to look: no hash is listed in silence that is marked so, and no honest file is
//! refused.

use super::*;

/// Why a file is not imported.
fn refused(text: &str) -> String {
    match pdq(text) {
        Ok((imported, _)) => panic!("{} hashes were taken from {text}", imported.entries.len()),
        Err(error) => error.to_string(),
    }
}

/// A table of twelve rows, each with a value of these in turn.
fn table(name: &str, values: &[&str]) -> String {
    let rows = hexes(12).into_iter().zip(values.iter().cycle()).map(|(hash, value)| format!("{hash},{value}\n"));
    format!("hash,{name}\n{}", rows.collect::<String>())
}

fn ignoring(text: &str, name: &str) -> Result<(Imported, ImportReport), ImportError> {
    import(text.as_bytes(), &ImportOptions { ignored: vec![name.to_owned()], ..options() })
}

#[test]
fn a_column_of_kinds_is_watched_once_it_has_a_value_that_is_none() {
    for values in [
        &["deletion", "addition", "addition"][..],
        &["gelöscht", "aktiv", "aktiv"],
        &["D", "A", "A"],
        &["withdrawal", "image", "image"],
        &["no longer valid", "image", "image"],
        &["image/withdrawn", "image/jpeg"],
        &["image withdrawn", "video"],
        &["", "gelöscht", ""],
    ] {
        let text = table("type", values);
        let why = refused(&text);
        assert!(why.contains("the column type is read for kinds of hashes and of files alone"), "{why}");
        let first = values.iter().find(|value| !value.is_empty()).unwrap();
        assert!(why.contains(first) && why.contains("--ignore-column 'type'"), "{why}");
        assert_eq!(ignoring(&text, "type").unwrap().0.entries.len(), 12, "{text}");
    }
    for values in [
        &["image", "video"][..],
        &["image/jpeg", "image/png", "video/mp4", "video/x-matroska", "image/svg+xml"],
        &["JPG", "png", "", "Photo"],
        &["HASH_PDQ"],
        &["pdq", "image"],
    ] {
        let text = table("type", values);
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.unread.len()), (12, 0), "{text}");
    }
    // A text of its own in each row marks nothing, and is named.
    let rows: String = hexes(12).iter().enumerate().map(|(number, hash)| format!("{hash},case K-{number}\n")).collect();
    let (_, report) = pdq(&format!("hash,type\n{rows}")).unwrap();
    assert_eq!(report.unread.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["type"]);
}

/// An update of ThreatExchange with one descriptor that has these fields.
fn update(more: &str) -> String {
    let hash = &hexes(1)[0];
    format!(
        r#"{{"data":[{{"id":"1","indicator":"{hash}","type":"HASH_PDQ","should_delete":false,"descriptors":{{"data":[{{"owner":{{"id":"1"}},"status":"MALICIOUS"{more}}}]}}}}]}}"#
    )
}

#[test]
fn a_reaction_that_doubts_a_descriptor_disputes_its_hash() {
    for (field, disputed) in [
        (r#""reactions":[{"key":"NON_MALICIOUS","value":"22,33"}]"#, 1),
        (r#""reactions":[{"key":"INGESTED","value":"2"},{"key":"DISAGREE_WITH_TAGS","value":"4"}]"#, 1),
        (r#""reactions":[{"key":"OUTDATED","value":"4"}]"#, 1),
        (r#""reactions":[{"key":"NOT_HELPFUL","value":"4"}]"#, 1),
        (r#""reactions":{"data":[{"key":"OUTDATED","value":"4"}]}"#, 1),
        (r#""reactions":{"NON_MALICIOUS":["22"],"HELPFUL":["33"]}"#, 1),
        (r#""reactions":["disagree with tags"]"#, 1),
        (r#""reactions":"INGESTED,OUTDATED""#, 1),
        (r#""my_reactions":["NON_MALICIOUS"]"#, 1),
        // What is not known may be a doubt.
        (r#""reactions":[{"key":"RECANTED","value":"4"}]"#, 1),
        (r#""reactions":[{"key":"HELPFUL","value":"4"},{"key":"SAW_THIS_TOO","value":"5"}]"#, 0),
        (r#""reactions":[{"key":"INGESTED","value":"4"},{"key":"IN_REVIEW","value":"5"}]"#, 0),
        (r#""reactions":[{"key":"WANT_MORE_INFO","value":"4"},{"key":"REVIEWED","value":"5"}]"#, 0),
        (r#""reactions":{"NON_MALICIOUS":[],"HELPFUL":["33"]}"#, 0),
        (r#""reactions":[]"#, 0),
        (r#""reactions":{"data":[]}"#, 0),
        (r#""reactions":null"#, 0),
    ] {
        let text = update(&format!(",{field}"));
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.disputed), (1, disputed), "{text}");
    }
    for field in [
        r#""reactions":7"#,
        r#""reactions":[7]"#,
        r#""reactions":[{"name":"OUTDATED"}]"#,
        r#""reactions":[["OUTDATED"]]"#,
    ] {
        let Err(ImportError::Refused(report)) = pdq(&update(&format!(",{field}"))) else { panic!("{field}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "reactions"), "{field}");
    }
    // Where the record itself is described.
    let flat = update("").replace("\"should_delete\"", r#""reactions":["OUTDATED"],"should_delete""#);
    assert_eq!(pdq(&flat).unwrap().1.disputed, 1);
}

#[test]
fn a_column_of_reactions_disputes_too() {
    let hexes = hexes(2);
    for (said, disputed) in [
        ("DISAGREE_WITH_TAGS", 1),
        ("INGESTED;OUTDATED", 1),
        ("INGESTED NON_MALICIOUS", 1),
        ("\"[{'key': 'NON_MALICIOUS', 'value': '22,33'}]\"", 1),
        ("\"[{\"\"key\"\": \"\"OUTDATED\"\", \"\"value\"\": \"\"22\"\"}]\"", 1),
        ("recanted", 1),
        ("HELPFUL;SAW_THIS_TOO", 0),
        ("\"[{'key': 'INGESTED', 'value': '22'}]\"", 0),
        ("[]", 0),
    ] {
        let text = format!("hash,reactions\n{},{said}\n{},\n", hexes[0], hexes[1]);
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.disputed), (2, disputed), "{text}");
    }
}

#[test]
fn tags_are_heard_in_every_form_that_is_known() {
    for (tags, disputed) in [
        (r#"{"data":[{"id":"5","text":"false_positive"}]}"#, 1),
        (r#"[{"id":"5","text":"false_positive"}]"#, 1),
        (r#"{"data":["a","disputed"]}"#, 1),
        (r#"["a","withdrawn"]"#, 1),
        (r#""removed_by_request""#, 1),
        (r#"{"data":[{"id":"5","text":"tag_1"}]}"#, 0),
        (r#"{"data":[]}"#, 0),
        (r#"["a"]"#, 0),
        ("null", 0),
    ] {
        let text = update(&format!(",\"tags\":{tags}"));
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.disputed), (1, disputed), "{text}");
    }
    let select = ImportOptions { tags: vec!["tag_1".into()], ..options() };
    let edge = update(r#","tags":{"data":[{"id":"5","text":"tag_1"}]}"#);
    assert_eq!(import(edge.as_bytes(), &select).unwrap().0.entries.len(), 1);
    for tags in [
        r#"{"text":"false_positive"}"#,
        r#"{"data":{"text":"a"}}"#,
        r#"[["a"]]"#,
        r#"[{"name":"a"}]"#,
        "true",
        "[null]",
    ] {
        let Err(ImportError::Refused(report)) = pdq(&update(&format!(",\"tags\":{tags}"))) else { panic!("{tags}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "tags"), "{tags}");
    }
    let hash = &hexes(1)[0];
    let terrorism = format!(r#"{{"results":[{{"hash_digest":"{hash}","algorithm":"PDQ","ideology":{{"a":1}}}}]}}"#);
    assert!(refused(&terrorism).contains("ideology: "));
}

/// A record of StopNCII with these fields.
fn stop(status: &str, more: &str) -> String {
    let hash = &hexes(1)[0];
    format!(r#"{{"hashRecords":[{{"signalType":"ImagePDQ","hashValue":"{hash}","hashStatus":"{status}"{more}}}]}}"#)
}

#[test]
fn states_of_stopncii_are_heard_in_either_case_and_refused_if_they_are_not_known() {
    for (status, entries, withdrawn) in [("ACTIVE", 1, 0), ("received", 1, 0), ("withdrawn", 0, 1), ("DELETED", 0, 1)] {
        let (imported, _) = pdq(&stop(status, "")).unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!((imported.entries.len(), imported.withdrawn.len()), (entries, withdrawn), "{status}");
    }
    for cases in [
        r#"{"a":"withdrawn"}"#,
        r#"{"a":"DELETED","b":"Withdrawn"}"#,
        r#"{"a":"Expired","b":"Closed"}"#,
        r#"{"a":"Active","b":"Closed"}"#,
        r#"{"a":{"status":"Withdrawn"}}"#,
        r#"{"a":null}"#,
    ] {
        let Err(ImportError::Refused(report)) = pdq(&stop("Active", &format!(",\"caseNumbers\":{cases}"))) else {
            panic!("{cases}")
        };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "caseNumbers"), "{cases}");
    }
    // Where the hash is withdrawn, its cases don't matter.
    let gone = stop("Withdrawn", r#","caseNumbers":{"a":"Closed"}"#);
    assert_eq!(pdq(&gone).unwrap().0.withdrawn.len(), 1);
    for (feedbacks, disputed) in [
        (r#"[{"feedbackValue":"notblocked","tags":[]}]"#, 1),
        (r#"[{"feedbackValue":"WITHDRAWN"}]"#, 1),
        (r#"[{"feedbackValue":"None","tags":["false_positive"]}]"#, 1),
        (r#"[{"feedbackValue":"Unknown"},{"feedbackValue":"QualityUnknown"},{"feedbackValue":"blocked"}]"#, 0),
        (r#"[{"source":"a","tags":["Nude"]}]"#, 0),
        ("null", 0),
    ] {
        let text = stop("Active", &format!(",\"CSPFeedbacks\":{feedbacks}"));
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.disputed), (1, disputed), "{text}");
    }
    for feedbacks in [
        r#"[{"feedbackValue":"Recanted"}]"#,
        r#"[{"feedbackValue":{"value":"NotBlocked"}}]"#,
        r#"["NotBlocked"]"#,
        r#"{"a":{"feedbackValue":"NotBlocked"}}"#,
        r#""NotBlocked""#,
    ] {
        let Err(ImportError::Refused(report)) = pdq(&stop("Active", &format!(",\"CSPFeedbacks\":{feedbacks}"))) else {
            panic!("{feedbacks}")
        };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "CSPFeedbacks"), "{feedbacks}");
    }
    assert_eq!(pdq(&stop("Active", r#","tags":["withdrawn"]"#)).unwrap().1.disputed, 1);
}

#[test]
fn each_tag_and_class_is_tested_by_itself_and_all_are_counted() {
    for (name, said) in [
        ("tags", "csam withdrawn"),
        ("tags", "csam;false_positive"),
        ("tags", "removed_by_request"),
        ("tags", "withdrawnByPerson"),
        ("tags", "non malicious"),
        ("class", "removed on request"),
        ("class", "A1|withdrawn"),
        ("category", "not illegal"),
    ] {
        let (imported, report) = pdq(&table(name, &[said, "A1", "A1"])).unwrap();
        assert_eq!((imported.entries.len(), report.disputed), (12, 4), "{said}");
    }
    for (name, said) in [("tags", "undeleted csam"), ("class", "not legal"), ("tags", "retired")] {
        assert_eq!(pdq(&table(name, &[said, "A1", "A1"])).unwrap().1.disputed, 0, "{said}");
    }
    // What no list of words knows is shown to whoever reads the report.
    let counted = |counts: &WordCounts| -> Vec<(String, u64)> {
        counts.words.iter().map(|counted| (counted.word.clone(), counted.records)).collect()
    };
    let (_, report) = pdq(&table("tags", &["gelöscht csam", "csam", "csam"])).unwrap();
    assert_eq!(counted(&report.tags), [("gelöscht".to_owned(), 4), ("csam".to_owned(), 12)]);
    let (_, report) = pdq(&table("category", &["retired", "A1", "A1"])).unwrap();
    assert_eq!(
        (counted(&report.classes), report.tags),
        (vec![("retired".into(), 4), ("A1".into(), 8)], WordCounts::default())
    );
    let (_, report) = pdq(&update(r#","tags":["zurückgezogen"]"#)).unwrap();
    assert_eq!(counted(&report.tags), [("zurückgezogen".to_owned(), 1)]);
    // However many there are, and however long.
    let many: String =
        hexes(100).iter().enumerate().map(|(at, hash)| format!("{hash},t{at} {}\n", "x".repeat(500))).collect();
    let (_, report) = pdq(&format!("hash,tags\n{many}")).unwrap();
    assert_eq!((report.tags.words.len(), report.tags.others), (32, 69), "{report:?}");
    assert_eq!(report.tags.words[1].records, 100);
    assert!(report.tags.words.iter().all(|counted| counted.word.chars().count() <= 41));
}

#[test]
fn a_row_of_threat_exchange_has_the_fields_of_the_first() {
    let hexes = hexes(12);
    let row =
        |number: usize, more: &str| format!("{},10{number},2020-07-31T18:47:45Z,tag_1 media{more}\n", hexes[number]);
    let skip = ImportOptions { invalid: Invalid::Skip, ..options() };
    for more in [",0", ",gelöscht", ",tag_2,x"] {
        let text: String = (0..12).map(|number| row(number, if number == 0 { "" } else { more })).collect();
        let (imported, report) = import(text.as_bytes(), &skip).unwrap();
        assert_eq!((imported.entries.len(), report.refused_records, report.refused[0].field), (1, 11, "row"), "{text}");
        assert!(report.refused[0].reason.contains("where the table has 4 columns"), "{report:?}");
    }
    // A row that lacks the second id has its tags elsewhere.
    let text = format!("{},51,4711,1596221265,a\n{},4711,1596221265,a disputed\n", hexes[0], hexes[1]);
    let (imported, report) = import(text.as_bytes(), &skip).unwrap();
    assert_eq!((imported.entries.len(), report.refused_records), (1, 1));
    // Fields without anything are none.
    let text = row(0, "") + &row(1, ",,");
    assert_eq!(pdq(&text).unwrap().0.entries.len(), 2);
}

#[test]
fn every_field_of_a_line_of_pdq_is_heard_or_watched() {
    let hexes = hexes(12);
    let lines = |line: &dyn Fn(usize, &str) -> String| -> String {
        hexes.iter().enumerate().map(|(number, hash)| line(number, hash) + "\n").collect()
    };
    for text in [
        lines(&|number, hash| format!("hash={hash},quality=100,label=withdrawn,filename=f{number}.jpg")),
        lines(&|_, hash| format!("hash={hash},quality=100,mark=removed")),
        lines(&|_, hash| format!("mark=removed,hash={hash},quality=100")),
        lines(&|number, hash| format!("filename=f{number}.jpg,hash={hash},quality=100,deleted=1")),
        lines(&|number, hash| format!("deleted=1,filename=f{number}.jpg,hash={hash}")),
    ] {
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (12, "status"), "{text}");
        assert!(report.refused[0].reason.contains("--ignore-column"), "{report:?}");
    }
    for (text, name) in [
        (
            lines(&|number, hash| format!("hash={hash},Zustand={},filename=f", ["aktiv", "gelöscht"][number % 2])),
            "Zustand",
        ),
        (lines(&|number, hash| format!("keep={},hash={hash}", number % 2)), "keep"),
        // A field without a name.
        (lines(&|_, hash| format!("hash={hash},quality=100,gelöscht")), "3"),
    ] {
        let why = refused(&text);
        assert!(why.contains(&format!("the column {name} is not read")), "{why}");
        assert!(why.contains(&format!("--ignore-column '{name}'")), "{why}");
        assert_eq!(ignoring(&text, name).unwrap().0.entries.len(), 12, "{text}");
    }
    let text = lines(&|_, hash| format!("hash={hash},deleted=1"));
    assert_eq!(ignoring(&text, "deleted").unwrap().0.entries.len(), 12);
    // What the tools write, and names that hold anything.
    let text = lines(&|number, hash| {
        let measured = format!("dims=640x480,readSeconds=0.0{number},hashSeconds=0.10,xform=orig");
        format!("hash={hash},norm=128,delta=0,quality=100,{measured},filename=deleted,status=withdrawn")
    });
    let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((imported.entries.len(), report.unread.len()), (12, 0));
    let (_, report) = pdq(&lines(&|number, hash| format!("hash={hash},case=K-{number},filename=f"))).unwrap();
    assert_eq!(report.unread.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["case"]);
    // Neither a second hash nor any number of names is passed over.
    assert!(refused(&format!("hash={0}\nhash={0},hash={1}\n", hexes[0], hexes[1])).contains("several hashes"));
    let named: String = (0..65).map(|number| format!(",n{number}=a{number}")).collect();
    assert!(refused(&format!("hash={}\nhash={}{named}\n", hexes[0], hexes[1])).contains("too many others"));
}

#[test]
fn behind_a_sum_stands_the_name_of_a_file_and_no_word_of_leaving() {
    let hexes = hexes(2);
    for said in ["withdrawn by person", "f1.jpg WITHDRAWN", "deleted 2026-01-01", "removed", "(withdrawn)"] {
        let text = format!("{}  a.jpg\n{}  {said}\n", hexes[0], hexes[1]);
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "line"), "{text}");
        assert!(report.refused[0].reason.contains("--ignore-column name"), "{report:?}");
        let (imported, report) = ignoring(&text, "name").unwrap();
        assert_eq!((imported.entries.len(), report.not_ignored.len()), (2, 0), "{text}");
    }
    let tagged = "SHA256 (withdrawn) = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    let sums = ImportOptions { format: Some(Format::Sums), ..ImportOptions::new(Algorithm::Sha256) };
    assert!(matches!(import(tagged.as_bytes(), &sums), Err(ImportError::Refused(_))));
    for name in [
        "deleted_scene.jpg",
        "deleted scene.jpg",
        "a scene that was removed.tar.gz",
        "Deleted items/img 7",
        "C:\\Removed\\img deleted 7",
        "/home/a/removed",
        "-",
        "undeleted scene",
        "README",
    ] {
        let text = format!("{}  {name}\n", hexes[0]);
        assert_eq!(pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}")).0.entries.len(), 1);
    }
}

#[test]
fn a_complaint_that_is_confirmed_does_not_confirm_the_hash() {
    for name in
        ["Status of complaint", "complaint status", "Status of the appeal", "status (objection)", "status of dispute"]
    {
        let why = refused(&table(name, &["confirmed", "", ""]));
        assert!(why.contains("write yes or no there"), "{name}: {why}");
        assert_eq!(pdq(&table(name, &["yes", "no", ""])).unwrap().1.disputed, 4, "{name}");
    }
}

#[test]
fn a_day_before_points_and_a_year_is_no_year() {
    let hexes = hexes(2);
    let text = |date: &str| format!("hash,deleted_at\n{},{date}\n{},\n", hexes[0], hexes[1]);
    for past in ["28.02.25", "30.06.26", "27.11.25 04:00", "1.3.26", "2026. 3. 1."] {
        let (imported, _) = pdq(&text(past)).unwrap_or_else(|error| panic!("{past}: {error}"));
        assert_eq!((imported.entries.len(), imported.withdrawn.len()), (1, 1), "{past}");
    }
    for ahead in ["27.11.26", "1.8.27"] {
        assert!(refused(&text(ahead)).contains("has not come yet"), "{ahead}");
    }
    for yearless in ["Dec 27 14:05", "27 Dec 14:05:09", "Dec 27 04.14.13", "Dec 27 14h05", "Dec 12", "12 Dec"] {
        assert!(refused(&text(yearless)).contains("does not tell whether the record still counts"), "{yearless}");
    }
}

#[test]
fn numbers_are_read_with_the_point_that_some_programs_write() {
    let (imported, report) = pdq(&table("quality", &["91.0", "", "100.00"])).unwrap();
    assert_eq!((imported.entries.len(), report.low_quality), (12, 0));
    let least = ImportOptions { min_quality: 92, ..options() };
    let (imported, _) = import(table("quality", &["91.0", "92.0", "92"]).as_bytes(), &least).unwrap();
    assert_eq!(imported.entries.len(), 8);
    for wrong in ["91.5", "91%", "91.", ".0", "-1.0"] {
        assert!(pdq(&table("quality", &[wrong, "91"])).is_err(), "{wrong}");
    }
    for (name, values, entries) in [
        ("deleted", ["1.0", "0.0", "0.0"], 8),
        ("is_active", ["1.0", "", "0.0"], 8),
        ("disable_until_ts", ["1.0", "0.0", "1.0"], 8),
        ("deleted_at", ["", "1767225600.0", "0.0"], 8),
    ] {
        let (imported, report) = pdq(&table(name, &values)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((imported.entries.len(), report.withdrawals), (entries, 12 - entries as u64), "{name}");
    }
    // Unread, they are what 1 and 0 are.
    assert!(refused(&table("is_csam", &["1.0", "0.0"])).contains("the column is_csam is not read"));
    assert!(refused(&table("mark", &["1.0", "see a", "see b", "see c"])).contains("the column mark is not read"));
    assert!(pdq(&table("width", &["1.0", "640.0"])).is_ok());
}

#[test]
fn a_date_of_origin_that_has_not_come_yet_is_none() {
    for (name, ahead) in [
        ("published_at", "2027-05-01"),
        ("added_on", "2026-07-02T00:00:00Z"),
        ("created", "9999-12-31"),
        ("date", "2027-05-01"),
        ("uploaded", "1893456000"),
    ] {
        let text = table(name, &[ahead, "2026-01-01", "2026-01-02"]);
        let why = refused(&text);
        assert!(why.contains(&format!("the column {name} is not read, and has dates that have not come yet")), "{why}");
        assert!(why.contains(ahead) && why.contains(&format!("--ignore-column '{name}'")), "{why}");
        assert_eq!(ignoring(&text, name).unwrap().0.entries.len(), 12, "{text}");
    }
    for (name, date) in [
        ("published_at", "2026-06-30"),
        ("added_on", "2026-06-30T23:59:00Z"),
        // Where the order is not clear, it may have come.
        ("added_on", "5/12/2026"),
    ] {
        assert!(pdq(&table(name, &[date, "2026-01-01", "2026-01-02"])).is_ok(), "{name}: {date}");
    }
    assert!(pdq(&table("width", &["2048", "640"])).is_ok());
    // Who does not say what time it is hears of none.
    let timeless = import(table("added_on", &["2027-05-01"]).as_bytes(), &ImportOptions::new(Algorithm::PdqFull));
    assert_eq!(timeless.unwrap().0.entries.len(), 12);
}

#[test]
fn a_field_of_a_feed_is_heard_by_its_name_though_its_format_has_none_of_it() {
    let counts = |text: &str| {
        let (imported, report) = pdq(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (imported.entries.len(), imported.withdrawn.len(), report.disputed)
    };
    let terrorism = |more: &str| {
        let hash = &hexes(1)[0];
        format!(r#"{{"results":[{{"hash_digest":"{hash}","algorithm":"PDQ","deleted":false{more}}}]}}"#)
    };
    for (text, expected) in [
        (stop("Active", r#","withdrawn":true"#), (0, 1, 0)),
        (stop("Active", r#","withdrawn":false,"removed_on":null,"removal":[]"#), (1, 0, 0)),
        (stop("Active", r#","is_disputed":"yes""#), (1, 0, 1)),
        (terrorism(r#","removed_on":"2026-01-01""#), (0, 1, 0)),
        (terrorism(r#","is_active":0"#), (0, 1, 0)),
        (update(r#","retracted":true"#), (0, 1, 0)),
        (update(r#","expired_on":0"#), (1, 0, 0)),
        (update(r#","expired_on":"2021-01-01T00:00:00+0000""#), (0, 1, 0)),
        (update(r#","expire_time":1600000000"#), (0, 1, 0)),
        (update(r#","expire_time":1893456000,"is_expired":false"#), (1, 0, 0)),
        (update("},{\"expired_on\":1600000000"), (1, 0, 1)),
        (update(r#","review_status":"UNREVIEWED""#), (1, 0, 0)),
        (update("").replace("\"should_delete\"", "\"withdrawn\":1,\"should_delete\""), (0, 1, 0)),
        // One of two who stand behind it.
        (update("},{\"revoked\":true"), (1, 0, 1)),
    ] {
        assert_eq!(counts(&text), expected, "{text}");
    }
    for (text, name) in [
        (update(r#","expired_on":"soon""#), "expired_on"),
        (stop("Active", r#","expires_at":1600000000"#), "expires_at"),
        (stop("Active", r#","removed_on":"2027-01-01""#), "removed_on"),
        (terrorism(r#","status":{"now":"gone"}"#), "status"),
    ] {
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "status"), "{text}");
        assert!(report.refused[0].reason.starts_with(&format!("the field {name} says ")), "{report:?}");
        let (imported, report) =
            ignoring(&text, &name.to_uppercase()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), report.not_ignored.len()), (1, 0), "{text}");
    }
    for (status, expected) in [("SUSPICIOUS", (1, 0, 0)), ("false positive", (0, 1, 0)), ("Revoked", (0, 1, 0))] {
        assert_eq!(counts(&update("").replace("MALICIOUS", status)), expected, "{status}");
    }
    for status in ["\"REHABILITATED\"", "{\"is\":\"MALICIOUS\"}", "7"] {
        let Err(ImportError::Refused(report)) = pdq(&update("").replace("\"MALICIOUS\"", status)) else {
            panic!("{status}")
        };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "status"), "{status}");
    }
}

#[test]
fn an_element_of_ncmec_is_heard_by_its_name() {
    let hash = &hexes(1)[0];
    let image = |attributes: &str, more: &str| {
        let fingerprint = format!("<fingerprints><pdq>{hash}</pdq></fingerprints>");
        format!(
            "<queryResult><images><image{attributes}><member id=\"1\"/><id>a</id>{fingerprint}{more}</image></images></queryResult>"
        )
    };
    for (attributes, more, expected) in [
        ("", "<status>withdrawn</status>", (0, 1, 0)),
        ("", "<state><deleted>true</deleted></state>", (0, 1, 0)),
        (" withdrawn=\"yes\"", "", (0, 1, 0)),
        ("", "<status>active</status><status>removed</status>", (0, 1, 0)),
        ("", "<feedbacks><feedback><negativeFeedback type=\"Pdq\"/></feedback></feedbacks>", (1, 0, 1)),
        ("", "<disputed>true</disputed>", (1, 0, 1)),
        ("", "<status>active</status>", (1, 0, 0)),
        (
            "",
            "<feedback><affirmativeFeedback type=\"Pdq\" lastUpdateTimestamp=\"2020-01-01T00:00:00Z\"/></feedback>",
            (1, 0, 0),
        ),
    ] {
        let text = image(attributes, more);
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), imported.withdrawn.len(), report.disputed), expected, "{text}");
    }
    for (name, element) in [("status", "<status>rehabilitated</status>"), ("withdrawn", "<withdrawn/>")] {
        let unclear = image("", element);
        let Err(ImportError::Refused(report)) = pdq(&unclear) else { panic!("{unclear}") };
        assert!(report.refused[0].reason.starts_with(&format!("the field {name} says ")), "{report:?}");
        assert_eq!(ignoring(&unclear, name).unwrap().0.entries.len(), 1);
    }
}
