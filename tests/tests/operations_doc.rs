//! Holds docs/operations.md and docs/c2sp.md against the code: every message that it explains is one that a server can show.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// All code of these parts, without line breaks inside of literals.
fn sources(parts: &[&str]) -> String {
    fn walk(folder: &Path, text: &mut String) {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                walk(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    let mut text = String::new();
    parts.iter().for_each(|part| walk(&root().join(part).join("src"), &mut text));
    let lines = text.lines().map(|line| line.trim_start().trim_end_matches('\\'));
    lines.collect::<Vec<_>>().join("\n").replace("\n", "")
}

/// The messages in the first column of the tables of a section.
fn messages(document: &str, section: &str) -> Vec<String> {
    let start = document.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let rest = &document[start + 4..];
    let section = rest.split("\n## ").next().expect("text");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let column = rows.filter_map(|row| row.split(" | ").next());
    column.flat_map(|column| column.split('`').step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_message_that_is_explained_can_be_shown() {
    let document = std::fs::read_to_string(root().join("docs/operations.md")).expect("the document");
    for (section, parts, least) in [
        ("Messages of the log", &["log-server", "store", "serve", "cli"][..], 20),
        ("Messages of the witness", &["witness", "store", "serve"][..], 10),
    ] {
        let (code, messages) = (sources(parts), messages(&document, section));
        assert!(messages.len() >= least, "{section}: {messages:?}");
        for message in messages {
            for fragment in message.split('…').map(str::trim).filter(|fragment| fragment.len() > 5) {
                assert!(code.contains(fragment), "no message of {parts:?} has {fragment:?}");
            }
        }
    }
}

/// Literals of warnings, errors and refusals of a part, its tests and these files left out: their words are in answers, or part of
/// other messages, or of commands that are no server.
fn shown(part: &str, left_out: &[&str]) -> Vec<String> {
    fn walk(folder: &Path, left_out: &[&str], found: &mut Vec<String>) {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            if left_out.contains(&name) || ["tests.rs", "faults.rs", "faults", "testing.rs"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                walk(&path, left_out, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("text");
            let text = text.split("#[cfg(test)]\nmod tests {").next().expect("text");
            for opening in ["tracing::error!(", "tracing::warn!(", "#[error("] {
                found.extend(text.split(opening).skip(1).filter_map(literal));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(part).join("src"), left_out, &mut found);
    found
}

/// The message of a call: its first literal that is no mere separator. `None` if it has none before it ends.
fn literal(call: &str) -> Option<String> {
    let (before, rest) = call.split_once('"')?;
    if before.contains(';') || before.contains("transparent") {
        return None;
    }
    let (mut text, mut escaped) = (String::new(), false);
    for letter in rest.chars() {
        match (escaped, letter) {
            (true, '\n') => text.push('\n'), // goes on below
            (true, letter) => text.push(letter),
            (false, '"') => break,
            (false, '\\') => {}
            (false, letter) => text.push(letter),
        }
        escaped = !escaped && letter == '\\';
    }
    let lines = text.split('\n').enumerate();
    let joined: String = lines.map(|(at, line)| if at == 0 { line } else { line.trim_start() }).collect();
    // What is only a place for other words has been said there.
    joined.split(['{', '}']).step_by(2).any(|words| words.len() > 12).then_some(joined)
}

#[test]
fn every_message_that_can_be_shown_is_explained() {
    let document = std::fs::read_to_string(root().join("docs/operations.md")).expect("the document");
    for (section, parts, left_out, least) in [
        (
            "Messages of the log",
            &["log-server", "store", "serve"][..],
            &["refusal.rs", "fsck", "collect.rs", "appender.rs", "content.rs"][..],
            60,
        ),
        ("Messages of the witness", &["witness", "store", "serve"][..], &["decide.rs", "record.rs"][..], 20),
    ] {
        let rows = messages(&document, section);
        let explains = |row: &String, message: &str| {
            let fragments: Vec<&str> = row.split('…').map(str::trim).filter(|fragment| fragment.len() > 5).collect();
            fragments.iter().map(|fragment| fragment.len()).sum::<usize>() > 9
                && fragments.iter().all(|fragment| message.contains(fragment))
        };
        let shown: Vec<String> = parts.iter().flat_map(|part| shown(part, left_out)).collect();
        assert!(shown.len() >= least, "{section}: {}", shown.len());
        let strange: Vec<_> = shown.iter().filter(|message| !rows.iter().any(|row| explains(row, message))).collect();
        assert!(strange.is_empty(), "{section} does not explain {strange:#?}");
    }
}

#[test]
fn every_metric_that_is_named_exists() {
    let document = std::fs::read_to_string(root().join("docs/operations.md")).expect("the document");
    let code = sources(&["log-server", "witness", "serve", "match-server"]);
    let names = document.split('`').skip(1).step_by(2).filter_map(|text| text.strip_prefix("isonomy_"));
    let mut count = 0;
    for name in names.filter(|name| !name.contains(' ')) {
        let name = name.split('{').next().expect("a name");
        let parts = ["http_", "witness_", "match_list_", "match_"];
        let of_part = parts.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        let bare = of_part.strip_suffix("_total").unwrap_or(of_part);
        let exists = [name, of_part, bare].iter().any(|name| code.contains(&format!("\"{name}\"")));
        assert!(exists, "no metric isonomy_{name}");
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn every_test_that_docs_c2sp_names_exists() {
    let document = std::fs::read_to_string(root().join("docs/c2sp.md")).expect("the document");
    let mut code = sources(&["core", "fetch", "log-server", "witness", "serve"]);
    for folder in ["fetch/tests/all", "log-server/tests/server", "log-server/tests/fsck"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            code.push_str(&std::fs::read_to_string(entry.expect("an entry").path()).expect("text"));
        }
    }
    let is_name = |text: &&str| {
        text.contains('_') && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: Vec<&str> = document.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "no test {name}");
    }
}

#[test]
fn units_and_container_run_commands_that_exist() {
    for (file, command) in [
        ("deploy/isonomy-log.service", "log serve --config"),
        ("deploy/isonomy-witness.service", "witness serve --config"),
        ("deploy/isonomy-monitor.service", "monitor serve --config"),
        ("deploy/isonomy-match.service", "match serve --listen"),
        ("deploy/Containerfile", "log serve --config"),
    ] {
        let text = std::fs::read_to_string(root().join(file)).expect("a file");
        assert!(text.contains(command), "{file}");
    }
}
