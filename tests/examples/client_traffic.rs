//! What an update costs: `cargo run --release -p isonomy-tests --example client_traffic [ENTRIES]`. A list of a million
//! PDQ hashes of which a thousandth is replaced each day, published daily for a month; clients that are new, up to date, a
//! day, a week and a month behind. Beside the bytes the information bound: what is needed to tell one such list, or one such
//! change, from all others.

use isonomy_core::resource::Resource;
use isonomy_tests::client::Client;
use isonomy_tests::people::hashes;
use isonomy_tests::world::World;

const DAYS: u64 = 31;
const DAY: u64 = 86_400;

fn main() {
    let entries: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let churn = entries / 1000;
    let mut world = World::founded_with(|charter| {
        charter.limits.max_entries = 1 << 40;
        charter.limits.max_added = 1 << 40;
        charter.limits.min_visibility = 6;
        charter.limits.validity = 2 * DAY;
    });
    let mut behind = Vec::new();
    for day in 1..=DAYS {
        world.release(hashes(day * churn..day * churn + entries), day * DAY);
        world.publish(day * DAY);
        world.publish(day * DAY + 10);
        if let Some(name) = [(1, "a month"), (DAYS - 7, "a week"), (DAYS - 1, "a day"), (DAYS, "up to date")]
            .iter()
            .find_map(|(at, name)| (*at == day).then_some(*name))
        {
            let mut client = Client::of(&world);
            client.update(&world, day * DAY + 10).expect("an update");
            behind.push((name, day, client));
        }
    }
    println!("| client | requests | bytes | of these content | bound | content / bound |\n|---|---|---|---|---|---|");
    let new = Client::of(&world);
    let bits = |changes: u64| log2_choose(entries, changes) + 256.0 * changes as f64 - log2_factorial(changes);
    report("new", new, &world, 256.0 * entries as f64 - log2_factorial(entries));
    for (name, day, client) in behind {
        report(name, client, &world, bits((DAYS - day) * churn));
    }
}

fn report(name: &str, mut client: Client, world: &World, bound_bits: f64) {
    let updated = client.update(world, DAYS * DAY + 10).expect("an update");
    assert_eq!(updated.list.version(), DAYS);
    let size = |resource: &Resource| world.get(resource).map_or(0, |bytes| bytes.len() as u64);
    let all: u64 = client.asked.iter().map(size).sum();
    let objects = client.asked.iter().filter(|resource| matches!(resource, Resource::Object(_)));
    let content: u64 = objects.map(size).sum();
    let bound = (bound_bits / 8.0).ceil() as u64;
    let ratio = if bound > 0 { format!("{:.3}", content as f64 / bound as f64) } else { "–".to_owned() };
    println!("| {name} | {} | {all} | {content} | {bound} | {ratio} |", client.asked.len());
}

/// log2 of n!, by Stirling's series; exact to far below a byte.
fn log2_factorial(n: u64) -> f64 {
    if n < 2 {
        return 0.0;
    }
    let n = n as f64;
    let ln = n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + 1.0 / (12.0 * n);
    ln / std::f64::consts::LN_2
}

fn log2_choose(n: u64, k: u64) -> f64 {
    log2_factorial(n) - log2_factorial(k) - log2_factorial(n - k)
}
