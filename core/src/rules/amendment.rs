//! Rule 4, first half: does an edition narrow another one, or widen it?
//!
//! It *narrows* if it differs only by removing a surface, jurisdiction, report recipient, curator or maintainer key; by
//! adding an exclusion; by lowering action, distance, entry and addition limits, validity or removal deadline; by raising
//! quality floor, threshold, minimum jurisdictions, interval, notice or visibility; or by changing contact or record.
//! **Anything else widens**: a field that nobody thought of here is one that needs notice. Contact and record are told apart in
//! words, since what they say binds nobody's use: they neither narrow nor widen what is possible.

use crate::charter::{Charter, RECORD_QUESTIONS, Record};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::Value;

/// In which direction a field changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less becomes possible.
    Narrows,
    /// What is possible stays the same: contact and record, which may change freely.
    Neither,
    /// More becomes possible, or it can't be told: needs notice.
    Widens,
}

/// One difference between two editions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The field, as a path.
    pub field: &'static str,
    /// In words, from what to what.
    pub words: String,
    /// Whether it widens.
    pub direction: Direction,
}

/// Every difference between `old` and `new`, in the order of the fields.
pub fn compare(old: &Charter, new: &Charter) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    changes.other("statement", &old.statement, &new.statement);
    changes.other("list", &old.list, &new.list);
    changes.other("log", &old.log, &new.log);
    maintainer(&mut changes, old, new);
    purpose(&mut changes, old, new);
    changes.only_fewer("reach.jurisdictions", &old.reach.jurisdictions, &new.reach.jurisdictions);
    changes.only_fewer("reach.surfaces", &old.reach.surfaces, &new.reach.surfaces);
    matching(&mut changes, old, new);
    curation(&mut changes, old, new);
    limits(&mut changes, old, new);
    changes.other("redress.complaints", &old.redress.complaints, &new.redress.complaints);
    changes.only_lower("redress.removal_deadline", &old.redress.removal_deadline, &new.redress.removal_deadline);
    record(&mut changes, &old.record, &new.record);
    changes.0
}

/// Whether `new` narrows `old`: no difference widens.
pub fn narrows(old: &Charter, new: &Charter) -> bool {
    compare(old, new).iter().all(|change| change.direction != Direction::Widens)
}

/// What `new` widens against `old`, in words; empty if it narrows.
pub fn widenings(old: &Charter, new: &Charter) -> Vec<String> {
    let changes = compare(old, new).into_iter();
    changes.filter(|change| change.direction == Direction::Widens).map(|change| change.words).collect()
}

fn maintainer(changes: &mut Changes, old: &Charter, new: &Charter) {
    let (old, new) = (&old.maintainer, &new.maintainer);
    changes.other("maintainer.name", &old.name, &new.name);
    changes.other("maintainer.jurisdiction", &old.jurisdiction, &new.jurisdiction);
    changes.free("maintainer.contact", "maintainer.contact", Some(&old.contact), Some(&new.contact));
    changes.only_fewer("maintainer.keys", &old.keys, &new.keys);
}

fn purpose(changes: &mut Changes, old: &Charter, new: &Charter) {
    let (old, new) = (&old.purpose, &new.purpose);
    changes.other("purpose.code", &old.code, &new.code);
    changes.other("purpose.aim", &old.aim, &new.aim);
    changes.other("purpose.definition", &old.definition, &new.definition);
    changes.other("purpose.victims", &old.victims, &new.victims);
    changes.other("purpose.self_generated", &old.self_generated, &new.self_generated);
    changes.other("purpose.statutes", &old.statutes, &new.statutes);
    changes.only_more("purpose.exclusions", &old.exclusions, &new.exclusions);
}

