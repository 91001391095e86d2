//! What the machine can do at best: the cipher and the hash on all cores, one read, one write.
//! `make bench` prints the share of it that each operation reaches.

use packmule_protocol::id::NodeId;
use packmule_protocol::keys::{ExchangePrivate, SigningPrivate};
use packmule_protocol::mth::{self, BLOCK};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::seal::{Recipient, Sender};
use packmule_protocol::packet::{SEALED_BLOCK, Sealer};
use packmule_protocol::seed::Seed;
use rayon::prelude::*;
use std::error::Error;
use std::io::{Read, Write};
use std::time::Instant;

const BLOCKS: usize = 1024;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut blocks = vec![vec![0; SEALED_BLOCK]; BLOCKS];
    let sealer = sealer()?;
    let aead = best(|| {
        blocks.par_iter_mut().enumerate().for_each(|(i, block)| sealer.seal_block(i as u64, block));
        Ok(())
    })?;
    let hash = best(|| {
        let leaves = blocks.par_iter().map(|block| mth::leaf(&block[..BLOCK])[0]);
        std::hint::black_box(leaves.reduce(|| 0, |one, other| one ^ other));
        Ok(())
    })?;
    // Both numbers that follow are of a RAM disk where there is one: copying, without a disk.
    let directory = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
    let path = format!("{directory}/packmule-ceiling-{}", std::process::id());
    let write = best(|| {
        let mut file = std::fs::File::create(&path)?;
        blocks.iter().try_for_each(|block| file.write_all(&block[..BLOCK]))
    })?;
    let read = best(|| {
        let mut file = std::fs::File::open(&path)?;
        let mut block = vec![0; 8 * BLOCK];
        while file.read(&mut block)? > 0 {}
        Ok(())
    });
    std::fs::remove_file(&path)?;
    println!(
        r#"{{"aead": {aead:.0}, "hash": {hash:.0}, "read": {:.0}, "write": {write:.0}}}"#,
        read?
    );
    Ok(())
}

/// Bytes a second of the fastest round over all blocks.
fn best(mut round: impl FnMut() -> std::io::Result<()>) -> std::io::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        round()?;
        least = least.min(started.elapsed().as_secs_f64());
    }
    Ok((BLOCKS * BLOCK) as f64 / least)
}

fn sealer() -> Result<Sealer, Box<dyn Error>> {
    let signing = SigningPrivate::generate(Seed::from_source(getrandom::fill)?);
    let exchange = ExchangePrivate::generate(Seed::from_source(getrandom::fill)?);
    let recipient = Recipient { id: NodeId([1; 32]), key: exchange.public() };
    let sender = Sender { id: signing.public().node_id(), key: &signing };
    Ok(Sealer::new(sender, recipient, Niceness::BULK, Seed::from_source(getrandom::fill)?)?)
}
