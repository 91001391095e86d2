//! Manifests of directory trees. Knows nothing of packets.
//!
//! A [`Manifest`] has the facts about every object of a tree. It is made from a tree
//! ([`create()`]), an archive ([`of_archive()`]) or a text ([`read()`], every dialect of mtree). It
//! is written as a text ([`write()`]), compared with a tree ([`verify()`]), or with another
//! manifest ([`diff()`]).
//!
//! A manifest is untrusted: no name in it leaves the tree, and its length limits the memory. A tree
//! is untrusted, too: no link is followed, and only regular files are opened.

mod archive;
mod builder;
mod cksum;
mod compare;
mod comparison;
mod content;
mod create;
mod dialect;
mod diff;
mod digest;
mod entry;
mod escape;
mod examine;
mod exclude;
mod facts;
mod hard_links;
mod keyword;
mod line;
mod manifest;
mod read;
mod show;
mod value;
mod verify;
mod walk;
mod write;

pub use archive::{of_archive, unavailable_in_archives};
pub use builder::Builder;
pub use compare::{Class, Level, Rules};
pub use comparison::{Comparison, Difference, Object, Verdict, What};
pub use create::{CreateOptions, Created, Trouble, create};
pub use dialect::{Dialect, Layout, NoSuch};
pub use diff::diff;
pub use digest::{Algorithm, Digests, Hasher, hex};
pub use entry::{Entry, EntryId, MOST_ENTRIES};
pub use escape::{EscapeError, Escaped};
pub use exclude::Excludes;
pub use facts::{Device, Facts, Kind, Rare, Timestamp, Xattr};
pub use keyword::{Keyword, Keywords, NotAKeyword};
pub use manifest::Manifest;
pub use read::{Fault, Limits, ReadError, ReadOptions, Reading, Trailer, Warning, read};
pub use show::{Format, show, summary};
pub use value::{Mode, ValueError};
pub use verify::{VerifyOptions, verify};
pub use write::{WriteOptions, write};
