//! The plain header: what a packet is and where its payload belongs. NNCP manual, "Plain packet".

use super::kind::Kind;
use crate::id::{AreaId, NodeId, PacketHash};
use crate::magic::{self, Magic, MagicError};
use crate::niceness::Niceness;
use crate::xdr::{Xdr, XdrError};
use crate::xdr_struct;

/// Bytes of the header; the path field has a constant size, so that its length is hidden.
pub const PLAIN_LEN: usize = 276;
/// Bytes a path can have.
pub const PATH_MAX: usize = 255;

xdr_struct! {
    /// The header as it stands in the packet.
    Wire {
        magic: Magic,
        kind: u8,
        nice: u8,
        path_len: u8,
        path: [u8; PATH_MAX],
    }
}

/// A packet's path does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too long path: {0} bytes, at most {PATH_MAX} fit")]
pub struct TooLongPath(pub usize);

/// The bytes are not a plain header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// Another magic, perhaps an obsolete one.
    #[error(transparent)]
    Magic(#[from] MagicError),
    /// Too short, or a field out of range.
    #[error("plain header {0}")]
    Field(#[from] XdrError),
    /// A kind that nobody knows.
    #[error("unknown type {0}")]
    UnknownKind(u8),
    /// A packet of this kind needs a 32-byte id for a path.
    #[error("path of {0} bytes where a 32-byte id belongs")]
    NotAnId(usize),
}

/// What a packet is: its kind, its inner niceness, its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainHeader {
    /// What the packet asks for.
    pub kind: Kind,
    /// Niceness of the answer (freq), told to the handler (exec); `None`, zero on the wire, for
    /// trns and area.
    pub nice: Option<Niceness>,
    path: Vec<u8>,
}

impl PlainHeader {
    /// The header of a packet of `kind` with this `path`, in bytes as they go over the wire.
    ///
    /// # Errors
    /// [`TooLongPath`] when `path` is longer than [`PATH_MAX`].
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

    /// The header of a packet on its way to `next`.
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

    /// The header of a command: handle and arguments, separated by NUL.
    ///
    /// # Errors
    /// When they do not fit the path field.
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
    /// When the path has another length. (The reference cuts and fills.)
    pub fn id(&self) -> Result<[u8; 32], PlainError> {
        self.path.as_slice().try_into().map_err(|_| PlainError::NotAnId(self.path.len()))
    }

    /// The bytes that stand before the payload.
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

    /// Reads the header; bytes of the path field beyond the path's length do not matter.
    ///
    /// # Errors
    /// [`PlainError::Field`] when it is cut, [`PlainError::Magic`] for another magic,
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
