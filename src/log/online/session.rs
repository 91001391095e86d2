//! The events of a session: the packets that are offered and transferred.

use super::super::record::Record;
use crate::display::Size;
use crate::log::event::{Peer, Xx};
use packmule_protocol::id::PacketHash;
use packmule_protocol::niceness::Niceness;

/// A session in records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Online<'a> {
    /// The other side.
    pub peer: Peer<'a>,
    /// The session's niceness limit.
    pub limit: Niceness,
}

/// A packet that the peer offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered {
    /// Its hash.
    pub pkt: PacketHash,
    /// Its size in bytes.
    pub size: u64,
    /// Its niceness.
    pub nice: Niceness,
}

/// What this node does about an offered packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferState {
    /// Requests it from this offset on; when listing only, would request it.
    Wanted(u64),
    /// Has it already.
    Done,
    /// Had it already.
    Seen,
    /// Has it, but has not verified it yet.
    Nock,
    /// Has no space for it.
    NoSpace,
}

/// The state of a received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is verified and published.
    Done,
    /// It is complete but not verified.
    Downloaded,
    /// Its hash is not its name.
    BadChecksum,
    /// Writing it failed.
    Write,
    /// Renaming it failed.
    Rename,
}

/// A step of a session that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Sending the answer to the handshake.
    AnswerWrite,
    /// Reading a frame.
    Frame,
    /// Authenticating a frame.
    Authenticity,
    /// Parsing a message, or checking it against the rules.
    Message,
    /// Sending a frame.
    Sending,
    /// A harmless protocol deviation of the peer; the session continues.
    Odd,
}

impl Step {
    fn who(self) -> &'static str {
        match self {
            Self::AnswerWrite => "sp-startR-write",
            Self::Frame => "sp-recv-wait",
            Self::Authenticity => "sp-recv-got",
            Self::Message => "sp-recv-process",
            Self::Sending => "sp-sending",
            Self::Odd => "sp-process",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::AnswerWrite => "sending the answer",
            Self::Frame => "waiting for payload",
            Self::Authenticity => "got payload",
            Self::Message => "processing",
            Self::Sending => "sending",
            Self::Odd => "ignored",
        }
    }
}

