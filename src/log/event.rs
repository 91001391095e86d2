//! Every event the node logs: what it is called, its fields in order, its sentence.
//!
//! One table, in the shape of functions: scripts read the names and fields, people the sentences,
//! and both are the reference's. An event that fails has the same record; [`Log::error`] adds why.
//!
//! [`Log::error`]: super::Log::error

use super::{Record, size::Size};
use packmule_protocol::{
    id::{AreaId, AreaMessageId, NodeId, PacketHash},
    niceness::Niceness,
};
use std::{fmt, path::Path};

/// A node, as records and sentences name it.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Its id, for the record.
    pub id: NodeId,
    /// Its name in our configuration, for the sentence.
    pub name: &'a str,
}

/// An area message, as records and sentences name it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The area.
    pub area: AreaId,
    /// Its name in our configuration.
    pub name: &'a str,
    /// The message in it.
    pub id: AreaMessageId,
}

/// A direction of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Xx {
    /// Packets that came.
    Rx,
    /// Packets that wait to go.
    Tx,
}

impl fmt::Display for Xx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rx => "rx",
            Self::Tx => "tx",
        })
    }
}

// ---------------------------------------------------------------------------------------- sending

/// A packet that was made, or could not be: then `size` is 0 and `pkt` is absent.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Who it is for.
    pub to: Peer<'a>,
    /// Its niceness.
    pub nice: Niceness,
    /// Plaintext, the 276 bytes of the plain header included.
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
    pub fn file(&self, src: &str, dst: &str) -> Record {
        let (size, name) = (self.size, self.to.name);
        self.record("file", format!("File {src} ({}) is sent to {name}:{dst}", Size(size)))
            .field("Src", src)
            .field("Dst", dst)
            .field("Size", size)
            .field("Pkt", self.pkt())
    }

    /// A request for the file `src` of the other node, to be kept here as `dst`.
    pub fn freq(&self, reply_nice: Niceness, src: &str, dst: &str) -> Record {
        let name = self.to.name;
        self.record("freq", format!("File request from {name}:{src} to {dst} is sent"))
            .field("ReplyNice", reply_nice.get())
            .field("Src", src)
            .field("Dst", dst)
            .field("Pkt", self.pkt())
    }

    /// A command: its handle and arguments joined by blanks.
    pub fn exec(&self, reply_nice: Niceness, dst: &str) -> Record {
        let (size, name) = (self.size, self.to.name);
        self.record("exec", format!("Exec is sent to {name}@{dst} ({})", Size(size)))
            .field("ReplyNice", reply_nice.get())
            .field("Dst", dst)
            .field("Size", size)
            .field("Pkt", self.pkt())
    }

    /// An acknowledgement of `acked`.
    pub fn ack(&self, acked: PacketHash) -> Record {
        self.record("ack", format!("ACK to {} of {acked} is sent", self.to.name))
            .field("Pkt", acked)
            .field("NewPkt", self.pkt())
    }

    /// A transitional packet, stored for its next hop as it came.
    pub fn trns(&self) -> Record {
        let (size, nice, name) = (Size(self.size), self.nice, self.to.name);
        self.record("trns", format!("Transitional packet to {name} ({size}) (nice {nice})"))
            .field("Size", self.size)
    }

    /// One layer of encryption, for a hop.
    pub fn layer(&self) -> Record {
        let (size, nice, name) = (Size(self.size), self.nice, self.to.name);
        Record::new("tx", format!("Tx packet to {name} (source {size}) nice: {nice}"))
            .field("Node", self.to.id)
            .field("Nice", nice.get())
            .field("Size", self.size)
    }

    /// One layer around a packet for the next hop.
    pub fn trns_layer(&self) -> Record {
        let text = format!("Tx trns packet to {} nice: {}", self.to.name, self.nice);
        Record::new("tx", text).field("Node", self.to.id).field("Nice", self.nice.get())
    }

    /// The layer for an area around a packet to ourselves.
    pub fn area(&self, message: Message<'_>) -> Record {
        self.area_step(AreaStep::Sent, message)
    }

    /// A step of [`area`](Self::area) that failed.
    pub fn area_step(&self, step: AreaStep, message: Message<'_>) -> Record {
        let (size, nice, to) = (Size(self.size), self.nice, self.to.name);
        let Message { area, name, id } = message;
        let text =
            format!("Tx area packet to {to} (source {size}) nice: {nice}, area {name}: {id}");
        let (who, suffix) = match step {
            AreaStep::Sent => ("tx-area", ""),
            AreaStep::Mkdir => ("tx-mkdir", ": mkdir"),
            AreaStep::Dirsync => ("tx-dirsync", ": dirsync"),
        };
        Record::new(who, text + suffix)
            .field("Node", self.to.id)
            .field("Nice", nice.get())
            .field("Size", self.size)
            .field("Area", area)
            .field("AreaMsg", id)
    }
}

