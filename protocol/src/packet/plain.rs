//! The plain header: the kind of a packet and its path. NNCP manual, "Plain packet".

use super::kind::Kind;
use crate::id::{AreaId, NodeId, PacketHash};
use crate::magic::{self, Magic, MagicError};
use crate::niceness::Niceness;
use crate::xdr::{Xdr, XdrError};
use crate::xdr_struct;

/// Length of the header in bytes. Its path field has a fixed size, which hides the path's length.
pub const PLAIN_LEN: usize = 276;
/// Maximum length of a path in bytes.
pub const PATH_MAX: usize = 255;

xdr_struct! {
    /// The layout of the header.
    Wire {
        magic: Magic,
        kind: u8,
        nice: u8,
        path_len: u8,
        path: [u8; PATH_MAX],
    }
}

/// The path is longer than its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too long path: {0} bytes, at most {PATH_MAX} fit")]
pub struct TooLongPath(pub usize);

/// Why the bytes are not a valid plain header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// Another magic, which may be an obsolete one.
    #[error(transparent)]
    Magic(#[from] MagicError),
    /// It is too short, or a field is out of range.
    #[error("plain header {0}")]
    Field(#[from] XdrError),
    /// An unknown kind.
    #[error("unknown type {0}")]
    UnknownKind(u8),
    /// The path should be a 32-byte id and has another length.
    #[error("path of {0} bytes instead of a 32-byte id")]
    NotAnId(usize),
}

/// The properties of a packet: kind, inner niceness and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainHeader {
    /// The kind of packet.
    pub kind: Kind,
    /// Freq: niceness of the answer. Exec: passed to the handler. Trns and area: `None`, which is
    /// zero in the packet.
    pub nice: Option<Niceness>,
    path: Vec<u8>,
}

impl PlainHeader {
    /// The header of a packet of `kind` with this `path`, whose bytes are sent unchanged.
    ///
    /// # Errors
    /// [`TooLongPath`] if `path` is longer than [`PATH_MAX`].
    pub fn new(
        kind: Kind,
        nice: Option<Niceness>,
        path: impl Into<Vec<u8>>,
    ) -> Result<Self, TooLongPath> {
        let path = path.into();
        if path.len() > PATH_MAX {
            return Err(TooLongPath(path.len()));
        }
        Ok(Self { kind, nice, path })
    }

    /// The header of a packet that is to be forwarded to `next`.
    pub fn trns(next: &NodeId) -> Self {
        Self { kind: Kind::Trns, nice: None, path: next.0.to_vec() }
    }

    /// The header around a message of `area`.
    pub fn area(area: &AreaId) -> Self {
        Self { kind: Kind::Area, nice: None, path: area.0.to_vec() }
    }

    /// The header that acknowledges `packet`.
    pub fn ack(packet: &PacketHash, nice: Niceness) -> Self {
        Self { kind: Kind::Ack, nice: Some(nice), path: packet.0.to_vec() }
    }

    /// The header of a command: a handle and its arguments, separated by NUL.
    ///
    /// # Errors
    /// If they do not fit the path field.
    pub fn exec(kind: Kind, nice: Niceness, command: &[Vec<u8>]) -> Result<Self, TooLongPath> {
        Self::new(kind, Some(nice), command.join(&0))
    }

    /// The path, at most 255 bytes.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Handle and arguments of an exec packet.
    pub fn command(&self) -> Vec<&[u8]> {
        self.path.split(|byte| *byte == 0).collect()
    }

    /// The 32-byte id in the path of a trns, area or ack packet.
    ///
    /// # Errors
    /// If the path has another length. (The reference truncates or pads it.)
    pub fn id(&self) -> Result<[u8; 32], PlainError> {
        self.path.as_slice().try_into().map_err(|_| PlainError::NotAnId(self.path.len()))
    }

