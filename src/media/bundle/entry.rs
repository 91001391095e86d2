//! Writes the tar headers of packets, byte for byte like the reference.
//!
//! ```text
//! NNCP                            directory   before every packet: what readers search for
//! NNCP/RECIPIENT/SENDER/PACKET    file        ustar: prefix and name; from 8 GiB on pax
//! ```

use crate::outbound::pax_record;
use packmule_protocol::exchange::{BUNDLE_ROOT, Place};
use tar::{EntryType, Header, UstarHeader};

/// Size of a tar header in bytes. Data is padded to a multiple of it.
pub(super) const RECORD: u64 = 512;
/// The smallest size that does not fit in eleven octal digits.
pub(super) const USTAR_LIMIT: u64 = 1 << 33;

/// The headers before a packet of `size` bytes: the directory's and the packet's own.
pub(super) fn headers(place: &Place, size: u64) -> Vec<u8> {
    let mut root = header(BUNDLE_ROOT, EntryType::Directory, 0o700, 0);
    set_devices(&mut root);
    let mut out = summed(root).to_vec();
    let (prefix, name) = (place.bundle_prefix(), place.packet.to_string());
    if size < USTAR_LIMIT {
        let mut own = header(&name, EntryType::Regular, 0o400, size);
        set_devices(&mut own);
        put(&mut ustar(&mut own).prefix, &prefix);
        out.extend(summed(own));
        return out;
    }
    let path = format!("{prefix}/{name}");
    let records = [pax_record("path", &path), pax_record("size", size.to_string())].concat();
    out.extend(summed(header(&path, EntryType::XHeader, 0, records.len() as u64)));
    out.extend(&records);
    out.resize(out.len() + padding(records.len() as u64), 0);
    let mut own = header(&path, EntryType::Regular, 0o400, 0);
    set_devices(&mut own);
    out.extend(summed(own));
    out
}

/// Number of zeros after data of `size` bytes.
pub(super) fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(RECORD) - size).expect("less than a record")
}

/// A header without owner and time.
fn header(name: &str, kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    put(&mut ustar(&mut header).name, name);
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header
}

fn ustar(header: &mut Header) -> &mut UstarHeader {
    header.as_ustar_mut().expect("made as one")
}

/// Writes zeros to the device fields, like the reference. Other programs leave them empty.
fn set_devices(header: &mut Header) {
    ustar(header).set_device_major(0);
    ustar(header).set_device_minor(0);
}

/// Writes as much of the text as fits.
fn put(field: &mut [u8], text: &str) {
    let len = text.len().min(field.len());
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
}

/// The header with its checksum in the reference's form: six digits, a NUL and a blank. The `tar`
/// crate writes seven digits and a NUL.
fn summed(mut header: Header) -> [u8; RECORD as usize] {
    header.set_cksum();
    let sum = &mut header.as_old_mut().cksum;
    sum.rotate_left(1);
    sum[7] = b' ';
    *header.as_bytes()
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

    /// The bytes that the reference wrote for a sparse file of 8 GiB.
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

    /// Compares headers of small, large and huge packets with a hash of bytes that agreed with the
    /// reference.
    #[test]
    fn no_byte_of_the_headers_changes() {
        let sizes = [0, 5, USTAR_LIMIT - 1, USTAR_LIMIT, u64::MAX / 2];
        let all = sizes.map(|size| headers(&PLACE, size)).concat();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(all)),
            "d345fe32f7c7cdd7fd01a00a893d019a419b4e15192b15cf52a31af954bd1486"
        );
    }
}
