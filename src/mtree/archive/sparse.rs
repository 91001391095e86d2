//! Sparse files, as GNU tar and bsdtar archive them: the pieces with data, and a map of their
//! offsets. There are four formats, which differ in where the map is.

use super::field::{BLOCK, number};
use super::pax::Records;
use std::io::{self, Read};
use tar::GnuSparseHeader;

/// Limit for the number of pieces of one file.
const PIECES: usize = 1 << 20;

/// The sparse map of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Map {
    /// Offset and length of each piece, in order of the offset.
    pieces: Vec<(u64, u64)>,
    /// Size of the file, including holes.
    size: u64,
}

impl Map {
    /// Format 1.0: the map is text before the data, one number per line, padded to a whole block.
    pub(super) fn in_front(data: &mut impl Read, size: u64) -> io::Result<Self> {
        let mut numbers = Vec::new();
        let mut number: Option<u64> = None;
        let mut wanted = 1;
        while numbers.len() < wanted {
            let mut block = [0; BLOCK];
            read_whole(data, &mut block)?;
            for byte in block {
                match byte {
                    b'0'..=b'9' => number = Some(digit(number, byte)?),
                    b'\n' if numbers.len() < wanted => {
                        numbers.push(number.take().ok_or_else(malformed)?);
                        if let [count] = numbers[..] {
                            let count = usize::try_from(count).map_err(|_| malformed())?;
                            wanted +=
                                2 * Some(count).filter(|n| *n <= PIECES).ok_or_else(malformed)?;
                        }
                    }
                    0 if numbers.len() >= wanted => {}
                    _ => return Err(malformed()),
                }
            }
        }
        Self::new(&numbers[1..], size)
    }

    /// Format 0.1: the map is one pax record, numbers separated by commas.
    pub(super) fn in_record(record: &[u8], size: u64) -> io::Result<Self> {
        let numbers = record.split(|byte| *byte == b',').map(decimal);
        Self::new(&numbers.take(2 * PIECES).collect::<io::Result<Vec<u64>>>()?, size)
    }

    /// Format 0.0: each number of the map is a pax record; offsets and lengths alternate.
    pub(super) fn in_records(records: &Records, size: u64) -> io::Result<Self> {
        let mut numbers = Vec::new();
        for record in records.iter() {
            let is_offset = match &*record.key {
                b"GNU.sparse.offset" => true,
                b"GNU.sparse.numbytes" => false,
                _ => continue,
            };
            if is_offset != numbers.len().is_multiple_of(2) || numbers.len() >= 2 * PIECES {
                return Err(malformed());
            }
            numbers.push(decimal(&record.value)?);
        }
        Self::new(&numbers, size)
    }

    /// The format before pax: the map is in the header and its continuation blocks. Adds the
    /// numbers of one of them. Returns true if the next one may contain more.
    pub(super) fn add_slots(slots: &[GnuSparseHeader], numbers: &mut Vec<u64>) -> io::Result<bool> {
        for slot in slots {
            if slot.numbytes[0] == 0 {
                return Ok(false);
            }
            if numbers.len() >= 2 * PIECES {
                return Err(malformed());
            }
            for field in [slot.offset, slot.numbytes] {
                let number = number(&field).and_then(|number| u64::try_from(number).ok());
                numbers.push(number.ok_or_else(malformed)?);
            }
        }
        Ok(true)
    }

    pub(super) fn new(numbers: &[u64], size: u64) -> io::Result<Self> {
        let (pairs, rest) = numbers.as_chunks::<2>();
        let mut end = 0_u64;
        for [offset, length] in pairs {
            if *offset < end {
                return Err(malformed());
            }
            end = offset.checked_add(*length).ok_or_else(malformed)?;
        }
        if end > size || !rest.is_empty() {
            return Err(malformed());
        }
        Ok(Self { pieces: pairs.iter().map(|[offset, length]| (*offset, *length)).collect(), size })
    }

