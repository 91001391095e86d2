//! The phases of a session.

use super::event::Left;
use super::frame::{MAX_HANDSHAKE, MAX_TRANSPORT};
use super::handshake::{Initiator, Responder, Transport};
use super::running::Running;
use crate::keys::{NoisePrivate, NoisePublic};
use crate::seed::Seed;
use std::time::Instant;

/// A phase of a session, with the data that it needs.
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
    /// `answer` is the second handshake message until it is sent.
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
    /// Takes the phase out of the session. Unless it gets another one, the session has ended.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Over { left: Left::default() })
    }

    /// The state of the exchange, once the handshake is done.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running { running, .. } => Some(running),
            _ => None,
        }
    }

    /// The state of the exchange, once the handshake is done.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Running { running, .. } => Some(running),
            _ => None,
        }
    }

    /// The deadline of the handshake, until it is done.
    pub(super) fn handshake_until(&self) -> Option<Instant> {
        match self {
            Self::Listening { until, .. }
            | Self::Identifying { until, .. }
            | Self::Calling { until, .. } => Some(*until),
            Self::Running { .. } | Self::Over { .. } => None,
        }
    }

    /// The limit for the next message, in bytes.
    pub(super) fn frame_limit(&self) -> usize {
        if self.running().is_some() { MAX_TRANSPORT } else { MAX_HANDSHAKE }
    }
}
