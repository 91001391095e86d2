//! Packed nvlists, in XDR or native form: name and value pairs, nested.
//!
//! Nesting is limited to `DEPTH`. A list takes at most a small multiple of its packed size in
//! memory.

mod native;
mod packed;
mod value;
mod xdr;

pub use value::{List, NvError, Value};

use super::order::ByteOrder;
use packed::{DEPTH, Input};

/// The encoding of a packed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Big-endian words.
    Xdr,
    /// Structures as in the memory of a little-endian machine.
    NativeLittle,
    /// Structures as in the memory of a big-endian machine.
    NativeBig,
}

impl Encoding {
    /// The encoding, from the first four bytes of a packed list.
    ///
    /// # Errors
    /// If the bytes are not the start of a packed list.
    pub fn of(bytes: &[u8]) -> Result<Self, NvError> {
        match bytes.get(..4).ok_or(NvError::Short)? {
            [1, _, 0, 0] => Ok(Self::Xdr),
            [0, 1, 0, 0] => Ok(Self::NativeLittle),
            [0, 0, 0, 0] => Ok(Self::NativeBig),
            _ => Err(NvError::Encoding),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xdr => "xdr",
            Self::NativeLittle => "native-le",
            Self::NativeBig => "native-be",
        }
    }
}

impl List {
    /// Unpacks a list. Bytes may follow it, since newer senders pad it.
    ///
    /// # Errors
    /// If the bytes are not a valid packed list.
    pub fn unpack(bytes: &[u8]) -> Result<Self, NvError> {
        let mut input = Input { rest: bytes.get(4..).ok_or(NvError::Short)? };
        match Encoding::of(bytes)? {
            Encoding::Xdr => xdr::list(&mut input, DEPTH),
            Encoding::NativeLittle => native::list(&mut input, ByteOrder::Little),
            Encoding::NativeBig => native::list(&mut input, ByteOrder::Big),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{ "a": 7u64, "n": { "s": "hi" } }`, packed by hand.
    const XDR: &[u8] = b"\x01\x01\0\0\
        \0\0\0\0\0\0\0\x01\
        \0\0\0\x20\0\0\0\x20\0\0\0\x01a\0\0\0\0\0\0\x08\0\0\0\x01\0\0\0\0\0\0\0\x07\
        \0\0\0\x48\0\0\0\x30\0\0\0\x01n\0\0\0\0\0\0\x13\0\0\0\x01\
        \0\0\0\0\0\0\0\x01\
        \0\0\0\x20\0\0\0\x20\0\0\0\x01s\0\0\0\0\0\0\x09\0\0\0\x01\0\0\0\x02hi\0\0\
        \0\0\0\0\0\0\0\0\
        \0\0\0\0\0\0\0\0";
    const NATIVE: &[u8] = b"\0\x01\0\0\
        \0\0\0\0\x01\0\0\0\
        \x20\0\0\0\x02\0\0\0\x01\0\0\0\x08\0\0\0a\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\
        \x30\0\0\0\x02\0\0\0\x01\0\0\0\x13\0\0\0n\0\0\0\0\0\0\0\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x20\0\0\0\x02\0\0\0\x01\0\0\0\x09\0\0\0s\0\0\0\0\0\0\0hi\0\0\0\0\0\0\
        \0\0\0\0\
        \0\0\0\0";

    fn want() -> List {
        let inner = List(vec![("s".to_owned(), Value::Text("hi".to_owned()))]);
        List(vec![("a".to_owned(), Value::Uint(7)), ("n".to_owned(), Value::List(inner))])
    }

    #[test]
    fn both_encodings_hold_the_same_list() {
        assert_eq!(List::unpack(XDR), Ok(want()));
        assert_eq!(List::unpack(NATIVE), Ok(want()));
    }

    #[test]
    fn every_truncation_is_refused() {
        for packed in [XDR, NATIVE] {
            for len in 0..packed.len() {
                assert!(List::unpack(&packed[..len]).is_err(), "{len}");
            }
        }
    }

    #[test]
    fn a_deep_list_does_not_exhaust_the_stack() {
        let mut packed = b"\0\x01\0\0\0\0\0\0\x01\0\0\0".to_vec();
        for _ in 0..100_000 {
            packed.extend_from_slice(&NATIVE[44..92]);
        }
        assert_eq!(List::unpack(&packed), Err(NvError::Depth));
        let mut packed = b"\x01\x01\0\0\0\0\0\0\0\0\0\x01".to_vec();
        for _ in 0..100_000 {
            packed.extend_from_slice(&XDR[44..76]);
        }
        assert_eq!(List::unpack(&packed), Err(NvError::Depth));
    }

    /// A list of one pair in both encodings, with the value packed for each of them.
    fn one(kind: u32, count: u32, xdr: &[u8], native: &[u8]) -> [Result<List, NvError>; 2] {
        let encoded = u32::try_from(24 + xdr.len()).unwrap();
        let memory = u32::try_from(24 + native.len().next_multiple_of(8)).unwrap();
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        let mut packed = words(&[0x0101_0000, 0, 1, encoded, memory, 1, 0x6100_0000, kind, count]);
        packed.extend_from_slice(xdr);
        packed.extend_from_slice(&[0; 8]);
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>();
        let mut other = words(&[0x0100, 0, 1, memory, 2, count, kind, 0x61, 0]);
        other.extend_from_slice(native);
        other.resize(12 + usize::try_from(memory).unwrap() + 4, 0);
        [List::unpack(&packed), List::unpack(&other)]
    }

    #[test]
    fn what_is_no_array_has_one_element_and_a_mark_has_none() {
        let list = |value| Ok(List(vec![("a".to_owned(), value)]));
        let (xdr, native) = (&[0, 0, 0, 0, 0, 0, 0, 7], &[7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(one(8, 1, xdr, native), [list(Value::Uint(7)), list(Value::Uint(7))]);
        assert_eq!(one(1, 0, &[], &[]), [list(Value::Present), list(Value::Present)]);
        for count in [0, 2, 1 << 20, u32::MAX] {
            assert_eq!(one(8, count, xdr, native), [Err(NvError::Size), Err(NvError::Size)]);
        }
        for count in [1, 2, u32::MAX] {
            assert_eq!(one(1, count, &[], &[]), [Err(NvError::Size), Err(NvError::Size)]);
        }
        let (xdr, native) = (b"\0\0\0\x02hi\0\0", b"hi\0");
        assert!(one(9, 1, xdr, native).iter().all(Result::is_ok));
        assert!(one(9, 2, xdr, native).iter().all(Result::is_err));
    }

    #[test]
    fn a_pair_is_as_long_as_its_value_in_both_encodings() {
        let (xdr, native) = (&[0, 0, 0, 0, 0, 0, 0, 7], &[7, 0, 0, 0, 0, 0, 0, 0]);
        // A pair states its size in memory twice: as a number, and by its type and count.
        let wide = [&native[..], &[0; 8]].concat();
        assert!(one(8, 1, xdr, &wide).iter().all(Result::is_err));
        assert!(one(8, 1, xdr, &[]).iter().all(Result::is_err));
        let text = one(9, 1, b"\0\0\0\x03h\0i\0", b"h\0i\0");
        assert!(text[0].is_err(), "a string ends at its NUL");
    }

    #[test]
    fn a_huge_count_allocates_nothing() {
        let mut packed = NATIVE.to_vec();
        packed[20..24].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
        packed[24..28].copy_from_slice(&[16, 0, 0, 0]);
        assert!(List::unpack(&packed).is_err());
        let mut packed = XDR.to_vec();
        packed[28..32].copy_from_slice(&[0, 0, 0, 16]);
        packed[32..36].copy_from_slice(&[0xff; 4]);
        assert!(List::unpack(&packed).is_err());
    }
}
