//! The full table of detection times: `cargo run --release -p isonomy-tests --example simulation`. With two numbers: so
//! many clients and seeds.

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<u64>().ok());
    let (clients, seeds) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(21));
    print!("{}", isonomy_tests::simulation::table(clients as usize, seeds));
}
