//! The packet: a plain header and payload, sealed for one recipient.
//!
//! ```text
//! +----------------+---------+---------+-- ... --+------------+-------------+------+
//! | header 172 B   | block 0 | block 1 |         | SIZE block | [tail block]| pad  |
//! +----------------+---------+---------+-- ... --+------------+-------------+------+
//!                   key FULL  key FULL             key SIZE     key FULL      raw
//! ```
//!
//! NNCP manual, "Packet format". Blocks are independent: each can be sealed and opened by itself,
//! in place, on any core. [`seal`] writes, [`header`] and [`open`] read.

pub mod area;
pub mod header;
pub mod open;
pub mod plain;
pub mod seal;
pub mod size;

mod keys;

pub use header::{HEADER_LEN, Header, HeaderError, Verified};
pub use open::{Ending, OpenError, Opener};
pub use plain::{Kind, PLAIN_LEN, PlainError, PlainHeader, TooLongPath};
pub use seal::{OuterPadding, Sealer};

use crate::mth::BLOCK;

/// Bytes a sealed block is longer than its content.
pub const TAG: usize = 16;
/// Bytes of a full block, sealed.
pub const SEALED_BLOCK: usize = BLOCK + TAG;