fn matching(changes: &mut Changes, old: &Charter, new: &Charter) {
    changes.other("matching.algorithm", &old.matching.algorithm, &new.matching.algorithm);
    changes.only_lower("matching.max_distance", &old.matching.max_distance, &new.matching.max_distance);
    changes.only_higher("matching.min_quality", &old.matching.min_quality, &new.matching.min_quality);
    changes.only_lower("action.most", &old.action.most, &new.action.most);
    changes.only_fewer("action.recipients", &old.action.recipients, &new.action.recipients);
}

fn curation(changes: &mut Changes, old: &Charter, new: &Charter) {
    let (old, new) = (&old.curation, &new.curation);
    changes.only_higher("curation.threshold", &old.threshold, &new.threshold);
    changes.only_higher("curation.min_jurisdictions", &old.min_jurisdictions, &new.min_jurisdictions);
    changes.only_fewer("curation.curators", &old.curators, &new.curators);
}

fn limits(changes: &mut Changes, old: &Charter, new: &Charter) {
    let (old, new) = (&old.limits, &new.limits);
    changes.only_lower("limits.max_entries", &old.max_entries, &new.max_entries);
    changes.only_lower("limits.max_added", &old.max_added, &new.max_added);
    changes.only_higher("limits.min_interval", &old.min_interval, &new.min_interval);
    changes.only_lower("limits.validity", &old.validity, &new.validity);
    changes.only_higher("limits.min_visibility", &old.min_visibility, &new.min_visibility);
    changes.only_higher("limits.notice", &old.notice, &new.notice);
}

/// A line for each field of the record that differs.
fn record(changes: &mut Changes, old: &Record, new: &Record) {
    let [before, after] = [old, new].map(|record| serde_json::to_value(record).unwrap_or_default());
    for (part, name, _) in RECORD_QUESTIONS {
        let field = |of: &Value| of.get(part).and_then(|part| part.get(name)).cloned();
        changes.free("record", &format!("record.{part}.{name}"), field(&before).as_ref(), field(&after).as_ref());
    }
}

struct Changes(Vec<Change>);

impl Changes {
    fn push(&mut self, field: &'static str, words: String, narrows: bool) {
        let direction = if narrows { Direction::Narrows } else { Direction::Widens };
        self.0.push(Change { field, words, direction });
    }

    /// A field of which every change widens.
    fn other<T: PartialEq + serde::Serialize>(&mut self, field: &'static str, old: &T, new: &T) {
        if old != new {
            self.push(field, format!("{field} from {} to {}", shown(old), shown(new)), false);
        }
    }

    /// What may change freely, come and go.
    fn free<T: PartialEq + serde::Serialize>(
        &mut self,
        field: &'static str,
        path: &str,
        old: Option<&T>,
        new: Option<&T>,
    ) {
        let words = match (old, new) {
            (Some(old), Some(new)) if old != new => format!("{path} from {} to {}", shown(old), shown(new)),
            (None, Some(new)) => format!("{path}: added: {}", shown(new)),
            (Some(old), None) => format!("{path}: removed: {}", shown(old)),
            _ => return,
        };
        self.0.push(Change { field, words, direction: Direction::Neither });
    }

    fn only_lower<T: Ord + serde::Serialize>(&mut self, field: &'static str, old: &T, new: &T) {
        if old != new {
            self.push(field, format!("{field} from {} to {}", shown(old), shown(new)), new < old);
        }
    }

    fn only_higher<T: Ord + serde::Serialize>(&mut self, field: &'static str, old: &T, new: &T) {
        if old != new {
            self.push(field, format!("{field} from {} to {}", shown(old), shown(new)), new > old);
        }
    }

    /// A list of which items may go; what remains keeps its order.
    fn only_fewer<T: PartialEq + serde::Serialize>(&mut self, field: &'static str, old: &[T], new: &[T]) {
        if old != new {
            self.push(field, difference(field, old, new), is_subsequence(new, old));
        }
    }

    /// A list to which items may come; what was there keeps its order.
    fn only_more<T: PartialEq + serde::Serialize>(&mut self, field: &'static str, old: &[T], new: &[T]) {
        if old != new {
            self.push(field, difference(field, old, new), is_subsequence(old, new));
        }
    }
}

