//! Which column of a table holds what, by the first line of the table.

use super::dates;
use super::recognise::shown;
use super::record::{self, plain};
use super::state::{self, State};
use super::table::looks_like_hash;
use super::unread;
use super::{Format, ImportError, ImportOptions};
use isonomy_core::list::Algorithm;

/// Names of columns that hold hashes by any algorithm, as [`plain`] gives them.
const ANY_HASH: [&str; 6] = ["hash", "hashvalue", "hashdigest", "digest", "indicator", "entry"];
const QUALITY: [&str; 1] = ["quality"];
const CLASS: [&str; 3] = ["class", "classification", "category"];
const TAGS: [&str; 2] = ["tags", "tag"];
/// Names of columns that say by which algorithm a hash is.
const KINDS: [&str; 7] =
    ["algorithm", "hashalgorithm", "hashtype", "signaltype", "indicatortype", "digesttype", "algo"];
/// The same, or what kind of file it is of.
const TYPE: &str = "type";

/// Where in a table things are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Columns {
    pub(super) delimiter: u8,
    pub(super) has_header: bool,
    /// How many there are in the first line.
    pub(super) count: usize,
    pub(super) hash: usize,
    pub(super) quality: Option<usize>,
    pub(super) class: Option<usize>,
    pub(super) tags: Option<usize>,
    /// By which algorithm it is.
    pub(super) kinds: Vec<usize>,
    /// The same, or what kind of file it is of.
    pub(super) kind_or_file: Option<usize>,
    /// Whether it still counts.
    pub(super) states: Vec<State>,
    /// Where a word such as `withdrawn` tells nothing of the record, or is heard already.
    pub(super) unheard: Vec<usize>,
    /// Which of these are there to be ignored.
    pub(super) ignored: Vec<usize>,
    /// Where the first line has names, and none with a letter.
    pub(super) unnamed: Vec<usize>,
    /// Whether those that are not read are to be looked at: not where the format says what they are.
    pub(super) is_watched: bool,
    /// Which are not read, nor to be ignored, and their names.
    pub(super) unread: Vec<(usize, String)>,
    /// Which were to be ignored, and are not there, as somebody wrote them.
    pub(super) missing: Vec<String>,
    /// The same of numbers beyond the first line, where rows may have fields.
    pub(super) ignored_beyond: Vec<(usize, String)>,
    /// The names as they are written, where there are some.
    pub(super) names: Vec<String>,
}

impl Columns {
    /// The same, where these say nothing.
    fn ignoring(mut self, Ignored { places, beyond, missing }: Ignored) -> Self {
        self.missing.extend(missing);
        self.ignored_beyond.extend(beyond);
        self.unnamed.retain(|place| !places.contains(place));
        self.unread.retain(|(place, _)| !places.contains(place));
        self.unheard.extend(&places);
        self.ignored.extend(places);
        self
    }
}

/// The columns of a table by its first line; `None` if it is none.
pub(super) fn columns(first: &[u8], options: &ImportOptions) -> Result<Option<Columns>, ImportError> {
    let line = FirstLine::of(first);
    if let Some(column) = &options.column {
        return line.wanted(column, options).map(Some);
    }
    if let Some(hash) = line.one_of(own_names(options.algorithm)).or_else(|| line.one_of(&ANY_HASH)) {
        return line.with_names(hash, &options.ignored).map(Some);
    }
    let (is_table, is_said) = (line.starts_with_hash(options.algorithm), options.format == Some(Format::Csv));
    // A title may stand before the names: then no name would be heard.
    if !is_table && is_said && !looks_like_hash(first, options.algorithm) {
        return Err(ImportError::Nameless { line: shown(first), algorithm: options.algorithm });
    }
    Ok((is_table || is_said).then(|| line.watched(0, &options.ignored)))
}

/// The columns of ThreatExchange's table by how many there are in its first line; `None` if it can't be one. What they are says the
/// format: none can be ignored.
pub(super) fn threat_exchange(first: &[u8], ignored: &[String]) -> Option<Columns> {
    let line = FirstLine::separated(first, b',');
    let tags = line.fields.len().checked_sub(1)?;
    let columns =
        || Columns { tags: Some(tags), unheard: vec![tags], missing: ignored.to_vec(), ..line.without_names(0) };
    (4..=5).contains(&line.fields.len()).then(columns)
}

