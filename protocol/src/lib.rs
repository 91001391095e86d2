#![doc = include_str!("../README.md")]

pub mod announce;
pub mod base32;
pub mod chunked;
pub mod eblob;
pub mod exchange;
pub mod id;
pub mod keys;
pub mod magic;
pub mod mth;
pub mod niceness;
pub mod packet;
pub mod roots;
pub mod seed;
pub mod statement;
pub mod sync;
pub mod xdr;
