//! The packet: a plain header and a payload, encrypted for one recipient.
//!
//! ```text
//! +----------------+---------+---------+-- ... --+------------+-------------+------+
//! | header 172 B   | block 0 | block 1 |         | SIZE block | [tail block]| pad  |
//! +----------------+---------+---------+-- ... --+------------+-------------+------+
//!                   key FULL  key FULL             key SIZE     key FULL      raw
//! ```
//!
//! NNCP manual, "Packet format". Blocks are independent: each can be encrypted and decrypted in
//! place, on any core. [`seal`] encrypts, [`header`] and [`open`] decrypt.
//!
//! A packet of any size takes constant memory: first the header, then full blocks, then the end.
//!
//! ```
//! use packmule_protocol::keys::PrivateKeys;
//! use packmule_protocol::mth::BLOCK;
//! use packmule_protocol::niceness::Niceness;
//! use packmule_protocol::packet::seal::{Recipient, Sender};
//! use packmule_protocol::packet::{Header, Opener, SEALED_BLOCK, Sealer};
//! use packmule_protocol::seed::Seed;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = || Seed::from_source(getrandom::fill);
//! let alice = PrivateKeys::generate([seed()?, seed()?, seed()?]);
//! let bob = PrivateKeys::generate([seed()?, seed()?, seed()?]);
//! let sender = Sender { id: alice.node_id(), key: &alice.signing };
//! let recipient = Recipient { id: bob.node_id(), key: bob.exchange.public() };
//! let sealer = Sealer::new(sender, recipient, Niceness::BULK, seed()?)?;
//!
//! // One full block, encrypted in place, with space for its tag; then the remaining 100 bytes.
//! let mut block = vec![7; SEALED_BLOCK];
//! sealer.seal_block(0, &mut block);
//! let mut end = Vec::new();
//! let padding = sealer.seal_end(1, &[8; 100], 0, &mut end);
//! assert_eq!(padding.left(), 0);
//!
//! let verified = Header::parse(sealer.header().as_bytes())?.verify(&alice.signing.public())?;
//! let opener = Opener::new(&verified, &bob.node_id(), &bob.exchange)?;
//! assert!(opener.open_block(0, &mut block));
//! assert_eq!(block[..BLOCK], [7; BLOCK]);
//! // The end proves that the packet is complete and that nothing was added.
//! let (ending, content) = opener.open_size(1, &mut end)?;
//! ending.finish(&mut Vec::new())?;
//! assert_eq!(end[content], [8; 100]);
//! # Ok(())
//! # }
//! ```

pub mod area;
pub mod header;
pub mod kind;
pub mod open;
pub mod plain;
pub mod seal;
pub mod size;

mod keys;

pub use header::{HEADER_LEN, Header, HeaderError, Verified};
pub use kind::{Kind, Kinds, PathField};
pub use open::{Ending, OpenError, Opener};
pub use plain::{PLAIN_LEN, PlainError, PlainHeader, TooLongPath};
pub use seal::{OuterPadding, Sealer};

use crate::mth::BLOCK;

/// Number of bytes by which encryption lengthens a block.
pub const TAG: usize = 16;
/// Length of an encrypted full block.
pub const SEALED_BLOCK: usize = BLOCK + TAG;
