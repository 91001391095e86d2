//! Packets on media and in bundles.

use super::super::record::Record;
use super::{Peer, Xx};
use crate::display::Size;
use packmule_protocol::id::{NodeId, PacketHash};
use std::fmt::Display;
use std::path::Path;

/// A packet was put on the medium.
pub(crate) fn xfer_tx(to: Peer<'_>, pkt: PacketHash, size: u64) -> Record {
    let text = format!("Packet transfer, sent to {}: {pkt} ({})", to.name, Size(size));
    Record::new("xfer-tx", text)
        .field("XX", Xx::Tx)
        .field("Node", to.id)
        .field("Pkt", pkt)
        .field("Size", size)
}

/// The medium has a damaged copy of a packet, which is about to be replaced.
pub(crate) fn xfer_tx_damaged(to: Peer<'_>, pkt: PacketHash, why: &dyn Display) -> Record {
    let name = to.name;
    let text =
        format!("Packet transfer, sent to {name}: {pkt}: replacing a damaged copy there: {why}");
    Record::new("xfer-tx-damaged", text).field("XX", Xx::Tx).field("Node", to.id).field("Pkt", pkt)
}

/// The spool has a damaged copy of a packet that is there to be taken, which is about to be
/// replaced.
pub(crate) fn spool_damaged(xx: Xx, peer: NodeId, pkt: PacketHash, why: &dyn Display) -> Record {
    let text = format!("Packet {peer}/{xx}/{pkt}: replacing a damaged copy in the spool: {why}");
    let who = match xx {
        Xx::Rx => "rx-damaged",
        Xx::Tx => "tx-damaged",
    };
    Record::new(who, text).field("XX", xx).field("Node", peer).field("Pkt", pkt)
}

/// A packet was taken from the medium's directory `dir`.
pub(crate) fn xfer_rx(dir: &Path, from: Peer<'_>, file: &Path, size: u64) -> Record {
    let text = format!(
        "Packet transfer, received from {}: {} ({})",
        from.name,
        file.display(),
        Size(size)
    );
    xfer_rx_fields("xfer-rx", text, dir, from, file).field("Size", size)
}

/// A packet that this node had put on the medium for a neighbour is in the spool again.
pub(crate) fn xfer_taken_back(dir: &Path, to: Peer<'_>, file: &Path, size: u64) -> Record {
    let shown = file.display();
    let text = format!("Packet transfer, taken back for {}: {shown} ({})", to.name, Size(size));
    Record::new("xfer-taken-back", text)
        .field("XX", Xx::Tx)
        .field("Dir", dir.display())
        .field("Node", to.id)
        .field("File", shown)
        .field("Size", size)
}

/// A packet on the medium was tossed before.
pub(crate) fn xfer_rx_seen(dir: &Path, from: Peer<'_>, file: &Path) -> Record {
    let file_text = file.display();
    let text =
        format!("Packet transfer, received from {}: {file_text}: packet already seen", from.name);
    xfer_rx_fields("xfer-rx-seen", text, dir, from, file)
}

/// Taking a packet from the medium failed at `step` (`open`, `copy`, …).
pub(crate) fn xfer_rx_fault(step: XferRx, dir: &Path, from: Peer<'_>, file: &Path) -> Record {
    let (who, what) = match step {
        XferRx::Open => ("xfer-rx-open", ": opening"),
        XferRx::Read => ("xfer-rx-read", ": reading"),
        XferRx::NotPacket => ("xfer-rx-not-packet", ": is not a packet"),
        XferRx::NoSpace | XferRx::InTheWay => ("xfer-rx", ""),
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
pub(crate) enum XferRx {
    /// Opening it, or it is no regular file.
    Open,
    /// Reading its header.
    Read,
    /// Its header is not that of a packet.
    NotPacket,
    /// The spool is full.
    NoSpace,
    /// The spool has something else under its name.
    InTheWay,
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
pub(crate) fn xfer_tx_fault(
    step: XferTx,
    to: Peer<'_>,
    dir: &Path,
    pkt: Option<PacketHash>,
) -> Record {
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
pub(crate) enum XferTx {
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
pub(crate) fn bundle_tx(to: Peer<'_>, pkt: PacketHash, size: u64) -> Record {
    let text = format!("Bundle transfer, sent to node {} {pkt} ({})", to.name, Size(size));
    Record::new("bundle-tx", text)
        .field("XX", Xx::Tx)
        .field("Node", to.id)
        .field("Pkt", pkt)
        .field("Size", size)
}

/// A packet was read from the bundle.
pub(crate) fn bundle_rx(from: NodeId, pkt: PacketHash, full_size: u64, size: u64) -> Record {
    let text = format!("Bundle transfer, received from {from} {pkt} ({})", Size(size));
    Record::new("bundle-rx", text)
        .field("XX", Xx::Rx)
        .field("Node", from)
        .field("Pkt", pkt)
        .field("FullSize", full_size)
        .field("Size", size)
}

/// A packet of a bundle that came back was removed from the spool.
pub(crate) fn bundle_tx_removed(to: NodeId, pkt: PacketHash) -> Record {
    Record::new("bundle-tx-removed", format!("Bundle transfer {to}/tx/{pkt}: removed"))
        .field("XX", Xx::Tx)
        .field("Node", to)
        .field("Pkt", pkt)
}

/// A packet in a bundle is not taken or not removed, as [`Log::error`] says why.
///
/// [`Log::error`]: crate::log::Log::error
pub(crate) fn bundle_fault(xx: Xx, peer: NodeId, pkt: PacketHash, full_size: u64) -> Record {
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
pub(crate) enum BundleSkip {
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
pub(crate) fn bundle_skip(skip: BundleSkip, xx: Xx, peer: NodeId, pkt: PacketHash) -> Record {
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
