//! What is wrong with a stream, and where.

use super::nvlist::NvError;

/// The first fault of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at offset {offset})")]
pub struct Fault {
    /// Start of the record at fault, in bytes from the start of the stream.
    pub offset: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It ends where more must follow.
    #[error("the stream ends too early")]
    Truncated,
    /// Bytes follow its end.
    #[error("bytes follow the end of the stream")]
    Trailing,
    /// It does not begin with a BEGIN record of either byte order.
    #[error("not a ZFS send stream")]
    NotAStream,
    /// A record type that nobody writes.
    #[error("unknown record type {0}")]
    UnknownType(u32),
    /// A record that must not stand at this place.
    #[error("a {0} record is out of place")]
    OutOfPlace(&'static str),
    /// The header type is neither plain nor package.
    #[error("header type {0} is neither a plain stream nor a package")]
    HeaderType(u64),
    /// A package inside a package.
    #[error("a package inside a package")]
    NestedPackage,
    /// A package that holds no stream: what a failed send leaves.
    #[error("the package holds no stream")]
    EmptyPackage,
    /// Feature flags that we do not know, so we can not know the rules of the payload.
    #[error("unknown feature flags {0:#x}")]
    UnknownFeatures(u64),
    /// A name that is not `dataset@snapshot` in the letters ZFS allows.
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
    /// A record the stream's features do not allow.
    #[error("a {0} record in a stream without the feature for it")]
    Feature(&'static str),
    /// The record's own checksum does not match.
    #[error("checksum mismatch in a {0} record")]
    RecordChecksum(&'static str),
    /// The checksum of the whole stream, in END, does not match.
    #[error("checksum mismatch at the end of the stream")]
    EndChecksum,
    /// The list of BEGIN is not one.
    #[error("BEGIN's nvlist: {0}")]
    Nvlist(#[from] NvError),
}