fn is_subsequence<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|item| rest.any(|candidate| candidate == item))
}

/// For example `reach.surfaces: adds "private"`.
fn difference<T: PartialEq + serde::Serialize>(field: &str, old: &[T], new: &[T]) -> String {
    let without =
        |of: &[T], other: &[T]| -> Vec<String> { of.iter().filter(|item| !other.contains(item)).map(shown).collect() };
    let (added, removed) = (without(new, old), without(old, new));
    let mut parts = Vec::new();
    if !added.is_empty() {
        parts.push(format!("adds {}", added.join(", ")));
    }
    if !removed.is_empty() {
        parts.push(format!("removes {}", removed.join(", ")));
    }
    if parts.is_empty() {
        parts.push("another order".to_string());
    }
    format!("{field}: {}", parts.join("; "))
}

/// A value in words: what has a name by its name, with the rest of what is said of it.
fn shown<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).map_or_else(|_| "(unprintable)".to_string(), |value| in_words(&value))
}

/// For example `"Curator One, DE, curator-one.example+…"`.
fn in_words(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "none".to_string(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let rest = fields.keys().filter(|field| !FIRST.contains(&field.as_str())).map(String::as_str);
            let parts = FIRST.into_iter().chain(rest).filter_map(|field| fields.get(field)).map(|part| match part {
                Value::String(text) => text.clone(),
                other => in_words(other),
            });
            Value::String(parts.collect::<Vec<_>>().join(", ")).to_string()
        }
        other => other.to_string(),
    }
}

