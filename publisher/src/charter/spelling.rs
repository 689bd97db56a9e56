//! Names of fields that no charter has, with the one that was meant.

use super::CharterError;
use super::template::{SECTIONS, Section};
use toml::{Table, Value};

/// How alike a name must be to one that there is, to be taken for it: 1 is the same.
const ALIKE: f64 = 0.7;

/// Refuses a file with a table or field that no charter has.
pub(super) fn check(file: &Table) -> Result<(), CharterError> {
    check_table("", file)
}

fn check_table(path: &str, table: &Table) -> Result<(), CharterError> {
    for (name, value) in table {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Table(table) if has_table(&inner) => check_table(&inner, table)?,
            _ if fields(path).any(|field| field == name) || has_table(&inner) => {}
            _ => return Err(CharterError::UnknownField { name: shown(path, name), hint: hint(path, name) }),
        }
    }
    Ok(())
}

/// Whether there is such a table, or tables within it.
fn has_table(path: &str) -> bool {
    let is_within = |section: &Section| section.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    SECTIONS.iter().any(|section| section.path == path || is_within(section))
}

fn fields(path: &str) -> impl Iterator<Item = &'static str> {
    let own = SECTIONS.iter().filter(move |section| section.path == path);
    own.flat_map(|section| section.fields).map(|field| field.name)
}

/// The names of tables directly within this one.
fn tables(path: &str) -> impl Iterator<Item = &'static str> {
    let within = move |section: &'static Section| {
        let rest =
            if path.is_empty() { Some(section.path) } else { section.path.strip_prefix(path)?.strip_prefix('.') };
        rest?.split('.').next().filter(|name| !name.is_empty())
    };
    SECTIONS.iter().filter_map(within)
}

/// What was meant: a name like it at the same place, or the same name at another.
fn hint(path: &str, name: &str) -> String {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let near = fields(path).chain(tables(path)).max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    if let Some(near) = near.filter(|near| likeness(near) >= ALIKE) {
        return format!("is {} meant?", shown(path, near));
    }
    let elsewhere = SECTIONS.iter().find(|section| section.fields.iter().any(|field| field.name == name));
    match elsewhere {
        Some(Section { path: "", .. }) => format!("{name} stands before the first table"),
        Some(section) => format!("{name} stands in [{}]", section.path),
        None => "`isonomy charter new --out FILE` writes all that there are, explained".to_owned(),
    }
}

fn shown(path: &str, name: &str) -> String {
    if path.is_empty() { format!("`{name}`") } else { format!("`{name}` in [{path}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &str) -> Option<String> {
        check(&file.parse().unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_misspelt_field_is_named_with_the_one_that_is_meant() {
        assert_eq!(said(&super::super::template()), None);
        for (file, name, meant) in [
            ("[limits]\nmax_entrys = 1", "`max_entrys` in [limits]", "is `max_entries` in [limits] meant?"),
            ("[limit]\nmax_entries = 1", "`limit`", "is `limits` meant?"),
            ("lst = \"x\"", "`lst`", "is `list` meant?"),
            ("[record.privcy]\ncontroller = 1", "`privcy` in [record]", "is `privacy` in [record] meant?"),
            ("[record.privacy]\ncontroler = 1", "`controler` in [record.privacy]", "`controller` in [record.privacy]"),
            ("[reach]\nmax_distance = 1", "`max_distance` in [reach]", "max_distance stands in [matching]"),
            ("[reach]\nlog = 1", "`log` in [reach]", "log stands before the first table"),
            ("nonsense = 1", "`nonsense`", "charter new"),
        ] {
            let said = said(file).unwrap();
            assert!(said.contains(name) && said.contains(meant), "{said}");
        }
    }
}
