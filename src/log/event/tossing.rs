//! The events of processing packets of any kind. Each kind adds its own, in its file in `toss`.

use super::super::record::Record;
use super::{Message, Peer};
use crate::display::Size;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;

/// A packet that is being tossed. Fields are set as they become known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rx<'a> {
    /// Its sender, from the header.
    pub from: Peer<'a>,
    /// Its name in the spool.
    pub pkt: PacketHash,
    /// Its niceness, from the header.
    pub nice: Niceness,
    /// Size of the payload; `None` until the plain header is read.
    pub size: Option<u64>,
    /// The area it came through.
    pub area: Option<Message<'a>>,
    /// Size of the payload of the packet within the area packet.
    pub inner: Option<u64>,
}

/// A fault of a packet of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RxFault {
    /// It cannot be opened, or its sender is unknown.
    Open,
    /// It is not a packet, was altered, or is not the sender's.
    Unmarshal,
    /// Its acknowledgement cannot be made.
    GenAck,
    /// Its kind is unknown.
    TypeUnknown,
    /// It cannot be removed.
    Remove,
}

impl<'a> Rx<'a> {
    /// A packet of which only the outer header is known.
    pub(crate) fn new(from: Peer<'a>, pkt: PacketHash, nice: Niceness) -> Self {
        Self { from, pkt, nice, size: None, area: None, inner: None }
    }

    /// `NAME/PKT`, or for what came through an area `AREANAME/area/AREA/MESSAGE`.
    pub(crate) fn path(&self) -> String {
        match (self.inner, self.area) {
            (Some(_), Some(Message { area, name, id })) => format!("{name}/area/{area}/{id}"),
            _ => format!("{}/{}", self.from.name, self.pkt),
        }
    }

    /// Who it came from: for what came through an area, the area.
    pub(crate) fn name(&self) -> &'a str {
        match (self.inner, self.area) {
            (Some(_), Some(message)) => message.name,
            _ => self.from.name,
        }
    }

    pub(crate) fn payload(&self) -> Size {
        Size(self.inner.or(self.size).unwrap_or(0))
    }

    /// `KIND NAME/PKT (SIZE)`.
    pub(crate) fn head(&self, kind: &str) -> String {
        format!("Tossing {kind} {} ({})", self.path(), self.payload())
    }

    pub(crate) fn record(&self, who: &'static str, message: String) -> Record {
        let mut record = Record::new(who, message)
            .field("Node", self.from.id)
            .field("Pkt", self.pkt)
            .field("Nice", self.nice.get());
        if let Some(size) = self.size {
            record = record.field("Size", size);
        }
        if let Some(message) = self.area {
            record = record
                .field("Type", "area")
                .field("Area", message.area)
                .field("AreaMsg", message.id);
        }
        if let Some(size) = self.inner {
            record = record.field("Size", size);
        }
        record
    }

    /// Tossing begins.
    pub(crate) fn begins(&self) -> Record {
        self.record("rx", format!("Tossing {} ({})", self.path(), self.payload()))
    }

    /// The packet is less urgent than the selected niceness.
    pub(crate) fn too_nice(&self) -> Record {
        self.record("rx-too-nice", format!("Tossing {}: too nice: {}", self.path(), self.nice))
    }

    /// The packet has a mark, so it was processed before and is only removed.
    pub(crate) fn seen(&self) -> Record {
        self.record("rx-seen", format!("Tossing {}: already seen", self.path()))
    }

    /// A fault that does not depend on the kind.
    pub(crate) fn fault(&self, fault: RxFault) -> Record {
        let path = self.path();
        let size = self.payload();
        match fault {
            RxFault::Open => self.record("rx-open", format!("Tossing {path}: opening")),
            RxFault::Unmarshal => self.record("rx-unmarshal", format!("Tossing {path}: unmarshal")),
            RxFault::GenAck => {
                self.record("rx-genack", format!("Tossing {path} ({size}): generating ACK"))
            }
            RxFault::TypeUnknown => {
                self.record("rx-type-unknown", format!("Tossing {path} ({size})"))
            }
            RxFault::Remove => {
                self.record("rx-remove", format!("Tossing {path} ({size}): removing"))
            }
        }
    }

    /// The sender is not in the configuration; its id is used as its name.
    pub(crate) fn unknown_sender(from: NodeId, pkt: PacketHash, nice: Niceness) -> Record {
        let id = from.to_string();
        let rx = Rx::new(Peer { id: from, name: &id }, pkt, nice);
        rx.record("rx-open", format!("Tossing {from}/{pkt}"))
    }
}

/// A problem for the operator where a sender's streams are received.
pub(crate) fn zfs_warning(sender: &str, text: &str) -> Record {
    Record::new("zfs-warning", format!("ZFS streams of {sender}: {text}")).field("Reason", text)
}

/// A receipt could not be queued for the sender of streams.
pub(crate) fn receipt_fault(to: Peer<'_>) -> Record {
    Record::new("receipt", format!("Receipt for {}", to.name)).field("Node", to.id)
}
