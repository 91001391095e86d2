//! The events that a session emits, and why it ends.

use super::frame::FrameError;
use super::handshake::NoiseError;
use super::message::MessageError;
use super::offers::{Offer, Total, Unconfirmed};
use super::outgoing::Read;
use crate::id::PacketHash;
use std::time::Instant;

/// Something that the driver has to do or may report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer offers this packet: call [`Session::decide`](super::Session::decide).
    Offered(Offer),
    /// The peer offers this packet; this side only lists.
    Listed(Offer),
    /// The peer announced packets: the total of those in this session that are not complete.
    Announced(Total),
    /// Bytes of a packet arrived. After the last ones, call
    /// [`Session::decide`](super::Session::decide).
    Store(Store),
    /// Bytes of a packet are needed: call [`Session::supply`](super::Session::supply).
    Read(Read),
    /// The last bytes of a packet were passed to the transport.
    Sent(PacketHash),
    /// The peer has stored the packet safely, so it may be removed.
    Delivered(PacketHash),
    /// The peer deviated from the protocol without effect.
    Odd(Oddity, PacketHash),
}

/// Bytes of a packet, to be appended to those that were stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The packet.
    pub hash: PacketHash,
    /// Their offset in the packet.
    pub offset: u64,
    /// The bytes; empty if the packet was complete but not confirmed.
    pub data: Vec<u8>,
    /// The bytes complete the packet: verify it and answer with a [`Decision`].
    pub last: bool,
}

/// What to do with a packet of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Request it (again), from this byte on.
    Fetch {
        /// The first missing byte.
        offset: u64,
    },
    /// Confirm it: it is safely stored.
    Have,
    /// Skip it without an answer.
    Skip,
}

/// Protocol deviations that do no harm. Each kind is reported once per session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[repr(u32)]
#[non_exhaustive]
pub enum Oddity {
    /// FILE of a packet that was never announced.
    #[error("bytes of a packet that was never announced")]
    UnknownFile,
    /// DONE for a packet that was not offered in this session.
    #[error("confirmation of a packet that was not offered")]
    StrayDone,
    /// FREQ from beyond the packet's end.
    #[error("request from beyond the end of the packet")]
    BeyondEnd,
    /// INFO with a size or a niceness that no packet has.
    #[error("offer with an impossible size or niceness")]
    Offer,
    /// INFO for a packet that was announced before.
    #[error("packet offered twice")]
    Repeated,
    /// More INFO than one session handles.
    #[error("more packets offered than one session handles")]
    TooMany,
}

/// Protocol violations that end the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The stream is not a sequence of frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A message is not the peer's, or is out of order.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// A payload is not a sequence of messages.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Bytes of a packet at another offset than the requested one.
    #[error("{hash}: bytes at {got} instead of {want}")]
    Offset {
        /// The packet.
        hash: PacketHash,
        /// The requested offset.
        want: u64,
        /// The offset that arrived.
        got: u64,
    },
    /// More bytes than the announced size of the packet.
    #[error("{hash}: more than the {size} bytes announced")]
    TooLong {
        /// The packet.
        hash: PacketHash,
        /// Its announced size.
        size: u64,
    },
}

/// Why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The normal end: neither side has anything left to send.
    #[error("nothing more to say")]
    Idle,
    /// The session reached its maximum duration.
    #[error("maximal online time is over")]
    TimeUp,
    /// The peer was silent for too long.
    #[error("peer is silent")]
    Silent,
    /// The handshake took too long.
    #[error("no handshake in time")]
    NoHandshake,
    /// The caller offered packets, but did not answer a request for one.
    #[error("the caller did not answer a request: its first message may be a replay")]
    Unproven,
    /// The peer violated the protocol.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// What a finished session has not transferred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// This side's packets that the peer did not confirm.
    pub to_send: Vec<Unconfirmed>,
    /// The total of wanted packets of the peer that are not complete or could not be accepted.
    pub to_receive: Total,
}

/// The traffic on the stream, including frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Start of the session.
    pub started: Instant,
    /// Bytes received.
    pub rx: u64,
    /// Time of the last frame received.
    pub last_rx: Instant,
    /// Bytes sent.
    pub tx: u64,
    /// Time of the last frame sent.
    pub last_tx: Instant,
}
