//! The questions of `charter.toml`, for whoever prefers to answer one after the other.

use super::template::{Field, SECTIONS, Section};
use isonomy_core::charter::{Action, Aim, Jurisdiction, PurposeCode, Surface};
use isonomy_core::list::Algorithm;
use isonomy_core::note::{KeyType, VerifierKey};
use isonomy_core::statement::ListName;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;

/// Fields that are durations.
const DURATIONS: [&str; 5] = ["min_interval", "validity", "min_visibility", "notice", "removal_deadline"];

/// A question, and how its answer is written.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    section: &'static Section,
    field: &'static Field,
}

/// Every question, in the order of the file.
pub fn questions() -> impl Iterator<Item = Question> {
    SECTIONS.iter().flat_map(|section| section.fields.iter().map(move |field| Question { section, field }))
}

impl Question {
    /// What opens a part of the charter; `None` if the question before was in the same part.
    pub fn heading(&self) -> Option<&'static str> {
        let is_first = self.section.fields.first().is_some_and(|first| std::ptr::eq(first, self.field));
        (is_first && !self.section.about.is_empty()).then_some(self.section.about)
    }

    /// The name of the field, with its part.
    pub fn name(&self) -> String {
        if self.section.path.is_empty() {
            self.field.name.to_owned()
        } else {
            format!("{}.{}", self.section.path, self.field.name)
        }
    }

    /// What is asked.
    pub fn about(&self) -> &'static str {
        self.field.about
    }

    /// How to answer: a word for people.
    pub fn how(&self) -> String {
        match self.kind() {
            Kind::Text => String::new(),
            Kind::Number if DURATIONS.contains(&self.field.name) => " (a number of seconds)".to_owned(),
            Kind::Number => " (a number)".to_owned(),
            Kind::Words => " (several: separate them by semicolons)".to_owned(),
            Kind::Records(names) => format!(" ({}; several: separate them by semicolons)", names.join(" / ")),
        }
    }

    /// The answer that stands if none is given; `None` if the question needs one: nobody is called as in an example.
    pub fn usual(&self) -> Option<&'static str> {
        let is_example = self.field.example.contains('…') || self.field.example.to_lowercase().contains("example");
        (!is_example && !self.section.path.starts_with("record")).then_some(self.field.example)
    }

    /// What an answer looks like, where each has its own.
    pub fn example(&self) -> Option<String> {
        let has_own = self.usual().is_none() && !self.is_optional() && !self.field.example.contains('…');
        if has_own { self.words_of(self.field.example) } else { None }
    }

    /// The same as somebody would answer it.
    pub fn usual_words(&self) -> Option<String> {
        self.words_of(self.usual()?)
    }

    fn words_of(&self, value: &str) -> Option<String> {
        let table: toml::Table = format!("value = {value}").parse().ok()?;
        let names = match self.kind() {
            Kind::Records(names) => names,
            Kind::Text | Kind::Number | Kind::Words => Vec::new(),
        };
        table.get("value").map(|value| words(value, &names))
    }

    /// Whether no answer is needed.
    pub fn is_optional(&self) -> bool {
        self.section.path.starts_with("record")
    }

    /// The answer as TOML; what is wrong with it otherwise, as far as that shows without the other answers.
    pub fn answer(&self, text: &str) -> Result<String, String> {
        let parts = || text.split(';').map(str::trim).filter(|part| !part.is_empty());
        match self.kind() {
            Kind::Text => self.check(self.field.name, text.trim()).map(|()| quoted(text.trim())),
            Kind::Number => text
                .trim()
                .parse::<u64>()
                .map(|number| number.to_string())
                .map_err(|_| format!("{text:?} is no number")),
            Kind::Words => {
                parts().try_for_each(|part| self.check(self.field.name, part))?;
                Ok(format!("[{}]", parts().map(quoted).collect::<Vec<_>>().join(", ")))
            }
            Kind::Records(names) => {
                let records = parts().map(|part| self.record(part, &names)).collect::<Result<Vec<_>, _>>()?;
                Ok(format!("[{}]", records.join(", ")))
            }
        }
    }

    fn record(&self, text: &str, names: &[&str]) -> Result<String, String> {
        let values: Vec<&str> = text.split('/').map(str::trim).collect();
        // A key may hold slashes: what is too much belongs to the last field.
        if values.len() < names.len() {
            return Err(format!("{text:?} has {} of {}", values.len(), names.join(" / ")));
        }
        let (first, last) = values.split_at(names.len() - 1);
        let last = last.join("/");
        let fields = names.iter().zip(first.iter().copied().chain([last.as_str()]));
        fields.clone().try_for_each(|(name, value)| self.check(name, value))?;
        let fields: Vec<String> = fields.map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
        Ok(format!("{{ {} }}", fields.join(", ")))
    }

    /// What is wrong with one value of a field. The record is in free words.
    fn check(&self, name: &str, value: &str) -> Result<(), String> {
        if self.section.path.starts_with("record") {
            return Ok(());
        }
        match name {
            "list" => ListName::new(value).map(drop).ok_or_else(|| {
                format!("{value:?} is no list's name: small letters and digits, such as hotline.example/known-images")
            }),
            "jurisdiction" | "jurisdictions" => {
                let unknown =
                    || format!("{value:?} is no jurisdiction: a country such as DE, EU, or a part such as US-CA");
                Jurisdiction::new(value).map(drop).ok_or_else(unknown)
            }
            "key" | "keys" => match VerifierKey::parse(value) {
                Ok(key) if key.key_type() == KeyType::Ed25519 => Ok(()),
                Ok(_) => Err(format!("{value:?} is a witness's key; a list is signed with `isonomy key new NAME`")),
                Err(error) => Err(format!("{value:?} is no vkey, as `isonomy key new` prints it: {error}")),
            },
            "code" => known::<PurposeCode>(value),
            "aim" => known::<Aim>(value),
            "surfaces" => known::<Surface>(value),
            "most" => known::<Action>(value),
            "algorithm" => value.parse::<Algorithm>().map(drop).map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }

    fn kind(&self) -> Kind {
        let example = self.field.example;
        if example.starts_with('"') {
            return Kind::Text;
        }
        if !example.starts_with('[') {
            return Kind::Number;
        }
        let Some((_, inside)) = example.split_once('{') else { return Kind::Words };
        let inside = inside.split('}').next().unwrap_or_default();
        Kind::Records(inside.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.trim())).collect())
    }
}

