//! Every way of looking up finds what comparing everything finds.

use super::*;
use isonomy_core::list::Algorithm::{Md5, PdqFull, Sha256};
use proptest::prelude::*;

fn index(algorithm: Algorithm, entries: &[Vec<u8>]) -> (Index<Entries>, Entries) {
    let (entries, _) = Entries::from_unsorted(algorithm.entry_size(), entries.concat()).unwrap();
    (Index::new(algorithm, entries.clone()).unwrap(), entries)
}

/// Indexes of the same entries in every arrangement and some shapes, with all instructions of this machine.
fn indexes(entries: &Entries) -> Vec<Index<Entries>> {
    let shapes = [(10, 1), (11, 2), (13, 1), (16, 1)].map(|(key_bits, width)| Some(Shape { key_bits, width }));
    let every = shapes.into_iter().chain([None]).flat_map(|shape| {
        Instructions::available().into_iter().map(move |instructions| {
            let mut index = Index::arranged(PdqFull, entries.clone(), Arrangement::Scan).unwrap().using(instructions);
            if let (Table::Pdq { buckets, .. }, Some(shape)) = (Arc::get_mut(&mut index.table).unwrap(), shape) {
                let bands: Vec<_> = Hashes::InList.rows(entries).iter().map(|row| permutation::bands(row)).collect();
                *buckets = Some(Buckets::new(&bands, shape));
            }
            index
        })
    });
    every.collect()
}

/// Numbers without regularity, the same for the same seed.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn random_hash(next: &mut impl FnMut() -> u64) -> Vec<u8> {
    (0..4).flat_map(|_| next().to_le_bytes()).collect()
}

/// `hash` with `count` bits turned, each another one.
fn apart(hash: &[u8], count: usize, next: &mut impl FnMut() -> u64) -> Vec<u8> {
    let mut bits: Vec<u8> = (0..=255).collect();
    for place in 0..count {
        bits.swap(place, place + (next() as usize) % (256 - place));
    }
    flipped(hash, &bits[..count])
}

fn sorted(hashes: &[Vec<u8>]) -> Entries {
    Entries::from_unsorted(32, hashes.concat()).unwrap().0
}

fn assert_exact(entries: &Entries, queries: &[Vec<u8>], distances: &[u32]) {
    for index in indexes(entries) {
        for most in distances {
            let mut together = vec![Vec::new(); queries.len()];
            index.within_each(&queries.concat(), *most, |number, found| together[number] = found).unwrap();
            for (query, together) in queries.iter().zip(together) {
                let expected = brute_force(entries, query, *most);
                assert_eq!(index.within(query, *most).unwrap(), expected);
                assert_eq!(together, expected);
            }
        }
    }
}

fn brute_force(entries: &Entries, query: &[u8], max_distance: u32) -> Vec<Found> {
    let distance = |entry: &[u8]| entry.iter().zip(query).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
    let all = entries.iter().enumerate().map(|(index, entry)| Found { distance: distance(entry), index });
    let mut found: Vec<Found> = all.filter(|found| found.distance <= max_distance).collect();
    found.sort_by_key(|found| (found.distance, found.index));
    found
}

/// `hash` with each of these bits turned.
fn flipped(hash: &[u8], bits: &[u8]) -> Vec<u8> {
    let mut hash = hash.to_vec();
    for bit in bits {
        hash[usize::from(bit / 8)] ^= 1 << (bit % 8);
    }
    hash
}

#[test]
fn a_list_of_one_entry_matches_up_to_the_distance_and_no_further() {
    let entry = vec![0x5a; 32];
    let (index, _) = index(PdqFull, std::slice::from_ref(&entry));
    for distance in 0..=40u8 {
        // Bits in both halves of the hash, and in one alone.
        for bits in [(0..distance).map(|bit| bit * 6).collect::<Vec<_>>(), (0..distance).collect()] {
            let found = index.within(&flipped(&entry, &bits), 31).unwrap();
            let expected = Found { distance: u32::from(distance), index: 0 };
            assert_eq!(found, if distance <= 31 { vec![expected] } else { vec![] });
        }
    }
}

#[test]
fn the_nearest_comes_first_and_equally_near_ones_in_the_order_of_the_list() {
    let entry = vec![0x5a; 32];
    let near = [&[][..], &[3], &[200], &[3, 200], &[1, 2, 3]].map(|bits| flipped(&entry, bits));
    let (index, entries) = index(PdqFull, &near);
    let found = index.within(&entry, 2).unwrap();
    assert_eq!(found.iter().map(|found| found.distance).collect::<Vec<_>>(), [0, 1, 1, 2]);
    assert!(found[1].index < found[2].index);
    assert_eq!(entries.get(found[0].index), Some(entry.as_slice()));
}

#[test]
fn digests_match_exactly_or_not_at_all() {
    let (index, entries) = index(Md5, &[vec![1; 16], vec![7; 16], vec![9; 16]]);
    assert_eq!(index.within(&[7; 16], 31), Ok(vec![Found { distance: 0, index: 1 }]));
    assert_eq!(index.within(&flipped(&[7; 16], &[0]), 31), Ok(vec![]));
    assert_eq!((index.len(), index.algorithm()), (entries.len(), Md5));
}