/// The fields by which people tell organisations and laws apart, in their order.
const FIRST: [&str; 5] = ["name", "jurisdiction", "instrument", "provision", "key"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::{Action, Jurisdiction, Record, Surface};
    use crate::rules::testing::charter;
    use alloc::collections::BTreeSet;

    type Edit = fn(&mut Charter);

    #[test]
    fn what_narrows() {
        let edits: [(&str, Edit); 20] = [
            ("nothing", |_| ()),
            ("contact", |c| c.maintainer.contact = "new@example.org".into()),
            ("record", |c| c.record = Record::default()),
            ("maintainer key", |c| drop(c.maintainer.keys.pop())),
            ("exclusion", |c| c.purpose.exclusions.push("zebras".into())),
            ("jurisdiction", |c| drop(c.reach.jurisdictions.remove(0))),
            ("surface", |c| c.reach.surfaces.truncate(1)),
            ("distance", |c| c.matching.max_distance -= 1),
            ("quality", |c| c.matching.min_quality += 1),
            ("action", |c| c.action.most = Action::Warn),
            ("threshold", |c| c.curation.threshold += 1),
            ("jurisdictions", |c| c.curation.min_jurisdictions += 1),
            ("curator", |c| drop(c.curation.curators.remove(1))),
            ("entries", |c| c.limits.max_entries -= 1),
            ("added", |c| c.limits.max_added -= 1),
            ("interval", |c| c.limits.min_interval += 1),
            ("validity", |c| c.limits.validity -= 1),
            ("visibility", |c| c.limits.min_visibility += 1),
            ("notice", |c| c.limits.notice += 1),
            ("deadline", |c| c.redress.removal_deadline -= 1),
        ];
        for (name, edit) in edits {
            let (old, mut new) = (charter(), charter());
            edit(&mut new);
            assert!(narrows(&old, &new), "{name}: {:?}", compare(&old, &new));
            if name != "nothing" && name != "contact" && name != "record" {
                assert!(!narrows(&new, &old), "the reverse of {name} widens");
            }
        }
    }

    #[test]
    fn anything_else_widens() {
        let edits: [(&str, Edit); 14] = [
            ("log", |c| c.log = "other.example/log".into()),
            ("maintainer name", |c| c.maintainer.name = "Other".into()),
            ("maintainer jurisdiction", |c| c.maintainer.jurisdiction = Jurisdiction::new("FR").unwrap()),
            ("maintainer key order", |c| c.maintainer.keys.reverse()),
            ("definition", |c| c.purpose.definition.push('.')),
            ("victims", |c| c.purpose.victims.push('.')),
            ("self-generated", |c| c.purpose.self_generated.push('.')),
            ("statutes", |c| drop(c.purpose.statutes.pop())),
            ("exclusion replaced", |c| c.purpose.exclusions[0] = "zebras".into()),
            ("surface replaced", |c| c.reach.surfaces = alloc::vec![Surface::EndToEndEncrypted]),
            ("complaints", |c| c.redress.complaints = "elsewhere".into()),
            ("curator renamed", |c| c.curation.curators[0].name = "Other".into()),
            ("curators in another order", |c| c.curation.curators.reverse()),
            ("wider and narrower", |c| {
                c.matching.max_distance += 1;
                c.limits.max_added -= 1;
            }),
        ];
        for (name, edit) in edits {
            let (old, mut new) = (charter(), charter());
            edit(&mut new);
            assert!(!narrows(&old, &new), "{name}");
            assert!(!widenings(&old, &new).is_empty(), "{name}");
        }
    }

    #[test]
    fn words_name_what_changed() {
        let (old, mut new) = (charter(), charter());
        new.matching.max_distance = 31;
        new.reach.surfaces = alloc::vec![Surface::EndToEndEncrypted, Surface::Private, Surface::Public];
        assert_eq!(
            widenings(&old, &new),
            ["reach.surfaces: adds \"end-to-end-encrypted\"", "matching.max_distance from 24 to 31"]
        );
    }

    #[test]
    fn organisations_and_laws_are_named_in_words() {
        let (mut old, mut new) = (charter(), charter());
        let [first, second] = [0, 1].map(|at: usize| old.curation.curators[at].clone());
        old.curation.curators = alloc::vec![first.clone()];
        new.curation.curators = alloc::vec![second.clone()];
        new.purpose.statutes.clear();
        let named = |one: &crate::charter::Curator| format!("\"{}, {}, {}\"", one.name, one.jurisdiction, one.key);
        let law = &old.purpose.statutes[0];
        let law = format!("\"{}, {}, {}\"", law.jurisdiction, law.instrument, law.provision);
        let words = widenings(&old, &new);
        assert_eq!(words[0], format!("purpose.statutes from {law} to none"));
        assert_eq!(words[1], format!("curation.curators: adds {}; removes {}", named(&second), named(&first)));
    }

    #[test]
    fn changes_that_matter_to_nobody_s_rights_are_named_all_the_same() {
        let (mut old, mut new) = (charter(), charter());
        assert_eq!(compare(&old, &new), []);
        let was = old.maintainer.contact.clone();
        (old.record, new.record) = (Record::default(), Record::default());
        old.record.legality.basis = Some("an \"act\"".into());
        old.record.privacy.retention = Some("30 days".into());
        new.maintainer.contact = "new@example.org".into();
        new.record.privacy.retention = Some("31 days".into());
        new.record.accountability.audits = Some("yearly".into());
        let free = |field: &'static str, words: String| Change { field, words, direction: Direction::Neither };
        let expected = [
            free("maintainer.contact", format!("maintainer.contact from {was:?} to \"new@example.org\"")),
            free("record", "record.legality.basis: removed: \"an \\\"act\\\"\"".into()),
            free("record", "record.privacy.retention from \"30 days\" to \"31 days\"".into()),
            free("record", "record.accountability.audits: added: \"yearly\"".into()),
        ];
        assert_eq!(compare(&old, &new), expected);
        assert!(narrows(&old, &new) && narrows(&new, &old) && widenings(&old, &new).is_empty());
    }

    /// Texts of which each field of a charter takes at least one.
    fn other_texts(of: &str) -> Vec<String> {
        let vkey = crate::rules::testing::key("stranger").verifier().to_string();
        let enums = ["ncii", "prosecute", "md5", "warn", "end-to-end-encrypted", "PL"];
        enums.iter().map(|text| text.to_string()).chain([vkey, format!("{of}x")]).collect()
    }

    /// Every value that differs from `value` at one place, with that place.
    fn edited(value: &Value, path: &str) -> Vec<(String, Value)> {
        let at = |inner: Vec<(String, Value)>, put: &dyn Fn(Value) -> Value| -> Vec<(String, Value)> {
            inner.into_iter().map(|(path, changed)| (path, put(changed))).collect()
        };
        match value {
            Value::String(text) => other_texts(text).into_iter().map(|text| (path.into(), Value::from(text))).collect(),
            Value::Number(number) => {
                let number = number.as_u64().unwrap();
                [number + 1, number.saturating_sub(1)].map(|number| (path.into(), Value::from(number))).into()
            }
            Value::Array(items) => (0..items.len())
                .flat_map(|item| {
                    at(edited(&items[item], path), &|changed| {
                        let mut items = items.clone();
                        items[item] = changed;
                        Value::from(items)
                    })
                })
                .collect(),
            Value::Object(fields) => fields
                .iter()
                .flat_map(|(field, inner)| {
                    let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                    at(edited(inner, &path), &|changed| {
                        let mut fields = fields.clone();
                        fields.insert(field.clone(), changed);
                        Value::from(fields)
                    })
                })
                .collect(),
            other => panic!("{other}"),
        }
    }

    /// By a second method: whatever is changed at one place of a charter's JSON is named, and widens unless its field is
    /// one of those that rule 4 lets change freely or in one direction. A field that `compare` forgets fails here.
    #[test]
    fn no_field_is_forgotten() {
        let mut old = charter();
        old.action.recipients.push("police.example".into());
        let may_narrow = [
            "maintainer.contact",
            "maintainer.keys",
            "reach.jurisdictions",
            "reach.surfaces",
            "matching.max_distance",
            "matching.min_quality",
            "action.most",
            "curation.threshold",
            "curation.min_jurisdictions",
            "limits.max_entries",
            "limits.max_added",
            "limits.min_interval",
            "limits.validity",
            "limits.min_visibility",
            "limits.notice",
            "redress.removal_deadline",
            "record.legality.basis",
        ];
        let mut seen = BTreeSet::new();
        for (path, value) in edited(&serde_json::to_value(&old).unwrap(), "") {
            let Ok(new) = serde_json::from_value::<Charter>(value) else { continue };
            if new == old || path == "edition" {
                continue;
            }
            let changes = compare(&old, &new);
            assert_eq!(changes.len(), 1, "{path}: {changes:?}");
            assert!(path.starts_with(changes[0].field), "{path} is told as {}", changes[0].field);
            assert!(!changes[0].words.is_empty(), "{path}");
            assert!(!narrows(&old, &new) || may_narrow.contains(&path.as_str()), "{path} narrows");
            seen.insert(path);
        }
        let in_text = serde_json::to_value(&old).unwrap();
        let fields = edited(&in_text, "").into_iter().map(|(path, _)| path).filter(|path| path != "edition");
        let unseen: Vec<_> = fields.filter(|path| !seen.contains(path)).collect();
        assert!(unseen.is_empty(), "no other value was found for {unseen:?}");
    }

    #[test]
    fn words_tell_what_goes_and_what_only_moves() {
        let (old, mut new) = (charter(), charter());
        new.reach.jurisdictions.remove(0);
        new.curation.curators.reverse();
        let words: Vec<_> = compare(&old, &new).into_iter().map(|change| change.words).collect();
        assert_eq!(words, ["reach.jurisdictions: removes \"DE\"", "curation.curators: another order"]);
    }
}
