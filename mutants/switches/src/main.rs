//! Puts every mutant of some Rust sources behind a switch, so that all of them are compiled at once:
//!
//! ```text
//! switches DROPPED FROM TO [FROM TO]…
//! ```
//!
//! writes each source FROM to TO with all mutants in it, as `if crate::__mutant(N) { mutant } else { original }`, and prints
//! a line for each: number, tab, place, tab, what it does. Numbers in the file DROPPED are left out, since they do not compile.
//! The mutants are those of `cargo mutants` as far as they can be switched (another operator, another result, an arm or a guard
//! less), and two of our own: a statement left out, a refusal whose condition never holds. Tests are left as they are.

mod places;

use places::Places;
use quote::ToTokens;
use std::collections::BTreeSet;
use std::{env, fs};
use syn::visit_mut::VisitMut;

/// The numbers of a file begin at a multiple of this, so that a dropped mutant renumbers no other file.
const NUMBERS_OF_A_FILE: u32 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (dropped, sources) = arguments.split_first().ok_or("DROPPED is missing")?;
    let dropped = fs::read_to_string(dropped).unwrap_or_default();
    let dropped: BTreeSet<u32> = dropped.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let mut first = NUMBERS_OF_A_FILE;
    for source in sources.chunks_exact(2) {
        let mut file = syn::parse_file(&fs::read_to_string(&source[0])?)?;
        let mut places = Places::new(&source[0], first, &dropped);
        places.visit_file_mut(&mut file);
        let attributes = file.attrs.iter().map(|attribute| attribute.to_token_stream().to_string());
        let items = file.items.iter().map(|item| item.to_token_stream().to_string());
        let text: Vec<String> = attributes.chain(items).collect();
        fs::write(&source[1], text.join("\n") + "\n")?;
        places.said().iter().for_each(|line| println!("{line}"));
        first = places.next().next_multiple_of(NUMBERS_OF_A_FILE);
    }
    Ok(())
}
