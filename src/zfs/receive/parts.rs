//! The plain streams within the stream that is being applied: decides about each at its BEGIN,
//! feeds it to `zfs receive`, and looks for its snapshot at its END.

use super::super::decide::{ALREADY_THERE, Route};
use super::super::name::{Below, Dataset, sibling};
use super::super::offer::Offer;
use super::super::outcome::{Applied, Outcome};
use super::super::reason::Refusal;
use super::super::stream::{Begin, Event};
use super::candidate::Candidate;
use super::error::ReceiveError;
use super::feed::Feed;
use super::judge::Judge;
use super::part::Part;
use super::stop::Stop;
use super::subtree::Subtree;
use crate::chain::Links;
use std::time::Instant;

/// The plain streams in the stream that is being applied: the stream itself, or those of a package.
pub(super) struct Parts<'a> {
    candidate: &'a Candidate,
    subtree: &'a mut Subtree,
    links: &'a Links<Dataset>,
    /// The bytes of an incomplete BEGIN.
    head: Vec<u8>,
    region: Region,
    current: Option<Part>,
    applied: Vec<Applied>,
    /// The outcome of the first part that was not applied.
    left: Option<Outcome>,
}

/// The region of the stream that the walker is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    /// Before the end of the package's header, which `zfs receive` does not get.
    PackageHeader,
    /// Before the end of a BEGIN.
    Head,
    /// Within a plain stream.
    Plain,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        candidate: &'a Candidate,
        subtree: &'a mut Subtree,
        links: &'a Links<Dataset>,
    ) -> Self {
        let is_package = candidate.package.is_some();
        let region = if is_package { Region::PackageHeader } else { Region::Head };
        let (head, applied) = (Vec::new(), Vec::new());
        Self { candidate, subtree, links, head, region, current: None, applied, left: None }
    }

    pub(super) fn bytes(&mut self, data: &[u8]) -> Result<(), ReceiveError> {
        match (self.region, &mut self.current) {
            (Region::Head, _) => self.head.extend_from_slice(data),
            (Region::Plain, Some(part)) => part.write(data).map_err(ReceiveError::Read)?,
            (Region::PackageHeader | Region::Plain, _) => {}
        }
        Ok(())
    }

    pub(super) fn event(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::Package(_) => {}
            Event::PackageHeaderEnd(_) => self.region = Region::Head,
            Event::Begin(begin) => {
                self.region = Region::Plain;
                match self.start(begin) {
                    Ok(part) => self.current = Some(part),
                    Err(Stop::Left(Outcome::Duplicate(_))) if self.candidate.package.is_some() => {}
                    Err(Stop::Left(outcome)) => drop(self.left.get_or_insert(outcome)),
                    Err(stop) => return Err(stop),
                }
            }
            // Trailing bytes make a stream invalid. So its END is withheld until the input ends.
            Event::End(_) if self.candidate.package.is_none() => {}
            Event::End(_) => {
                self.region = Region::Head;
                self.close()?;
            }
            Event::PackageEnd => self.head.clear(),
        }
        Ok(())
    }

    /// Decides about a plain stream, and starts to receive it if it is to be received.
    fn start(&mut self, begin: Box<Begin>) -> Result<Part, Stop> {
        let head = std::mem::take(&mut self.head);
        let target = self.target(&begin)?;
        self.subtree.refresh(&target)?;
        let offer = Offer::from(&*begin);
        let decision = match self.subtree.drop_partial(&offer, &target)? {
            Some(failure) => Err(failure),
            None => Judge { subtree: self.subtree, links: self.links }.now(&offer, &target)?,
        };
        let side = self.subtree.received_in_sibling(&offer, &target)?;
        let waits = side.is_some();
        let (route, into) = match (decision.map_err(Stop::Left)?, side) {
            (Route::Straight | Route::Sibling, Some(side)) => (Route::Sibling, side),
            (Route::Sibling, None) => {
                let side = sibling(&target, offer.step.to_guid);
                (Route::Sibling, side.map_err(|error| Refusal::Name(error.to_string()))?)
            }
            (route, _) => (route, target.clone()),
        };
        self.subtree.make_parents(&target)?;
        let args = self.subtree.arguments(&begin, route, &into);
        let zfs = &self.subtree.policy.zfs;
        let feed = if waits { None } else { Some(Feed::start(zfs, &args)?) };
        let started = Instant::now();
        let mut part = Part { begin, offer, target, route, into, feed, bytes: 0, started };
        part.write(&head).map_err(|error| Stop::Input(ReceiveError::Read(error)))?;
        Ok(part)
    }

    fn target(&self, begin: &Begin) -> Result<Dataset, Refusal> {
        self.subtree.policy.admit(begin)?;
        let bad = || Refusal::Name(format!("{:?} is not in the package", begin.to_name.as_str()));
        let named = begin.to_name.dataset();
        let target = match &self.candidate.package {
            Some(root) if root != named => {
                let below = named.strip_prefix(root.as_str()).and_then(|n| n.strip_prefix('/'));
                let path = Below::parse(below.ok_or_else(bad)?).map_err(|_| bad())?;
                self.candidate.target.join(&path).map_err(|_| bad())?
            }
            _ => self.candidate.target.clone(),
        };
        if self.subtree.is_below_volume(&target) {
            return Err(Refusal::Name(format!("{target} lies below a volume")));
        }
        Ok(target)
    }

    /// Completes the current receive, if there is one.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        let Some(mut part) = self.current.take() else { return Ok(()) };
        let (success, stderr) = match part.feed.take() {
            Some(feed) => feed.commit().map_err(|error| Stop::Input(ReceiveError::Read(error)))?,
            None => (true, String::new()),
        };
        match self.subtree.verify(&part, self.links, success, &stderr)? {
            Outcome::Done(applied) => {
                self.applied.extend(applied);
                let named = part.begin.to_name.dataset().to_owned();
                self.subtree.received.insert(part.target, named);
            }
            outcome => drop(self.left.get_or_insert(outcome)),
        }
        Ok(())
    }

    pub(super) fn outcome(self) -> Outcome {
        match self.left {
            Some(outcome) => outcome,
            None if self.applied.is_empty() => ALREADY_THERE,
            None => Outcome::Done(self.applied),
        }
    }
}
