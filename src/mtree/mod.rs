//! Manifests of directory trees. Knows nothing of packets.
//!
//! A [`Manifest`] says what is known of every object of a tree. It comes from a text
//! ([`read()`], every dialect of mtree); text is made of it ([`write()`]).

mod cksum;
mod digest;
mod escape;
mod facts;
mod keyword;
mod line;
mod manifest;
mod place;
mod read;
mod value;
mod write;

pub use digest::{Algorithm, Digests, Hasher, hex};
pub use escape::{EscapeError, Escaped};
pub use facts::{Device, Facts, Kind, Rare, Timestamp, Xattr};
pub use keyword::{Keyword, Keywords, NotAKeyword};
pub use manifest::{Builder, Entry, EntryId, MOST_ENTRIES, Manifest};
pub use read::{Fault, Limits, ReadError, ReadOptions, Reading, Trailer, Warning, read};
pub use value::{Mode, ValueError};
pub use write::{Dialect, Layout, NoSuch, WriteOptions, write};
