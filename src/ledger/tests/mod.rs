//! Random histories: sticks that are lost, swapped, copied, damaged; statements that are replayed;
//! nodes that are set up anew or put back to an earlier state; relays that know statements or not.
//!
//! The ledgers are real, on disk. What moves between them is in memory. Whatever happens, nothing is
//! processed twice, and at no step a backup is younger than what was processed. Once sticks arrive,
//! everything is settled.

mod check;
mod events;
mod node;
mod stick;
mod visits;
mod world;

use world::{Shape, World};

/// Runs histories until one fails; its seed is in the panic's output.
fn check(shape: Shape, seeds: std::ops::Range<u64>) {
    let mut conflicts = 0;
    for seed in seeds {
        println!("{shape:?}, seed {seed}");
        let mut world = World::new(shape, seed);
        world.run();
        conflicts += world.conflicts;
    }
    println!("{conflicts} conflicts");
}

#[test]
fn any_history_over_one_stick_route_ends_settled() {
    check(Shape::Direct, 0..20);
}

#[test]
fn any_history_over_a_relay_that_knows_nothing_ends_settled() {
    check(Shape::Blind, 0..20);
}

#[test]
fn any_history_over_a_relay_that_follows_ends_settled() {
    check(Shape::Custody, 0..20);
}

/// `cargo test --release --lib -- --ignored thousands_of_histories`
#[test]
#[ignore = "takes minutes"]
fn thousands_of_histories_end_settled() {
    for shape in [Shape::Direct, Shape::Blind, Shape::Custody] {
        check(shape, 1000..3000);
    }
}
