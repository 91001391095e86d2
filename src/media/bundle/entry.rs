//! The tar headers that packets are written under, byte for byte the reference's.
//!
//! ```text
//! NNCP                            directory   before every packet: what readers search for
//! NNCP/RECIPIENT/SENDER/PACKET    file        ustar: prefix and name; from 8 GiB on pax
//! ```

use crate::outbound::pax_record;
use packmule_protocol::exchange::{BUNDLE_ROOT, Place};
use std::io::Write;
use std::ops::Range;

/// Bytes of a tar header, and what data are padded to.
pub(super) const RECORD: u64 = 512;
/// The first size that eleven octal digits do not hold.
pub(super) const USTAR_LIMIT: u64 = 1 << 33;

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MTIME: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: Range<usize> = 257..265;
const DEVICES: [Range<usize>; 2] = [329..337, 337..345];
const PREFIX: Range<usize> = 345..500;

/// What stands before a packet of `size` bytes: the directory and the packet's own headers.
pub(super) fn headers(place: &Place, size: u64) -> Vec<u8> {
    let mut out = Header::new(BUNDLE_ROOT, b'5', 0o700, 0).with_devices().finish().to_vec();
    let (prefix, name) = (place.bundle_prefix(), place.packet.to_string());
    if size < USTAR_LIMIT {
        let mut header = Header::new(&name, b'0', 0o400, size).with_devices();
        header.text(PREFIX, &prefix);
        out.extend(header.finish());
        return out;
    }
    let path = format!("{prefix}/{name}");
    let records = [pax_record("path", &path), pax_record("size", size.to_string())].concat();
    out.extend(Header::new(&path, b'x', 0, records.len() as u64).finish());
    out.extend(&records);
    out.resize(out.len() + padding(records.len() as u64), 0);
    out.extend(Header::new(&path, b'0', 0o400, 0).with_devices().finish());
    out
}

/// How many zeros follow data of `size` bytes.
pub(super) fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(RECORD) - size).expect("less than a record")
}

struct Header([u8; RECORD as usize]);

impl Header {
    fn new(name: &str, kind: u8, mode: u64, size: u64) -> Self {
        let mut header = Self([0; RECORD as usize]);
        header.text(NAME, name);
        header.octal(MODE, mode);
        header.octal(UID, 0);
        header.octal(GID, 0);
        header.octal(SIZE, size);
        header.octal(MTIME, 0);
        header.0[KIND] = kind;
        header.0[MAGIC].copy_from_slice(b"ustar\x0000");
        header
    }

    fn with_devices(mut self) -> Self {
        DEVICES.into_iter().for_each(|field| self.octal(field, 0));
        self
    }

    /// As much of the text as fits.
    fn text(&mut self, field: Range<usize>, text: &str) {
        let len = text.len().min(field.len());
        self.0[field][..len].copy_from_slice(&text.as_bytes()[..len]);
    }

    /// Digits that fill the field but for a NUL.
    fn octal(&mut self, field: Range<usize>, number: u64) {
        let width = field.len() - 1;
        let mut field = &mut self.0[field];
        write!(field, "{number:0width$o}\0").expect("the number fits the field");
    }

    fn finish(mut self) -> [u8; RECORD as usize] {
        self.0[CHECKSUM].fill(b' ');
        let sum: u32 = self.0.iter().copied().map(u32::from).sum();
        let mut field = &mut self.0[CHECKSUM];
        write!(field, "{sum:06o}\0").expect("six digits and a NUL");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packmule_protocol::id::{NodeId, PacketHash};
    use sha2::Digest as _;

    const PLACE: Place =
        Place { recipient: NodeId([1; 32]), sender: NodeId([2; 32]), packet: PacketHash([3; 32]) };

    /// spec 19.8.
    #[test]
    fn the_directory_entry_is_the_references() {
        let entry = &headers(&PLACE, 5)[..512];
        assert_eq!(entry[..4], *b"NNCP");
        assert_eq!(entry[100..108], *b"0000700\0");
        assert_eq!(entry[108..124], *b"0000000\x000000000\0");
        assert_eq!(entry[124..148], *b"00000000000\x0000000000000\0");
        assert_eq!(entry[148..157], *b"007652\0 5");
        assert_eq!(entry[257..265], *b"ustar\x0000");
        assert_eq!(entry[329..345], *b"0000000\x000000000\0");
        assert!(entry[4..100].iter().chain(&entry[157..257]).all(|byte| *byte == 0));
        assert!(entry[265..329].iter().chain(&entry[345..]).all(|byte| *byte == 0));
    }

    #[test]
    fn the_name_is_split_where_the_reference_splits_it() {
        let headers = headers(&PLACE, USTAR_LIMIT - 1);
        assert_eq!(headers.len(), 1024);
        let entry = &headers[512..];
        assert_eq!(entry[..53], *format!("{}\0", PLACE.packet).as_bytes());
        assert_eq!(entry[345..456], *format!("{}\0", PLACE.bundle_prefix()).as_bytes());
        assert_eq!(entry[100..108], *b"0000400\0");
        assert_eq!(entry[124..136], *b"77777777777\0");
    }

    /// Seen at the reference with a sparse file of 8 GiB.
    #[test]
    fn from_8_gib_on_there_is_a_pax_header() {
        let headers = headers(&PLACE, USTAR_LIMIT);
        assert_eq!(headers.len(), 4 * 512);
        let path = format!("{}/{}", PLACE.bundle_prefix(), PLACE.packet);
        let extended = &headers[512..1024];
        assert_eq!(extended[..100], path.as_bytes()[..100]);
        assert_eq!(extended[100..108], *b"0000000\0");
        assert_eq!(extended[124..136], *b"00000000300\0");
        assert_eq!(extended[156], b'x');
        assert_eq!(extended[329..345], [0; 16]);
        let records = format!("173 path={path}\n19 size=8589934592\n");
        assert_eq!(headers[1024..1024 + records.len()], *records.as_bytes());
        let entry = &headers[1536..];
        assert_eq!(entry[..100], path.as_bytes()[..100]);
        assert_eq!(entry[124..136], *b"00000000000\0");
        assert_eq!(entry[329..337], *b"0000000\0");
        assert_eq!(entry[345..], [0; 167]);
    }

    /// Those of small, large and huge packets, as they were when bundles last agreed with the
    /// reference's.
    #[test]
    fn no_byte_of_the_headers_changes() {
        let sizes = [0, 5, USTAR_LIMIT - 1, USTAR_LIMIT, u64::MAX / 2];
        let all = sizes.map(|size| headers(&PLACE, size)).concat();
        assert_eq!(data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(all)), "d345fe32f7c7cdd7fd01a00a893d019a419b4e15192b15cf52a31af954bd1486");
    }
}