    /// Encodes the header.
    pub fn to_bytes(&self) -> [u8; PLAIN_LEN] {
        let mut path = [0; PATH_MAX];
        path[..self.path.len()].copy_from_slice(&self.path);
        let wire = Wire {
            magic: magic::PLAIN,
            kind: self.kind as u8,
            nice: self.nice.map_or(0, Niceness::get),
            path_len: u8::try_from(self.path.len()).expect("checked when it was made"),
            path,
        };
        wire.to_bytes().try_into().expect("the fields add up to PLAIN_LEN")
    }

    /// Decodes the header. Ignores bytes of the path field after the path's end.
    ///
    /// # Errors
    /// [`PlainError::Field`] if it is truncated, [`PlainError::Magic`] for another magic,
    /// [`PlainError::UnknownKind`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlainError> {
        if let Some((found, _)) = bytes.split_first_chunk() {
            magic::check(found, &magic::PLAIN)?;
        }
        let wire = Wire::from_bytes(bytes)?;
        let kind = Kind::ALL.iter().find(|kind| **kind as u8 == wire.kind);
        let kind = *kind.ok_or(PlainError::UnknownKind(wire.kind))?;
        Ok(Self {
            kind,
            nice: Niceness::from_wire(wire.nice.into()),
            path: wire.path[..usize::from(wire.path_len)].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_the_manuals() {
        let header = PlainHeader::new(Kind::File, Some(Niceness::BULK), *b"dir/hi").unwrap();
        let bytes = header.to_bytes();
        assert_eq!(bytes[..20], *b"NNCPP\0\0\x03\0\0\0\x01\0\0\0\xe0\0\0\0\x06");
        assert_eq!(bytes[20..26], *b"dir/hi");
        assert!(bytes[26..].iter().all(|byte| *byte == 0));
        assert_eq!(PlainHeader::from_bytes(&bytes), Ok(header));
    }

    #[test]
    fn kinds_start_from_one() {
        let mut bytes = PlainHeader::trns(&NodeId([7; 32])).to_bytes();
        let last = *Kind::ALL.last().unwrap() as u8;
        for kind in [0, last + 1, 255] {
            bytes[11] = kind;
            assert_eq!(PlainHeader::from_bytes(&bytes), Err(PlainError::UnknownKind(kind)));
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = PlainHeader::trns(&NodeId([7; 32])).to_bytes();
        for len in 0..PLAIN_LEN {
            assert!(PlainHeader::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn another_magic_is_refused() {
        let mut bytes = PlainHeader::trns(&NodeId([7; 32])).to_bytes();
        bytes[7] = 2;
        assert!(matches!(
            PlainHeader::from_bytes(&bytes),
            Err(PlainError::Magic(MagicError::Obsolete(..)))
        ));
    }

    #[test]
    fn a_path_of_256_bytes_does_not_fit() {
        assert!(PlainHeader::new(Kind::File, None, [b'x'; 255]).is_ok());
        assert_eq!(PlainHeader::new(Kind::File, None, [b'x'; 256]), Err(TooLongPath(256)));
    }

    #[test]
    fn a_trailing_nul_is_one_more_empty_argument() {
        let header = PlainHeader::new(Kind::Exec, None, *b"save\0a\0\0b\0").unwrap();
        assert_eq!(header.command(), [&b"save"[..], b"a", b"", b"b", b""]);
    }

    #[test]
    fn an_id_is_32_bytes_neither_cut_nor_filled() {
        let header = PlainHeader::new(Kind::Ack, None, [1; 31]).unwrap();
        assert_eq!(header.id(), Err(PlainError::NotAnId(31)));
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(kind in 0..Kind::ALL.len(), nice: u8, path in proptest::collection::vec(any::<u8>(), 0..=255)) {
            let header = PlainHeader::new(Kind::ALL[kind], Niceness::from_wire(nice.into()), path).unwrap();
            prop_assert_eq!(PlainHeader::from_bytes(&header.to_bytes()), Ok(header));
        }
    }
}
