//! What a session tells its driver, and why it ends.

use super::frame::FrameError;
use super::handshake::NoiseError;
use super::message::MessageError;
use super::offers::{Offer, Total, Unconfirmed};
use super::outgoing::Read;
use crate::id::PacketHash;
use std::time::Instant;

/// Something the driver has to do, or may want to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer holds this packet for us: [`Session::decide`](super::Session::decide) what is to become of it.
    Offered(Offer),
    /// The peer holds this packet, and we only look.
    Listed(Offer),
    /// The peer announced packets: all of this session that we do not have yet.
    Announced(Total),
    /// Bytes of a packet arrived. After the last ones, [`Session::decide`](super::Session::decide).
    Store(Store),
    /// Bytes of a packet are needed: [`Session::supply`](super::Session::supply) them.
    Read(Read),
    /// The last bytes of a packet were handed to the transport.
    Sent(PacketHash),
    /// The peer has the packet safely: it may be removed.
    Delivered(PacketHash),
    /// The peer did something that is of no effect, and not what an honest peer does.
    Odd(Oddity, PacketHash),
}

/// Bytes of a packet, to be stored behind those stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The packet.
    pub hash: PacketHash,
    /// Where they belong.
    pub offset: u64,
    /// The bytes; none when only the last word was missing.
    pub data: Vec<u8>,
    /// The packet is complete with them: verify it, and say so with a [`Decision`].
    pub last: bool,
}

/// What becomes of a packet of the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Get it (again), from this byte on.
    Fetch {
        /// The first byte that is missing.
        offset: u64,
    },
    /// It is safe with us: say so.
    Have,
    /// Leave it, and say nothing.
    Skip,
}

/// Things a peer should not do, that harm nobody. Each kind is told once a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[repr(u32)]
#[non_exhaustive]
pub enum Oddity {
    /// FILE of a packet that was never announced.
    #[error("bytes of a packet that was never announced")]
    UnknownFile,
    /// DONE for a packet that we did not offer in this session.
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
    /// More INFO than we remember.
    #[error("more packets offered than one session handles")]
    TooMany,
}

/// What a peer does that ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The stream is no row of frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A message is not from the peer, or out of order.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// A payload is no row of messages.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Bytes of a packet at another place than those asked for.
    #[error("{hash}: bytes at {got} instead of {want}")]
    Offset {
        /// The packet.
        hash: PacketHash,
        /// Where the bytes should have started.
        want: u64,
        /// Where they started.
        got: u64,
    },
    /// More bytes than the packet was announced with.
    #[error("{hash}: more than the {size} bytes announced")]
    TooLong {
        /// The packet.
        hash: PacketHash,
        /// Its announced size.
        size: u64,
    },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// Neither side had anything more to say: the normal end.
    #[error("nothing more to say")]
    Idle,
    /// It lasted as long as it may.
    #[error("maximal online time is over")]
    TimeUp,
    /// The peer said nothing at all for too long.
    #[error("peer is silent")]
    Silent,
    /// The handshake was not done in time.
    #[error("no handshake in time")]
    NoHandshake,
    /// The caller offered packets, was asked for one, and did not answer.
    #[error("the caller answers nothing: its first message may be a recording")]
    Unproven,
    /// The peer broke the protocol.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// What a session that is over left undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Packets of ours that the peer did not confirm.
    pub to_send: Vec<Unconfirmed>,
    /// Packets of the peer that we want and do not have, and offers that we could not take.
    pub to_receive: Total,
}

/// How much went over the stream, frames and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// When the session began.
    pub started: Instant,
    /// Bytes received.
    pub rx: u64,
    /// When the last frame was received.
    pub last_rx: Instant,
    /// Bytes sent.
    pub tx: u64,
    /// When the last frame was sent.
    pub last_tx: Instant,
}
