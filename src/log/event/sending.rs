//! The events of making packets.

use super::super::record::Record;
use super::{Message, Peer};
use crate::display::Size;
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;

/// A packet that was made. If it could not be made, `size` is 0 and `pkt` is `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// The recipient.
    pub to: Peer<'a>,
    /// Its niceness.
    pub nice: Niceness,
    /// Size of the plaintext, including the 276 bytes of the plain header.
    pub size: u64,
    /// Its name in the spool.
    pub pkt: Option<PacketHash>,
}

impl Sent<'_> {
    fn record(&self, kind: &str, message: String) -> Record {
        Record::new("tx", message)
            .field("Type", kind)
            .field("Node", self.to.id)
            .field("Nice", self.nice.get())
    }

    fn pkt(&self) -> String {
        self.pkt.map(|hash| hash.to_string()).unwrap_or_default()
    }

    /// A file, or one of the two packets of its chunks.
    pub(crate) fn file(&self, src: &str, dst: &str) -> Record {
        let (size, name) = (self.size, self.to.name);
        self.record("file", format!("File {src} ({}) is sent to {name}:{dst}", Size(size)))
            .field("Src", src)
            .field("Dst", dst)
            .field("Size", size)
            .field("Pkt", self.pkt())
    }

    /// A request for the other node's file `src`, which is to be stored here as `dst`.
    pub(crate) fn freq(&self, reply_nice: Niceness, src: &str, dst: &str) -> Record {
        let name = self.to.name;
        self.record("freq", format!("File request from {name}:{src} to {dst} is sent"))
            .field("ReplyNice", reply_nice.get())
            .field("Src", src)
            .field("Dst", dst)
            .field("Pkt", self.pkt())
    }

    /// A command; `dst` is its handle and arguments, joined by blanks.
    pub(crate) fn exec(&self, reply_nice: Niceness, dst: &str) -> Record {
        let (size, name) = (self.size, self.to.name);
        self.record("exec", format!("Exec is sent to {name}@{dst} ({})", Size(size)))
            .field("ReplyNice", reply_nice.get())
            .field("Dst", dst)
            .field("Size", size)
            .field("Pkt", self.pkt())
    }

    /// An acknowledgement of `acked`.
    pub(crate) fn ack(&self, acked: PacketHash) -> Record {
        self.record("ack", format!("ACK to {} of {acked} is sent", self.to.name))
            .field("Pkt", acked)
            .field("NewPkt", self.pkt())
    }

    /// A transitional packet, queued unchanged for its next hop.
    pub(crate) fn trns(&self) -> Record {
        let (size, nice, name) = (Size(self.size), self.nice, self.to.name);
        self.record("trns", format!("Transitional packet to {name} ({size}) (nice {nice})"))
            .field("Size", self.size)
    }

    /// One layer of encryption, for a hop.
    pub(crate) fn layer(&self) -> Record {
        let (size, nice, name) = (Size(self.size), self.nice, self.to.name);
        Record::new("tx", format!("Tx packet to {name} (source {size}) nice: {nice}"))
            .field("Node", self.to.id)
            .field("Nice", nice.get())
            .field("Size", self.size)
    }

    /// One layer around a packet, for the next hop.
    pub(crate) fn trns_layer(&self) -> Record {
        let text = format!("Tx trns packet to {} nice: {}", self.to.name, self.nice);
        Record::new("tx", text).field("Node", self.to.id).field("Nice", self.nice.get())
    }

    /// The layer for an area, around a packet to this node itself.
    pub(crate) fn area(&self, message: Message<'_>) -> Record {
        let (size, nice, to) = (Size(self.size), self.nice, self.to.name);
        let Message { area, name, id } = message;
        let text =
            format!("Tx area packet to {to} (source {size}) nice: {nice}, area {name}: {id}");
        Record::new("tx-area", text)
            .field("Node", self.to.id)
            .field("Nice", nice.get())
            .field("Size", self.size)
            .field("Area", area)
            .field("AreaMsg", id)
    }
}

/// A packet in `tx/` that is an acknowledgement itself, so it is not acknowledged.
pub(crate) fn ack_is_ack(to: Peer<'_>, pkt: PacketHash) -> Record {
    Record::new("ack-read-if-ack", format!("ACKing {}/{pkt}: it is ACK, skipping", to.name))
        .field("Node", to.id)
        .field("Pkt", pkt)
}
