//! The phases of a session, from the first byte to the last.

use super::event::Left;
use super::frame::{MAX_HANDSHAKE, MAX_TRANSPORT};
use super::handshake::{Initiator, Responder, Transport};
use super::running::Running;
use crate::keys::{NoisePrivate, NoisePublic};
use crate::seed::Seed;
use std::time::Instant;

/// What a session is about to do, and what it needs for that.
pub(super) enum Phase {
    Listening {
        keys: NoisePrivate,
        ephemeral: Seed,
        until: Instant,
    },
    Identifying {
        responder: Box<Responder>,
        peer: NoisePublic,
        payload: Vec<u8>,
        until: Instant,
    },
    Calling {
        initiator: Box<Initiator>,
        first: Vec<u8>,
        until: Instant,
        running: Box<Running>,
    },
    /// `answer` is the second handshake message, while it is not sent.
    Running {
        transport: Box<Transport>,
        answer: Vec<u8>,
        running: Box<Running>,
    },
    Over {
        left: Left,
    },
}

impl Phase {
    /// Takes the phase out of the session, which is over unless it gets another.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Over { left: Left::default() })
    }

    /// What exchanges packets, once the handshake is done.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running { running, .. } => Some(running),
            _ => None,
        }
    }

    /// What exchanges packets, once the handshake is done.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Running { running, .. } => Some(running),
            _ => None,
        }
    }

    /// When the handshake has to be done, until it is.
    pub(super) fn handshake_until(&self) -> Option<Instant> {
        match self {
            Self::Listening { until, .. }
            | Self::Identifying { until, .. }
            | Self::Calling { until, .. } => Some(*until),
            Self::Running { .. } | Self::Over { .. } => None,
        }
    }

    /// The longest message that may come.
    pub(super) fn frame_limit(&self) -> usize {
        if self.running().is_some() { MAX_TRANSPORT } else { MAX_HANDSHAKE }
    }
}