enum Kind {
    Text,
    Number,
    Words,
    /// The names of a record's fields.
    Records(Vec<&'static str>),
}

/// Whether a word is one of those that a type has; what they are otherwise.
fn known<T: DeserializeOwned>(word: &str) -> Result<(), String> {
    let value = serde_json::Value::String(word.to_owned());
    serde_json::from_value::<T>(value).map(drop).map_err(|error| error.to_string())
}

/// A value as somebody would type it; of a record, the fields with these names.
fn words(value: &toml::Value, names: &[&str]) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().map(|value| words(value, names)).collect::<Vec<_>>().join("; "),
        toml::Value::Table(fields) => {
            let values = names.iter().filter_map(|name| fields.get(*name));
            values.map(|value| words(value, names)).collect::<Vec<_>>().join(" / ")
        }
        toml::Value::Integer(number) => number.to_string(),
        // No question is answered otherwise.
        _ => String::new(),
    }
}

/// A text as TOML writes it, which is as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// The file that the answers make: TOML in the order of the questions, those without an answer left out.
pub fn file(answers: &[(Question, String)]) -> String {
    let mut file = String::from("# The answers given to `isonomy charter new --ask`.\n");
    let mut path = "";
    for (question, answer) in answers {
        if question.section.path != path {
            path = question.section.path;
            let _ = write!(file, "\n[{path}]\n");
        }
        let _ = writeln!(file, "# {}\n{} = {answer}", question.field.about, question.field.name);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::{Edition, from_toml};
    use crate::testing::key;

    /// The usual answers, and keys where there are none.
    fn answers() -> Vec<(Question, String)> {
        let vkey = |name: &str| key(name).verifier().to_string();
        let given = |question: &Question| match question.name().as_str() {
            "maintainer.keys" => Some(question.answer(&vkey("m1")).unwrap()),
            "curation.curators" => {
                let text = format!("Curator One / DE / {}; Curator Two / FR / {}", vkey("c1"), vkey("c3"));
                Some(question.answer(&text).unwrap())
            }
            "purpose.statutes" => Some(question.answer("DE / StGB / § 184b; FR / Code pénal / 227-23").unwrap()),
            "purpose.exclusions" => Some(question.answer("Art, \"medicine\" and news.; Text.").unwrap()),
            "record.legality.basis" => Some(question.answer("A statute.").unwrap()),
            "limits.max_entries" => Some(question.answer(" 5000 ").unwrap()),
            _ => question.usual().map(str::to_owned).or_else(|| Some(question.answer(&question.example()?).unwrap())),
        };
        questions().filter_map(|question| Some((question, given(&question)?))).collect()
    }

    #[test]
    fn answers_make_a_charter() {
        let charter = from_toml(file(&answers()).as_bytes(), Edition::First).unwrap();
        assert_eq!(charter.curation.curators.len(), 2);
        assert_eq!(charter.curation.curators[1].key, *key("c3").verifier());
        assert_eq!(charter.purpose.statutes[1].instrument, "Code pénal");
        assert!(charter.purpose.exclusions.contains(&"Art, \"medicine\" and news.".to_owned()));
        assert_eq!(charter.limits.max_entries, 5000);
        assert_eq!(charter.record.legality.basis.as_deref(), Some("A statute."));
    }

    #[test]
    fn the_usual_answers_stand_as_they_are_shown() {
        for question in questions().filter(|question| question.usual().is_some()) {
            let (name, shown) = (question.name(), question.usual_words().unwrap());
            let typed: toml::Table = format!("answer = {}", question.answer(&shown).unwrap()).parse().unwrap();
            let usual: toml::Table = format!("answer = {}", question.usual().unwrap()).parse().unwrap();
            assert_eq!(typed, usual, "{name}");
        }
    }

    #[test]
    fn wrong_answers_are_said_at_once() {
        let question = |name: &str| questions().find(|question| question.name() == name).unwrap();
        assert!(question("limits.notice").answer("a month").unwrap_err().contains("no number"));
        assert!(
            question("curation.curators").answer("Curator One / DE").unwrap_err().contains("name / jurisdiction / key")
        );
        assert!(question("maintainer.keys").usual().is_none() && question("record.quality.recall").is_optional());
        assert_eq!(question("maintainer.name").usual(), None, "nobody is called Hotline Example");
        assert_eq!(question("maintainer.name").example().as_deref(), Some("Hotline Example"));
        for (name, answer, problem) in [
            ("list", "Hotline Images", "no list's name"),
            ("maintainer.jurisdiction", "Germany", "no jurisdiction"),
            ("reach.jurisdictions", "DE; Europe", "no jurisdiction"),
            ("maintainer.keys", "nonsense", "no vkey"),
            ("purpose.code", "images", "csam-known"),
            ("purpose.aim", "help", "protect-victims"),
            ("reach.surfaces", "public; secret", "end-to-end-encrypted"),
            ("action.most", "arrest", "report"),
            ("matching.algorithm", "pdq", "pdq/full"),
            ("purpose.statutes", "Germany / StGB / § 184b", "no jurisdiction"),
            ("curation.curators", "One / DE / nonsense", "no vkey"),
        ] {
            let refused = question(name).answer(answer).unwrap_err();
            assert!(refused.contains(problem), "{name}: {refused}");
        }
        assert!(questions().next().unwrap().heading().is_none());
        assert!(question("purpose.code").heading().is_some() && question("purpose.aim").heading().is_none());
    }
}
