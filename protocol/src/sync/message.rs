//! The messages of a session ("SP packets"): a type word and a body. A payload contains several.
//! NNCP manual, "Synchronization protocol".

use crate::id::PacketHash;
use crate::xdr::{Xdr, XdrError};
use crate::xdr_struct;

xdr_struct! {
    /// "I have this packet for you."
    pub Info {
        /// Its niceness, unchecked: the reference sends 0 for a packet queued with `MAX+1`.
        nice: u8,
        /// Size of the whole packet in bytes.
        size: u64,
        /// Its hash.
        hash: PacketHash,
    }
}

xdr_struct! {
    /// "Send me this packet from this offset on."
    pub Freq {
        /// The packet's hash.
        hash: PacketHash,
        /// The first missing byte. Equals the packet's size if only the confirmation is missing.
        offset: u64,
    }
}

xdr_struct! {
    /// "I have stored this packet safely."
    pub Done {
        /// The packet's hash.
        hash: PacketHash,
    }
}

/// A part of a packet, borrowed from the payload that contained it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File<'a> {
    /// The packet's hash.
    pub hash: PacketHash,
    /// Offset of the bytes in the packet.
    pub offset: u64,
    /// The bytes.
    pub data: &'a [u8],
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Offers a packet.
    Info(Info),
    /// Requests a packet.
    Freq(Freq),
    /// Contains bytes of a packet.
    File(File<'a>),
    /// Confirms a packet.
    Done(Done),
    /// Cancels all requests. In practice: padding.
    Halt,
    /// Keeps the session alive.
    Ping,
}

/// The type word at the start of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// [`Message::Info`].
    Info = 0,
    /// [`Message::Freq`].
    Freq = 1,
    /// [`Message::File`].
    File = 2,
    /// [`Message::Done`].
    Done = 3,
    /// [`Message::Halt`].
    Halt = 4,
    /// [`Message::Ping`].
    Ping = 5,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Info, Self::Freq, Self::File, Self::Done, Self::Halt, Self::Ping];

    /// The name in log records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Freq => "freq",
            Self::File => "file",
            Self::Done => "done",
            Self::Halt => "halt",
            Self::Ping => "ping",
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        (self as u32).encode(out);
    }
}

/// Why a payload is not a sequence of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The payload ends inside a type word.
    #[error("ends inside a message's type")]
    Type,
    /// An unknown type.
    #[error("unknown type {0}")]
    Unknown(u32),
    /// A message's body is truncated or out of range.
    #[error("{name}: {1}", name = .0.name())]
    Body(Kind, XdrError),
}

/// Length of an INFO in bytes, including its type.
pub const INFO_LEN: usize = 48;
/// Length of a FREQ.
pub const FREQ_LEN: usize = 44;
/// Length of a DONE.
pub const DONE_LEN: usize = 36;
/// Length of a HALT or a PING.
pub const BARE_LEN: usize = 4;
/// Length of a FILE without its data and fill bytes.
pub const FILE_OVERHEAD: usize = 48;

impl Message<'_> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Info(info) => {
                Kind::Info.encode(out);
                info.encode(out);
            }
            Self::Freq(freq) => {
                Kind::Freq.encode(out);
                freq.encode(out);
            }
            Self::File(file) => {
                Kind::File.encode(out);
                file.encode(out);
            }
            Self::Done(done) => {
                Kind::Done.encode(out);
                done.encode(out);
            }
            Self::Halt => Kind::Halt.encode(out),
            Self::Ping => Kind::Ping.encode(out),
        }
    }
}

impl<'a> Message<'a> {
    /// Takes the first message of `payload`; `None` if it is empty.
    ///
    /// # Errors
    /// If the rest is not a message.
    pub fn take(payload: &mut &'a [u8]) -> Result<Option<Self>, MessageError> {
        if payload.is_empty() {
            return Ok(None);
        }
        let word = u32::decode(payload).map_err(|_| MessageError::Type)?;
        let kind = *usize::try_from(word)
            .ok()
            .and_then(|index| Kind::ALL.get(index))
            .ok_or(MessageError::Unknown(word))?;
        let body = |error| MessageError::Body(kind, error);
        Ok(Some(match kind {
            Kind::Info => Self::Info(Info::decode(payload).map_err(body)?),
            Kind::Freq => Self::Freq(Freq::decode(payload).map_err(body)?),
            Kind::File => Self::File(File::decode(payload).map_err(body)?),
            Kind::Done => Self::Done(Done::decode(payload).map_err(body)?),
            Kind::Halt => Self::Halt,
            Kind::Ping => Self::Ping,
        }))
    }
}

