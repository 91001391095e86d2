//! The events of media and bundles.

use super::super::record::Record;
use super::{Peer, Xx};
use crate::display::Size;
use packmule_protocol::id::{NodeId, PacketHash};
use std::fmt::Display;
use std::path::Path;

/// A packet was copied to the medium.
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

/// The spool has a damaged copy of a packet that the medium has, too. The copy in the spool is
/// about to be replaced.
pub(crate) fn spool_damaged(xx: Xx, peer: NodeId, pkt: PacketHash, why: &dyn Display) -> Record {
    let text = format!("Packet {peer}/{xx}/{pkt}: replacing a damaged copy in the spool: {why}");
    let who = match xx {
        Xx::Rx => "rx-damaged",
        Xx::Tx => "tx-damaged",
    };
    Record::new(who, text).field("XX", xx).field("Node", peer).field("Pkt", pkt)
}

/// A packet was copied from the medium's directory `dir`.
pub(crate) fn xfer_rx(dir: &Path, from: Peer<'_>, file: &Path, size: u64) -> Record {
    let text = format!(
        "Packet transfer, received from {}: {} ({})",
        from.name,
        file.display(),
        Size(size)
    );
    xfer_rx_fields("xfer-rx", text, dir, from, file).field("Size", size)
}

/// A packet that this node had copied to the medium for a neighbour was copied back to the spool.
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

/// Copying a packet from the medium failed at `step`.
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

/// The step at which copying a packet from a medium failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum XferRx {
    /// Opening it, or it is not a regular file.
    Open,
    /// Reading its header.
    Read,
    /// Its header is not that of a packet.
    NotPacket,
    /// The spool is full.
    NoSpace,
    /// The spool has something else with its name.
    InTheWay,
    /// Copying it.
    Copy,
    /// Its hash is not its name.
    Checksum,
    /// Renaming it.
    Commit,
    /// Removing it from the medium.
    Remove,
}

/// Copying packets to the medium failed: at a directory, or at a packet in it.
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

/// The step at which copying packets to a medium failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum XferTx {
    /// Making a directory.
    Mkdir,
    /// Checking whether it exists there.
    Stat,
    /// Opening the packet in the spool.
    Open,
    /// Making the temporary file.
    Tmp,
    /// Copying to the temporary file.
    Copy,
    /// Syncing the temporary file.
    Sync,
    /// Renaming the temporary file.
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

/// A packet in a bundle was not accepted or not removed. [`Log::error`] adds the reason.
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

/// Why a packet in a bundle is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BundleSkip {
    /// It is in the spool, or was tossed before.
    Exists,
    /// The bundle was written by this node, whose spool no longer has the packet.
    Missing,
    /// It is for another node, or from a node that was not selected.
    Others,
    /// It is less urgent than the selected niceness.
    TooNice,
}

/// A packet in a bundle is skipped.
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