#[test]
fn sizes_that_do_not_fit_are_errors_and_not_misses() {
    let (index, entries) = index(Md5, &[vec![1; 16]]);
    assert_eq!(index.within(&[1; 32], 0), Err(LookupError::QuerySize { algorithm: Md5, found: 32 }));
    let refused = Index::new(Sha256, &entries).err();
    assert_eq!(refused, Some(LookupError::EntrySize { algorithm: Sha256, found: 16 }));
    let empty = Index::new(PdqFull, Entries::empty(32).unwrap()).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.within(&[0; 32], 256), Ok(vec![]));
}

#[test]
fn every_distance_is_found_and_none_beyond() {
    let mut next = noise(1);
    let centres: Vec<Vec<u8>> = (0..64).map(|_| random_hash(&mut next)).collect();
    let far = (0..3000).map(|_| random_hash(&mut next));
    let entries = sorted(&centres.iter().cloned().chain(far).collect::<Vec<_>>());
    let queries: Vec<Vec<u8>> =
        centres.iter().enumerate().map(|(count, centre)| apart(centre, count, &mut next)).collect();
    assert_exact(&entries, &queries, &[0, 1, 15, 30, 31, 32, 128, 256]);
}

#[test]
fn crowded_buckets_hide_nothing() {
    let mut next = noise(2);
    let centre = random_hash(&mut next);
    // Thousands in one bucket of every table; others share all but one band, or nothing but one.
    let near = (0..2500).map(|at| apart(&centre, at % 40, &mut noise(at as u64 + 3)));
    let one_band = (0..1500).map(|at| {
        let mut hash = random_hash(&mut noise(at + 5000));
        hash[..3].copy_from_slice(&centre[..3]);
        hash
    });
    let entries = sorted(&near.chain(one_band).collect::<Vec<_>>());
    let queries: Vec<Vec<u8>> = (0..48).map(|count| apart(&centre, count, &mut next)).collect();
    assert_exact(&entries, &queries, &[0, 12, 31]);
    let crowding = indexes(&entries)[0].crowding();
    assert!(crowding > 0.3, "{crowding}");
}

#[test]
fn crowding_is_counted_without_an_index() {
    let centre = random_hash(&mut noise(2));
    let near = (0..6000).map(|at| apart(&centre, at % 40, &mut noise(at as u64 + 3)));
    let entries = sorted(&near.collect::<Vec<_>>());
    let counted = crowding(PdqFull, &entries);
    assert!(counted > CROWDED, "{counted}");
    assert_eq!(counted, Index::new(PdqFull, &entries).unwrap().crowding());
}

#[test]
fn crowded_buckets_that_few_entries_share_are_searched_in_their_tails() {
    let mut next = noise(4);
    let centre = random_hash(&mut next);
    let near = (0..120).map(|at| apart(&centre, at % 30, &mut noise(at as u64 + 9)));
    let far = (0..6000).map(|at| random_hash(&mut noise(at + 70_000)));
    let entries = sorted(&near.chain(far).collect::<Vec<_>>());
    let queries: Vec<Vec<u8>> = (0..40).map(|count| apart(&centre, count, &mut next)).collect();
    assert_exact(&entries, &queries, &[31]);
}

#[test]
fn a_large_list_gets_buckets_by_itself_and_digests_a_directory() {
    let mut next = noise(6);
    let entries = sorted(&(0..BUCKETS_FROM).map(|_| random_hash(&mut next)).collect::<Vec<_>>());
    let indexed = Index::new(PdqFull, &entries).unwrap();
    assert!(indexed.memory() > 16 * entries.len());
    assert!(indexed.crowding() < 0.02, "{}", indexed.crowding());
    assert_eq!(crowding(PdqFull, indexed.list()), indexed.crowding());
    let scanned = Index::arranged(PdqFull, &entries, Arrangement::Scan).unwrap();
    assert_eq!(scanned.memory(), 16 * entries.len());
    let exact = Index::new(Sha256, &entries).unwrap();
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!(indexed.within(entry, 31).unwrap(), [Found { distance: 0, index: place }]);
        assert_eq!(exact.within(entry, 0).unwrap(), [Found { distance: 0, index: place }]);
        assert_eq!(exact.within(&flipped(entry, &[255]), 31).unwrap(), []);
    }
}

#[test]
fn many_queries_of_a_wrong_size_are_refused() {
    let (index, _) = index(Md5, &[vec![1; 16]]);
    let refused = index.within_each(&[1; 40], 0, |_, _| panic!("told of a match"));
    assert_eq!(refused, Err(LookupError::QuerySize { algorithm: Md5, found: 8 }));
    let mut seen = Vec::new();
    index.within_each(&[[1; 16], [2; 16]].concat(), 0, |number, found| seen.push((number, found.len()))).unwrap();
    assert_eq!(seen, [(0, 1), (1, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lookup_finds_what_comparing_everything_finds(
        centre in proptest::collection::vec(any::<u8>(), 32),
        near in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..45), 0..150),
        far in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 32), 0..150),
        max_distance in prop_oneof![0u32..40, 0u32..=256, Just(u32::MAX)],
    ) {
        let mut hashes: Vec<Vec<u8>> = near.iter().map(|bits| flipped(&centre, bits)).collect();
        hashes.extend(far);
        let entries = sorted(&hashes);
        let expected = brute_force(&entries, &centre, max_distance);
        for index in indexes(&entries) {
            prop_assert_eq!(index.within(&centre, max_distance).unwrap(), expected.clone());
        }
    }
}
