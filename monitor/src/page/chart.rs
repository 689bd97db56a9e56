//! Charts, drawn as SVG inside the page: no script, no picture to load. What a chart shows stands beside it as a table
//! or in words, too, and nothing in it is told by colour alone.

use crate::report::{Look, ReleaseReport};
use crate::units;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// The chart's own units; it is scaled to the width that there is.
const WIDTH: f64 = 360.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 352.0;
const TOP: f64 = 10.0;

/// The most releases that a chart shows.
pub(super) const MAX_RELEASES: usize = 120;

/// The vertical axis: which values it reaches, and where they are drawn.
struct Axis {
    low: f64,
    high: f64,
    bottom: f64,
}

impl Axis {
    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        self.bottom - share * (self.bottom - TOP)
    }
}

/// A round value that is not less: 1, 2 or 5 times a power of ten.
fn round_up(value: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for step in [1, 2, 5] {
            match power.checked_mul(step) {
                Some(round) if round >= value => return round,
                None => return value,
                Some(_) => {}
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Where the bar at `index` of `count` begins, and how wide it is.
fn bar(index: usize, count: usize) -> (f64, f64) {
    let step = (RIGHT - LEFT) / count.max(1) as f64;
    let width = (step * 0.72).min(28.0);
    (LEFT + step * (index as f64 + 0.5) - width / 2.0, width)
}

/// A coordinate, to a tenth.
fn at(value: f64) -> String {
    format!("{value:.1}")
}

/// A chart with its title for people who do not see it, and a caption below.
fn figure(id: &str, height: f64, title: &str, description: &str, drawing: &Markup) -> Markup {
    html! {
        figure class="chart" {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
                title id={ (id) "-title" } { (title) }
                desc id={ (id) "-desc" } { (description) }
                (drawing)
            }
            figcaption { strong { (title) } " " (description) }
        }
    }
}

fn line(class: &str, x: (f64, f64), y: f64) -> Markup {
    html! { line class=(class) x1=(at(x.0)) x2=(at(x.1)) y1=(at(y)) y2=(at(y)) {} }
}

fn label(class: &str, x: f64, y: f64, words: &str) -> Markup {
    html! { text class=(class) x=(at(x)) y=(at(y)) { (words) } }
}

/// A line of the grid with what it stands for.
fn grid(axis: &Axis, value: f64, words: &str) -> Markup {
    let y = axis.y(value);
    html! { (line("grid", (LEFT, RIGHT), y)) (label("end", LEFT - 5.0, y + 3.5, words)) }
}

/// What stands below the ends of the horizontal axis.
fn ends(y: f64, first: &str, last: &str) -> Markup {
    html! {
        (label("", LEFT, y, first))
        @if first != last { (label("end", RIGHT, y, last)) }
    }
}

/// Numbers as bars, each with its name.
pub(crate) fn bars(id: &str, title: &str, words: &str, numbers: &[(String, u64)]) -> Markup {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return html! {} };
    let most = round_up(numbers.iter().map(|(_, number)| *number).max().unwrap_or(1).max(1));
    let axis = Axis { low: 0.0, high: most as f64, bottom: 140.0 };
    let drawn = |(index, (name, number)): (usize, &(String, u64))| {
        let ((x, width), y) = (bar(index, numbers.len()), axis.y(*number as f64));
        html! { rect class="bar" x=(at(x)) y=(at(y)) width=(at(width)) height=(at(axis.bottom - y)) {
            title { (name) ": " (units::number(*number)) }
        } }
    };
    let drawing = html! {
        (grid(&axis, most as f64, &units::compact(most)))
        @for bar in numbers.iter().enumerate().map(drawn) { (bar) }
        (grid(&axis, 0.0, "0"))
        (ends(156.0, &first.0, &last.0))
    };
    let words =
        format!("{words} From {} at {} to {} at {}.", units::number(first.1), first.0, units::number(last.1), last.0);
    figure(id, 164.0, title, &words, &drawing)
}

/// How many entries each release has. `releases` are the newest first, as in a report.
pub(super) fn growth(id: &str, releases: &[ReleaseReport]) -> Markup {
    let shown: Vec<&ReleaseReport> = releases.iter().take(MAX_RELEASES).rev().collect();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return html! {} };
    let most = round_up(shown.iter().map(|release| release.entries).max().unwrap_or(1).max(1));
    let axis = Axis { low: 0.0, high: most as f64, bottom: 140.0 };
    let bar = |(index, release): (usize, &&ReleaseReport)| {
        let ((x, width), y) = (bar(index, shown.len()), axis.y(release.entries as f64));
        html! { rect class="bar" x=(at(x)) y=(at(y)) width=(at(width)) height=(at(axis.bottom - y)) {
            title { "Version " (release.version) ": " (units::number(release.entries)) " entries" }
        } }
    };
    let drawing = html! {
        (grid(&axis, most as f64, &units::compact(most)))
        (grid(&axis, most as f64 / 2.0, &units::compact(most / 2)))
        @for bar in shown.iter().enumerate().map(bar) { (bar) }
        (grid(&axis, 0.0, "0"))
        (ends(156.0, &format!("version {}", first.version), &format!("version {}", last.version)))
    };
    let words = format!(
        "from {} in version {} to {} in version {}.",
        units::number(first.entries),
        first.version,
        units::number(last.entries),
        last.version
    );
    figure(id, 164.0, "Entries", &words, &drawing)
}

