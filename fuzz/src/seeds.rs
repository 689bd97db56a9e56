//! Well-formed bytes for each property, from which fuzzing starts.

use crate::lists::{FROM, archive};
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::hash::StatementId;
use isonomy_core::list::{ListProof, ListTree, delta, snapshot};
use isonomy_core::statement::Statement;
use isonomy_core::tile::encode_entries;
use isonomy_core::tree::TreeSize;
use isonomy_matcher::{Fingerprint, Matcher, Verdict};
use isonomy_publisher::charter::template;
use isonomy_tests::client::Client;
use isonomy_tests::people::{self, at, hash, hashes};
use isonomy_tests::world::World;
use isonomy_verifier::Evidence;
use std::io::Cursor;

/// Two pictures, and facts about a video of three frames.
const DECODER_OUTPUT: [&[u8]; 2] = [
    b"P6\n2 1\n255\nabcdefP6\n1 2\n255\nuvwxyz",
    b"packet|stream_index=0|pts_time=0.000000|dts_time=-0.040000\npacket|stream_index=0|pts_time=0.080000|dts_time=N/A\n\
      packet|stream_index=0|pts_time=0.040000|dts_time=0.000000|side_data|\n\
      stream|index=0|width=320|height=240|r_frame_rate=25/1|avg_frame_rate=30000/1001|duration=N/A|side_data|\n\n\
      format|duration=0.120000\n",
];

/// The names of properties, each with well-formed bytes. Each property has some.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut world = World::founded();
    world.release(hashes(0..40), 100);
    world.publish(100);
    world.publish(105);
    let mut seeds = of_log(&world);
    seeds.extend(of_files(&world));
    seeds.extend(of_lists());
    seeds.extend(of_pictures().map(|picture| ("picture", picture)));
    seeds.extend(DECODER_OUTPUT.map(|output| ("decoder_output", output.to_vec())));
    seeds
}

fn statements(world: &World) -> Vec<Vec<u8>> {
    world.statements().iter().map(Statement::to_bytes).collect()
}

fn of_log(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let checkpoint = world.published();
    let lines: String = checkpoint.note().signatures().iter().map(ToString::to_string).collect();
    let statements = statements(world);
    let whole = AddCheckpoint { old: TreeSize(0), proof: Vec::new(), checkpoint: checkpoint.clone() };
    let first = world.statements()[0].id();
    let tile = [vec![statements.len() as u8 - 1], encode_entries(&statements).expect("small entries")].concat();
    let policy = world.trust().to_text();
    let mut seeds = vec![
        ("note", statements[0].clone()),
        ("note", checkpoint.note().to_bytes()),
        ("verifier_key", people::key("m1").verifier().to_string().into_bytes()),
        ("verifier_key", people::witness(1).verifier().to_string().into_bytes()),
        ("verifier_key", checkpoint.note().signatures()[0].to_string().trim_end().as_bytes().to_vec()),
        ("checkpoint", checkpoint.note().to_bytes()),
        ("cosignature", checkpoint.note().to_bytes()),
        ("add_checkpoint", whole.to_bytes()),
        ("add_checkpoint", lines.into_bytes()),
        ("add_checkpoint", b"17\n".to_vec()),
        ("witness_request", whole.to_bytes()),
        ("entry_tile", tile),
        ("entry_tile", [&[1][..], &[7; 64]].concat()),
        ("tlog_proof", world.proof(&first).to_bytes()),
        ("tlog_policy", policy),
    ];
    let tiles = ["tile/0/000", "tile/3/x123/x456/789.p/17", "tile/entries/x001/234"];
    seeds.extend(tiles.map(|path| ("tile_path", path.as_bytes().to_vec())));
    let id = first.to_hex();
    let paths = ["checkpoint".to_owned(), "list/a.example/b/bundle".to_owned(), format!("object/{id}")];
    let more = [format!("statement/{id}"), format!("proof/{id}"), tiles[1].to_owned()];
    seeds.extend(paths.into_iter().chain(more).map(|path| ("resource", path.into_bytes())));
    seeds
}

fn of_files(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let mut client = Client::of(world);
    let list = client.update(world, 105).expect("the world is honest").list;
    let fingerprint =
        Fingerprint { algorithm: list.charter().matching.algorithm, hash: hash(7).to_vec(), quality: None };
    let answer = Matcher::new(list).expect("an algorithm that is known").look_up(&fingerprint, at(105));
    let Verdict::Matched(matches) = answer.verdict else { panic!("hash 7 is on the list") };
    let mut other = world.fork(1);
    other.release(hashes(0..11), 100);
    other.publish(105);
    let fork = Evidence::fork(world.published(), other.published(), Vec::new());
    let mut seeds = vec![
        ("bundle", world.bundle().to_bytes()),
        ("policy", world.policy_text().into_bytes()),
        ("state", client.state.to_bytes().expect("a state")),
        ("evidence", fork.to_text().into_bytes()),
        ("receipt", matches[0].receipt.to_text().expect("it holds").into_bytes()),
        ("receipt", matches[0].receipt.to_file().expect("it holds")),
        ("charter", template().into_bytes()),
        ("charter", include_bytes!("../../cli/src/demo/charter.toml").to_vec()),
        ("draft", draft(world, None)),
        ("draft", draft(world, Some("a reason"))),
    ];
    seeds.extend(statements(world).into_iter().map(|statement| ("statement", statement)));
    seeds
}

