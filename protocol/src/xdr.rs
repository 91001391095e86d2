//! XDR (RFC 4506) as far as NNCP uses it: a structure's field list is its layout.
//!
//! `u8`-sized fields travel as four bytes and optional references carry no presence flag; fill
//! bytes are written as zeros and, like the reference does, not looked at when read.

use crate::id::{AreaId, NodeId, PacketHash};
use crate::niceness::Niceness;

/// Bytes that do not hold the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XdrError {
    /// The bytes end inside a field.
    #[error("ends inside a field")]
    Short,
    /// Bytes are left after the last field.
    #[error("{0} bytes too many")]
    Trailing(usize),
    /// A field holds a value its type does not have.
    #[error("{0} is not a valid {1}")]
    Value(u32, &'static str),
}

/// A value with an XDR form.
pub trait Xdr: Sized {
    /// Appends the XDR form.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes the value from the front of `input`.
    ///
    /// # Errors
    /// When the input ends too early or holds what the type can not.
    fn decode(input: &mut &[u8]) -> Result<Self, XdrError>;

    /// The XDR form.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// The value that `bytes` hold, all of them.
    ///
    /// # Errors
    /// As [`Xdr::decode`], and when bytes are left over.
    fn from_bytes(mut bytes: &[u8]) -> Result<Self, XdrError> {
        let value = Self::decode(&mut bytes)?;
        match bytes.len() {
            0 => Ok(value),
            left => Err(XdrError::Trailing(left)),
        }
    }
}

/// Takes `len` bytes and their fill to a multiple of four.
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

/// One byte, four on the wire.
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

/// `opaque<>`: a length, the bytes, the fill. Never allocates more than the input holds.
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

/// Declares a structure whose field list is its XDR layout, encoder and decoder alike.
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
        /// A structure with every kind of field.
        Sample {
            /// Four bytes.
            byte: u8,
            /// Three bytes and one of fill.
            fixed: [u8; 3],
            /// A length, the bytes, the fill.
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
