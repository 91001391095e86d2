//! Reads the head of a stream: the BEGIN records that say what the stream contains.

use super::super::outcome::Outcome;
use super::super::reason::{Refusal, Wait};
use super::super::stream::{Begin, Event, Fault, Walker};
use super::error::ReceiveError;
use super::input::{Input, Open};

const PIECE: usize = 4 << 10;

/// The BEGIN of the package, if the stream is one, and the BEGIN of the first plain stream.
pub(super) type Head = (Option<Box<Begin>>, Box<Begin>);

/// Reads the head of a stream.
///
/// # Errors
/// The outcome of a stream whose head is missing or unreadable.
pub(super) fn head(open: &Open<'_>, decrypt: &[String]) -> Result<Head, Outcome> {
    let failed = |error: ReceiveError| Outcome::Defer(Wait::Input(error.to_string()));
    std::thread::scope(|scope| {
        let raw = open().map_err(|error| failed(ReceiveError::Read(error)))?;
        head_of(Input::new(scope, raw, decrypt).map_err(failed)?)
    })
}

fn head_of(mut input: Input<'_>) -> Result<Head, Outcome> {
    let failed = |error: ReceiveError| Outcome::Defer(Wait::Input(error.to_string()));
    let fault = |fault: Fault| Outcome::Reject(Refusal::Fault(fault));
    let mut walker = Walker::new();
    let mut package = None;
    let mut buffer = vec![0; PIECE];
    loop {
        let len = input.read(&mut buffer).map_err(failed)?;
        if len == 0 {
            // A filter that cannot decrypt prints nothing; its failure is the error to report.
            input.finish().map_err(failed)?;
            return Err(walker.finish().map_or_else(fault, |()| Outcome::Duplicate("empty")));
        }
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            let (used, event) = walker.feed(rest).map_err(fault)?;
            rest = &rest[used..];
            match event {
                Some(Event::Package(begin)) => package = Some(begin),
                Some(Event::Begin(begin)) => return Ok((package, begin)),
                _ => {}
            }
        }
    }
}
