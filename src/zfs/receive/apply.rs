//! Applies one waiting stream: checks it while `zfs receive` reads it, splits it if it is a
//! package, and then looks for its snapshot in the pool.

use super::super::lock::Lock;
use super::super::name::Dataset;
use super::super::outcome::Outcome;
use super::super::reason::{Refusal, Wait};
use super::super::stream::Walker;
use super::candidate::Candidate;
use super::error::ReceiveError;
use super::input::{Input, Open};
use super::parts::Parts;
use super::session::Session;
use super::stop::Stop;
use crate::blocks::Ahead;

const PIECE: usize = 256 << 10;

impl Session {
    /// Applies the stream that [`Session::step`] named.
    ///
    /// # Errors
    /// If `zfs` cannot be run. The state of the stream is then unknown, so the caller must keep it.
    pub fn apply(&mut self, key: usize, open: &Open<'_>) -> Result<Outcome, ReceiveError> {
        let Some(candidate) = self.backlog.take(key) else {
            return Ok(Outcome::Defer(Wait::Busy));
        };
        let Some(_lock) = self.lock(&candidate.target)? else {
            return Ok(Outcome::Defer(Wait::Busy));
        };
        let result = self.receive(&candidate, open);
        self.subtree.unmake_parents();
        let outcome = match result {
            Ok(outcome) | Err(Stop::Left(outcome)) => outcome,
            Err(Stop::Fault(fault)) => Outcome::Reject(Refusal::Fault(fault)),
            Err(Stop::Input(error)) => Outcome::Defer(Wait::Input(error.to_string())),
            Err(Stop::Zfs(error)) => return Err(error.into()),
        };
        Ok(self.backlog.judge(&self.subtree).explained(outcome, &candidate))
    }

    fn lock(&self, target: &Dataset) -> Result<Option<Lock>, ReceiveError> {
        self.locks.take(&format!("receive {target}")).map_err(ReceiveError::Lock)
    }

    fn receive(&mut self, candidate: &Candidate, open: &Open<'_>) -> Result<Outcome, Stop> {
        let decrypt = self.subtree.policy.decrypt.clone();
        if candidate.package.is_some() && !self.reads_once {
            // The parts of a package take effect one by one, so a damaged package must be found
            // before the first of them.
            walk(open, &decrypt, None)?;
        }
        let mut parts = Parts::new(candidate, &mut self.subtree, self.backlog.links());
        walk(open, &decrypt, Some(&mut parts))?;
        parts.close()?;
        Ok(parts.outcome())
    }
}

/// Reads a whole stream and checks it. Passes it to `parts` meanwhile, if there are any.
fn walk(open: &Open<'_>, decrypt: &[String], parts: Option<&mut Parts<'_>>) -> Result<(), Stop> {
    std::thread::scope(|scope| {
        let raw = open().map_err(|error| Stop::Input(ReceiveError::Read(error)))?;
        let raw = Box::new(Ahead::start(scope, raw));
        let input = Input::new(scope, raw, decrypt).map_err(Stop::Input)?;
        walk_input(input, parts)
    })
}

fn walk_input(mut input: Input<'_>, mut parts: Option<&mut Parts<'_>>) -> Result<(), Stop> {
    let mut walker = Walker::new();
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
                    parts.event(event)?;
                }
            }
            rest = &rest[used..];
        }
    }
    walker.finish()?;
    input.finish().map_err(Stop::Input)
}