impl<'a> File<'a> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.hash.encode(out);
        self.offset.encode(out);
        u32::try_from(self.data.len()).expect("a chunk fits a frame").encode(out);
        out.extend_from_slice(self.data);
        out.resize(out.len().next_multiple_of(4), 0);
    }

    // Not an `xdr` structure, since those own their bytes, and these bytes are not copied.
    fn decode(input: &mut &'a [u8]) -> Result<Self, XdrError> {
        let hash = PacketHash::decode(input)?;
        let offset = u64::decode(input)?;
        let len = usize::try_from(u32::decode(input)?).map_err(|_| XdrError::Short)?;
        let padded = len.checked_next_multiple_of(4).ok_or(XdrError::Short)?;
        let (data, rest) = input.split_at_checked(padded).ok_or(XdrError::Short)?;
        *input = rest;
        Ok(Self { hash, offset, data: &data[..len] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hash() -> PacketHash {
        PacketHash(std::array::from_fn(|index| index as u8))
    }

    /// Decodes hexadecimal digits, with optional blanks.
    fn hex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect()
    }

    const HASH: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn check(message: &Message<'_>, wire: &str) {
        let wire = hex(&wire.replace("HASH", HASH));
        let mut out = Vec::new();
        message.encode(&mut out);
        assert_eq!(out, wire);
        let mut left = wire.as_slice();
        assert_eq!(Message::take(&mut left).unwrap().as_ref(), Some(message));
        assert_eq!(Message::take(&mut left), Ok(None));
        for len in 1..wire.len() {
            let cut = Message::take(&mut &wire[..len]);
            assert!(cut.is_err(), "{len} bytes: {cut:?}");
        }
    }

    #[test]
    fn the_layouts_are_the_references() {
        check(
            &Message::Info(Info { nice: 224, size: 300_512, hash: hash() }),
            "00000000 000000e0 00000000000495e0 HASH",
        );
        check(
            &Message::Freq(Freq { hash: hash(), offset: 65232 }),
            "00000001 HASH 000000000000fed0",
        );
        check(
            &Message::File(File { hash: hash(), offset: 65232, data: b"hello" }),
            "00000002 HASH 000000000000fed0 00000005 68656c6c6f000000",
        );
        check(&Message::Done(Done { hash: hash() }), "00000003 HASH");
        check(&Message::Halt, "00000004");
        check(&Message::Ping, "00000005");
    }

    #[test]
    fn the_lengths_are_those_that_batches_count_with() {
        for (message, len) in [
            (Message::Info(Info { nice: 1, size: 1, hash: hash() }), INFO_LEN),
            (Message::Freq(Freq { hash: hash(), offset: 0 }), FREQ_LEN),
            (Message::Done(Done { hash: hash() }), DONE_LEN),
            (Message::Halt, BARE_LEN),
            (Message::File(File { hash: hash(), offset: 0, data: b"" }), FILE_OVERHEAD),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(out.len(), len, "{message:?}");
        }
    }

    #[test]
    fn unknown_types_and_impossible_values_are_refused() {
        assert_eq!(Message::take(&mut &hex("00000006")[..]), Err(MessageError::Unknown(6)));
        assert_eq!(Message::take(&mut &hex("ffffffff")[..]), Err(MessageError::Unknown(u32::MAX)));
        let too_nice = hex(&format!("00000000 00000100 0000000000000001 {HASH}"));
        assert_eq!(
            Message::take(&mut &too_nice[..]),
            Err(MessageError::Body(Kind::Info, XdrError::Value(256, "byte")))
        );
        let too_long = hex(&format!("00000002 {HASH} 0000000000000000 ffffffff 00"));
        assert_eq!(
            Message::take(&mut &too_long[..]),
            Err(MessageError::Body(Kind::File, XdrError::Short))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut left = bytes.as_slice();
            while let Ok(Some(_)) = Message::take(&mut left) {}
        }

        #[test]
        fn files_survive_the_round_trip(offset: u64, data in proptest::collection::vec(any::<u8>(), 0..99)) {
            let file = Message::File(File { hash: hash(), offset, data: &data });
            let mut out = Vec::new();
            file.encode(&mut out);
            prop_assert_eq!(Message::take(&mut out.as_slice()), Ok(Some(file)));
        }
    }
}
