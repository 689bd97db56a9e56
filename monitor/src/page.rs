//! The report as pages. Everything in them that comes from outside is escaped by construction. They load nothing, need no
//! script, suit a narrow screen, and follow the reader's choice of light or dark.
//!
//! A reader comes without any knowledge of logs or hashes: each page begins with what it is about in a sentence, tells
//! what follows from what it shows, and links to the same as data.

mod chart;
mod entry;
mod findings;
mod list;
mod log;
mod overview;
mod plain;
mod several;
mod verify;
mod words;

pub(crate) use chart::bars;
pub(crate) use entry::{entry, no_entry};
pub(crate) use findings::findings;
pub(crate) use list::list;
pub(crate) use log::log;
pub(crate) use overview::overview;
pub(crate) use several::{all_findings, all_logs, verify_which};
pub(crate) use verify::{SCRIPT, verify, verify_file};

use crate::finding::Finding;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use std::fmt;

/// The one style sheet.
pub(crate) const STYLE: &str = include_str!("page/style.css");

/// Where a page stands among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Overview,
    List,
    Log,
    Findings,
    Verify,
}

/// Where the links of a page lead to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// To the pages of the only log that is followed.
    Only,
    /// To those of one log among several, by its name.
    OneOf(String),
    /// To those about all logs.
    All,
}

impl Base {
    /// The first page.
    pub(crate) fn home(&self) -> String {
        match self {
            Self::OneOf(_) => self.to_string(),
            Self::Only | Self::All => "/".to_owned(),
        }
    }

    /// The name of a finding's place in a page, which differs from log to log.
    pub(crate) fn anchor(&self, found: &Finding) -> String {
        match self {
            Self::OneOf(name) => format!("{}-{name}", found.anchor()),
            Self::Only | Self::All => found.anchor(),
        }
    }
}

/// What stands before each path.
impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(name) => write!(f, "/logs/{name}"),
            Self::Only | Self::All => Ok(()),
        }
    }
}

impl Render for Base {
    fn render(&self) -> Markup {
        self.to_string().render()
    }
}

/// What every page has.
struct Page<'p> {
    place: Place,
    base: &'p Base,
    /// The title of the window; the page's own heading is in its body.
    title: &'p str,
    /// The log's name.
    origin: &'p str,
    /// Where the same is as data.
    data: Option<&'p str>,
    body: Markup,
}

impl Page<'_> {
    fn render(self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    link rel="alternate" type="application/atom+xml" title="Findings" href={ (self.base) "/findings.atom" };
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a class="skip" href="#main" { "To the content" }
                    (self.head())
                    main id="main" { (self.body) }
                    (self.foot())
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let link = |place: Place, href: String, words: &str| {
            let current = (place == self.place).then_some("page");
            html! { li { a href=(href) aria-current=[current] { (words) } } }
        };
        html! {
            header {
                p class="brand" { a href="/" { "Isonomy monitor" } @if !self.origin.is_empty() { " " span class="soft" { (self.origin) } } }
                nav aria-label="Pages" {
                    ul {
                        @if let Base::OneOf(_) = self.base { li { a href="/" { "All logs" } } }
                        (link(Place::Overview, self.base.home(), "Overview"))
                        (link(Place::Findings, format!("{}/findings", self.base), "Findings"))
                        @if *self.base != Base::All { (link(Place::Log, format!("{}/log", self.base), "The log")) }
                        (link(Place::Verify, format!("{}/verify", self.base), "Verify a file"))
                    }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        html! {
            footer class="small" {
                p {
                    "This monitor reads what the log, its witnesses and the statements in it say, and checks it by the same rules "
                    "that every client goes by. A breach is proven by signatures. Everything else is an observation and may have "
                    "an innocent cause. Whether the entries are right it can’t show: a hash does not show its picture."
                }
                p {
                    "No cookies, nothing loaded from elsewhere, no record of visitors. "
                    @if let Some(data) = self.data { a href=(data) { "This page as data" } " · " }
                    a href="/openapi.json" { "How the data is described" } " · "
                    a href={ (self.base) "/findings.atom" } { "Findings as a feed" }
                }
            }
        }
    }
}

/// A table of which each row becomes a card on a narrow screen.
pub(crate) fn table(caption: &str, titles: &[&str], rows: &[Markup]) -> Markup {
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" { tr role="row" {
                @for title in titles { th role="columnheader" scope="col" { (title) } }
            } }
            tbody role="rowgroup" { @for row in rows { tr role="row" { (row) } } }
        }
    }
}

/// A cell under this title.
pub(crate) fn cell(title: &str, content: impl maud::Render) -> Markup {
    html! { td role="cell" data-label=(title) { div { (content) } } }
}

/// A word in a coloured frame; the word says it all.
fn mark(class: &str, words: &str) -> Markup {
    html! { span class={ "mark " (class) } { (words) } }
}
