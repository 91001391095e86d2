//! Packets from a medium into the spool: the steps that all media share.
//!
//! 1. Skip a packet that is marked as seen, above the niceness limit, or not for us.
//! 2. If the spool already has the packet, read, hash and sync that copy before it counts.
//! 3. Otherwise copy and hash the packet, if the spool has space.
//! 4. Name copies in groups: sync all files, then rename them, then sync the directories.
//! 5. Only then remove the packet from the medium.
//!
//! A [`Medium`] lists its packets, opens, logs and removes them.

use super::{Broken, Options, Report};
use crate::blocks;
use crate::disk::DiskError;
use crate::display::reason;
use crate::ledger::LedgerError;
use crate::local::Local;
use crate::log::event;
use crate::progress::Work;
use crate::spool::{CommitError, Group, Obstacle, Pending, Present, SpaceError, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{Header, HeaderError};
use std::io::{self, Read};

/// A source of packets.
pub(super) trait Medium {
    /// Data that the medium needs to log and to remove a packet.
    type Place: Clone;
    /// The error if the medium cannot be read any further.
    type Broken: std::error::Error + 'static;

    /// Create a missing spool, even if its parent directory is missing.
    const MAKES_SPOOL: bool = false;

    /// Checks that a packet's header agrees with its place on the medium.
    ///
    /// # Errors
    /// [`Refused::Recipient`].
    fn check(&self, _packet: &Listed<Self::Place>, _header: &Header) -> Result<(), Refused> {
        Ok(())
    }

    /// Logs that a packet was stored durably in the spool; in a dry run, that it would be.
    fn received(&self, packet: &Listed<Self::Place>, size: u64);

    /// Logs that the spool already had the packet, durably, with `size` bytes.
    fn was_there(&self, packet: &Listed<Self::Place>, size: u64);

    /// Logs why a good packet is skipped.
    fn skipped(&self, packet: &Listed<Self::Place>, why: Skip);

    /// Logs why a packet is rejected.
    ///
    /// # Errors
    /// The medium cannot be read any further. Then the error is returned instead of logged.
    fn refused(&self, packet: &Listed<Self::Place>, why: Refused) -> Result<(), Self::Broken>;

    /// Removes a packet that the spool has, or had. Does nothing for a stream.
    ///
    /// # Errors
    /// Those of the medium.
    fn remove(&self, _packet: &Listed<Self::Place>) -> io::Result<()> {
        Ok(())
    }
}

/// A packet as the medium lists it: not opened and not verified.
#[derive(Debug, Clone)]
pub(super) struct Listed<P> {
    /// The neighbour whose directory in the spool it belongs to.
    pub(super) node: NodeId,
    /// Its name on the medium.
    pub(super) packet: PacketHash,
    pub(super) place: P,
}

/// An open packet on a medium. Its header has been read, its bytes have not.
pub(super) trait Opened {
    /// Its own header, unverified.
    fn header(&self) -> &Header;
    /// Size of the whole packet in bytes, according to the medium.
    fn size(&self) -> u64;
    /// Its bytes, from the start.
    fn bytes(self) -> impl Read + Send;
}

/// Why a good packet is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// It is marked as seen.
    Seen,
    /// The same run has copied it, and has not published it yet.
    Held,
    /// Its niceness is above the limit.
    TooNice,
}

/// Why a packet is rejected, or not removed from the medium.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("{}", reason(.0))]
    Open(io::Error),
    #[error("not a regular file")]
    Kind,
    #[error("{}", reason(.0))]
    Read(io::Error),
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its recipient does not match its place.
    #[error("is not for {0}")]
    Recipient(String),
    #[error("in the spool {0}")]
    InTheWay(#[from] Obstacle),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{}", reason(.0))]
    Copy(io::Error),
    /// It has fewer bytes than when it was opened, or than its headers announce.
    #[error("became shorter while it was read")]
    Cut,
    /// Its bytes do not hash to its name. Holds their number.
    #[error("checksum mismatch")]
    Altered(u64),
    #[error(transparent)]
    Commit(DiskError),
    #[error("{}", reason(.0))]
    Remove(io::Error),
}