/// What an operator should look at where streams of a sender are received.
pub fn zfs_warning(sender: &str, text: &str) -> Record {
    Record::new("zfs-warning", format!("ZFS streams of {sender}: {text}")).field("Reason", text)
}

/// A sender was not told what is held here.
pub fn receipt_fault(to: Peer<'_>) -> Record {
    Record::new("receipt", format!("Receipt for {}", to.name)).field("Node", to.id)
}

/// Where sending to an area stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaStep {
    /// All of it is done.
    Sent,
    /// The directory of marks can not be made.
    Mkdir,
    /// The mark can not be made durable.
    Dirsync,
}

/// A packet in `tx/` that is an acknowledgement itself, so it gets none.
pub fn ack_is_ack(to: Peer<'_>, pkt: PacketHash) -> Record {
    Record::new("ack-read-if-ack", format!("ACKing {}/{pkt}: it is ACK, skipping", to.name))
        .field("Node", to.id)
        .field("Pkt", pkt)
}

// ------------------------------------------------------------------------------------------ spool

/// A temporary file was made.
pub fn tmp(path: &Path) -> Record {
    let src = path.display();
    Record::new("tmp", format!("Temporary file created: {src}")).field("Src", src)
}

/// A temporary file got its name.
pub fn tmp_rename(path: &Path, name: &str) -> Record {
    let src = path.display();
    Record::new("tmp-rename", format!("Temporary file: {src} -> {name}"))
        .field("Src", src)
        .field("Dst", name)
}

/// A packet was listed. `sender` is its header's, whoever's directory it is in.
pub fn job(xx: Xx, name: &str, sender: NodeId, nice: Niceness, size: u64) -> Record {
    let text = format!("Job {sender}/{xx}/{name} nice: {nice} size: {}", Size(size));
    Record::new("job", text)
        .field("XX", xx)
        .field("Node", sender)
        .field("Name", name)
        .field("Nice", nice.get())
        .field("Size", size)
}

/// A file with a packet's name is not a packet.
pub fn job_bad(xx: Xx, name: &str, size: u64) -> Record {
    Record::new("job", format!("Job {xx}/{name} size: {}", Size(size)))
        .field("XX", xx)
        .field("Name", name)
        .field("Size", size)
}

/// A header copy under `hdr/` can not be written.
pub fn hdr_write(step: HdrStep) -> Record {
    let (who, what) = match step {
        HdrStep::Tmp => ("hdr-write-tmp-new", "creating"),
        HdrStep::Write => ("hdr-write-write", "writing"),
        HdrStep::Mkdir => ("hdr-write-ensure-mkdir", "ensuring directory"),
        HdrStep::Rename => ("hdr-write-rename", "renaming"),
    };
    Record::new(who, format!("Header writing: {what}"))
}

/// Where writing a header copy failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HdrStep {
    /// Its temporary file.
    Tmp,
    /// Its bytes.
    Write,
    /// Its directory.
    Mkdir,
    /// Its name.
    Rename,
}

/// A lock file can not be opened.
pub fn lock_open(path: &Path) -> Record {
    let path = path.display();
    Record::new("lockdir-open", format!("Locking directory: opening {path}")).field("Path", path)
}

/// A lock is held by another process.
pub fn lock_held(path: &Path) -> Record {
    let path = path.display();
    Record::new("lockdir-flock", format!("Locking directory: locking {path}")).field("Path", path)
}

