//! Feeds in JSON and XML.

use super::*;

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
    let tagged = format!("{},4711,2026-01-01,disputed\n{},4712,2026-01-02,\n", hexes[0], hexes[1]);
    assert_eq!(pdq(&tagged).unwrap().1.disputed, 1);
}

#[test]
fn nobody_stands_behind_an_empty_list_of_descriptors() {
    let hexes = hexes(2);
    let update =
        |hex: &str, more: &str| format!("{{\"id\":\"{hex}\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\"{more}}}");
    for (more, problem) in [
        (",\"descriptors\":{\"data\":[]}", "nobody stands behind it"),
        (",\"descriptors\":[]", "not an object"),
        (",\"descriptors\":[{\"status\":\"NON_MALICIOUS\"}]", "not an object"),
        (",\"descriptors\":{\"data\":{}}", "not an object"),
    ] {
        let refused = pdq(&format!("[{}]", update(&hexes[0], more))).unwrap_err().to_string();
        assert!(refused.contains("descriptors") && refused.contains(problem), "{more}: {refused}");
    }
    for more in ["", ",\"descriptors\":null", ",\"descriptors\":{\"data\":[{}]}"] {
        assert_eq!(pdq(&format!("[{}]", update(&hexes[0], more))).unwrap().0.entries.len(), 1, "{more}");
    }
    // What is withdrawn needs nobody; and a word is one however it is written.
    let gone = update(&hexes[0], ",\"should_delete\":true,\"descriptors\":{\"data\":[]}");
    let harmless = update(&hexes[1], ",\"status\":\"Non-Malicious\"");
    let (imported, report) = pdq(&format!("[{gone},{harmless}]")).unwrap();
    assert_eq!((imported.entries.len(), report.withdrawals), (0, 2));
}

#[test]
fn who_stands_behind_records_is_judged_for_all_files_of_an_import() {
    let hexes = hexes(3);
    let update =
        |hex: &str, more: &str| format!("[{{\"id\":\"{hex}\",\"indicator\":\"{hex}\",\"type\":\"HASH_PDQ\"{more}}}]");
    let described = update(&hexes[0], ",\"descriptors\":{\"data\":[{}]}");
    let bare = [&hexes[1], &hexes[2]].map(|hex| update(hex, ""));
    let options = ImportOptions::new(Algorithm::PdqFull);
    let read = |files: &[&String]| {
        let mut importer = Importer::new(&options);
        let read = files.iter().try_for_each(|file| importer.read(file.as_bytes()).map(|_| ()));
        read.and_then(|()| importer.finish()).map(|imported| imported.entries.len())
    };
    let Err(ImportError::Refused(report)) = read(&[&described, &bare[0]]) else { panic!("nobody stands behind it") };
    assert_eq!((report.refused_records, report.refused[0].field), (1, "descriptors"));
    let earlier = read(&[&bare[0], &bare[1], &described]).unwrap_err();
    assert!(matches!(earlier, ImportError::Undescribed { .. }), "{earlier:?}");
    let earlier = earlier.to_string();
    assert!(earlier.contains("a record of a file that was read before has no descriptors"), "{earlier}");
    assert!(earlier.contains("with --skip-invalid, give the files with descriptors first"), "{earlier}");
    // Where nobody is named in any of them, they were got without that.
    assert_eq!(read(&[&bare[0], &bare[1]]).unwrap(), 2);
    assert_eq!(read(&[&described]).unwrap(), 1);
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
        // A flag that is a number, or a word.
        (format!("{{\"hashRecords\":[{hash}],\"hasMoreRecords\":1}}"), true),
        (format!("{{\"hashRecords\":[{hash}],\"hasMoreRecords\":0}}"), false),
        (format!("{{\"hasMoreRecords\":\"true\",\"hashRecords\":[{hash}]}}"), true),
        (format!("{{\"hasMoreRecords\":\"false\",\"hashRecords\":[{hash}]}}"), false),
        (format!("{{\"next\":[\"x\"],\"results\":[{digest}]}}"), true),
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

/// A record of StopNCII, with these cases, and what platforms found.
fn case(hash: &str, status: &str, cases: &str, feedbacks: &str) -> String {
    format!(
        r#"{{"hashRecords":[{{"lastModtimestamp":1625167804,"signalType":"ImagePDQ","hashValue":"{hash}","hashStatus":"{status}","caseNumbers":{cases},"CSPFeedbacks":{feedbacks}}}]}}"#
    )
}

#[test]
fn the_cases_of_a_hash_have_states_of_their_own() {
    let hexes = hexes(2);
    let [one, two] = [&hexes[0], &hexes[1]];
    let numbers = ["27664732-76e1-4a17-8099-455798e67022", two];
    let cases = |states: [&str; 2]| format!(r#"{{"{}":"{}","{}":"{}"}}"#, numbers[0], states[0], numbers[1], states[1]);
    // What counts is the state of the hash; a number is no hash, and no id, even if it looks like one.
    for (status, cases, entries, withdrawn) in [
        ("Active", cases(["Active", "Received"]), 1, 0),
        ("Active", cases(["Withdrawn", "Active"]), 1, 0),
        ("Received", cases(["Deleted", "Unknown"]), 1, 0),
        ("Withdrawn", cases(["Withdrawn", "Deleted"]), 0, 1),
        ("Deleted", cases(["Active", "Active"]), 0, 1),
        ("Active", "{}".to_owned(), 1, 0),
        ("Active", "[]".to_owned(), 1, 0),
        ("Active", "null".to_owned(), 1, 0),
    ] {
        let text = case(one, status, &cases, "[]");
        let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (imported.entries.len(), imported.withdrawn.len(), report.disputed),
            (entries, withdrawn, 0),
            "{text}"
        );
        let found = [imported.entries.as_bytes(), imported.withdrawn.as_bytes()].concat();
        assert_eq!((to_hex(&found), imported.unknown_ids, imported.ids.len()), (one.clone(), 0, 0), "{text}");
    }
    for cases in
        [cases(["Withdrawn", "Deleted"]), r#"{"7":"Withdrawn"}"#.to_owned(), "7".to_owned(), r#"["7"]"#.to_owned()]
    {
        let text = case(one, "Active", &cases, "[]");
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("{text}") };
        assert_eq!((report.refused_records, report.refused[0].field), (1, "caseNumbers"), "{text}");
    }
}

#[test]
fn what_a_platform_does_not_find_of_a_hash_of_stopncii_is_told() {
    let hash = &hexes(1)[0];
    for (said, disputed) in
        [("Blocked", 0), ("PendingReview", 0), ("None", 0), ("NotBlocked", 1), ("Withdrawn", 1), ("Deleted", 1)]
    {
        let feedbacks = format!(
            r#"[{{"source":"a","feedbackValue":"Blocked","tags":[]}},{{"source":"b","feedbackValue":"{said}"}}]"#
        );
        let (imported, report) = pdq(&case(hash, "Active", "{}", &feedbacks)).unwrap();
        assert_eq!((imported.entries.len(), report.disputed), (1, disputed), "{said}");
    }
    let gone = case(hash, "Withdrawn", "{}", r#"[{"feedbackValue":"Deleted"}]"#);
    assert_eq!(pdq(&gone).unwrap().1.disputed, 0);
}