/// The draft of the world's first release.
fn draft(world: &World, reason: Option<&str>) -> Vec<u8> {
    let [charter, release] = [0, 1].map(|index| &world.statements()[index]);
    let unsigned = release.note().with_signatures(Vec::new());
    let mut members = vec![("snapshot", snapshot::encode(&FROM)), ("charter.note", charter.to_bytes())];
    members.extend(reason.map(|reason| ("reason.txt", reason.as_bytes().to_vec())));
    members.push(("release.note", unsigned.to_bytes()));
    let members: Vec<_> = members.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    archive(&members)
}

/// A file in each format that maintainers have.
const FIXTURES: [&[u8]; 12] = [
    include_bytes!("../../publisher/tests/fixtures/md5sum-tag.txt"),
    include_bytes!("../../publisher/tests/fixtures/md5sum.txt"),
    include_bytes!("../../publisher/tests/fixtures/ncmec-deletion.xml"),
    include_bytes!("../../publisher/tests/fixtures/ncmec.xml"),
    include_bytes!("../../publisher/tests/fixtures/pdq.txt"),
    include_bytes!("../../publisher/tests/fixtures/stopncii.json"),
    include_bytes!("../../publisher/tests/fixtures/terrorism.json"),
    include_bytes!("../../publisher/tests/fixtures/threat_updates.json"),
    include_bytes!("../../publisher/tests/fixtures/threatexchange-ids.te"),
    include_bytes!("../../publisher/tests/fixtures/threatexchange.te"),
    include_bytes!("../../publisher/tests/fixtures/tx.txt"),
    include_bytes!("../../publisher/tests/fixtures/vpdq.txt"),
];

fn of_lists() -> Vec<(&'static str, Vec<u8>)> {
    let to = hashes((0..38).chain(100..103));
    let hex = |number| isonomy_core::encoding::to_hex(&hash(number));
    let lines: String = (0..4).map(|number| format!("{}\n", hex(number))).collect();
    let table = format!("file,quality,pdq\na.png,90,{}\n\"b,c\",40,{}\n", hex(1), hex(2));
    let tree = ListTree::new(&FROM);
    let proof = |entry: &[u8]| ListProof::new(&tree, StatementId([7; 32]), entry).to_text().into_bytes();
    let mut seeds = vec![
        ("snapshot", snapshot::encode(&FROM)),
        ("snapshot", snapshot::encode(&hashes([]))),
        ("delta", delta::encode(&delta::diff(&FROM, &to).expect("one size"))),
        ("delta", delta::encode(&delta::diff(&FROM, &FROM).expect("one size"))),
        ("list_proof", proof(&hash(3))),
        ("list_proof", proof(&hash(100))),
        ("kept_ids", format!("{} {}\n{} {}\nend 2\n", "ab".repeat(16), hex(1), "cd".repeat(16), hex(2)).into_bytes()),
        ("import", lines.into_bytes()),
        ("import", table.into_bytes()),
        ("import", b"d41d8cd98f00b204e9800998ecf8427e  a.txt\n\\900150983cd24fb0d6963f7d28e17f72 *b\\n\n".to_vec()),
    ];
    seeds.extend(FIXTURES.map(|fixture| ("import", fixture.to_vec())));
    seeds
}

/// A small picture with a gradient in each format.
fn of_pictures() -> impl Iterator<Item = Vec<u8>> {
    use image::{ImageFormat::*, RgbImage};
    let picture = RgbImage::from_fn(24, 16, |x, y| image::Rgb([(x * 10) as u8, (y * 15) as u8, (x * y) as u8]));
    let encode = move |format| {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).expect("an encoder for each format");
        file.into_inner()
    };
    let further = [with_second_page(encode(Tiff)), with_second_picture(&encode(Jpeg))];
    [Jpeg, Png, Gif, Bmp, WebP, Tiff].into_iter().map(encode).chain(further)
}

/// A TIFF, and as its second page the same pixels.
fn with_second_page(mut tiff: Vec<u8>) -> Vec<u8> {
    let long = |at: usize, tiff: &[u8]| u32::from_le_bytes(*tiff[at..].first_chunk().expect("a number")) as usize;
    let first = long(4, &tiff);
    let length = 2 + 12 * usize::from(u16::from_le_bytes([tiff[first], tiff[first + 1]]));
    tiff.resize(tiff.len().next_multiple_of(2), 0);
    let second = tiff.len() as u32;
    tiff.extend_from_within(first..first + length + 4);
    tiff[first + length..first + length + 4].copy_from_slice(&second.to_le_bytes());
    tiff
}

/// A JPEG that lists itself once more, at its end.
fn with_second_picture(jpeg: &[u8]) -> Vec<u8> {
    let list = [&b"MM\0*\0\0\0\x08\0\x01\xb0\x02\0\x07\0\0\0\x20\0\0\0\x1a\0\0\0\0"[..], &[0; 20]].concat();
    let place = list.len() + 12 + jpeg.len() - 2;
    let entry = [jpeg.len() as u32, place as u32, 0].map(u32::to_be_bytes).concat();
    let head = [&b"\xff\xd8\xff\xe2"[..], &(list.len() as u16 + 18).to_be_bytes(), b"MPF\0"].concat();
    [&head, &list, &entry, &jpeg[2..], jpeg].concat()
}
