//! XDR (RFC 4506), as far as NNCP uses it. The list of a structure's fields is its layout.
//!
//! Single bytes take four bytes in XDR, and optional references have no presence flag. Fill bytes
//! are written as zeros; like the reference, decoding ignores them.

use crate::id::{AreaId, NodeId, PacketHash};
use crate::niceness::Niceness;

/// Why bytes are not a valid structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XdrError {
    /// The bytes end inside a field.
    #[error("ends inside a field")]
    Short,
    /// Bytes remain after the last field.
    #[error("{0} bytes too many")]
    Trailing(usize),
    /// A field has a value that its type does not allow.
    #[error("{0} is not a valid {1}")]
    Value(u32, &'static str),
}

/// A value with an XDR encoding.
pub trait Xdr: Sized {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Decodes a value at the start of `input` and advances `input`.
    ///
    /// # Errors
    /// If the input ends too early or has an illegal value.
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError>;

    /// The encoding.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// Decodes all of `bytes`.
    ///
    /// # Errors
    /// As [`Xdr::decode`], and if bytes remain.
    fn from_bytes(mut bytes: &[u8]) -> Result<Self, XdrError> {
        let value = Self::decode(&mut bytes)?;
        match bytes.len() {
            0 => Ok(value),
            left => Err(XdrError::Trailing(left)),
        }
    }
}

/// Takes `len` bytes and their fill bytes, up to a multiple of four.
fn take<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], XdrError> {
    let padded = len.checked_next_multiple_of(4).ok_or(XdrError::Short)?;
    let (taken, rest) = input.split_at_checked(padded).ok_or(XdrError::Short)?;
    *input = rest;
    Ok(&taken[..len])
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
}

impl Xdr for u32 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        Ok(Self::from_be_bytes(<[u8; 4]>::decode(input)?))
    }
}

impl Xdr for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        Ok(Self::from_be_bytes(<[u8; 8]>::decode(input)?))
    }
}

/// One byte, which takes four bytes in XDR.
impl Xdr for u8 {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::from(*self).encode(out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        let word = u32::decode(input)?;
        Self::try_from(word).map_err(|_| XdrError::Value(word, "byte"))
    }
}

impl<const N: usize> Xdr for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        Ok(take(input, N)?.try_into().expect("N bytes were taken"))
    }
}

/// `opaque<>`: the length, the bytes, the fill bytes. Never allocates more than the input's length.
impl Xdr for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.len()).expect("opaque data below 4 GiB").encode(out);
        put(out, self);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        let len = usize::try_from(u32::decode(input)?).map_err(|_| XdrError::Short)?;
        Ok(take(input, len)?.to_vec())
    }
}

impl Xdr for Niceness {
    fn encode(&self, out: &mut Vec<u8>) {
        self.get().encode(out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
        let word = u32::decode(input)?;
        Self::from_wire(word).ok_or(XdrError::Value(word, "niceness"))
    }
}

macro_rules! as_array {
    ($($id:ident),*) => {$(
        impl Xdr for $id {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
            fn decode(input: &mut &[u8]) -> Result<Self, XdrError> {
                Xdr::decode(input).map(Self)
            }
        }
    )*};
}
as_array!(NodeId, AreaId, PacketHash);

/// Declares a structure. Its list of fields determines the layout, the encoder and the decoder.
#[macro_export]
macro_rules! xdr_struct {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$field_doc])* $vis $field: $type,)*
        }

        impl $crate::xdr::Xdr for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $($crate::xdr::Xdr::encode(&self.$field, out);)*
            }
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::xdr::XdrError> {
                Ok(Self { $($field: $crate::xdr::Xdr::decode(input)?,)* })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    xdr_struct! {
        /// A structure with all types of fields.
        Sample {
            /// Four bytes.
            byte: u8,
            /// Three bytes and one fill byte.
            fixed: [u8; 3],
            /// The length, the bytes, the fill bytes.
            opaque: Vec<u8>,
            /// Eight bytes.
            long: u64,
        }
    }

    const WIRE: &[u8] = b"\0\0\0\x05abc\0\0\0\0\x05hello\0\0\0\0\0\0\0\0\0\x01\0";

    #[test]
    fn the_layout_is_the_field_list() {
        let sample = Sample { byte: 5, fixed: *b"abc", opaque: b"hello".to_vec(), long: 256 };
        assert_eq!(sample.to_bytes(), WIRE);
        assert_eq!(Sample::from_bytes(WIRE), Ok(sample));
    }

    #[test]
    fn every_truncation_and_every_extension_is_refused() {
        for len in 0..WIRE.len() {
            assert_eq!(Sample::from_bytes(&WIRE[..len]), Err(XdrError::Short), "{len}");
        }
        assert_eq!(Sample::from_bytes(&[WIRE, b"x"].concat()), Err(XdrError::Trailing(1)));
    }

    #[test]
    fn a_length_beyond_the_input_allocates_nothing() {
        assert_eq!(Vec::from_bytes(&[0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]), Err(XdrError::Short));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(u8::from_bytes(&[0, 0, 1, 0]), Err(XdrError::Value(256, "byte")));
        assert_eq!(Niceness::from_bytes(&[0; 4]), Err(XdrError::Value(0, "niceness")));
    }
}
