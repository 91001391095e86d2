//! `nncp-ack`: acknowledges the packets that wait to be tossed.

use super::options::Toss;
use super::packet::PacketError;
use crate::blocks::{PacketReader, ReadError};
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::log::event::{self, Rx, RxFault};
use crate::outbound::{AckOptions, QueueError, Queued};
use crate::spool::{Job, Xx};
use packmule_protocol::packet::{HEADER_LEN, Kind};
use std::io::{self, Seek};

/// Why acknowledging stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcknowledgeError {
    /// The neighbour's packets cannot be listed.
    #[error(transparent)]
    List(#[from] DiskError),
    /// An acknowledgement cannot be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Why a packet is not acknowledged: it is not proven that it arrived intact.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error("unknown node")]
    UnknownSender,
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("reading the packet: {0}")]
    Seek(#[from] io::Error),
}

impl<'a> Toss<'a> {
    /// Acknowledges all packets from `neighbour` that wait to be tossed, except acknowledgements.
    /// Calls `made` for each.
    ///
    /// Authenticates each packet completely first, because its sender may remove it after the
    /// acknowledgement. Returns the number of packets that failed; each failure is in the log.
    ///
    /// # Errors
    /// If packets cannot be listed or acknowledgements cannot be queued.
    pub(crate) fn acknowledge_waiting(
        &self,
        neighbour: &'a Neighbour,
        options: &AckOptions,
        mut made: impl FnMut(Queued),
    ) -> Result<u64, AcknowledgeError> {
        let log = &self.local.log;
        let mut unproven = 0;
        for job in self.local.spool.jobs(&neighbour.id, Xx::Rx)? {
            match self.proven(&job) {
                Ok(Kind::Ack) => {
                    let to = neighbour.peer();
                    log.info(event::ack_is_ack(to, job.hash));
                }
                Ok(_) => made(self.local.ack(neighbour, job.hash, options)?),
                Err(error) => {
                    unproven += 1;
                    log.error(self.unproven(&job, &error), &error);
                }
            }
        }
        Ok(unproven)
    }

    /// The kind of a packet, after the whole packet was authenticated.
    fn proven(&self, job: &Job) -> Result<Kind, Unproven> {
        let sender = self.local.node.by_id(&job.header.sender).ok_or(Unproven::UnknownSender)?;
        let mut file = job.open()?;
        let opener = self.opener(sender, &file)?;
        file.seek(io::SeekFrom::Start(HEADER_LEN as u64))?;
        let reader = PacketReader::new(&file, &opener)?;
        let kind = reader.plain().kind;
        reader.verify()?;
        Ok(kind)
    }

    fn unproven(&self, job: &Job, error: &Unproven) -> crate::log::Record {
        let sender = job.header.sender;
        let Some(from) = self.local.node.by_id(&sender) else {
            return Rx::unknown_sender(sender, job.hash, job.nice());
        };
        let rx = Rx::new(from.peer(), job.hash, job.nice());
        rx.fault(match error {
            Unproven::UnknownSender | Unproven::Disk(_) => RxFault::Open,
            _ => RxFault::Unmarshal,
        })
    }
}