/// The same, if that line is like one of its rows, which says when it was added.
pub(super) fn like_threat_exchange(first: &[u8], algorithm: Algorithm) -> Option<Columns> {
    let line = FirstLine::separated(first, b',');
    // An id has many digits; one alone may mark the row.
    let is_id = |field: &String| field.len() > 1 && field.bytes().all(|byte| byte.is_ascii_digit());
    let is_row = |columns: &Columns| {
        let (ids, added) = (&line.fields[1..columns.count - 2], &line.fields[columns.count - 2]);
        ids.iter().all(is_id) && dates::is_time(added) && line.starts_with_hash(algorithm)
    };
    threat_exchange(first, &[]).filter(is_row)
}

/// What is to be ignored.
struct Ignored {
    places: Vec<usize>,
    /// Those of them that the first line does not have.
    beyond: Vec<(usize, String)>,
    /// What names no place.
    missing: Vec<String>,
}

/// The first line of a table.
struct FirstLine {
    delimiter: u8,
    /// Its fields, without white space around them.
    written: Vec<String>,
    /// The same in small letters.
    fields: Vec<String>,
    /// The same as names: their letters and digits alone.
    names: Vec<String>,
}

impl FirstLine {
    /// Separated by what it has most of.
    fn of(line: &[u8]) -> Self {
        let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter));
        Self::separated(line, delimiter.unwrap_or(b','))
    }

    fn separated(line: &[u8], delimiter: u8) -> Self {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
        let mut record = csv::ByteRecord::new();
        let written: Vec<String> = match reader.read_byte_record(&mut record) {
            Ok(true) => record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect(),
            _ => Vec::new(),
        };
        let fields: Vec<String> = written.iter().map(|field| field.to_lowercase()).collect();
        let names = fields.iter().map(|field| plain(field)).collect();
        Self { delimiter, written, fields, names }
    }

    fn starts_with_hash(&self, algorithm: Algorithm) -> bool {
        self.fields.first().is_some_and(|field| record::hash(field.as_bytes(), algorithm).is_ok())
    }

    fn place(&self, wanted: &str) -> Option<usize> {
        self.names.iter().position(|name| !wanted.is_empty() && name == wanted)
    }

    fn one_of(&self, wanted: &[&str]) -> Option<usize> {
        wanted.iter().find_map(|name| self.place(name))
    }

    fn places(&self, is_one: impl Fn(&str) -> bool) -> Vec<usize> {
        (0..self.names.len()).filter(|place| is_one(&self.names[*place])).collect()
    }

    /// The columns where somebody says which one holds the hash: by its name as it stands there, by its number, from 1, where there
    /// are no names, or by the letters of its name.
    fn wanted(&self, column: &str, options: &ImportOptions) -> Result<Columns, ImportError> {
        let wanted = column.trim().to_lowercase();
        let exact = self.fields.iter().position(|field| *field == wanted);
        let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let number = number.filter(|number| *number < self.fields.len());
        match (exact, number, self.place(&plain(&wanted))) {
            (Some(hash), _, _) | (None, None, Some(hash)) => self.with_names(hash, &options.ignored),
            (None, Some(hash), _) if record::hash(self.fields[hash].as_bytes(), options.algorithm).is_ok() => {
                Ok(self.watched(hash, &options.ignored))
            }
            // By a number, no other column is heard, such as one of what is deleted.
            (None, Some(_), _) => Err(ImportError::Malformed(format!(
                "the first line has no hash in column {column}: if it has the names of the columns, give the name"
            ))),
            (None, None, None) => Err(ImportError::NoColumn { wanted: column.to_owned(), found: self.fields.clone() }),
        }
    }

    /// The columns by their names, with the hash in this one, and without those that are to be ignored.
    fn with_names(&self, hash: usize, ignored: &[String]) -> Result<Columns, ImportError> {
        if self.places(|name| name == self.names[hash]).len() > 1 {
            return Err(ImportError::SeveralColumns { name: self.fields[hash].clone() });
        }
        let ignored = self.ignored(hash, ignored, true);
        if !ignored.places.is_empty() {
            let columns = self.without(&ignored.places).with_names(hash, &[])?;
            return Ok(Columns { names: self.written.clone(), ..columns.ignoring(ignored) });
        }
        let states = state::columns(&self.fields);
        let (class, tags) = (self.one_of(&CLASS), self.one_of(&TAGS));
        let mut unheard = self.places(unread::is_of_names);
        unheard.extend(state::places(&states).chain(class).chain(tags));
        let mut unnamed = self.places(str::is_empty);
        unnamed.retain(|place| *place != hash);
        let (quality, kind_or_file) = (self.one_of(&QUALITY), self.place(TYPE));
        let kinds = self.places(|name| KINDS.contains(&name));
        let mut read: Vec<usize> = state::places(&states).chain(kinds.iter().copied()).collect();
        read.extend([Some(hash), quality, class, tags, kind_or_file].into_iter().flatten());
        let unread = self.names_without(&read);
        Ok(Columns {
            has_header: true,
            is_watched: true,
            quality,
            class,
            tags,
            kinds,
            kind_or_file,
            states,
            unheard,
            unnamed,
            unread,
            missing: ignored.missing,
            names: self.written.clone(),
            ..self.without_names(hash)
        })
    }

    /// What is to be ignored: columns with these names, or these numbers where there is no name.
    fn ignored(&self, hash: usize, ignored: &[String], has_names: bool) -> Ignored {
        let (mut places, mut beyond, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for written in ignored {
            let (wanted, before) = (written.trim().to_lowercase(), places.len());
            let named = || (0..self.fields.len()).filter(|place| has_names && *place != hash);
            let exactly: Vec<usize> = named().filter(|place| self.fields[*place] == wanted).collect();
            let is_alike = |name: &str| !name.is_empty() && name == plain(&wanted);
            let alike: Vec<usize> = named().filter(|place| is_alike(&self.names[*place])).collect();
            // What is only like several names says of none which is meant.
            match (exactly.is_empty(), alike.len()) {
                (false, _) => places.extend(exactly),
                (true, 1) => places.extend(alike),
                (true, _) => {}
            }
            let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let has_name = |place: usize| has_names && self.names.get(place).is_some_and(|name| !name.is_empty());
            places.extend(number.filter(|place| *place != hash && !has_name(*place)));
            match places.get(before) {
                None => missing.push(written.clone()),
                Some(place) if *place >= self.fields.len() => beyond.push((*place, written.clone())),
                Some(_) => {}
            }
        }
        Ignored { places, beyond, missing }
    }

    /// The same line, with the names of these columns taken away.
    fn without(&self, places: &[usize]) -> Self {
        let blank = |texts: &[String]| -> Vec<String> {
            let kept = |(place, text): (usize, &String)| if places.contains(&place) { "" } else { text }.to_owned();
            texts.iter().enumerate().map(kept).collect()
        };
        let [written, fields, names] = [&self.written, &self.fields, &self.names].map(|texts| blank(texts));
        Self { delimiter: self.delimiter, written, fields, names }
    }

    /// The columns other than these, each with its name, or its number if it has none.
    fn names_without(&self, read: &[usize]) -> Vec<(usize, String)> {
        let name = |(place, field): (usize, &String)| {
            let name =
                if field.is_empty() || self.names[place].is_empty() { (place + 1).to_string() } else { field.clone() };
            (place, name)
        };
        self.written.iter().enumerate().filter(|(place, _)| !read.contains(place)).map(name).collect()
    }

    /// The columns of a table without names, with the hash in this one, and without those that are to be ignored.
    fn watched(&self, hash: usize, ignored: &[String]) -> Columns {
        let numbered = (0..self.fields.len()).filter(|place| *place != hash);
        let unread = numbered.map(|place| (place, (place + 1).to_string())).collect();
        Columns { is_watched: true, unread, ..self.without_names(hash) }.ignoring(self.ignored(hash, ignored, false))
    }

    /// The columns where this one holds the hash, and nothing is known of the others.
    fn without_names(&self, hash: usize) -> Columns {
        Columns { delimiter: self.delimiter, count: self.fields.len(), hash, ..Columns::default() }
    }
}

/// Names of columns that hold hashes by this algorithm.
fn own_names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::PdqFull => &["pdqfull", "pdq", "pdqhash"],
        Algorithm::Sha256 => &["sha256", "sha256hash"],
        Algorithm::Sha1 => &["sha1", "sha1hash"],
        Algorithm::Md5 => &["md5", "md5hash"],
        Algorithm::VpdqV1 => &["vpdqv1", "vpdq"],
    }
}
