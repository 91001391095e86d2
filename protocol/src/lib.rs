//! NNCP's packets and related formats: bytes to values and back, keys, and the states of a call.
//!
//! Nothing in this crate touches a file, a socket, a clock, the environment or a thread: whoever
//! calls it hands in bytes and time, and gets bytes and values back. The formats are those of the
//! NNCP manual ("Packet format", "Sync protocol", "EBlob").

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
pub mod seed;
pub mod sync;
pub mod xdr;
