//! Reads a stream to its end and describes its contents.

use super::begin::Begin;
use super::fault::Fault;
use super::nvlist::{Encoding, List};
use super::order::ByteOrder;
use super::walker::{Event, Walker};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Read};

const PIECE: usize = 256 << 10;

/// The contents of a complete and valid stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The sender's byte order.
    pub byte_order: ByteOrder,
    /// Length of the stream.
    pub bytes: u64,
    /// Full, incremental, or both in one package.
    pub kind: Kind,
    /// True for a package.
    pub package: bool,
    /// The package's header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_header: Option<Substream>,
    /// Number of bytes outside of record headers.
    pub payload_bytes: u64,
    /// Number of records by type.
    pub records: BTreeMap<&'static str, u64>,
    /// Number of records without a checksum of their own, as old senders write them.
    pub records_without_own_checksum: u64,
    /// The plain streams.
    pub substreams: Vec<Substream>,
}

/// Full or incremental.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A full stream.
    Full,
    /// An increment.
    Incremental,
    /// A package of both.
    Mixed,
}

/// A BEGIN and what follows it up to its END.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Substream {
    /// Creation of the snapshot, seconds since 1970.
    pub creation_time: u64,
    /// Offset of END.
    pub end_offset: u64,
    /// Names of the feature flags.
    pub features: Vec<&'static str>,
    /// Names of the flags.
    pub flags: Vec<&'static str>,
    /// Guid of the snapshot it needs; 0 for a full stream.
    #[serde(serialize_with = "crate::zfs::guid::text")]
    pub fromguid: u64,
    /// The nvlist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvlist: Option<List>,
    /// The encoding of the nvlist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvlist_encoding: Option<&'static str>,
    /// File system or volume.
    pub objset_type: &'static str,
    /// Offset of BEGIN.
    pub offset: u64,
    /// Length of the nvlist.
    pub payloadlen: u32,
    /// Guid of the snapshot it makes.
    #[serde(serialize_with = "crate::zfs::guid::text")]
    pub toguid: u64,
    /// Its name on the sending side.
    pub toname: String,
    /// Header type and feature flags.
    pub versioninfo: u64,
    /// Number of records with the guid of another snapshot.
    #[serde(skip_serializing_if = "is_zero")]
    pub foreign_records: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a stream could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The stream is invalid.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The stream could not be read.
    #[error("reading the stream, after {at} bytes of it: {cause}")]
    Read {
        /// Number of valid, decompressed bytes before the failure.
        at: u64,
        /// The cause.
        cause: io::Error,
    },
}

/// Reads and checks `input` to its end.
///
/// # Errors
/// The first fault of the stream, or the first error of reading it.
pub fn inspect(mut input: impl Read) -> Result<Inspection, InspectError> {
    let mut walker = Walker::new();
    let mut found = Found::default();
    let mut buffer = vec![0; PIECE];
    loop {
        let len = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(InspectError::Read { at: walker.position(), cause }),
        };
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest)?;
            rest = &rest[used..];
            if let Some(event) = event {
                found.event(event);
            }
        }
    }
    walker.finish()?;
    Ok(found.inspection(&walker))
}

#[derive(Default)]
struct Found {
    order: Option<ByteOrder>,
    header: Option<Begin>,
    header_end: u64,
    substreams: Vec<Substream>,
}

impl Found {
    fn event(&mut self, event: Event) {
        match event {
            Event::Package(begin) => {
                self.order = Some(begin.order);
                self.header = Some(*begin);
            }
            Event::PackageHeaderEnd(offset) => self.header_end = offset,
            Event::Begin(begin) => self.order = self.order.or(Some(begin.order)),
            Event::End(plain) => {
                let stream = substream(plain.begin, plain.end_offset, plain.foreign_records);
                self.substreams.push(stream);
            }
            Event::PackageEnd => {}
        }
    }

    fn inspection(self, walker: &Walker) -> Inspection {
        let tally = walker.tally();
        let full = |stream: &Substream| stream.fromguid == 0;
        let kind = match (self.substreams.iter().all(full), self.substreams.iter().any(full)) {
            (true, _) => Kind::Full,
            (false, true) => Kind::Mixed,
            (false, false) => Kind::Incremental,
        };
        let header_end = self.header_end;
        Inspection {
            byte_order: self.order.unwrap_or(ByteOrder::Little),
            bytes: walker.position(),
            kind,
            package: self.header.is_some(),
            package_header: self.header.map(|begin| substream(begin, header_end, 0)),
            payload_bytes: tally.payload_bytes,
            records: tally.records.iter().map(|(kind, count)| (kind.name(), *count)).collect(),
            records_without_own_checksum: tally.without_checksum,
            substreams: self.substreams,
        }
    }
}

fn substream(begin: Begin, end_offset: u64, foreign_records: u64) -> Substream {
    Substream {
        creation_time: begin.creation_time,
        end_offset,
        features: begin.features.names(),
        flags: begin.flags.names(),
        fromguid: begin.from_guid,
        nvlist_encoding: begin.nvlist_encoding.map(Encoding::name),
        nvlist: begin.nvlist,
        objset_type: begin.objset.name(),
        offset: begin.offset,
        payloadlen: begin.nvlist_len,
        toguid: begin.to_guid,
        toname: begin.to_name.to_string(),
        versioninfo: begin.versioninfo,
        foreign_records,
    }
}