/// The result of one packet.
enum Taken {
    Skipped(Skip),
    /// The spool already had it, durably, with this size.
    There(u64),
    /// It was copied, and the group will publish it.
    Copied,
    /// Dry run: it would be stored, and was only hashed.
    Hashed(u64),
}

/// Packets on their way from a medium into the spool.
pub(super) struct Intake<'a, M: Medium> {
    local: &'a Local,
    medium: &'a M,
    options: Options<'a>,
    xx: Xx,
    dry_run: bool,
    group: Group<(Listed<M::Place>, u64)>,
    report: Report,
}

impl<'a, M: Medium> Intake<'a, M> {
    /// Stores packets in direction `xx` of the spool.
    pub(super) fn new(local: &'a Local, options: Options<'a>, medium: &'a M, xx: Xx) -> Self {
        let group = Group::new(&local.spool, xx);
        Self { local, medium, options, xx, dry_run: false, group, report: Report::default() }
    }

    /// Reports what would be done, and changes nothing.
    pub(super) fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// Does not write copies of headers; the first listing does.
    pub(super) fn without_hdr(self) -> Self {
        Self { group: self.group.without_hdr(), ..self }
    }

    /// Runs `work`, which offers the medium's packets one by one. Keeps packets that were copied before
    /// the medium failed.
    ///
    /// # Errors
    /// The medium could not be read to its end. Faults of single packets are only logged and counted.
    pub(super) fn run(
        mut self,
        work: impl FnOnce(&mut Self) -> Result<(), M::Broken>,
    ) -> Result<Report, Broken<M::Broken>> {
        let worked = work(&mut self);
        let published = self.publish();
        let done = self.report;
        published.and(worked).map(|()| done).map_err(|cause| Broken { done, cause })
    }

    /// The report so far, for counts that the medium adds itself.
    pub(super) fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Stores one packet, or logs why not. Does not open a packet that is marked as seen.
    ///
    /// # Errors
    /// The medium cannot be read any further.
    pub(super) fn take<O: Opened>(
        &mut self,
        packet: &Listed<M::Place>,
        open: impl FnOnce() -> Result<O, Refused>,
    ) -> Result<(), M::Broken> {
        match self.copy_in(packet, open) {
            Ok(Taken::Copied) if self.group.is_full() => self.publish(),
            Ok(Taken::Copied) => Ok(()),
            Ok(Taken::Hashed(size)) => {
                self.medium.received(packet, size);
                self.arrived(packet, size, 0)
            }
            Ok(Taken::There(size)) => {
                self.medium.was_there(packet, size);
                self.arrived(packet, size, 1)
            }
            Ok(Taken::Skipped(why)) => {
                self.medium.skipped(packet, why);
                let removed = if why == Skip::Seen { self.remove(packet) } else { Ok(()) };
                self.report.skipped += u64::from(removed.is_ok());
                removed.or_else(|refused| self.refuse(packet, refused))
            }
            Err(refused) => {
                self.publish()?;
                self.refuse(packet, refused)
            }
        }
    }

    fn copy_in<O: Opened>(
        &mut self,
        packet: &Listed<M::Place>,
        open: impl FnOnce() -> Result<O, Refused>,
    ) -> Result<Taken, Refused> {
        let (spool, node, hash) = (&self.local.spool, &packet.node, packet.packet);
        if self.xx == Xx::Rx && spool.is_seen(node, &hash) {
            return Ok(Taken::Skipped(Skip::Seen));
        }
        if self.xx == Xx::Rx && !self.dry_run && self.is_done(node, &hash)? {
            return Ok(Taken::Skipped(Skip::Seen));
        }
        if self.group.holds(&hash) {
            return Ok(Taken::Skipped(Skip::Held));
        }
        let opened = open()?;
        if opened.header().nice > self.options.nice {
            return Ok(Taken::Skipped(Skip::TooNice));
        }
        self.medium.check(packet, opened.header())?;
        match spool.present(node, self.xx, hash, &self.local.progress)? {
            Present::Good(size) => return Ok(Taken::There(size)),
            Present::Damaged(damage) if !self.dry_run => {
                self.local.log.info(event::spool_damaged(self.xx, *node, hash, &damage));
            }
            Present::Damaged(_) | Present::Nothing => {}
        }
        let size = opened.size();
        if self.dry_run {
            let found = hash_of(self.local, hash, opened)?;
            return if found == hash {
                Ok(Taken::Hashed(size))
            } else {
                Err(Refused::Altered(size))
            };
        }
        self.room_for(size)?;
        let pending = self.copy(hash, opened)?;
        self.group.add(pending, hash, *node, (packet.clone(), size)).map_err(
            |error| match error {
                CommitError::Mismatch { .. } => Refused::Altered(size),
                CommitError::Disk(error) => Refused::Commit(error),
            },
        )?;
        Ok(Taken::Copied)
    }