impl Online<'_> {
    fn base(&self, who: &'static str, text: String) -> Record {
        Record::new(who, text).field("Node", self.peer.id).field("Nice", self.limit.get())
    }

    /// A step failed.
    pub(crate) fn step(&self, step: Step) -> Record {
        let text = format!("SP with {} (nice {}): {}", self.peer.name, self.limit, step.text());
        self.base(step.who(), text)
    }

    /// This node announced packets.
    pub(crate) fn announced(&self, packets: u64, bytes: u64) -> Record {
        let name = self.peer.name;
        let text = format!("We have got for {name}: {packets} packets, {}", Size(bytes));
        self.infos("sp-infos-tx", text, Xx::Tx, packets, bytes)
    }

    /// The peer announced packets.
    pub(crate) fn offered(&self, packets: u64, bytes: u64) -> Record {
        let name = self.peer.name;
        let text = format!("{name} has got for us: {packets} packets, {}", Size(bytes));
        self.infos("sp-infos-rx", text, Xx::Rx, packets, bytes)
    }

    fn infos(&self, who: &'static str, text: String, xx: Xx, packets: u64, bytes: u64) -> Record {
        Record::new(who, text)
            .field("XX", xx)
            .field("Node", self.peer.id)
            .field("Pkts", packets)
            .field("Size", bytes)
    }

    /// What this node does about an offered packet.
    pub(crate) fn info(&self, offered: &Offered, state: OfferState) -> Record {
        let &Offered { pkt, size, nice } = offered;
        let (who, tail) = match state {
            OfferState::Wanted(offset) => {
                ("sp-info", format!("{}%", u128::from(offset) * 100 / u128::from(size.max(1))))
            }
            OfferState::Done => ("sp-info-done", "already done".into()),
            OfferState::Seen => ("sp-info-seen", "already seen".into()),
            OfferState::Nock => ("sp-info-nock", "still not checksummed".into()),
            OfferState::NoSpace => ("sp-info-no-space", "not enough space".into()),
        };
        let text = format!("Packet {pkt} ({}) (nice {nice}): {tail}", Size(size));
        let record = self
            .base(who, text)
            .field("Type", "info")
            .field("Pkt", pkt)
            .field("Size", size)
            .field("PktNice", nice.get());
        match state {
            OfferState::Wanted(offset) => record.field("Offset", offset),
            _ => record,
        }
    }

    /// A received packet reached this state.
    pub(crate) fn file(&self, pkt: PacketHash, size: u64, full: u64, received: Received) -> Record {
        let (who, tail) = match received {
            Received::Done => ("sp-file-done", "done"),
            Received::Downloaded => ("sp-file-downloaded", "downloaded"),
            Received::BadChecksum => ("sp-file-bad-checksum", "checksum mismatch"),
            Received::Write => ("sp-file-write", "writing"),
            Received::Rename => ("sp-file-rename", "renaming"),
        };
        let percent = u128::from(size) * 100 / u128::from(full.max(1));
        let text = format!("Got packet {pkt} {percent}% ({} / {}): {tail}", Size(size), Size(full));
        self.base(who, text)
            .field("Type", "file")
            .field("XX", Xx::Rx)
            .field("Pkt", pkt)
            .field("Size", size)
            .field("FullSize", full)
    }

    /// A packet was verified in the background.
    pub(crate) fn checked(&self, pkt: PacketHash, size: u64) -> Record {
        let text = format!("Packet {pkt} is retreived ({})", Size(size));
        self.check("sp-checker-done", text, pkt, size)
    }

    /// A packet failed its verification in the background.
    pub(crate) fn checking(&self, pkt: PacketHash, size: u64) -> Record {
        self.check("sp-checker", format!("Checksumming {pkt}"), pkt, size)
    }

    fn check(&self, who: &'static str, text: String, pkt: PacketHash, size: u64) -> Record {
        Record::new(who, text)
            .field("XX", Xx::Rx)
            .field("Node", self.peer.id)
            .field("Pkt", pkt)
            .field("Size", size)
    }

    /// The peer confirmed a packet of this node.
    pub(crate) fn delivered(&self, pkt: PacketHash) -> Record {
        self.base("sp-done", format!("Packet {pkt} is sent"))
            .field("Type", "done")
            .field("Pkt", pkt)
            .field("XX", Xx::Tx)
    }

    /// A packet that the peer requested cannot be read.
    pub(crate) fn unreadable(&self, pkt: PacketHash, offset: u64) -> Record {
        self.base("sp-queue-open", format!("Sending packet {pkt}: reading"))
            .field("XX", Xx::Tx)
            .field("Pkt", pkt)
            .field("Size", offset)
    }

    /// The queue for the peer cannot be listed.
    pub(crate) fn queue(&self) -> Record {
        let text = format!("SP with {} (nice {}): listing queue", self.peer.name, self.limit);
        self.base("sp-queue-dir-watch", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packmule_protocol::id::NodeId;

    fn online() -> Online<'static> {
        Online { peer: Peer { id: NodeId([1; 32]), name: "relay" }, limit: Niceness::MAX }
    }

    fn names(record: &Record) -> Vec<&'static str> {
        record.fields().map(|(name, _)| name).collect()
    }

    #[test]
    fn the_sentences_are_the_references() {
        let pkt = PacketHash([0; 32]);
        let name = pkt.to_string();
        let offered = Offered { pkt, size: 301_056, nice: Niceness::BULK };
        for (record, want) in [
            (
                online().announced(2, 301_056),
                "We have got for relay: 2 packets, 294 KiB".to_owned(),
            ),
            (online().offered(2, 301_056), "relay has got for us: 2 packets, 294 KiB".to_owned()),
            (
                online().info(&offered, OfferState::Wanted(150_528)),
                format!("Packet {name} (294 KiB) (nice B): 50%"),
            ),
            (
                online().info(&offered, OfferState::Nock),
                format!("Packet {name} (294 KiB) (nice B): still not checksummed"),
            ),
            (
                online().file(pkt, 301_056, 301_056, Received::Done),
                format!("Got packet {name} 100% (294 KiB / 294 KiB): done"),
            ),
            (online().delivered(pkt), format!("Packet {name} is sent")),
            (online().checked(pkt, 301_056), format!("Packet {name} is retreived (294 KiB)")),
        ] {
            assert_eq!(record.message(), want);
        }
    }

    #[test]
    fn the_fields_stand_in_the_references_order() {
        assert_eq!(
            names(&online().file(PacketHash([0; 32]), 1, 1, Received::Done)),
            ["Node", "Nice", "Type", "XX", "Pkt", "Size", "FullSize"]
        );
        assert_eq!(
            names(&online().delivered(PacketHash([0; 32]))),
            ["Node", "Nice", "Type", "Pkt", "XX"]
        );
    }
}
