//! Brings a list up to date, and says what is in force:
//!
//! ```text
//! cargo run -p isonomy-client --example update -- POLICY-FILE FOLDER SOURCE…
//! ```
//!
//! A source is the URL of a log or a mirror, or the folder of one.

use isonomy_client::{Change, Client, Policy, Source, system_clock};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(policy), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("how to call it: update POLICY-FILE FOLDER SOURCE…".into());
    };
    let policy = Policy::parse(&std::fs::read(policy)?)?;
    let sources = arguments.map(|source| Source::parse(&source)).collect::<Result<Vec<_>, _>>()?;

    let mut client = Client::open(folder, policy)?;
    match client.update_blocking(&sources, system_clock()) {
        Ok(report) => {
            let (list, wait) = (&report.updated.list, report.next_update_after.as_secs());
            let news = if report.kind == Change::Same { "stays" } else { "is now" };
            println!(
                "version {} of {} {news} in force; the next update is due in {wait} s",
                list.version(),
                list.name()
            );
        }
        // What was in force stays so, and can be used as long as it is fresh enough for the app.
        Err(error) => println!("{error}"),
    }
    let Some(list) = client.list() else { return Ok(()) };
    println!("{} entries; {}", list.entries().len(), list.freshness(system_clock()));
    Ok(())
}
