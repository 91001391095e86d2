//! The events of calls: sessions, the packets they move, schedules and discovery.

use super::Record;
use super::event::{Peer, Xx};
use crate::display::Size;
use packmule_protocol::{base32, id::PacketHash, keys::NoisePublic, niceness::Niceness};
use std::{fmt, time::Duration};

/// A session, as its records name it.
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
    /// Its name.
    pub pkt: PacketHash,
    /// Its size.
    pub size: u64,
    /// Its niceness.
    pub nice: Niceness,
}

/// What is done about an offered packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is requested (or, when listing, would be) from this offset on.
    Wanted(u64),
    /// It is here already.
    Done,
    /// It was here already.
    Seen,
    /// It is here and not verified yet.
    Nock,
    /// There is no room for it.
    NoSpace,
}

/// How far a received packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is verified and in place.
    Done,
    /// It is complete and not verified.
    Downloaded,
    /// It is not what its name says.
    BadChecksum,
    /// Its bytes could not be written.
    Write,
    /// It could not be given its name.
    Rename,
}

/// A step of a session's beginning, or of its running, that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The answer could not be sent.
    AnswerWrite,
    /// Something that is no frame.
    Frame,
    /// A frame that is not the peer's.
    Authenticity,
    /// A message that is none, or breaks the rules.
    Message,
    /// Sending.
    Sending,
    /// The peer does what no honest peer does; the session goes on.
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

/// Figures of a session that is over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// From its beginning to its end.
    pub duration: Duration,
    /// Bytes received, frames and all.
    pub rx: u64,
    /// From its beginning to the last frame received.
    pub rx_time: Duration,
    /// Bytes sent.
    pub tx: u64,
    /// From its beginning to the last frame sent.
    pub tx_time: Duration,
}

fn speed(bytes: u64, time: Duration) -> u64 {
    bytes / time.as_secs().max(1)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.duration.as_secs();
        write!(
            f,
            "({}:{}:{}): {} received ({}/sec), {} transferred ({}/sec)",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            Size(self.rx),
            Size(speed(self.rx, self.rx_time)),
            Size(self.tx),
            Size(speed(self.tx, self.tx_time)),
        )
    }
}

// -------------------------------------------------------------------------------------- sessions

