//! The direction of dependencies, and what the crates without I/O may not touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each part imports of the others: the table of `docs/architecture.md`.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("hashing", &[]),
    ("core", &["hashing"]),
    ("store", &[]),
    ("verifier", &["core"]),
    ("matcher", &["core", "verifier"]),
    ("fetch", &["core"]),
    ("serve", &[]),
    ("client", &["core", "verifier", "matcher", "fetch", "store"]),
    ("match-server", &["core", "verifier", "matcher", "client", "serve"]),
    ("publisher", &["core", "verifier", "matcher", "fetch", "client", "store"]),
    ("monitor", &["core", "verifier", "matcher", "fetch", "client", "store", "serve"]),
    ("log-server", &["core", "fetch", "store", "serve"]),
    ("witness", &["core", "store", "serve"]),
    ("ffi", &["core", "verifier", "matcher", "fetch", "client"]),
    ("messenger", &["core", "verifier", "matcher", "client", "tests"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Each package of the workspace with the packages of the workspace that it depends on, tests aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let part = |name: &str| name.strip_prefix("isonomy-").map(str::to_owned);
    let packages = metadata["packages"].as_array().expect("packages");
    let entry = |package: &serde_json::Value| {
        let name = part(package["name"].as_str()?)?;
        let depends = package["dependencies"].as_array()?.iter().filter(|dependency| dependency["kind"].is_null());
        let depends = depends.filter_map(|dependency| part(dependency["name"].as_str()?)).collect();
        Some((name, depends))
    };
    packages.iter().filter_map(entry).collect()
}

#[test]
fn parts_import_only_what_the_architecture_allows() {
    let found = dependencies();
    for (name, allowed) in ALLOWED {
        let allowed: BTreeSet<String> = allowed.iter().map(|name| name.to_string()).collect();
        let imported = found.get(name).unwrap_or_else(|| panic!("no package isonomy-{name}"));
        let extra: Vec<_> = imported.difference(&allowed).collect();
        assert!(extra.is_empty(), "{name} must not import {extra:?}");
    }
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).chain(["tests", "fuzz"]).collect();
    let unknown: Vec<_> = found.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}: add the part to docs/architecture.md and to this test");
}

fn sources(part: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, files);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                files.push(entry);
            }
        }
    }
    let mut files = Vec::new();
    let folder = if part == "messenger" { root().join("examples").join(part) } else { root().join(part) };
    walk(&folder.join("src"), &mut files);
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("text"))).collect()
}

#[test]
fn the_parts_without_input_and_output_read_no_clock_file_or_network() {
    let forbidden = ["std::fs", "std::net", "std::process", "std::env", "SystemTime", "Instant", "tokio", "reqwest"];
    for part in ["hashing", "core", "verifier", "matcher"] {
        for (path, text) in sources(part) {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in forbidden {
                let used = code.lines().any(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert!(!used, "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_where_trust_is_decided() {
    for part in ["core", "verifier"] {
        let lib = std::fs::read_to_string(root().join(part).join("src/lib.rs")).expect("lib.rs");
        assert!(lib.contains("#![forbid(unsafe_code)]"), "{part}");
    }
}

#[test]
fn the_matcher_confines_unsafe_code_to_the_module_that_knows_the_machine() {
    for (path, text) in sources("matcher") {
        let confined = path.parent().is_some_and(|folder| folder.ends_with("machine"));
        assert!(confined || !text.contains("allow(unsafe_code)"), "{}", path.display());
    }
    let lib = std::fs::read_to_string(root().join("matcher/src/lib.rs")).expect("lib.rs");
    assert!(lib.contains("#![deny(unsafe_code)]"));
}

#[test]
fn the_interface_to_c_confines_unsafe_code_to_its_boundary() {
    for (path, text) in sources("ffi") {
        let confined = path.ends_with("boundary.rs");
        let has_unsafe = text.lines().any(|line| line.contains("unsafe") && !line.trim_start().starts_with("//"));
        assert_eq!(has_unsafe, confined, "{}", path.display());
    }
}

#[test]
fn sled_is_used_by_the_store_alone_and_signatures_are_verified_strictly() {
    for (part, _) in ALLOWED {
        for (path, text) in sources(part) {
            let shown = path.display();
            assert!(part == "store" || !text.contains("sled::"), "{shown} uses sled directly");
            assert!(!text.contains("verify_batch"), "{shown}: verify_batch accepts forgeries under weak keys");
            let dalek = part == "core" && path.ends_with("note.rs");
            assert!(dalek || !text.contains("ed25519_dalek"), "{shown} uses ed25519-dalek directly");
        }
    }
}