/// How many entries each release adds and removes.
pub(super) fn churn(id: &str, releases: &[ReleaseReport]) -> Markup {
    // The first release adds everything; beside it, nothing else could be seen.
    let changes = releases.iter().filter(|release| release.version > 1);
    let mut shown: Vec<&ReleaseReport> = changes.take(MAX_RELEASES).collect();
    shown.reverse();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
        return html! { p class="soft small" { "There is one release alone, so nothing has changed yet." } };
    };
    let most =
        |of: fn(&ReleaseReport) -> u64| round_up(shown.iter().map(|release| of(release)).max().unwrap_or(1).max(1));
    let (up, down) = (most(|release| release.added), most(|release| release.removed));
    let axis = Axis { low: -(down as f64), high: up as f64, bottom: 140.0 };
    let zero = axis.y(0.0);
    let bars = |(index, release): (usize, &&ReleaseReport)| {
        let (x, width) = bar(index, shown.len());
        let (x, width) = (at(x), at(width));
        let (top, end) = (axis.y(release.added as f64), axis.y(-(release.removed as f64)));
        html! {
            rect class="bar" x=(x) y=(at(top)) width=(width) height=(at(zero - top)) {
                title { "Version " (release.version) " adds " (units::number(release.added)) }
            }
            rect class="bar out" x=(x) y=(at(zero)) width=(width) height=(at(end - zero)) {
                title { "Version " (release.version) " removes " (units::number(release.removed)) }
            }
        }
    };
    let drawing = html! {
        (grid(&axis, up as f64, &format!("+{}", units::compact(up))))
        // Near the line for zero, the words would lie over each other.
        @if axis.y(-(down as f64)) - zero > 12.0 { (grid(&axis, -(down as f64), &format!("−{}", units::compact(down)))) }
        @for bars in shown.iter().enumerate().map(bars) { (bars) }
        (grid(&axis, 0.0, "0"))
        (ends(156.0, &format!("version {}", first.version), &format!("version {}", last.version)))
    };
    let total = |of: fn(&ReleaseReport) -> u64| units::number(shown.iter().map(|release| of(release)).sum());
    let words = format!(
        "Added above the line, removed below it: {} added and {} removed {}.",
        total(|release| release.added),
        total(|release| release.removed),
        match first.version == last.version {
            true => format!("by version {}", last.version),
            false => format!("from version {} to {}", first.version, last.version),
        }
    );
    figure(id, 164.0, "Change.", &words, &drawing)
}

/// Where a time is drawn between the first and the last look.
fn x_of(time: Timestamp, looks: &[Look]) -> f64 {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return LEFT };
    let span = last.at.since(first.at).max(1) as f64;
    LEFT + (RIGHT - LEFT) * time.since(first.at) as f64 / span
}

/// A line through these points, broken where one is missing.
fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let (mut drawn, mut pen) = (String::new(), 'M');
    for point in points {
        pen = match point {
            None => 'M',
            Some((x, y)) => {
                drawn += &format!("{pen}{x:.1} {y:.1}");
                'L'
            }
        };
    }
    drawn
}

fn look_ends(y: f64, looks: &[Look]) -> Markup {
    let shown = |look: Option<&Look>| look.map(|look| super::plain::minute(&look.at.to_rfc3339())).unwrap_or_default();
    ends(y, &shown(looks.first()), &shown(looks.last()))
}

