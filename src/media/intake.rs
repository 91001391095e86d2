//! Packets from a medium into the spool: the steps that all media share.
//!
//! 1. A packet that is marked as seen, is too nice or is not for us is left alone.
//! 2. One that lies in the spool already counts after it was read, hashed and synced there.
//! 3. Otherwise it is copied and hashed, if the spool has room.
//! 4. Copies get their names in groups: first all bytes are on disk, then all names, then the directories.
//! 5. Only then is the packet removed from the medium.
//!
//! A medium lists its packets, opens them, logs in its own words, and removes them: [`Medium`].

use super::{Broken, Options, Report};
use crate::blocks;
use crate::disk::DiskError;
use crate::display::reason;
use crate::local::Local;
use crate::log::event;
use crate::progress::Work;
use crate::spool::{CommitError, Group, Obstacle, Pending, Present, SpaceError, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{Header, HeaderError};
use std::io::{self, Read};

/// Where packets come from.
pub(super) trait Medium {
    /// What the medium has to know of a packet to log and to remove it.
    type Place: Clone;
    /// Why nothing more can be taken.
    type Broken: std::error::Error + 'static;

    /// Whether a spool that is missing is made, also where the directory above it is missing.
    const MAKES_SPOOL: bool = false;

    /// Checks that a packet's header agrees with the place where the packet lies.
    ///
    /// # Errors
    /// [`Refused::Recipient`].
    fn check(&self, _packet: &Listed<Self::Place>, _header: &Header) -> Result<(), Refused> {
        Ok(())
    }

    /// Logs that a packet is in the spool, durably; in a dry run, that it would be.
    fn received(&self, packet: &Listed<Self::Place>, size: u64);

    /// Logs that the spool had the packet already, durably, with `size` bytes.
    fn was_there(&self, packet: &Listed<Self::Place>, size: u64);

    /// Logs why a packet that nothing is wrong with is not taken.
    fn skipped(&self, packet: &Listed<Self::Place>, why: Skip);

    /// Logs what is wrong with a packet.
    ///
    /// # Errors
    /// The medium can not be read on after that; then the error is reported, and not logged.
    fn refused(&self, packet: &Listed<Self::Place>, why: Refused) -> Result<(), Self::Broken>;

    /// Removes a packet that the spool has, or had. A stream keeps its packets.
    ///
    /// # Errors
    /// Those of the medium.
    fn remove(&self, _packet: &Listed<Self::Place>) -> io::Result<()> {
        Ok(())
    }
}

/// A packet as the medium lists it: not opened, nothing of it verified.
#[derive(Debug, Clone)]
pub(super) struct Listed<P> {
    /// Whose directory of the spool it belongs to.
    pub(super) node: NodeId,
    /// The name it has on the medium.
    pub(super) packet: PacketHash,
    pub(super) place: P,
}

/// A packet of a medium, opened: its header was read, its bytes were not.
pub(super) trait Opened {
    /// Its own header, unverified.
    fn header(&self) -> &Header;
    /// Bytes of the whole packet, as the medium says.
    fn size(&self) -> u64;
    /// Its bytes, from the first.
    fn bytes(self) -> impl Read + Send;
}

/// Why a packet that nothing is wrong with is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// It was tossed before.
    Seen,
    /// A copy was taken a moment ago, and waits for its name.
    Held,
    /// It is less urgent than what is asked for.
    TooNice,
}

/// Why a packet is not taken, or not removed from the medium.
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
    /// It is for somebody else than for whom it lies there.
    #[error("is not for {0}")]
    Recipient(String),
    #[error("in the spool {0}")]
    InTheWay(#[from] Obstacle),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("{}", reason(.0))]
    Copy(io::Error),
    /// It has fewer bytes than it had when it was opened, or than its headers say.
    #[error("became shorter while it was read")]
    Cut,
    /// Its bytes, so many, are not those that its name stands for.
    #[error("checksum mismatch")]
    Altered(u64),
    #[error(transparent)]
    Commit(DiskError),
    #[error("{}", reason(.0))]
    Remove(io::Error),
}

/// What becomes of a packet.
enum Taken {
    Skipped(Skip),
    /// The spool had it already, durably, with so many bytes.
    There(u64),
    /// It waits in the group for its name.
    Copied,
    /// It would be taken: in a dry run it was only hashed.
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
    /// Takes packets that belong into direction `xx` of the spool.
    pub(super) fn new(local: &'a Local, options: Options<'a>, medium: &'a M, xx: Xx) -> Self {
        let group = Group::new(&local.spool, xx);
        Self { local, medium, options, xx, dry_run: false, group, report: Report::default() }
    }

    /// Says what would be done, and does none of it.
    pub(super) fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// Leaves the copies of headers to the first listing.
    pub(super) fn without_hdr(self) -> Self {
        Self { group: self.group.without_hdr(), ..self }
    }

    /// Does `work`, which offers the medium's packets one after the other. What was copied before the
    /// medium broke is kept.
    ///
    /// # Errors
    /// The medium could not be read to its end. What is wrong with single packets is logged and counted.
    pub(super) fn run(
        mut self,
        work: impl FnOnce(&mut Self) -> Result<(), M::Broken>,
    ) -> Result<Report, Broken<M::Broken>> {
        let worked = work(&mut self);
        let published = self.publish();
        let done = self.report;
        published.and(worked).map(|()| done).map_err(|cause| Broken { done, cause })
    }

    /// What was done by now, for what a medium counts itself.
    pub(super) fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Takes one packet, or logs why not. A packet that was seen before is not opened.
    ///
    /// # Errors
    /// The medium is of no more use.
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
        // No more than was announced: a file that grows meanwhile does not fill the spool.
        let mut bytes = opened.bytes().take(size);
        blocks::copy(meter.read(&mut bytes), &mut pending).map_err(Refused::Copy)?;
        if bytes.limit() == 0 { Ok(pending) } else { Err(Refused::Cut) }
    }

    /// Publishes the packets that were copied, and removes from the medium those that are durable.
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

    /// The spool has the packet durably: the medium need not keep it.
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

    /// Removes a packet from the medium, where that is wanted.
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

/// What a packet's bytes hash to.
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