    /// Writes the whole file, with zeros for its holes.
    pub(super) fn fill(
        &self,
        data: &mut impl Read,
        buffer: &mut [u8],
        mut give: impl FnMut(&[u8]),
    ) -> io::Result<u64> {
        let mut at = 0;
        for (offset, length) in self.pieces.iter().copied().chain([(self.size, 0)]) {
            buffer.fill(0);
            while at < offset {
                let hole = buffer.len().min(usize::try_from(offset - at).unwrap_or(usize::MAX));
                give(&buffer[..hole]);
                at += hole as u64;
            }
            let end = offset + length;
            while at < end {
                let piece = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
                read_whole(data, &mut buffer[..piece])?;
                give(&buffer[..piece]);
                at += piece as u64;
            }
        }
        Ok(self.size)
    }
}

/// Fills a buffer. If the file's data is shorter than its map, the map is invalid; if the archive
/// ends there, it is truncated, which is another error.
fn read_whole(data: &mut impl Read, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match data.read(buffer)? {
            0 => return Err(malformed()),
            length => buffer = &mut buffer[length..],
        }
    }
    Ok(())
}

fn decimal(text: &[u8]) -> io::Result<u64> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(malformed)
}

fn digit(number: Option<u64>, byte: u8) -> io::Result<u64> {
    let number = number.unwrap_or(0).checked_mul(10);
    number.and_then(|number| number.checked_add(u64::from(byte - b'0'))).ok_or_else(malformed)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the map of a sparse file is invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(map: &Map, mut data: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        map.fill(&mut data, &mut [9; 7], |bytes| whole.extend_from_slice(bytes)).unwrap();
        whole
    }

    #[test]
    fn pieces_go_to_their_places() {
        let mut data = b"2\n3\n2\n10\n1\n".to_vec();
        data.resize(BLOCK, 0);
        data.extend_from_slice(b"abc");
        let mut data = &data[..];
        let map = Map::in_front(&mut data, 20).unwrap();
        assert_eq!(map, Map::in_record(b"3,2,10,1", 20).unwrap());
        assert_eq!(whole(&map, data), b"\0\0\0ab\0\0\0\0\0c\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn every_format_has_the_same_map() {
        let want = Map::new(&[3, 2, 10, 1], 20).unwrap();
        let mut records = Records::default();
        for (key, value) in [("offset", "3"), ("numbytes", "2"), ("offset", "10")] {
            let body = format!(" GNU.sparse.{key}={value}\n");
            records.add(format!("{}{body}", body.len() + 2).as_bytes()).unwrap();
        }
        assert!(Map::in_records(&records, 20).is_err());
        records.add(b"25 GNU.sparse.numbytes=1\n").unwrap();
        assert_eq!(Map::in_records(&records, 20).unwrap(), want);
        let slot = |offset: &[u8; 12], numbytes: &[u8; 12]| GnuSparseHeader {
            offset: *offset,
            numbytes: *numbytes,
        };
        let slots =
            [slot(b"00000000003\0", b"00000000002\0"), slot(b"00000000012\0", b"00000000001\0")];
        let mut numbers = Vec::new();
        assert!(Map::add_slots(&slots, &mut numbers).unwrap());
        assert!(!Map::add_slots(&[slot(&[0; 12], &[0; 12])], &mut numbers).unwrap());
        assert_eq!(Map::new(&numbers, 20).unwrap(), want);
        assert!(Map::add_slots(&[slot(&[b'x'; 12], &[b'x'; 12])], &mut numbers).is_err());
    }

    #[test]
    fn maps_that_make_no_sense_are_refused() {
        for record in ["1", "5,2,3,1", "0,30", "18446744073709551615,1", "a,b", ""] {
            assert!(Map::in_record(record.as_bytes(), 20).is_err(), "{record}");
        }
        for text in ["99999999999\n", "x\n", "\n", "1\n5"] {
            let mut block = text.as_bytes().to_vec();
            block.resize(BLOCK, 0);
            assert!(Map::in_front(&mut &block[..], 20).is_err(), "{text}");
        }
    }
}
