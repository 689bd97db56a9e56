//! What a client knows, in plain words.

use isonomy_client::{CacheReport, InForce, Status};
use serde::Serialize;

/// Who vouches for the list in force.
pub(super) fn vouched(in_force: &InForce, status: &Status) -> String {
    let endorsed: Vec<String> =
        in_force.endorsed_by.iter().map(|curator| format!("{} ({})", curator.name, curator.jurisdiction)).collect();
    let (size, witnesses) = status.checkpoint.as_ref().map_or((String::new(), Vec::new()), |checkpoint| {
        (checkpoint.size.to_string(), checkpoint.witnessed_by.iter().map(|witness| witness.name.as_str()).collect())
    });
    format!(
        "  {} entries; endorsed by {}\n  log of {size} entries, cosigned by {}\n  public since {}; {}\n  \
         comparison code {}: the same for everybody who holds this version, and on the monitor's page",
        in_force.entries,
        endorsed.join(", "),
        witnesses.join(", "),
        in_force.public_since,
        in_force.freshness,
        in_force.code,
    )
}

/// A word of a charter, as it stands there.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Words of a charter, one after the other.
fn words(values: &[impl Serialize]) -> String {
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The answer to `client status`: what is in force, since when, under which charter, who endorsed and who witnessed it,
/// how old that knowledge is, and what the charter allows.
pub(super) fn status_words(status: &Status) -> String {
    let mut lines = vec![format!("list {}, log {}", status.list, status.log)];
    match (&status.in_force, status.version) {
        (Some(in_force), _) => {
            lines.push(format!(
                "version {} is in force, by {} under edition {} of its charter ({})",
                in_force.version, in_force.maintainer, in_force.edition, in_force.charter
            ));
            lines.extend(allowed(in_force));
            lines.push(vouched(in_force, status));
            lines.push(format!("  created {}, expires {}", in_force.created, in_force.expires));
            lines.extend(audited(in_force, status));
        }
        (None, Some(version)) => lines.push(not_at_hand(version, status)),
        (None, None) if status.halted.is_some() => lines.push("no version was accepted".to_owned()),
        (None, None) => lines.push("no version was accepted yet: run `isonomy client update`".to_owned()),
    }
    lines.push(split(status));
    lines.extend(warnings(status));
    lines.join("\n")
}

/// Whom one has to trust not to be shown another list than everybody else.
fn split(status: &Status) -> String {
    let least = match status.witnesses_to_split {
        1 => "one of the policy's witnesses".to_owned(),
        least => format!("{least} of the policy's witnesses"),
    };
    format!("to show somebody another history, the log needs the help of at least {least}")
}

/// What the charter allows.
fn allowed(in_force: &InForce) -> Vec<String> {
    let told = match in_force.recipients.as_slice() {
        [] => String::new(),
        recipients => format!(", to {}", recipients.join(", ")),
    };
    let law: Vec<String> = in_force
        .statutes
        .iter()
        .map(|statute| format!("{} {} {}", statute.jurisdiction, statute.instrument, statute.provision))
        .collect();
    vec![
        format!(
            "  for {}, to {}: {}",
            word(&in_force.purpose),
            word(&in_force.aim).replace('-', " "),
            in_force.definition
        ),
        format!(
            "  a match within distance {} of {} allows at most to {}{told}; the person is told in every case",
            in_force.max_distance, in_force.algorithm, in_force.action
        ),
        format!("  in {} matching, in {}; by {}", words(&in_force.surfaces), words(&in_force.reach), law.join("; ")),
        format!("  complaints: {}", in_force.complaints),
    ]
}

/// Who has read the whole log, where the policy asks for that.
fn audited(in_force: &InForce, status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(size) = status.log_read {
        lines
            .push(format!("  this client has read all {size} entries of the log itself: no version has a second text"));
    }
    if !in_force.attested_by.is_empty() {
        let auditors = in_force.attested_by.join(", ");
        lines.push(format!("  {auditors} attest that they followed the log up to this release"));
    }
    lines
}

fn not_at_hand(version: u64, status: &Status) -> String {
    let why = match &status.cache {
        CacheReport::Damaged { reason, .. } => format!("the cache is damaged: {reason}"),
        CacheReport::Refused { reason } => reason.clone(),
        CacheReport::Recovered => "the client was recovered, and does not know how old it is".to_owned(),
        _ if !status.knows_release => {
            return format!(
                "no list is in force: the client was recovered under another key of the log, and takes nothing older than version \
                 {version}; run `isonomy client update`"
            );
        }
        _ => "its content isn't at hand".to_owned(),
    };
    format!("version {version} was accepted, but {why}; run `isonomy client update`")
}

/// What an expired list means, and what to do; nothing for one that may be used.
pub(super) fn expired(in_force: &InForce, status: &Status) -> Option<String> {
    let is_usable = in_force.freshness.is_usable();
    let witnessed = status.seen.as_ref().or(status.checkpoint.as_ref()).map(|checkpoint| checkpoint.now);
    let why = match witnessed.filter(|witnessed| *witnessed < in_force.expires) {
        Some(witnessed) => format!(
            "by this machine's clock alone, which is {} s ahead of the latest time that witnesses vouch for ({witnessed}). If \
             the clock is wrong, set it right; if it isn't, the sources show an old state, or nobody has published since",
            status.clock_ahead
        ),
        None => "by the witnesses' time: its maintainer has to publish again".to_owned(),
    };
    (!is_usable).then(|| format!("! it has expired, so nothing is matched against it: {why}"))
}

fn warnings(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(status.in_force.as_ref().and_then(|in_force| expired(in_force, status)));
    if let Some(seen) = &status.seen {
        let above = if status.in_force.is_some() { "; the list above is as of the log's state before" } else { "" };
        lines.push(format!(
            "! the log has had {} entries, as was witnessed at {}, but no update came to its end under that{above}: the newest \
             file in the folder's `refusals` says why",
            seen.size, seen.now
        ));
    }
    if status.clock_behind > 0 {
        let behind = status.clock_behind;
        lines.push(format!("! this machine's clock is {behind} s behind what the witnesses say, which counts instead"));
    }
    if let Some(evidence) = &status.halted {
        lines.push(format!(
            "! updates have stopped, because of the evidence {evidence} that the log showed two histories; {}",
            match status.in_force {
                Some(_) => "the list above stays in force until it expires",
                None => "no list is in force, and none will be. What helps comes from those who make the app",
            }
        ));
    }
    lines
}
