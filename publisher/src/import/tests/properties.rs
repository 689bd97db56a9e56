//! Of any file: selections, counts, and that neither order nor repetition matters.

use super::*;
use proptest::prelude::*;

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
        let fields = [hexes[0].as_str(), hexes[1].as_str(), hexes[2].as_str(), "#see x", "see x", ""];
        let start = if header { "pdq,file".to_owned() } else { format!("{},meta", hexes[0]) };
        let lines = rows.iter().map(|(one, other)| format!("{},{}", fields[*one], fields[*other]));
        let text = std::iter::once(start).chain(lines).map(|line| line + end).collect::<String>();
        let ignored = vec!["2".to_owned()];
        let options = ImportOptions { invalid: Invalid::Skip, ignored, ..ImportOptions::new(Algorithm::PdqFull) };
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
