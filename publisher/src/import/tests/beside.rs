//! What stands beside a hash, or within its line: nothing of it is passed over, and what is honest is not refused.

use super::*;

/// Why the records of a file are refused.
fn reasons(text: &str) -> Vec<String> {
    match pdq(text) {
        Err(ImportError::Refused(report)) => report.refused.into_iter().map(|refused| refused.reason).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

/// Why a file is not imported.
fn stopped(text: &str) -> String {
    pdq(text).map(|_| panic!("taken: {text}")).unwrap_or_else(|error| error.to_string())
}

fn taken(text: &str) -> usize {
    pdq(text).unwrap_or_else(|error| panic!("{text}: {error}")).0.entries.len()
}

fn ignoring(text: &str, name: &str) -> usize {
    let options = ImportOptions { ignored: vec![name.to_owned()], ..options() };
    import(text.as_bytes(), &options).unwrap_or_else(|error| panic!("{text}: {error}")).0.entries.len()
}

/// Sums with these texts in turn, on so many lines.
fn sums(count: u64, said: &[&str]) -> String {
    hexes(count).into_iter().zip(said.iter().cycle()).map(|(hash, said)| format!("{hash}  {said}\n")).collect()
}

#[test]
fn what_stands_behind_the_name_of_a_file_is_heard() {
    for said in [
        "./f0.jpg WITHDRAWN",
        "./f1.jpg (withdrawn 2026-10-01)",
        "f1.jpg withdrawn 12/03/2026",
        "f1.jpg withdrawn, see /cases/7",
        "f2.jpg withdrawn, see ticket.no4",
        "f3.jpg,withdrawn",
        "withdrawn by victim@example.org",
        "withdrawn@example.org",
        "withdrawn, see https://example.org/cases/7",
        "withdrawn 12/03/2026",
        "a/b/IMG withdrawn by person",
        "./f4.mp4 false positive.",
        "C:\\pictures\\f5.png - removed",
        "f6.JPG not malicious",
    ] {
        let text = sums(2, &["a.jpg", said]);
        let reasons = reasons(&text);
        assert!(reasons.len() == 1 && reasons[0].contains("--ignore-column name"), "{said}: {reasons:?}");
        assert_eq!(ignoring(&text, "name"), 2, "{said}");
    }
    for name in [
        "removed/img 7",
        "deleted scene.jpg",
        "IMG 7 deleted.jpg",
        "./deleted.xyz",
        "./withdrawn",
        "2025/12/img 7",
        "removed files/a.tar.gz",
        "backup.zip/removed/img 7",
        "f1.jpg (copy)",
        "https://example.org/removed/img_7.jpg",
    ] {
        assert_eq!(taken(&sums(1, &[name])), 1, "{name}");
    }
    // Brackets say where a name ends.
    let tagged = "SHA256 (deleted scene) = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    let (imported, _) = import(tagged.as_bytes(), &ImportOptions::new(Algorithm::Sha256)).unwrap();
    assert_eq!(imported.entries.len(), 1);
}

#[test]
fn few_words_that_come_again_are_no_names_of_files() {
    for said in [
        &["aktiv", "aktiv", "gelöscht"][..],
        &["live", "live", "retired"],
        &["retired"],
        &["in Prüfung", "nicht mehr gültig"],
        &["aktiv", "offen", "geprüft", "beanstandet", "gelöscht", "abgelaufen"],
        &["A", "D"],
    ] {
        let text = sums(60, said);
        let why = stopped(&text);
        assert!(why.contains(said[0]) && why.contains("--ignore-column 'name'"), "{why}");
        assert_eq!(ignoring(&text, "name"), 60);
    }
    let many: Vec<String> = (0..60).map(|number| format!("scene {number}")).collect();
    for said in [&["image.jpg", "thumb.jpg"][..], &["-"], &many.iter().map(String::as_str).collect::<Vec<_>>()] {
        let (imported, report) = pdq(&sums(60, said)).unwrap();
        assert_eq!((imported.entries.len(), report.unread.len()), (60, 0), "{said:?}");
    }
    assert_eq!(taken(&sums(2, &["README", "LICENSE"])), 2);
}

/// A table of twelve rows, each with a value of these in turn.
fn table(name: &str, values: &[&str]) -> String {
    let rows = hexes(12).into_iter().zip(values.iter().cycle()).map(|(hash, value)| format!("{hash},{value}\n"));
    format!("hash,{name}\n{}", rows.collect::<String>())
}

#[test]
fn the_state_of_something_else_confirms_no_hash() {
    for name in [
        "erasure_status",
        "opt_out_status",
        "false match status",
        "dispute_resolution_status",
        "quarantine_status",
        "correction_status",
        "status of the request",
    ] {
        for word in ["confirmed", "active", "valid", "received", "new", "unknown"] {
            let text = table(name, &[word, "", ""]);
            let reasons = reasons(&text);
            assert!(reasons.len() == 4 && reasons[0].contains("--ignore-column"), "{name}: {reasons:?}");
            assert!(!reasons[0].contains("write active"), "{reasons:?}");
            assert_eq!(ignoring(&text, name), 12);
        }
        assert_eq!(pdq(&table(name, &["withdrawn", "", ""])).unwrap().1.withdrawals, 4, "{name}");
    }
    for name in
        ["status", "Hash Status", "current_status", "review_status", "verification status", "sha256_hash_status"]
    {
        assert_eq!(taken(&table(name, &["confirmed", "active", "unknown"])), 12, "{name}");
    }
}

/// An update of ThreatExchange that has these fields and descriptors.
fn update(more: &str, descriptors: &[&str]) -> String {
    let (hash, descriptors) = (&hexes(1)[0], descriptors.join(","));
    format!(
        r#"{{"data":[{{"id":"1","indicator":"{hash}","type":"HASH_PDQ","should_delete":false{more},"descriptors":{{"data":[{descriptors}]}}}}]}}"#
    )
}

#[test]
fn who_does_not_stand_behind_a_hash_any_more_has_no_voice() {
    let (harmful, harmless) = (r#"{"status":"MALICIOUS"}"#, r#"{"status":"NON_MALICIOUS"}"#);
    let expired = r#"{"status":"MALICIOUS","expired_on":"2021-01-01T00:00:00+0000"}"#;
    let revoked = r#"{"status":"UNKNOWN","revoked":true}"#;
    let later = r#"{"status":"MALICIOUS","expired_on":"2027-01-01T00:00:00+0000"}"#;
    let own = r#","status":"NON_MALICIOUS""#;
    for (more, descriptors, expected) in [
        ("", &[expired, harmless][..], (0, 1, 0)),
        ("", &[revoked, harmless, expired], (0, 1, 0)),
        ("", &[expired, revoked], (0, 1, 0)),
        ("", &[expired, harmless, harmful], (1, 0, 1)),
        ("", &[later, harmless], (1, 0, 1)),
        (own, &[expired], (0, 1, 0)),
        (own, &[harmful], (1, 0, 1)),
        (own, &[harmful, expired], (1, 0, 1)),
        // What the record itself calls gone is gone, whatever its descriptors say.
        (r#","status":"DELETED""#, &[harmful], (0, 1, 0)),
        (r#","status":"EXPIRED""#, &[r#"{"status":"UNKNOWN"}"#], (0, 1, 0)),
        (r#","status":"withdrawn""#, &[harmful, harmful], (0, 1, 0)),
    ] {
        let text = update(more, descriptors);
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((imported.entries.len(), imported.withdrawn.len(), report.disputed), expected, "{text}");
    }
}

#[test]
fn lines_that_end_otherwise_are_not_one() {
    let hexes = hexes(3);
    let zeros: String = hexes.iter().map(|hash| format!("{hash}  {hash:.4}.jpg\0")).collect();
    let returns: String = hexes.iter().map(|hash| format!("hash={hash},quality=100,filename=a.jpg\r")).collect();
    let comment = format!("{}\n# a comment\r{}\r{}\n", hexes[0], hexes[1], hexes[2]);
    for (text, end) in [(zeros, "byte of zero"), (returns, "carriage return alone"), (comment, "carriage return alone")]
    {
        let reasons = reasons(&text);
        assert!(reasons.len() == 1 && reasons[0].contains(end) && reasons[0].contains("line feeds"), "{reasons:?}");
    }
    let long: String = hexes.iter().cycle().take(3000).map(|hash| format!("{hash}  a.jpg\0")).collect();
    assert!(reasons(&long)[0].contains("byte of zero"));
    let windows: String = hexes.iter().map(|hash| format!("{hash}\r\n")).collect();
    assert_eq!(taken(&windows), 3);
}

#[test]
fn what_an_open_quotation_mark_takes_up_is_counted_and_its_place_named() {
    let rows = |hashes: &[String]| -> String { hashes.iter().map(|hash| format!("{hash},a\n")).collect() };
    let hexes = hexes(20_000);
    let text = format!("hash,note\n{}{},\"12 inch\n{}", rows(&hexes[..9]), hexes[9], rows(&hexes[10..5000]));
    let reasons = reasons(&text);
    assert!(reasons[0].starts_with("it holds 4991 hashes, in the lines 11 to 5002: "), "{reasons:?}");
    let text = format!("hash,note\n{}{},\"12 inch\n{}", rows(&hexes[..9]), hexes[9], rows(&hexes[10..]));
    let why = stopped(&text);
    assert!(why.contains("line 11 is larger than 1048576") && why.contains("quotation mark is not closed"), "{why}");
}

#[test]
fn a_field_of_several_lines_may_hold_digests() {
    let hexes = hexes(3);
    let note = format!("seen, by a\nmd5: {0:.32}\n{0:.32} is its digest, too\nend", hexes[2]);
    assert_eq!(taken(&format!("hash,note\n{},\"{note}\"\n{},see b\n", hexes[0], hexes[1])), 2);
    // Like a row of a table, until somebody looked.
    let listed = format!("hash,note\n{},\"md5,{:.32}\nend\"\n{},see b\n", hexes[0], hexes[2], hexes[1]);
    assert!(reasons(&listed)[0].contains("--ignore-column"));
    assert_eq!(ignoring(&listed, "note"), 2);
    // What is to be ignored hides no rows of this table.
    let open = format!("hash,note\n{},\"oops\n{},\"b\n{},c\n", hexes[0], hexes[1], hexes[2]);
    let ignoring = ImportOptions { ignored: vec!["note".to_owned()], ..options() };
    let Err(ImportError::Refused(report)) = import(open.as_bytes(), &ignoring) else { panic!("{open}") };
    assert!(report.refused[0].reason.contains("quotation mark"), "{report:?}");
}

#[test]
fn few_ids_that_come_again_may_be_those_of_states() {
    for name in ["state_id", "lifecycle_id", "replaced_by_id", "verdictId", "Stage ID"] {
        for values in [&["1", "3", "1"][..], &["0", "1", "1"], &["", "17", "17"], &["ab", "cd"]] {
            let text = table(name, values);
            assert!(stopped(&text).contains(&format!("--ignore-column '{name}'")), "{name}");
            assert_eq!(ignoring(&text, name), 12);
        }
    }
    let many: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (name, values) in [
        ("owner_id", &["1", "2"][..]),
        ("memberId", &["7"]),
        ("case id", &["1", "1", "2"]),
        ("state_id", &many),
        ("id", &["1"]),
    ] {
        assert_eq!(taken(&table(name, values)), 12, "{name}");
    }
    assert_eq!(taken(&format!("hash,image_id\n{},1\n{},2\n", hexes(2)[0], hexes(2)[1])), 2);
}

/// A record of StopNCII with these fields, in a document with those.
fn stop(more: &str, beside: &str) -> String {
    let hash = &hexes(1)[0];
    format!(
        r#"{{{beside}"hashRecords":[{{"signalType":"ImagePDQ","hashValue":"{hash}","hashStatus":"Active"{more}}}]}}"#
    )
}

/// A picture of NCMEC with this in it, in a list with these attributes.
fn image(attributes: &str, more: &str) -> String {
    let fingerprint = format!("<fingerprints><pdq>{}</pdq></fingerprints>", hexes(1)[0]);
    format!(
        "<queryResult><images{attributes}><image><member id=\"1\">Removed</member><id>a</id>{fingerprint}{more}</image></images></queryResult>"
    )
}

#[test]
fn a_word_of_leaving_in_any_field_of_a_feed_is_heard() {
    let descriptor = r#"{"status":"MALICIOUS","description":"deleted"}"#;
    for (text, name) in [
        (stop(r#","note":"withdrawn""#, ""), "note"),
        (stop(r#","meta":{"lifecycle":["Retracted"]}"#, ""), "meta"),
        (update("", &[descriptor]), "description"),
        (update(r#","meta":{"withdrawn":true}"#, &[r#"{"status":"MALICIOUS"}"#]), "meta"),
        (stop(r#","meta":[{"deleted_at":"2026-01-01"}]"#, ""), "meta"),
        (stop(r#","meta":{"deleted":"2026-01-01"}"#, ""), "meta"),
        (stop(r#","meta":{"withdrawn":"by victim"}"#, ""), "meta"),
        (stop(r#","meta":{"deleted":{"by":"x","at":"2026-01-01"}}"#, ""), "meta"),
        (stop(r#","meta":{"status":"revoked by owner"}"#, ""), "meta"),
        (stop(r#","meta":{"disputed":true}"#, ""), "meta"),
        (stop(r#","note":"disputed""#, ""), "note"),
        (stop(r#","note":"harmless""#, ""), "note"),
        (image("", "<note>withdrawn</note>"), "note"),
        (image("", "<review value=\"withdrawn\"/>"), "value"),
    ] {
        let reasons = reasons(&text);
        assert!(
            reasons[0].starts_with(&format!("{name:?} has a word that says that something is gone")),
            "{reasons:?}"
        );
        assert_eq!(ignoring(&text, name), 1);
    }
    for text in [
        stop(r#","meta":{"withdrawn":false,"deleted_at":null,"status":"ready"}"#, ""),
        stop(r#","name":"removed","note":"was withdrawn once, and came again""#, ""),
        image("", "<feedback><affirmativeFeedback><reason name=\"Expired\"/></affirmativeFeedback></feedback>"),
        update("", &[r#"{"status":"MALICIOUS","owner":{"name":"removed"}}"#]),
    ] {
        assert_eq!(taken(&text), 1, "{text}");
    }
    // What is said of the whole is not read, so it stops the import.
    for beside in [
        r#""withdrawnRecords":[{"hashValue":"a"}],"#,
        r#""status":"withdrawn","#,
        r#""status":"withdrawn by request","#,
        r#""deleted":true,"#,
        r#""deleted":"2026-01-01","#,
        r#""meta":{"status":"withdrawn"},"#,
    ] {
        let why = stopped(&stop("", beside));
        assert!(why.contains("beside `hashRecords` may say what is gone"), "{why}");
    }
    assert_eq!(ignoring(&stop("", r#""withdrawnRecords":[7],"#), "/withdrawnrecords"), 1);
    // One name is for what stands beside the records, another for a field in them.
    let envelope = r#""status":{"code":200},"#;
    assert_eq!(ignoring(&stop("", envelope), "/status"), 1);
    assert_eq!(ignoring(&stop(r#","status":"withdrawn""#, envelope), "/status"), 0);
    for beside in ["", r#""withdrawnRecords":[],"#, r#""status":"success","deleted":false,"count":1,"#] {
        assert_eq!(taken(&stop("", beside)), 1, "{beside}");
    }
    let commented = image("", "").replace("<image>", "<!-- withdrawn --><image>");
    assert!(stopped(&commented).contains("--ignore-column '#'"));
    assert_eq!(ignoring(&commented, "#"), 1);
    let why = stopped(&image(" deleted=\"true\"", ""));
    assert!(why.contains("the attribute deleted may say that all records"), "{why}");
    assert_eq!(ignoring(&image(" deleted=\"true\"", ""), "deleted"), 1);
    assert_eq!(taken(&image(" status=\"success\" operation=\"query\" state=\"complete\"", "")), 1);
    assert_eq!(taken(&image(" count=\"1\" maxTimestamp=\"x\" deleted=\"false\"", "")), 1);
}

#[test]
fn what_a_platform_says_that_is_not_known_can_be_passed_over() {
    let text = stop(r#","CSPFeedbacks":[{"feedbackValue":"UnderReview"}]"#, "");
    assert!(reasons(&text)[0].contains("--ignore-column CSPFeedbacks"));
    assert_eq!(ignoring(&text, "CSPFeedbacks"), 1);
}

#[test]
fn a_time_that_never_comes_ends_nothing() {
    for end in ["253402300799", r#""9999-12-31T23:59:59+0000""#, r#""9999-12-31""#] {
        for field in ["expire_time", "expired_on"] {
            let descriptor = format!(r#"{{"status":"MALICIOUS","{field}":{end}}}"#);
            assert_eq!(taken(&update("", &[&descriptor])), 1, "{descriptor}");
        }
    }
    assert!(reasons(&update("", &[r#"{"status":"MALICIOUS","expire_time":1700000000000}"#])).len() == 1);
}

#[test]
fn a_comment_may_be_a_heading_of_what_is_gone() {
    let hexes = hexes(2);
    let skip = ImportOptions { invalid: Invalid::Skip, ..options() };
    for comment in [
        "# withdrawn",
        "## Removed hashes:",
        "#not active",
        "# the following were withdrawn by request",
        "# withdrawals",
        "# false positives",
        "# no longer valid",
        "# disputed",
        "[withdrawn]",
        "Removals:",
    ] {
        for text in [
            format!("{}\n{comment}\n{}\n", hexes[0], hexes[1]),
            format!("hash,note\n{},see a\n{comment}\n{},see b\n", hexes[0], hexes[1]),
        ] {
            // To leave the comment out would list what stands behind it.
            for error in [stopped(&text), import(text.as_bytes(), &skip).unwrap_err().to_string()] {
                assert!(error.contains("--ignore-column '#'") && error.contains("line "), "{text}: {error}");
            }
            if comment.starts_with('#') {
                assert_eq!(ignoring(&text, "#"), 2, "{text}");
            }
        }
    }
    for comment in ["# active", "# what came since the last export", &format!("# withdrawn {}", hexes[1])] {
        assert_eq!(taken(&format!("{}\n{comment}\n", hexes[0])), 1, "{comment}");
    }
}

#[test]
fn a_file_may_be_named_by_another_hash() {
    let text = sums(1, &[&hexes(2)[0]]);
    assert!(reasons(&text)[0].contains("several hashes") && reasons(&text)[0].contains("--ignore-column name"));
    assert_eq!(ignoring(&text, "name"), 1);
}

#[test]
fn what_stands_behind_the_name_in_a_line_of_pdq_is_heard() {
    let hash = &hexes(1)[0];
    for name in ["a.jpg WITHDRAWN", "b.jpg,deleted=1", "c.png (removed)"] {
        let text = format!("hash={hash},norm=0,delta=1,quality=100,filename={name}\n");
        assert!(reasons(&text)[0].contains("--ignore-column filename"), "{name}");
        assert_eq!(ignoring(&text, "filename"), 1);
    }
    for name in ["removed/a.jpg", "a deleted scene.jpg", "withdrawn"] {
        assert_eq!(taken(&format!("hash={hash},norm=0,delta=1,quality=100,filename={name}\n")), 1, "{name}");
    }
}
