//! packmule: NNCP store-and-forward, made for airgapped and asynchronous backups.
//!
//! The library behind the one binary. A folder is what a node *does*, in the manual's own words.
//! ARCHITECTURE.md has the folders with their layers, and the life of a packet through them.

pub mod age;
pub mod blocks;
pub mod chain;
pub mod cli;
pub mod config;
pub mod disk;
pub mod display;
pub mod doctor;
pub mod handler;
pub mod inherited;
pub mod local;
pub mod log;
pub mod media;
pub mod mtree;
pub mod nearest;
pub mod net;
pub mod outbound;
pub mod progress;
pub mod random;
pub mod reass;
pub mod settings;
pub mod spool;
pub mod toss;
pub mod unpack;
pub mod zfs;