    /// Whether the packet's effect is durable, as the ledger says of packets whose author put them on
    /// the medium. Of others that is found out when they are tossed.
    fn is_done(&self, node: &NodeId, packet: &PacketHash) -> Result<bool, Refused> {
        let ledger = &self.local.ledger;
        Ok(ledger.exists() && ledger.journal(node).recognise(packet, self.local.now())?)
    }

    fn room_for(&self, size: u64) -> Result<(), SpaceError> {
        match self.local.spool.room_for(size) {
            Err(SpaceError::Stat { .. }) if M::MAKES_SPOOL => Ok(()),
            room => room,
        }
    }

    fn copy(&self, hash: PacketHash, opened: impl Opened) -> Result<Pending, Refused> {
        let size = opened.size();
        let mut pending = self.local.spool.pending()?;
        let meter = self.local.progress.start(Work::Rx, &hash.to_string(), Some(size));
        // Read no more than announced, so that a file that grows meanwhile cannot fill the spool.
        let mut bytes = opened.bytes().take(size);
        blocks::copy(meter.read(&mut bytes), &mut pending).map_err(Refused::Copy)?;
        if bytes.limit() == 0 { Ok(pending) } else { Err(Refused::Cut) }
    }

    /// Publishes the copied packets, then removes the durable ones from the medium.
    fn publish(&mut self) -> Result<(), M::Broken> {
        let mut broken = Ok(());
        for ((packet, size), published) in self.group.publish() {
            let removed = match published {
                Ok(()) => {
                    self.medium.received(&packet, size);
                    self.arrived(&packet, size, 0)
                }
                Err(error) => self.refuse(&packet, Refused::Commit(error)),
            };
            broken = broken.and(removed);
        }
        broken
    }

    /// Notes that the spool has the packet durably, and removes it from the medium.
    fn arrived(
        &mut self,
        packet: &Listed<M::Place>,
        bytes: u64,
        there: u64,
    ) -> Result<(), M::Broken> {
        match self.remove(packet) {
            Ok(()) => {
                self.report.add(Report { packets: 1, bytes, there, ..Report::default() });
                Ok(())
            }
            Err(refused) => self.refuse(packet, refused),
        }
    }

    /// Removes a packet from the medium, if `delete` is set.
    fn remove(&self, packet: &Listed<M::Place>) -> Result<(), Refused> {
        match self.options.delete && !self.dry_run {
            true => self.medium.remove(packet).map_err(Refused::Remove),
            false => Ok(()),
        }
    }

    fn refuse(&mut self, packet: &Listed<M::Place>, why: Refused) -> Result<(), M::Broken> {
        self.medium.refused(packet, why)?;
        self.report.failed += 1;
        Ok(())
    }
}

/// The hash of a packet's bytes.
pub(super) fn hash_of(
    local: &Local,
    packet: PacketHash,
    opened: impl Opened,
) -> Result<PacketHash, Refused> {
    let size = opened.size();
    let meter = local.progress.start(Work::Check, &packet.to_string(), Some(size));
    let mut bytes = opened.bytes().take(size);
    let hash = blocks::hash(meter.read(&mut bytes)).map_err(Refused::Read)?;
    if bytes.limit() == 0 { Ok(PacketHash(hash)) } else { Err(Refused::Cut) }
}
