//! Packets acted on.

use super::super::record::Record;
use super::{Message, Peer};
use crate::display::Size;
use packmule_protocol::id::{AreaId, NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;

/// A packet being tossed. Fields grow with what was read of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rx<'a> {
    /// Its sender, by the header.
    pub from: Peer<'a>,
    /// Its name in the spool.
    pub pkt: PacketHash,
    /// Its niceness, by the header.
    pub nice: Niceness,
    /// Payload; absent until the plain header was read.
    pub size: Option<u64>,
    /// The area it came through.
    pub area: Option<Message<'a>>,
    /// Payload of the packet inside the area packet.
    pub inner: Option<u64>,
}

/// What may be wrong with a packet of any kind. `rx-open` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RxFault {
    /// It can not be opened, or its sender is unknown.
    Open,
    /// It is no packet, or not the sender's, or altered.
    Unmarshal,
    /// The acknowledgement for it can not be made.
    GenAck,
    /// Its kind is unknown.
    TypeUnknown,
    /// It can not be removed.
    Remove,
}

/// What may be wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFault {
    /// Its destination is absolute.
    NonRelative,
    /// The sender may not send files.
    NoIncoming,
    /// Its destination leaves the directory.
    Traversal,
    /// A directory can not be made.
    Mkdir,
    /// The temporary file can not be made.
    MkTemp,
    /// Copying into it failed.
    Copy,
    /// Writing it out to the disk failed.
    Sync,
    /// Giving it its name failed.
    Rename,
    /// Writing out the directory that it is in failed.
    SyncDir,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a file request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreqFault {
    /// Its source is absolute.
    NonRelative,
    /// The sender may not request files, or not this one.
    NoFreq,
    /// Its destination can not be read.
    Read,
    /// The answer can not be queued.
    Tx,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExecFault {
    /// The sender has no such handle.
    NoHandle,
    /// It failed.
    Handle,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a transitional packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrnsFault {
    /// The node it is for is not in the configuration.
    Unknown,
    /// It can not be queued.
    Tx,
}

/// What may be wrong with an area message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AreaFault {
    /// The packet in the message can not be read.
    Read,
    /// The message can not be opened or sent on.
    Area,
    /// The mark can not be made.
    Touch,
}

impl<'a> Rx<'a> {
    /// A packet of which only the outer header was read.
    pub(crate) fn new(from: Peer<'a>, pkt: PacketHash, nice: Niceness) -> Self {
        Self { from, pkt, nice, size: None, area: None, inner: None }
    }

    /// `NAME/PKT`, or for what came through an area `AREANAME/area/AREA/MESSAGE`.
    fn path(&self) -> String {
        match (self.inner, self.area) {
            (Some(_), Some(Message { area, name, id })) => format!("{name}/area/{area}/{id}"),
            _ => format!("{}/{}", self.from.name, self.pkt),
        }
    }

    /// Who it came from: for what came through an area, the area.
    fn name(&self) -> &'a str {
        match (self.inner, self.area) {
            (Some(_), Some(message)) => message.name,
            _ => self.from.name,
        }
    }

    fn payload(&self) -> Size {
        Size(self.inner.or(self.size).unwrap_or(0))
    }

    /// `KIND NAME/PKT (SIZE)`.
    fn head(&self, kind: &str) -> String {
        format!("Tossing {kind} {} ({})", self.path(), self.payload())
    }

    fn record(&self, who: &'static str, message: String) -> Record {
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

    /// It is less urgent than asked for.
    pub(crate) fn too_nice(&self) -> Record {
        self.record("rx-too-nice", format!("Tossing {}: too nice: {}", self.path(), self.nice))
    }

    /// It was acted on before, as its mark says, and only has to go.
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

    /// The sender is not in the configuration; its id stands for its name.
    pub(crate) fn unknown_sender(from: NodeId, pkt: PacketHash, nice: Niceness) -> Record {
        let id = from.to_string();
        let rx = Rx::new(Peer { id: from, name: &id }, pkt, nice);
        rx.record("rx-open", format!("Tossing {from}/{pkt}"))
    }

    /// A file arrived at `dst`.
    pub(crate) fn file(&self, dst: &str) -> Record {
        self.record("rx", format!("Got file {dst} ({}) from {}", self.payload(), self.name()))
            .field("Type", "file")
            .field("Dst", dst)
    }

    /// A file did not arrive at `dst`.
    pub(crate) fn file_fault(&self, dst: &str, fault: FileFault) -> Record {
        let (who, step) = match fault {
            FileFault::NonRelative => ("rx-non-rel", ""),
            FileFault::NoIncoming => ("rx-no-incoming", ""),
            FileFault::Traversal => ("rx-traversal", ": traversal"),
            FileFault::Mkdir => ("rx-mkdir", ": mkdir"),
            FileFault::MkTemp => ("rx-mktemp", ": mktemp"),
            FileFault::Copy => ("rx-copy", ": copying"),
            FileFault::Sync => ("rx-sync", ": syncing"),
            FileFault::Rename => ("rx-rename", ": renaming"),
            FileFault::SyncDir => ("rx-dirsync", ": dirsyncing"),
            FileFault::Notify => ("rx-notify", ": notifying"),
        };
        self.record(who, format!("{}: {dst}{step}", self.head("file")))
            .field("Type", "file")
            .field("Dst", dst)
    }

    /// A request was answered.
    pub(crate) fn freq(&self, src: &str, dst: &str) -> Record {
        self.record("rx", format!("Got file request {src} to {}", self.name()))
            .field("Type", "freq")
            .field("Src", src)
            .field("Dst", dst)
    }

    /// A request was not answered. `dst` is absent where it was not read.
    pub(crate) fn freq_fault(&self, src: &str, dst: Option<&str>, fault: FreqFault) -> Record {
        let (who, step) = match fault {
            FreqFault::NonRelative => ("rx-non-rel", ""),
            FreqFault::NoFreq => ("rx-no-freq", ""),
            FreqFault::Read => ("rx-read", ": reading"),
            FreqFault::Tx => ("rx-tx", ": txing"),
            FreqFault::Notify => ("rx-notify", ": notifying"),
        };
        let paths = dst.map_or_else(|| src.to_owned(), |dst| format!("{src} -> {dst}"));
        let record = self
            .record(who, format!("{}: {paths}{step}", self.head("freq")))
            .field("Type", "freq")
            .field("Src", src);
        match dst {
            Some(dst) => record.field("Dst", dst),
            None => record,
        }
    }

    /// A command ran. `dst` is its handle and arguments, joined by blanks.
    pub(crate) fn exec(&self, dst: &str) -> Record {
        let text = format!("Got exec from {} to {dst} ({})", self.name(), self.payload());
        self.record("rx", text).field("Type", "exec").field("Dst", dst)
    }

    /// A command did not run, or failed after it said `output`.
    pub(crate) fn exec_fault(&self, dst: &str, output: Option<&str>, fault: ExecFault) -> Record {
        let (who, step) = match fault {
            ExecFault::NoHandle => ("rx-no-handle", ""),
            ExecFault::Handle => ("rx-handle", ": handling"),
            ExecFault::Notify => ("rx-notify", ": notifying"),
        };
        let record = self
            .record(who, format!("{}: {dst}{step}", self.head("exec")))
            .field("Type", "exec")
            .field("Dst", dst);
        match output {
            Some(output) => record.field("Output", output),
            None => record,
        }
    }

    /// The handle said: not yet. The packet waits for the next toss.
    pub(crate) fn exec_deferred(&self, dst: &str, reason: &str) -> Record {
        self.record("rx-deferred", format!("{}: {dst}: deferred: {reason}", self.head("exec")))
            .field("Type", "exec")
            .field("Dst", dst)
            .field("Reason", reason)
    }

    /// A transitional packet was queued for its next hop.
    pub(crate) fn trns(&self, to: Peer<'_>) -> Record {
        let (from, size) = (self.name(), self.payload());
        self.record("rx", format!("Got transitional packet from {from} to {} ({size})", to.name))
            .field("Type", "trns")
            .field("Dst", to.id)
    }

    /// A transitional packet could not be queued.
    pub(crate) fn trns_fault(&self, to: NodeId, fault: TrnsFault) -> Record {
        let (who, step) = match fault {
            TrnsFault::Unknown => ("rx-unknown", ""),
            TrnsFault::Tx => ("rx-tx", ": txing"),
        };
        self.record(who, format!("{}: {to}{step}", self.head("trns")))
            .field("Type", "trns")
            .field("Dst", to)
    }

    /// An acknowledgement arrived, and what it names is gone.
    pub(crate) fn ack(&self, acked: PacketHash) -> Record {
        self.record("rx", format!("Got ACK packet from {} of {acked}", self.name()))
            .field("Type", "ack")
            .field("Pkt", acked)
    }

    /// What an acknowledgement names was gone already.
    pub(crate) fn ack_gone(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: already disappeared", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }

    /// What an acknowledgement names can not be removed.
    pub(crate) fn ack_fault(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: removing packet", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }

    /// The sentence about an area message begins like this.
    fn area_head(&self, name: &str) -> String {
        format!("Tossing {} ({}): area {name}", self.path(), self.payload())
    }

    /// An area message was processed before. [`Rx::area`] is set, [`Rx::inner`] is not, here and below.
    pub(crate) fn area_seen(&self) -> Record {
        self.area_step("rx-area-seen", ": already seen")
    }

    /// We hold no key for the area.
    pub(crate) fn area_no_key(&self) -> Record {
        self.area_step("rx-area-no-prv", ": no private key for decoding")
    }

    /// An area message was not processed.
    pub(crate) fn area_fault(&self, fault: AreaFault) -> Record {
        let (who, step) = match fault {
            AreaFault::Read => ("rx-area-pkt-enc-read", ": reading"),
            AreaFault::Area => ("rx-area", ""),
            AreaFault::Touch => ("rx-area-touch", ": touching"),
        };
        self.area_step(who, step)
    }

    /// An area message waits for its author to become known.
    pub(crate) fn area_deferred(&self, reason: &dyn std::fmt::Display) -> Record {
        self.area_step("rx-deferred", &format!(": deferred: {reason}"))
    }

    /// An area message could not be sent to a subscriber.
    pub(crate) fn area_echo_fault(&self, to: Option<Peer<'_>>) -> Record {
        let record = |step: &str| self.area_step("rx-area", step);
        match to {
            Some(to) => record(&format!(": echo to: {}", to.name)).field("Echo", to.id),
            None => record(": echo"),
        }
    }

    /// The area's id is in no configuration.
    pub(crate) fn area_unknown(&self, area: AreaId) -> Record {
        self.record("rx-area-unknown", self.area_head(&area.to_string()))
            .field("Type", "area")
            .field("Area", area)
    }

    fn area_step(&self, who: &'static str, step: &str) -> Record {
        let name = self.area.map_or("", |message| message.name);
        self.record(who, self.area_head(name) + step)
    }

    /// An area message goes to a subscriber.
    pub(crate) fn area_echo(&self, to: Peer<'_>, echo: Echo) -> Record {
        let name = self.area.map_or("", |message| message.name);
        let head = self.area_head(name);
        let done = match echo {
            Echo::Sent => "echo to",
            Echo::DryRun => "echoing to",
        };
        let text = format!("{head}: {done}: {}", to.name);
        self.record("rx-area-echo", text).field("Echo", to.id)
    }
}

/// What became of an area message for one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// It is queued.
    Sent,
    /// It would be queued.
    DryRun,
}

/// What an operator should look at where streams of a sender are received.
pub(crate) fn zfs_warning(sender: &str, text: &str) -> Record {
    Record::new("zfs-warning", format!("ZFS streams of {sender}: {text}")).field("Reason", text)
}

/// A sender was not told what is held here.
pub(crate) fn receipt_fault(to: Peer<'_>) -> Record {
    Record::new("receipt", format!("Receipt for {}", to.name)).field("Node", to.id)
}