/// A directory can not be made.
pub fn dir_ensure(path: &Path) -> Record {
    let dir = path.display();
    Record::new("dir-ensure-mkdir", format!("Ensuring directory: {dir}")).field("Dir", dir)
}

/// A packet does not hash to its name.
pub fn checking(node: NodeId, xx: Xx, name: &str, size: u64) -> Record {
    Record::new("checking", format!("Checking: {node}/{xx}/{name}"))
        .field("XX", xx)
        .field("Node", node)
        .field("Pkt", name)
        .field("FullSize", size)
}

/// A file of the spool was removed.
pub fn removed(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm", format!("File {file}: removed")).field("File", file)
}

/// A file of the spool is younger than asked for.
pub fn too_fresh(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm-skip", format!("File {file}: too fresh, skipping")).field("File", file)
}

/// A lock file that somebody holds stays.
pub fn lock_in_use(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm-locked", format!("File {file}: locked, skipping")).field("File", file)
}

// ----------------------------------------------------------------------------------------- tossing

/// A packet being tossed. Fields grow with what was read of it.
#[derive(Debug, Clone, Copy)]
pub struct Rx<'a> {
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
pub enum RxFault {
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
pub enum FileFault<'a> {
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
    /// Syncing it failed.
    Sync,
    /// Looking at the destination failed.
    Stat(&'a Path),
    /// Giving it its name failed.
    Rename,
    /// Syncing its directory failed.
    Dirsync,
    /// The packet can not be removed.
    Remove,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a file request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreqFault {
    /// Its source is absolute.
    NonRelative,
    /// The sender may not request files, or not this one.
    NoFreq,
    /// Its destination can not be read.
    Read,
    /// The answer can not be queued.
    Tx,
    /// The packet can not be removed.
    Remove,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecFault {
    /// The sender has no such handle.
    NoHandle,
    /// It failed.
    Handle,
    /// The packet can not be removed.
    Remove,
    /// The mail about it failed.
    Notify,
}

/// What may be wrong with a transitional packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrnsFault {
    /// The node it is for is not in the configuration.
    Unknown,
    /// It can not be queued.
    Tx,
    /// The packet can not be removed.
    Remove,
}

/// What may be wrong with an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckFault {
    /// What it names can not be removed.
    Removing,
    /// The packet can not be removed.
    Remove,
}

/// What may be wrong with an area message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaFault {
    /// The area is not in the configuration.
    Unknown,
    /// The packet in the message can not be read.
    Read,
    /// The message can not be opened or sent on.
    Area,
    /// The directory of marks can not be made.
    Mkdir,
    /// The mark can not be made.
    Touch,
    /// The mark can not be made durable.
    Dirsync,
    /// The packet can not be removed.
    Remove,
}

