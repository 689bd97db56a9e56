//! `charter.toml`, with every field explained: an example to be filled in, or an existing charter.

use super::CharterError;
use isonomy_core::charter::{Charter, RECORD_QUESTIONS};
use isonomy_core::statement::StatementError;
use serde_json::Value;
use std::fmt::Write as _;

/// A field, what to say about it, and an example in TOML.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) example: &'static str,
}

/// A table of the file.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name, as in TOML; empty for what comes before the first table.
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) fields: &'static [Field],
}

const fn field(name: &'static str, about: &'static str, example: &'static str) -> Field {
    Field { name, about, example }
}

/// A field of `record`, explained by the question that its readers ask. One of which nobody asks does not compile.
const fn asked(part: &str, name: &'static str) -> Field {
    let mut at = 0;
    while at < RECORD_QUESTIONS.len() {
        let (of, field_name, question) = RECORD_QUESTIONS[at];
        if is_same(of, part) && is_same(field_name, name) {
            return field(name, question, "\"\"");
        }
        at += 1;
    }
    panic!("no reader of a record asks for this field")
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const HEAD: &str = "\
# The charter of a list: what it may be used for, who must agree, and what nobody may do with it.
# Every release cites it, every client checks it, and everybody can read it in the log for ever. Durations are in seconds
# (a day has 86400, a week 604800, 30 days 2592000). Amending it later needs everybody's consent anew, and whatever
# widens it needs notice.
";

pub(super) static SECTIONS: &[Section] = &[
    Section {
        path: "",
        about: "",
        fields: &[
            field(
                "list",
                "The name of the list: a domain of yours, then words in small letters. It never changes.",
                "\"hotline.example/known-images\"",
            ),
            field(
                "log",
                "The origin of the one log in which the list counts: the name in the log's key.",
                "\"log.example/isonomy\"",
            ),
        ],
    },
    Section {
        path: "maintainer",
        about: "The organisation that publishes the list.",
        fields: &[
            field("name", "Its name.", "\"Hotline Example\""),
            field("jurisdiction", "Where it sits: a country, EU, or a part of a country such as US-CA.", "\"DE\""),
            field("contact", "How to reach it.", "\"lists@hotline.example\""),
            field(
                "keys",
                "Its keys (vkeys, as `isonomy key new` prints them). One of them signs each release, last of all.",
                "[\"maintainer.example+…\"]",
            ),
        ],
    },
    Section {
        path: "purpose",
        about: "What the list is for. Every change here needs notice, except a further exclusion.",
        fields: &[
            field("code", "The kind of material: csam-known, ncii, tve, malware or other.", "\"csam-known\""),
            field("aim", "What matching is to achieve: suppress, protect-victims or prosecute.", "\"protect-victims\""),
            field(
                "definition",
                "What belongs on the list, in words that a court could apply.",
                "\"Images that an authority or two trained reviewers found to show the sexual abuse of a child.\"",
            ),
            field("victims", "Who counts as a victim.", "\"Every child that is depicted.\""),
            field(
                "self_generated",
                "How images are treated that people made of themselves.",
                "\"Listed only at the request of the person depicted.\"",
            ),
            field(
                "statutes",
                "The laws that it rests on.",
                "[\n    { jurisdiction = \"DE\", instrument = \"StGB\", provision = \"§ 184b\" },\n]",
            ),
            field(
                "exclusions",
                "What never belongs on the list.",
                "[\n    \"Art, medicine and news.\",\n    \"Text.\",\n]",
            ),
        ],
    },
    Section {
        path: "reach",
        about: "Where the list may be used.",
        fields: &[
            field("jurisdictions", "In which jurisdictions.", "[\"EU\"]"),
            field("surfaces", "On which surfaces: public, private, end-to-end-encrypted.", "[\"private\", \"public\"]"),
        ],
    },
    Section {
        path: "matching",
        about: "When a picture or file matches.",
        fields: &[
            field(
                "algorithm",
                "sha256, sha1, md5 (identical files), pdq/full (pictures that look alike) or vpdq/v1 (videos that look alike). It never changes.",
                "\"pdq/full\"",
            ),
            field(
                "max_distance",
                "The greatest distance of a match, in bits: 0 to 31 for pdq/full and vpdq/v1, else 0.",
                "31",
            ),
            field("min_quality", "The least quality of a picture that is looked up: 0 to 100, and 0 if exact.", "50"),
        ],
    },
    Section {
        path: "action",
        about: "The most that a match may lead to. The person is told in every case.",
        fields: &[
            field("most", "warn, block or report.", "\"warn\""),
            field("recipients", "Who may be told of a match; only if the action is report.", "[]"),
        ],
    },
    Section {
        path: "curation",
        about: "Who must agree to every release: independent organisations that check it against what they know.",
        fields: &[
            field("threshold", "How many curators must sign a release.", "2"),
            field("min_jurisdictions", "From how many jurisdictions they must come.", "2"),
            field(
                "curators",
                "The curators. Each of them signs this charter too.",
                "[\n    { name = \"Curator One\", jurisdiction = \"DE\", key = \"curator-one.example+…\" },\n    { name = \"Curator Two\", jurisdiction = \"FR\", key = \"curator-two.example+…\" },\n]",
            ),
        ],
    },
    Section {
        path: "limits",
        about: "What a release may contain at most, and how long things last.",
        fields: &[
            field("max_entries", "The most entries of the list.", "1000000"),
            field("max_added", "The most entries that one release adds.", "10000"),
            field("min_interval", "The least time between two releases that add entries.", "3600"),
            field("validity", "The longest time that a release is valid; at least twice the visibility.", "1209600"),
            field(
                "min_visibility",
                "How long a release is public before it may be used, so that errors show.",
                "86400",
            ),
            field("notice", "How long an amendment that widens is public before it is in force.", "2592000"),
        ],
    },
    Section {
        path: "redress",
        about: "For whoever finds that an entry should not be there.",
        fields: &[
            field("complaints", "Where to complain.", "\"https://hotline.example/complaints\""),
            field("removal_deadline", "Within what time an entry is removed that should not be there.", "259200"),
        ],
    },
    Section {
        path: "record.legality",
        about: "The legal case for the list, to which its maintainer can be held. Nothing in `record` is compulsory; what is\n# missing is found by `isonomy charter lint`. First: that there is a law for it.",
        fields: &[
            asked("legality", "basis"),
            asked("legality", "authority_notice"),
            asked("legality", "foreseeability"),
        ],
    },
    Section {
        path: "record.proportionality",
        about: "That it is no more than is needed.",
        fields: &[
            asked("proportionality", "aim"),
            asked("proportionality", "evidence"),
            asked("proportionality", "rational_connection"),
            asked("proportionality", "alternatives"),
            asked("proportionality", "fair_balance"),
            asked("proportionality", "reviewer"),
            asked("proportionality", "reviewed"),
        ],
    },
    Section {
        path: "record.privacy",
        about: "What happens with personal data.",
        fields: &[
            asked("privacy", "controller"),
            asked("privacy", "gdpr_basis"),
            asked("privacy", "dpia_sha256"),
            asked("privacy", "human_review"),
            asked("privacy", "retention"),
            asked("privacy", "transfers"),
        ],
    },
    Section {
        path: "record.quality",
        about: "How good the list is. Fractions are written as text, such as \"0.9998\".",
        fields: &[
            asked("quality", "reviews_per_entry"),
            asked("quality", "precision"),
            asked("quality", "recall"),
            asked("quality", "measured_on"),
            asked("quality", "interval"),
            asked("quality", "next_review"),
        ],
    },
    Section {
        path: "record.accountability",
        about: "Who answers for it.",
        fields: &[
            asked("accountability", "complaints"),
            asked("accountability", "removal"),
            asked("accountability", "audits"),
        ],
    },
];

/// A `charter.toml` to be filled in: every field with an explanation and an example. Only the keys are missing.
pub fn template() -> String {
    render(|section, field| (!section.path.starts_with("record")).then(|| field.example.to_owned()))
}

/// The `charter.toml` of a charter, to be amended. Edition and previous edition aren't in it.
pub fn to_toml(charter: &Charter) -> Result<String, CharterError> {
    let shape = |error: serde_json::Error| {
        CharterError::Statement(StatementError::Json(isonomy_core::json::JsonError::Shape(error.to_string())))
    };
    let charter = serde_json::to_value(charter).map_err(shape)?;
    Ok(render(|section, field| {
        let names = section.path.split('.').filter(|name| !name.is_empty());
        let value = names.chain([field.name]).try_fold(&charter, |value, name| value.get(name))?;
        Some(literal(value))
    }))
}

/// The file with the values that `value` gives. A field without one is shown as a comment.
fn render(value: impl Fn(&Section, &Field) -> Option<String>) -> String {
    let mut file = HEAD.to_owned();
    for section in SECTIONS {
        file.push('\n');
        if !section.about.is_empty() {
            let _ = writeln!(file, "# {}", section.about);
        }
        if !section.path.is_empty() {
            let _ = writeln!(file, "[{}]", section.path);
        }
        for field in section.fields {
            let _ = writeln!(file, "# {}", field.about);
            let _ = match value(section, field) {
                Some(value) => writeln!(file, "{} = {value}", field.name),
                None => writeln!(file, "# {} = {}", field.name, field.example),
            };
        }
    }
    file
}

/// A value as TOML writes it. Strings of JSON are strings of TOML, except for DEL, which no charter holds.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            let lines: String = items.iter().map(|item| format!("    {},\n", literal(item))).collect();
            format!("[\n{lines}]")
        }
        Value::Object(fields) => {
            // An object of `serde_json` is sorted by name, which no reader minds.
            let fields: Vec<String> =
                fields.iter().map(|(name, field)| format!("{name} = {}", literal(field))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
