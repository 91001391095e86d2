//! What a packet costs, part by part: `cargo bench`. A regression shows here in a minute.
//!
//! `make bench` compares whole commands with the reference; this does not.

#![allow(clippy::unwrap_used, reason = "a benchmark panics when its set-up fails")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use packmule::internal::config::{checked, hjson};
use packmule::protocol::keys::PrivateKeys;
use packmule::protocol::mth::{self, BLOCK};
use packmule::protocol::niceness::Niceness;
use packmule::protocol::packet::seal::{Recipient, Sender, seal_whole};
use packmule::protocol::packet::{Header, Opener, Sealer, open::open_whole};
use packmule::protocol::seed::Seed;
use std::fs;

fn main() {
    divan::main();
}

fn seed(byte: u8) -> Seed {
    Seed::from_bytes([byte; 32])
}

fn keys(byte: u8) -> PrivateKeys {
    PrivateKeys::generate([seed(byte), seed(byte + 1), seed(byte + 2)])
}

fn sealer(from: &PrivateKeys, to: &PrivateKeys) -> Sealer {
    let sender = Sender { id: from.node_id(), key: &from.signing };
    let recipient = Recipient { id: to.node_id(), key: to.exchange.public() };
    Sealer::new(sender, recipient, Niceness::BULK, seed(9)).unwrap()
}

/// Hashing a block of 128 KiB, a leaf of the tree that names packets.
#[divan::bench]
fn leaf(bencher: Bencher<'_, '_>) {
    let block = vec![7; BLOCK];
    bencher.counter(BytesCount::new(BLOCK)).bench(|| mth::leaf(black_box(&block)));
}

/// Key agreement and signature: what a packet costs before its first byte.
#[divan::bench]
fn seal_header(bencher: Bencher<'_, '_>) {
    let (from, to) = (keys(1), keys(4));
    bencher.bench(|| sealer(black_box(&from), black_box(&to)));
}

/// Encrypting a packet of so many bytes on one core.
#[divan::bench(args = [1024, 1 << 20])]
fn seal(bencher: Bencher<'_, '_>, size: usize) {
    let sealer = sealer(&keys(1), &keys(4));
    let plain = vec![7; size];
    bencher.counter(BytesCount::new(size)).bench(|| seal_whole(&sealer, black_box(&plain), 0));
}

/// Checking the signature, agreeing on the key, authenticating and decrypting on one core.
#[divan::bench(args = [1024, 1 << 20])]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let (from, to) = (keys(1), keys(4));
    let packet = seal_whole(&sealer(&from, &to), &vec![7; size], 0);
    let signer = from.signing.public();
    bencher.counter(BytesCount::new(size)).bench(|| {
        let verified = Header::parse(black_box(&packet)).unwrap().verify(&signer).unwrap();
        let opener = Opener::new(&verified, &to.node_id(), &to.exchange).unwrap();
        open_whole(&opener, &packet).unwrap()
    });
}

/// Reading and checking a configuration with every key that there is.
#[divan::bench]
fn configuration(bencher: Bencher<'_, '_>) {
    let text =
        fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testvectors/config/everything.hjson"))
            .unwrap();
    bencher.bench(|| checked(&hjson::read(black_box(&text)).unwrap()).unwrap());
}

/// Listing a spool with so many packets in it.
#[divan::bench(args = [100, 10_000])]
fn listing(bencher: Bencher<'_, '_>, packets: usize) {
    let directory = tempfile::tempdir().unwrap();
    let local = filled(directory.path(), packets);
    bencher.bench(|| local.standings().unwrap());
}

/// A node that has so many packets to send to itself.
fn filled(directory: &std::path::Path, packets: usize) -> packmule::Local {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/testvectors/config/alice.hjson"))
            .unwrap();
    let spool = directory.join("spool");
    let config = directory.join("nncp.hjson");
    fs::write(&config, text.replace("/nonexistent", directory.to_str().unwrap())).unwrap();
    let local = packmule::Local::open(&config).unwrap();
    let own = local.node().self_neighbour().id;
    let (from, to) = (keys(1), keys(4));
    let packet = seal_whole(&sealer(&from, &to), b"", 0);
    let tx = spool.join(own.to_string()).join("tx");
    fs::create_dir_all(&tx).unwrap();
    for number in 0..packets {
        let name = mth::hash(&number.to_be_bytes());
        fs::write(tx.join(packmule::protocol::id::PacketHash(name).to_string()), &packet).unwrap();
    }
    assert_eq!(
        local.standings().unwrap().iter().map(|one| one.tx.packets).sum::<u64>(),
        packets as u64
    );
    local
}
