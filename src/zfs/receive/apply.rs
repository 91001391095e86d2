//! Applying one waiting stream: checked as it flows, cut if it is a package, and looked for in
//! the pool afterwards.

use super::super::command::ZfsError;
use super::super::decide::{Decision, Refusal, Wait};
use super::super::lock::Lock;
use super::super::name::Dataset;
use super::super::pool::{Depth, View};
use super::super::stream::{Fault, Walker};
use super::input::Input;
use super::parts::Parts;
use super::session::{Session, Waiting};
use super::settings::RECEIVED;
use super::{Open, Outcome, ReceiveError};
use crate::blocks::Ahead;

const PIECE: usize = 256 << 10;

impl Session {
    /// Applies the stream that [`Session::step`] named.
    ///
    /// # Errors
    /// When `zfs` can not be run or asked. Nothing is known of the stream then, and it is to be
    /// kept.
    pub fn apply(&mut self, key: usize, open: &Open<'_>) -> Result<Outcome, ReceiveError> {
        let Some(waiting) = self.take(key) else { return Ok(Outcome::Defer(Wait::Busy)) };
        let Some(_lock) = self.lock(&waiting.target)? else {
            return Ok(Outcome::Defer(Wait::Busy));
        };
        let result = if waiting.package.is_some() && !self.reads_once {
            // The parts of a package are applied one by one, so it is first walked as a whole.
            self.walk(open, None).and_then(|_| self.walk(open, Some(&waiting)))
        } else {
            self.walk(open, Some(&waiting))
        };
        self.unmake_parents();
        let outcome = match result {
            Ok(outcome) | Err(Stop::Left(outcome)) => outcome,
            Err(Stop::Fault(fault)) => Outcome::Reject(Refusal::Fault(fault)),
            Err(Stop::Input(error)) => Outcome::Defer(Wait::Input(error.to_string())),
            Err(Stop::Zfs(error)) => return Err(error.into()),
        };
        Ok(self.told(outcome, &waiting))
    }

    fn lock(&self, target: &Dataset) -> Result<Option<Lock>, ReceiveError> {
        self.locks.take(&format!("receive {target}")).map_err(ReceiveError::Lock)
    }

    /// Walks the whole stream, and applies it unless it is only to be checked.
    fn walk(&mut self, open: &Open<'_>, waiting: Option<&Waiting>) -> Result<Outcome, Stop> {
        let decrypt = self.policy.decrypt.clone();
        std::thread::scope(|scope| {
            let raw = open().map_err(|error| Stop::Input(ReceiveError::Read(error)))?;
            let raw = Box::new(Ahead::start(scope, raw));
            let input = Input::new(scope, raw, &decrypt).map_err(Stop::Input)?;
            self.walk_input(input, waiting)
        })
    }

    fn walk_input(
        &mut self,
        mut input: Input<'_>,
        waiting: Option<&Waiting>,
    ) -> Result<Outcome, Stop> {
        let mut walker = Walker::new();
        let mut parts = waiting.map(Parts::new);
        let mut buffer = vec![0; PIECE];
        loop {
            let len = input.read(&mut buffer).map_err(Stop::Input)?;
            if len == 0 {
                break;
            }
            let mut rest = &buffer[..len];
            while !rest.is_empty() {
                let (used, event) = walker.feed(rest)?;
                if let Some(parts) = &mut parts {
                    parts.bytes(&rest[..used]).map_err(Stop::Input)?;
                    if let Some(event) = event {
                        parts.event(self, event)?;
                    }
                }
                rest = &rest[used..];
            }
        }
        walker.finish()?;
        input.finish().map_err(Stop::Input)?;
        match parts {
            Some(mut parts) => {
                parts.close(self)?;
                Ok(parts.outcome())
            }
            None => Ok(Outcome::Done(Vec::new())),
        }
    }

    /// Reads again what is in a dataset.
    pub(super) fn refresh(&mut self, target: &Dataset) -> Result<(), ZfsError> {
        let newer = View::read(&self.policy.zfs, self.dialect, target, Depth::One, RECEIVED)?;
        self.view.update(target, &newer);
        Ok(())
    }
}

/// What becomes of a stream that nothing was run for.
pub(super) fn answer(decision: Decision) -> Outcome {
    match decision {
        Decision::Duplicate => Outcome::Duplicate("already there"),
        Decision::Superseded => Outcome::Duplicate("superseded by a newer one"),
        Decision::Defer(wait) => Outcome::Defer(wait),
        Decision::Reject(refusal) => Outcome::Reject(refusal),
        Decision::Receive | Decision::ReceiveOver | Decision::ReceiveBeside => {
            Outcome::Defer(Wait::Busy)
        }
    }
}

/// Why the walk over a stream ends early.
pub(super) enum Stop {
    Fault(Fault),
    Input(ReceiveError),
    Zfs(ZfsError),
    /// This plain stream is not to be received. What follows it is walked all the same.
    Left(Outcome),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Left(Outcome::Reject(refusal))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ZfsError> for Stop {
    fn from(error: ZfsError) -> Self {
        Self::Zfs(error)
    }
}