impl<'a> Rx<'a> {
    /// A packet of which only the outer header was read.
    pub fn new(from: Peer<'a>, pkt: PacketHash, nice: Niceness) -> Self {
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
    pub fn begins(&self) -> Record {
        self.record("rx", format!("Tossing {} ({})", self.path(), self.payload()))
    }

    /// It is less urgent than asked for.
    pub fn too_nice(&self) -> Record {
        self.record("rx-too-nice", format!("Tossing {}: too nice: {}", self.path(), self.nice))
    }

    /// A fault that does not depend on the kind.
    pub fn fault(&self, fault: RxFault) -> Record {
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
    pub fn unknown_sender(from: NodeId, pkt: PacketHash, nice: Niceness) -> Record {
        let id = from.to_string();
        let rx = Rx::new(Peer { id: from, name: &id }, pkt, nice);
        rx.record("rx-open", format!("Tossing {from}/{pkt}"))
    }

    /// A file arrived at `dst`.
    pub fn file(&self, dst: &str) -> Record {
        self.record("rx", format!("Got file {dst} ({}) from {}", self.payload(), self.name()))
            .field("Type", "file")
            .field("Dst", dst)
    }

    /// A file did not arrive at `dst`.
    pub fn file_fault(&self, dst: &str, fault: FileFault<'_>) -> Record {
        let (who, step) = match fault {
            FileFault::NonRelative => ("rx-non-rel", String::new()),
            FileFault::NoIncoming => ("rx-no-incoming", String::new()),
            FileFault::Traversal => ("rx-traversal", ": traversal".into()),
            FileFault::Mkdir => ("rx-mkdir", ": mkdir".into()),
            FileFault::MkTemp => ("rx-mktemp", ": mktemp".into()),
            FileFault::Copy => ("rx-copy", ": copying".into()),
            FileFault::Sync => ("rx-sync", ": syncing".into()),
            FileFault::Stat(path) => ("rx-stat", format!(": stating: {}", path.display())),
            FileFault::Rename => ("rx-rename", ": renaming".into()),
            FileFault::Dirsync => ("rx-dirsync", ": dirsyncing".into()),
            FileFault::Remove => ("rx-remove", ": removing".into()),
            FileFault::Notify => ("rx-notify", ": notifying".into()),
        };
        self.record(who, format!("{}: {dst}{step}", self.head("file")))
            .field("Type", "file")
            .field("Dst", dst)
    }

    /// The temporary file of `dst` was made.
    pub fn file_tmp(&self, dst: &str, tmp: &Path) -> Record {
        let tmp = tmp.display();
        self.record("rx-tmp-created", format!("{}: {dst}: created: {tmp}", self.head("file")))
            .field("Type", "file")
            .field("Dst", dst)
            .field("Tmp", tmp)
    }

    /// A request was answered.
    pub fn freq(&self, src: &str, dst: &str) -> Record {
        self.record("rx", format!("Got file request {src} to {}", self.name()))
            .field("Type", "freq")
            .field("Src", src)
            .field("Dst", dst)
    }

    /// A request was not answered. `dst` is absent where it was not read.
    pub fn freq_fault(&self, src: &str, dst: Option<&str>, fault: FreqFault) -> Record {
        let (who, step) = match fault {
            FreqFault::NonRelative => ("rx-non-rel", ""),
            FreqFault::NoFreq => ("rx-no-freq", ""),
            FreqFault::Read => ("rx-read", ": reading"),
            FreqFault::Tx => ("rx-tx", ": txing"),
            FreqFault::Remove => ("rx-remove", ": removing"),
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
    pub fn exec(&self, dst: &str) -> Record {
        let text = format!("Got exec from {} to {dst} ({})", self.name(), self.payload());
        self.record("rx", text).field("Type", "exec").field("Dst", dst)
    }

    /// A command did not run, or failed after it said `output`.
    pub fn exec_fault(&self, dst: &str, output: Option<&str>, fault: ExecFault) -> Record {
        let (who, step) = match fault {
            ExecFault::NoHandle => ("rx-no-handle", ""),
            ExecFault::Handle => ("rx-handle", ": handling"),
            ExecFault::Remove => ("rx-remove", ": removing"),
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
    pub fn exec_deferred(&self, dst: &str, reason: &str) -> Record {
        self.record("rx-deferred", format!("{}: {dst}: deferred: {reason}", self.head("exec")))
            .field("Type", "exec")
            .field("Dst", dst)
            .field("Reason", reason)
    }

    /// A transitional packet was queued for its next hop.
    pub fn trns(&self, to: Peer<'_>) -> Record {
        let (from, size) = (self.name(), self.payload());
        self.record("rx", format!("Got transitional packet from {from} to {} ({size})", to.name))
            .field("Type", "trns")
            .field("Dst", to.id)
    }

    /// A transitional packet could not be queued.
    pub fn trns_fault(&self, to: NodeId, fault: TrnsFault) -> Record {
        let (who, step) = match fault {
            TrnsFault::Unknown => ("rx-unknown", ""),
            TrnsFault::Tx => ("rx-tx", ": txing"),
            TrnsFault::Remove => ("rx-remove", ": removing"),
        };
        self.record(who, format!("{}: {to}{step}", self.head("trns")))
            .field("Type", "trns")
            .field("Dst", to)
    }

    /// An acknowledgement arrived, and what it names is gone.
    pub fn ack(&self, acked: PacketHash) -> Record {
        self.record("rx", format!("Got ACK packet from {} of {acked}", self.name()))
            .field("Type", "ack")
            .field("Pkt", acked)
    }

    /// What an acknowledgement names was gone already.
    pub fn ack_gone(&self, acked: PacketHash) -> Record {
        let text = format!("Tossing ack {}: {acked}: already disappeared", self.path());
        self.record("rx-ack", text).field("Type", "ack").field("Pkt", acked)
    }

    /// An acknowledgement had no effect.
    pub fn ack_fault(&self, acked: PacketHash, fault: AckFault) -> Record {
        let (who, step) = match fault {
            AckFault::Removing => ("rx-ack", "removing packet"),
            AckFault::Remove => ("rx-remove", "removing"),
        };
        self.record(who, format!("Tossing ack {}: {acked}: {step}", self.path()))
            .field("Type", "ack")
            .field("Pkt", acked)
    }

    /// The sentence about an area message begins like this.
    fn area_head(&self, name: &str) -> String {
        format!("Tossing {} ({}): area {name}", self.path(), self.payload())
    }

    /// An area message is looked at. [`Rx::area`] is set, [`Rx::inner`] is not, here and below.
    pub fn area(&self) -> Record {
        self.area_step("rx-area", "")
    }

    /// An area message was processed before.
    pub fn area_seen(&self) -> Record {
        self.area_step("rx-area-seen", ": already seen")
    }

    /// We hold no key for the area.
    pub fn area_no_key(&self) -> Record {
        self.area_step("rx-area-no-prv", ": no private key for decoding")
    }

    /// An area message was not processed.
    pub fn area_fault(&self, fault: AreaFault) -> Record {
        let (who, step) = match fault {
            AreaFault::Unknown => ("rx-area-unknown", ""),
            AreaFault::Read => ("rx-area-pkt-enc-read", ": reading"),
            AreaFault::Area => ("rx-area", ""),
            AreaFault::Mkdir => ("rx-area-mkdir", ": mkdir"),
            AreaFault::Touch => ("rx-area-touch", ": touching"),
            AreaFault::Dirsync => ("rx-area-dirsync", ": dirsyncing"),
            AreaFault::Remove => ("rx-area-remove", ": removing"),
        };
        self.area_step(who, step)
    }

    /// The area's id is in no configuration.
    pub fn area_unknown(&self, area: AreaId) -> Record {
        self.record("rx-area-unknown", self.area_head(&area.to_string()))
            .field("Type", "area")
            .field("Area", area)
    }

    fn area_step(&self, who: &'static str, step: &str) -> Record {
        let name = self.area.map_or("", |message| message.name);
        self.record(who, self.area_head(name) + step)
    }

    /// An area message goes to a subscriber.
    pub fn area_echo(&self, to: Peer<'_>, echo: Echo) -> Record {
        let name = self.area.map_or("", |message| message.name);
        let head = self.area_head(name);
        let (who, text) = match echo {
            Echo::Sent => ("rx-area-echo", format!("{head}: echo to: {}", to.name)),
            Echo::DryRun => ("rx-area-echo", format!("{head}: echoing to: {}", to.name)),
            Echo::Before => {
                ("rx-area-echo-seen", format!("{head}: echo to: {}: already sent", to.name))
            }
        };
        self.record(who, text).field("Echo", to.id)
    }
}

/// What became of an area message for one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It is queued.
    Sent,
    /// It would be queued.
    DryRun,
    /// It was queued before.
    Before,
}

// ------------------------------------------------------------------------------------------ media

/// A packet was put on the medium.
pub fn xfer_tx(to: Peer<'_>, pkt: PacketHash, size: u64) -> Record {
    let text = format!("Packet transfer, sent to {}: {pkt} ({})", to.name, Size(size));
    Record::new("xfer-tx", text)
        .field("XX", Xx::Tx)
        .field("Node", to.id)
        .field("Pkt", pkt)
        .field("Size", size)
}

/// A packet was taken from the medium's directory `dir`.
pub fn xfer_rx(dir: &Path, from: Peer<'_>, file: &Path, size: u64) -> Record {
    let text = format!(
        "Packet transfer, received from {}: {} ({})",
        from.name,
        file.display(),
        Size(size)
    );
    xfer_rx_fields("xfer-rx", text, dir, from, file).field("Size", size)
}

/// A packet on the medium was tossed before.
pub fn xfer_rx_seen(dir: &Path, from: Peer<'_>, file: &Path) -> Record {
    let file_text = file.display();
    let text =
        format!("Packet transfer, received from {}: {file_text}: packet already seen", from.name);
    xfer_rx_fields("xfer-rx-seen", text, dir, from, file)
}

/// Taking a packet from the medium failed at `step` (`open`, `copy`, …).
pub fn xfer_rx_fault(step: XferRx, dir: &Path, from: Peer<'_>, file: &Path) -> Record {
    let (who, what) = match step {
        XferRx::Open => ("xfer-rx-open", ": opening"),
        XferRx::Read => ("xfer-rx-read", ": reading"),
        XferRx::NotPacket => ("xfer-rx-not-packet", ": is not a packet"),
        XferRx::NoSpace => ("xfer-rx", ""),
        XferRx::Copy => ("xfer-rx", ": copying"),
        XferRx::Checksum => ("xfer-rx", ""),
        XferRx::Commit => ("xfer-rx", ": committing"),
        XferRx::Remove => ("xfer-rx-remove", ": removing"),
    };
    let text = format!("Packet transfer, received from {}: {}{what}", from.name, file.display());
    xfer_rx_fields(who, text, dir, from, file)
}

fn xfer_rx_fields(
    who: &'static str,
    text: String,
    dir: &Path,
    from: Peer<'_>,
    file: &Path,
) -> Record {
    Record::new(who, text)
        .field("XX", Xx::Rx)
        .field("Dir", dir.display())
        .field("Node", from.id)
        .field("File", file.display())
}

/// Where taking a packet from a medium failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XferRx {
    /// Opening it, or it is no regular file.
    Open,
    /// Reading its header.
    Read,
    /// Its header is not that of a packet.
    NotPacket,
    /// The spool is full.
    NoSpace,
    /// Copying it.
    Copy,
    /// It does not hash to its name.
    Checksum,
    /// Giving it its name.
    Commit,
    /// Removing it from the medium.
    Remove,
}

/// Putting packets on the medium failed: making a directory, or a packet in it.
pub fn xfer_tx_fault(step: XferTx, to: Peer<'_>, dir: &Path, pkt: Option<PacketHash>) -> Record {
    let name = to.name;
    let (who, what) = match step {
        XferTx::Mkdir => ("xfer-tx-mkdir", "mkdir"),
        XferTx::Stat => ("xfer-tx-stat", "stating"),
        XferTx::Open => ("xfer-tx-open", "opening"),
        XferTx::Tmp => ("xfer-tx-mktemp", "mktemp"),
        XferTx::Copy => ("xfer-tx-copy", "copying"),
        XferTx::Sync => ("xfer-tx-sync", "syncing"),
        XferTx::Rename => ("xfer-tx-rename", "renaming"),
        XferTx::Remove => ("xfer-tx-remove", "removing"),
    };
    let record = |text| Record::new(who, text).field("XX", Xx::Tx).field("Node", to.id);
    match pkt {
        None => {
            let dir = dir.display();
            record(format!("Packet transfer, sent to {name}: directory {dir}: {what}"))
                .field("Dir", dir)
        }
        Some(pkt) => {
            record(format!("Packet transfer, sent to {name}: {pkt}: {what}")).field("Pkt", pkt)
        }
    }
}

/// Where putting packets on a medium failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XferTx {
    /// Making a directory.
    Mkdir,
    /// Looking for it.
    Stat,
    /// Opening the packet in the spool.
    Open,
    /// The temporary file.
    Tmp,
    /// Copying into it.
    Copy,
    /// Syncing it.
    Sync,
    /// Giving it its name.
    Rename,
    /// Removing the packet from the spool.
    Remove,
}

/// A packet was written to the bundle.
pub fn bundle_tx(to: Peer<'_>, pkt: PacketHash, size: u64) -> Record {
    let text = format!("Bundle transfer, sent to node {} {pkt} ({})", to.name, Size(size));
    Record::new("bundle-tx", text)
        .field("XX", Xx::Tx)
        .field("Node", to.id)
        .field("Pkt", pkt)
        .field("Size", size)
}

/// A packet was read from the bundle.
pub fn bundle_rx(from: NodeId, pkt: PacketHash, full_size: u64, size: u64) -> Record {
    let text = format!("Bundle transfer, received from {from} {pkt} ({})", Size(size));
    Record::new("bundle-rx", text)
        .field("XX", Xx::Rx)
        .field("Node", from)
        .field("Pkt", pkt)
        .field("FullSize", full_size)
        .field("Size", size)
}

/// A packet of a bundle that came back was removed from the spool.
pub fn bundle_tx_removed(to: NodeId, pkt: PacketHash) -> Record {
    Record::new("bundle-tx-removed", format!("Bundle transfer {to}/tx/{pkt}: removed"))
        .field("XX", Xx::Tx)
        .field("Node", to)
        .field("Pkt", pkt)
}

/// A packet in a bundle is not taken or not removed, as [`Log::error`] says why.
///
/// [`Log::error`]: super::Log::error
pub fn bundle_fault(xx: Xx, peer: NodeId, pkt: PacketHash, full_size: u64) -> Record {
    let who = match xx {
        Xx::Rx => "bundle-rx",
        Xx::Tx => "bundle-tx",
    };
    let record = bundle_packet(who, xx, peer, pkt, "");
    match xx {
        Xx::Rx => record.field("FullSize", full_size),
        Xx::Tx => record,
    }
}

/// Why a packet in a bundle is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleSkip {
    /// It is in the spool, or was.
    Exists,
    /// The recording is of a packet that is not in the spool any more.
    Missing,
    /// It is for another node, or from one that was not asked for.
    Others,
    /// It is less urgent than asked for.
    TooNice,
}

/// A packet in a bundle is passed over.
pub fn bundle_skip(skip: BundleSkip, xx: Xx, peer: NodeId, pkt: PacketHash) -> Record {
    let (who, why) = match skip {
        BundleSkip::Exists => ("bundle-rx-exists", ": packet already exists"),
        BundleSkip::Missing => ("bundle-tx-missing", ": packet is already missing"),
        BundleSkip::Others => ("nncp-bundle", ": not asked for"),
        BundleSkip::TooNice => ("bundle-rx-too-nice", ": too nice"),
    };
    bundle_packet(who, xx, peer, pkt, why)
}

fn bundle_packet(who: &'static str, xx: Xx, peer: NodeId, pkt: PacketHash, why: &str) -> Record {
    Record::new(who, format!("Bundle transfer {peer}/{xx}/{pkt}{why}"))
        .field("XX", xx)
        .field("Node", peer)
        .field("Pkt", pkt)
}

// ---------------------------------------------------------------------------------------- chunked

/// What became of a chunked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reass {
    /// It is put together.
    Done,
    /// It could be.
    DryRun,
    /// Its description can not be read.
    BadMeta,
    /// Its description can not be read, is of another kind, or the disk refused.
    Failed,
    /// What is left of its description can not be removed.
    Removing,
}

/// A chunked file was put together, or not.
pub fn reass(what: Reass, path: &Path) -> Record {
    let (who, end) = match what {
        Reass::Done => ("reass", ": done"),
        Reass::DryRun | Reass::Failed => ("reass", ""),
        Reass::BadMeta => ("reass-bad-meta", ": bad meta"),
        Reass::Removing => ("reass-removing", ": removing"),
    };
    // The reference writes this field of this record in small letters.
    let field = if what == Reass::DryRun { "path" } else { "Path" };
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\"{end}")).field(field, path)
}

/// A chunk is not what the description says.
pub fn reass_chunk(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk", path, chunk, "")
}

/// A chunk is not there.
pub fn reass_chunk_missing(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk-miss", path, chunk, " missing")
}

fn reass_chunk_record(who: &'static str, path: &Path, chunk: u64, end: &str) -> Record {
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\": chunk {chunk}{end}"))
        .field("Path", path)
        .field("Chunk", chunk)
}