/// An address is dialled.
pub(crate) fn calling(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("calling", format!("Calling {} ({addr})", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
}

/// The handshake of a call is done.
pub(crate) fn call_started(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("call-started", format!("Connection to {} ({addr})", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
}

/// The handshake with a caller is done.
pub(crate) fn answer_started(peer: Peer<'_>, addr: &str) -> Record {
    Record::new("call-started", format!("Connection with {} ({addr})", peer.name))
        .field("Node", peer.id)
}

/// Somebody connected and did not become a session.
pub(crate) fn answer_unknown(addr: &str) -> Record {
    Record::new("call-started", format!("Connected to unknown ({addr})")).field("Node", "unknown")
}

/// A call is over.
pub(crate) fn call_finished(peer: Peer<'_>, addr: &str, figures: &Figures) -> Record {
    Record::new("call-finished", format!("Finished call with {} {figures}", peer.name))
        .field("Node", peer.id)
        .field("Addr", addr)
        .field("Duration", figures.duration.as_secs())
        .field("RxBytes", figures.rx)
        .field("RxSpeed", speed(figures.rx, figures.rx_time))
        .field("TxBytes", figures.tx)
        .field("TxSpeed", speed(figures.tx, figures.tx_time))
}

/// Packets that a call left behind, on their way in this direction.
pub(crate) fn left(peer: Peer<'_>, xx: Xx, packets: u64, bytes: u64) -> Record {
    let way = match xx {
        Xx::Tx => "to",
        Xx::Rx => "from",
    };
    let name = peer.name;
    let size = Size(bytes);
    let text = format!("Call with {name} is over, {packets} packets, {size} {way} {name} are left");
    Record::new("call-left", text)
        .field("XX", xx)
        .field("Node", peer.id)
        .field("Pkts", packets)
        .field("Size", bytes)
}

/// An answered call is over. The reference orders these fields in its own way.
pub(crate) fn answer_finished(peer: Peer<'_>, figures: &Figures) -> Record {
    Record::new("call-finished", format!("Finished call with {} {figures}", peer.name))
        .field("Node", peer.id)
        .field("Duration", figures.duration.as_secs())
        .field("RxBytes", figures.rx)
        .field("TxBytes", figures.tx)
        .field("RxSpeed", speed(figures.rx, figures.rx_time))
        .field("TxSpeed", speed(figures.tx, figures.tx_time))
}

/// No first message, or a bad one; from whom is not known.
pub(crate) fn first_message(limit: Niceness, addr: &str) -> Record {
    let text = format!("SP nice {limit}: waiting for first message ({addr})");
    Record::new("sp-startR-read", text).field("Nice", limit.get())
}

/// A first message with a key that no neighbour has.
pub(crate) fn unknown_key(limit: Niceness, key: &NoisePublic, addr: &str) -> Record {
    let key = base32::encode(&key.0);
    let text = format!("SP nice {limit}: unknown peer {key} ({addr})");
    Record::new("sp-startR-unknown", text).field("Nice", limit.get()).field("Peer", key)
}

/// The listener could not take a connection.
pub(crate) fn accepting() -> Record {
    Record::new("daemon-accepted", "Accepting connections")
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

    /// We announce packets.
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

    /// What is done about a packet of the peer's.
    pub(crate) fn info(&self, offered: &Offered, answer: Answer) -> Record {
        let &Offered { pkt, size, nice } = offered;
        let (who, tail) = match answer {
            Answer::Wanted(offset) => {
                ("sp-info", format!("{}%", u128::from(offset) * 100 / u128::from(size.max(1))))
            }
            Answer::Done => ("sp-info-done", "already done".into()),
            Answer::Seen => ("sp-info-seen", "already seen".into()),
            Answer::Nock => ("sp-info-nock", "still not checksummed".into()),
            Answer::NoSpace => ("sp-info-no-space", "not enough space".into()),
        };
        let text = format!("Packet {pkt} ({}) (nice {nice}): {tail}", Size(size));
        let record = self
            .base(who, text)
            .field("Type", "info")
            .field("Pkt", pkt)
            .field("Size", size)
            .field("PktNice", nice.get());
        match answer {
            Answer::Wanted(offset) => record.field("Offset", offset),
            _ => record,
        }
    }

    /// A packet came to this point.
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

    /// A packet could not be verified in the background.
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

    /// The peer has a packet of ours.
    pub(crate) fn delivered(&self, pkt: PacketHash) -> Record {
        self.base("sp-done", format!("Packet {pkt} is sent"))
            .field("Type", "done")
            .field("Pkt", pkt)
            .field("XX", Xx::Tx)
    }

    /// A packet that the peer asked for can not be read.
    pub(crate) fn unreadable(&self, pkt: PacketHash, offset: u64) -> Record {
        self.base("sp-queue-open", format!("Sending packet {pkt}: reading"))
            .field("XX", Xx::Tx)
            .field("Pkt", pkt)
            .field("Size", offset)
    }

    /// The queue for the peer can not be looked at.
    pub(crate) fn queue(&self) -> Record {
        let text = format!("SP with {} (nice {}): listing queue", self.peer.name, self.limit);
        self.base("sp-queue-dir-watch", text)
    }
}

// ------------------------------------------------------------------------- schedules and discovery

/// A scheduled call can not be made (any more).
pub(crate) fn schedule(peer: Peer<'_>, call: usize) -> Record {
    Record::new("caller", format!("{} node, call {call}", peer.name))
        .field("Node", peer.id)
        .field("CallIndex", call)
}

/// A configuration that was read again is not fit for calling.
pub(crate) fn configuration() -> Record {
    Record::new("caller", "Reading the configuration again")
}

/// A neighbour was heard at a new address.
pub(crate) fn discovered(interface: &str, peer: Peer<'_>, addr: &str) -> Record {
    Record::new("mcd-add", format!("MCD discovered {}'s address: {addr}", peer.name))
        .field("If", interface)
        .field("Node", peer.id)
}

/// Discovery does not work on an interface.
pub(crate) fn discovery(interface: &str, what: &str) -> Record {
    Record::new("mcd", format!("MCD {what} {interface}")).field("If", interface)
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
                online().info(&offered, Answer::Wanted(150_528)),
                format!("Packet {name} (294 KiB) (nice B): 50%"),
            ),
            (
                online().info(&offered, Answer::Nock),
                format!("Packet {name} (294 KiB) (nice B): still not checksummed"),
            ),
            (
                online().file(pkt, 301_056, 301_056, Received::Done),
                format!("Got packet {name} 100% (294 KiB / 294 KiB): done"),
            ),
            (online().delivered(pkt), format!("Packet {name} is sent")),
            (online().checked(pkt, 301_056), format!("Packet {name} is retreived (294 KiB)")),
            (calling(online().peer, "127.0.0.1:1"), "Calling relay (127.0.0.1:1)".to_owned()),
        ] {
            assert_eq!(record.message(), want);
        }
    }

    #[test]
    fn the_fields_stand_in_the_references_order() {
        let figures = Figures {
            duration: Duration::from_secs(2),
            rx: 334_848,
            rx_time: Duration::from_millis(300),
            tx: 334_848,
            tx_time: Duration::from_secs(2),
        };
        let call = call_finished(online().peer, "a:1", &figures);
        assert_eq!(
            names(&call),
            ["Node", "Addr", "Duration", "RxBytes", "RxSpeed", "TxBytes", "TxSpeed"]
        );
        assert_eq!(
            call.message(),
            "Finished call with relay (0:0:2): 327 KiB received (327 KiB/sec), \
             327 KiB transferred (164 KiB/sec)"
        );
        assert_eq!(
            names(&answer_finished(online().peer, &figures)),
            ["Node", "Duration", "RxBytes", "TxBytes", "RxSpeed", "TxSpeed"]
        );
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
