//! Receipts and evidence in other bytes than the one form that they have, for every implementation to refuse.

use crate::people::witness;
use crate::world::World;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use isonomy_core::encoding::to_base64;
use isonomy_core::json::{self, Lines};
use isonomy_core::tree::leaf_hash;
use serde::Serialize;
use std::io::Write;

/// What is wrong with a file, and its bytes.
pub type Malformed = (&'static str, Vec<u8>);

/// This receipt or evidence in forms that mean the same to a lenient reader, and with a little more or less.
pub fn others(text: &str) -> Vec<Malformed> {
    let first = text.lines().nth(1).unwrap();
    let body = text.strip_suffix("\n}\n").unwrap();
    let compact: String = text.lines().map(str::trim_start).collect();
    let mut forms = vec![
        ("a field more", format!("{body},\n  \"more\": 1\n}}\n")),
        ("compact", format!("{compact}\n")),
        ("fields in another order", reordered(text)),
        ("a field twice", text.replacen("{\n", &format!("{{\n{first}\n"), 1)),
        ("no newline at the end", text.trim_end().into()),
        ("a newline more", format!("{text}\n")),
        ("lines that end otherwise", text.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{text}")),
        ("text after it", format!("{text}x")),
        ("two files", text.repeat(2)),
        ("an escape", text.replacen('\u{2014}', "\\u2014", 1)),
        ("cut off", text.lines().take(4).collect()),
    ];
    // Numbers as no writer writes them, in JSON and in a proof.
    for (name, from, to) in [
        ("a fraction", "\"release_index\": 1", "\"release_index\": 1.0"),
        ("an exponent", "\"release_index\": 1", "\"release_index\": 1e0"),
        ("true", "\"release_index\": 1", "\"release_index\": true"),
        ("a zero before", "\"index ", "\"index 0"),
        ("a sign", "\"index ", "\"index +"),
        ("bytes that are none", "@v1\",\n", "@v1\",\n    \"extra ?\",\n"),
    ] {
        if text.contains(from) {
            forms.push((name, text.replacen(from, to, 1)));
        }
    }
    forms.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// All but the first field stand in the reverse order.
fn reordered(text: &str) -> String {
    let body = text.strip_prefix("{\n").unwrap().strip_suffix("\n}\n").unwrap();
    let mut fields: Vec<&str> = body.split(",\n  \"").collect();
    fields[1..].reverse();
    format!("{{\n{}\n}}\n", fields.join(",\n  \""))
}

/// A receipt under gzip that is damaged, or as it may not be; other files under gzip; and what is no such file at all.
pub fn damaged(receipt: &str, evidence: &str) -> Vec<Malformed> {
    let whole = gzip(GzBuilder::new(), receipt);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let with_name = gzip(GzBuilder::new().filename("receipt.json"), receipt);
    let halves: [&str; 2] = receipt.split_at(100).into();
    let padded = format!("{receipt}{}", " ".repeat(1 << 20));
    vec![
        ("cut off under gzip", whole[..whole.len() / 2].to_vec()),
        ("without its checksum", whole[..whole.len() - 8].to_vec()),
        ("the first bytes alone", whole[..4].to_vec()),
        ("a flipped bit", flipped),
        ("another checksum", [&whole[..whole.len() - 8], &[0; 8]].concat()),
        ("a byte after it", [&whole[..], &[0]].concat()),
        ("two members", whole.repeat(2)),
        ("a half in each of two members", halves.map(|half| gzip(GzBuilder::new(), half)).concat()),
        ("a name", with_name),
        ("small, and large when unpacked", gzip(GzBuilder::new(), &padded)),
        ("evidence under gzip", gzip(GzBuilder::new(), evidence)),
        ("a text under gzip", gzip(GzBuilder::new(), "text")),
        ("nothing", Vec::new()),
        ("deeply nested", "[".repeat(100_000).into_bytes()),
        ("larger than evidence may be", format!("{evidence}{}", " ".repeat(4 << 20)).into_bytes()),
        ("base64 under gzip", gzip(GzBuilder::new(), &to_base64(&whole))),
    ]
}

fn gzip(builder: GzBuilder, text: &str) -> Vec<u8> {
    let mut encoder: GzEncoder<Vec<u8>> = builder.write(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[derive(Serialize)]
struct Fork {
    evidence: &'static str,
    older: Lines,
    newer: Lines,
    proof: Vec<String>,
}

/// Two checkpoints of an honest log, and a proof of "hashes" of 31 and 33 bytes. They lead to the newer root, since what is hashed
/// is one after the other, and the first is not the older root: whoever doesn't look at their lengths convicts the log.
pub fn honest_log() -> String {
    let world = World::with_release();
    let leaves: Vec<u8> = world.statements()[..2].iter().flat_map(|one| leaf_hash(&one.to_bytes()).0).collect();
    let checkpoint = |size| Lines::of(world.checkpoint(size).note());
    let proof = vec![to_base64(&leaves[..31]), to_base64(&leaves[31..])];
    let fork = Fork { evidence: "isonomy/fork/v1", older: checkpoint(1), newer: checkpoint(2), proof };
    json::encode(&fork).unwrap()
}

/// A fork with one more line in its older checkpoint, and whether it is proven still: such a line is nothing to anybody, since it
/// proves nothing and a log could add it, but for its size.
pub fn idle_lines(fork: &str) -> Vec<(&'static str, String, bool)> {
    let with = |name: &str, id: [u8; 4], bytes: usize| {
        let line = to_base64(&[&id[..], &vec![7; bytes]].concat());
        let newer = "\n  ],\n  \"newer\"";
        fork.replacen(newer, &format!(",\n    \"\u{2014} {name} {line}\"{newer}"), 1)
    };
    let key = witness(1).verifier().clone();
    vec![
        ("a line of a stranger", with("stranger.example", [1; 4], 64), true),
        ("a wrong line of a witness", with(key.name(), key.id().0, 72), true),
        ("a line of nobody", with("a+b", [1; 4], 64), false),
        ("a line that is too short", with("stranger.example", [1; 4], 0), false),
        ("a line that is too long", with("stranger.example", [1; 4], 100_000), false),
    ]
}
