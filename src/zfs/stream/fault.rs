//! Faults of a stream and their position.

use super::nvlist::NvError;

/// The first fault of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at offset {offset})")]
pub struct Fault {
    /// Start of the record at fault, in bytes from the start of the stream.
    pub offset: u64,
    /// The kind of fault.
    pub problem: Problem,
}

/// The kinds of fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The stream ends where more must follow.
    #[error("the stream ends too early")]
    Truncated,
    /// Bytes follow the end of the stream.
    #[error("bytes follow the end of the stream")]
    Trailing,
    /// The stream does not begin with a BEGIN record of either byte order.
    #[error("not a ZFS send stream")]
    NotAStream,
    /// An unknown record type.
    #[error("unknown record type {0}")]
    UnknownType(u32),
    /// A record that is not allowed at this place.
    #[error("a {0} record is out of place")]
    OutOfPlace(&'static str),
    /// The header type is neither plain nor package.
    #[error("header type {0} is neither a plain stream nor a package")]
    HeaderType(u64),
    /// A package inside a package.
    #[error("a package inside a package")]
    NestedPackage,
    /// A package without streams, as a failed `zfs send` leaves it.
    #[error("the package holds no stream")]
    EmptyPackage,
    /// Unknown feature flags: they may change the format of what follows.
    #[error("unknown feature flags {0:#x}")]
    UnknownFeatures(u64),
    /// A name that is not `dataset@snapshot` in the characters that ZFS allows.
    #[error("illegal snapshot name {0:?}")]
    Name(String),
    /// A field has a value outside its range.
    #[error("{record}: {field} is out of range ({value})")]
    Range {
        /// The record type.
        record: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A record that needs a feature which the stream does not have.
    #[error("a {0} record in a stream without the feature for it")]
    Feature(&'static str),
    /// The record's own checksum does not match.
    #[error("checksum mismatch in a {0} record")]
    RecordChecksum(&'static str),
    /// The checksum of the whole stream, in END, does not match.
    #[error("checksum mismatch at the end of the stream")]
    EndChecksum,
    /// BEGIN has an invalid nvlist.
    #[error("BEGIN's nvlist: {0}")]
    Nvlist(#[from] NvError),
}
