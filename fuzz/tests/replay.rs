//! Every property on its seeds, on damaged copies of them, and on what once broke something.

use isonomy_fuzz::{Damage, PROPERTIES, seeds};
use std::collections::BTreeSet;
use std::path::Path;

/// How many damaged copies of each seed are tried. Pictures and imports take longer than the rest.
fn copies(property: &str) -> usize {
    if matches!(property, "picture" | "import") { 1000 } else { 10_000 }
}

#[test]
fn every_property_has_seeds_and_keeps_them() {
    let seeds = seeds();
    let named: BTreeSet<&str> = seeds.iter().map(|(property, _)| *property).collect();
    assert_eq!(named, PROPERTIES.iter().map(|(name, _)| *name).collect());
    for (property, bytes) in &seeds {
        isonomy_fuzz::check(property, bytes);
    }
}

#[test]
fn no_damage_breaks_a_property() {
    let seeds = seeds();
    for (name, check) in PROPERTIES {
        let own: Vec<Vec<u8>> =
            seeds.iter().filter(|(property, _)| *property == name).map(|(_, bytes)| bytes.clone()).collect();
        for seed in &own {
            Damage::of(seed, &own).take(copies(name)).for_each(|bytes| check(&bytes));
        }
    }
}

#[test]
fn what_once_broke_something_does_not_any_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for (name, check) in PROPERTIES {
        let Ok(files) = std::fs::read_dir(folder.join(name)) else { continue };
        for file in files {
            check(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn every_property_has_a_program_guided_by_coverage() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in PROPERTIES {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"src/{name}.rs\"\n")), "{name}");
        let program = std::fs::read_to_string(folder.join("src").join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("isonomy_fuzz::check(\"{name}\", bytes)")), "{name}");
    }
}
