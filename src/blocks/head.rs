//! Reads the header of a packet.

use packmule_protocol::packet::HEADER_LEN;
use std::io::{self, Read};

/// A packet's header, or fewer bytes if the source is shorter, which the parser then rejects.
///
/// # Errors
/// Those of `source`.
pub(crate) fn head(source: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEADER_LEN);
    source.take(HEADER_LEN as u64).read_to_end(&mut head)?;
    Ok(head)
}