/// How old a witness's last cosignature was at each look.
pub(super) fn lag(id: &str, witness: usize, name: &str, looks: &[Look], too_old_after: u64) -> Markup {
    let age = |look: &Look| look.cosigned.get(witness).copied().flatten().map(|time| look.at.since(time));
    let ages: Vec<Option<u64>> = looks.iter().map(age).collect();
    let (worst, unseen) = (ages.iter().flatten().max().copied(), ages.iter().filter(|age| age.is_none()).count());
    let high = worst.unwrap_or(0).max(too_old_after + too_old_after / 4).max(1);
    let axis = Axis { low: 0.0, high: high as f64, bottom: 84.0 };
    let points = looks.iter().zip(&ages).map(|(look, age)| Some((x_of(look.at, looks), axis.y((*age)? as f64))));
    let drawing = html! {
        (grid(&axis, 0.0, "0"))
        (line("limit", (LEFT, RIGHT), axis.y(too_old_after as f64)))
        (label("end", LEFT - 5.0, axis.y(too_old_after as f64) + 3.5, &units::short_duration(too_old_after)))
        path class="line" d=(path(points)) {}
        (look_ends(99.0, looks))
    };
    let last = ages.last().copied().flatten();
    let words = match (last, worst) {
        (Some(last), Some(worst)) => format!(
            "last cosigned {} before the latest look; at worst {}{}. The dashed line, at {}, is too old.",
            units::duration(last),
            units::duration(worst),
            if unseen > 0 {
                format!(", and not seen at {}", units::count(unseen, "look", "looks"))
            } else {
                String::new()
            },
            units::duration(too_old_after)
        ),
        _ => format!("not seen at {}.", units::count(unseen, "look", "looks")),
    };
    figure(id, 106.0, name, &words, &drawing)
}

/// How large the log was at each look.
pub(super) fn size(id: &str, looks: &[Look]) -> Markup {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return html! {} };
    let most = round_up(last.size.0.max(1));
    let axis = Axis { low: 0.0, high: most as f64, bottom: 140.0 };
    // Between two looks nothing is known to have changed: a step, not a slope.
    let mut before = first.size;
    let steps = looks.iter().flat_map(|look| {
        let x = x_of(look.at, looks);
        let step = [(x, axis.y(before.0 as f64)), (x, axis.y(look.size.0 as f64))];
        before = look.size;
        step.map(Some)
    });
    let steps: Vec<_> = steps.collect();
    let drawing = html! {
        (grid(&axis, most as f64, &units::compact(most)))
        (grid(&axis, 0.0, "0"))
        path class="line" d=(path(steps.into_iter())) {}
        (look_ends(156.0, looks))
    };
    let words = format!(
        "from {} at this monitor’s first look to {}.",
        units::count(usize::try_from(first.size.0).unwrap_or(usize::MAX), "entry", "entries"),
        units::number(last.size.0)
    );
    figure(id, 164.0, "Size of the log", &words, &drawing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::tree::TreeSize;

    #[test]
    fn round_values_are_not_less() {
        for (value, round) in [(0, 1), (1, 1), (3, 5), (11, 20), (100, 100), (100_206, 200_000)] {
            assert_eq!(round_up(value), round);
        }
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_line_is_broken_where_nothing_was_seen() {
        let points = [Some((1.0, 2.0)), Some((3.0, 4.0)), None, Some((5.0, 6.0))];
        assert_eq!(path(points.into_iter()), "M1.0 2.0L3.0 4.0M5.0 6.0");
    }

    #[test]
    fn the_lag_is_told_in_words_too() {
        let look = |at: u64, cosigned: Option<u64>| Look {
            at: Timestamp(at),
            size: TreeSize(1),
            witnessed: None,
            cosigned: vec![cosigned.map(Timestamp)],
        };
        let looks = [look(1000, Some(990)), look(1100, None), look(1200, Some(1080))];
        let drawn = lag("w", 0, "w0", &looks, 60).into_string();
        for words in
            ["2 minutes before the latest look; at worst 2 minutes, and not seen at 1 look", "at 1 minute, is too old"]
        {
            assert!(drawn.contains(words), "{drawn}");
        }
        assert!(lag("w", 7, "w7", &looks, 60).into_string().contains("not seen at 3 looks"));
        assert!(size("s", &looks).into_string().contains("from 1 entry at this monitor’s first look to 1."));
    }
}
