//! The plain streams in what is being applied: each is decided about at its BEGIN, fed to
//! `zfs receive`, and looked for when it has ended.

use super::super::decide::{Decision, Offer, Refusal};
use super::super::name::{Below, Dataset};
use super::super::stream::{Begin, Event};
use super::apply::{Stop, answer};
use super::beside::beside;
use super::feed::Feed;
use super::session::{Session, Waiting};
use super::{Applied, Outcome, ReceiveError};
use std::time::Instant;

/// The plain streams of what is being applied: one, or those of a package.
pub(super) struct Parts<'a> {
    waiting: &'a Waiting,
    /// Bytes of a BEGIN that is not whole yet.
    head: Vec<u8>,
    place: Place,
    current: Option<Part>,
    applied: Vec<Applied>,
    /// The first part that was not applied.
    left: Option<Outcome>,
}

/// Where in the stream the walker is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the end of a package's header, which never reaches `zfs`.
    PackageHeader,
    /// Before the end of a BEGIN.
    Head,
    /// In a plain stream.
    Plain,
}

/// One plain stream that is being received.
pub(super) struct Part {
    pub(super) begin: Box<Begin>,
    pub(super) offer: Offer,
    pub(super) target: Dataset,
    pub(super) route: Route,
    /// `None` when an earlier attempt received it beside its place.
    feed: Option<Feed>,
    pub(super) bytes: u64,
    started: Instant,
}

/// How a stream gets to its place.
pub(super) enum Route {
    Straight,
    /// Over a placeholder.
    Over,
    /// Into this dataset, which then takes the placeholder's place.
    Beside(Dataset),
}

impl<'a> Parts<'a> {
    pub(super) fn new(waiting: &'a Waiting) -> Self {
        let place = if waiting.package.is_some() { Place::PackageHeader } else { Place::Head };
        let (head, applied) = (Vec::new(), Vec::new());
        Self { waiting, head, place, current: None, applied, left: None }
    }

    pub(super) fn bytes(&mut self, data: &[u8]) -> Result<(), ReceiveError> {
        match (self.place, &mut self.current) {
            (Place::Head, _) => self.head.extend_from_slice(data),
            (Place::Plain, Some(part)) => part.write(data).map_err(ReceiveError::Read)?,
            (Place::PackageHeader | Place::Plain, _) => {}
        }
        Ok(())
    }

    pub(super) fn event(&mut self, session: &mut Session, event: Event) -> Result<(), Stop> {
        match event {
            Event::Package(_) => {}
            Event::PackageHeaderEnd(_) => self.place = Place::Head,
            Event::Begin(begin) => {
                self.place = Place::Plain;
                match self.start(session, begin) {
                    Ok(part) => self.current = Some(part),
                    Err(Stop::Left(Outcome::Duplicate(_))) if self.waiting.package.is_some() => {}
                    Err(Stop::Left(outcome)) => drop(self.left.get_or_insert(outcome)),
                    Err(stop) => return Err(stop),
                }
            }
            // The end of a lone stream is held back until nothing is seen to follow it.
            Event::End(_) if self.waiting.package.is_none() => {}
            Event::End(_) => {
                self.place = Place::Head;
                self.close(session)?;
            }
            Event::PackageEnd => self.head.clear(),
        }
        Ok(())
    }

    /// Decides about a plain stream, and starts to receive it if that is the decision.
    fn start(&mut self, session: &mut Session, begin: Box<Begin>) -> Result<Part, Stop> {
        let head = std::mem::take(&mut self.head);
        let target = self.target(session, &begin)?;
        session.refresh(&target)?;
        let offer = Offer::from(&*begin);
        let decision = match session.drop_partial(&offer, &target)? {
            Some(failure) => failure,
            None => session.decide_now(&offer, &target)?,
        };
        let side = session.received_beside(&offer, &target)?;
        let waits = side.is_some();
        let route = match (decision, side) {
            (Decision::Receive | Decision::ReceiveBeside, Some(side)) => Route::Beside(side),
            (Decision::Receive, None) => Route::Straight,
            (Decision::ReceiveOver, _) => Route::Over,
            (Decision::ReceiveBeside, None) => Route::Beside(
                beside(&target, offer.to_guid).map_err(|error| Refusal::Name(error.to_string()))?,
            ),
            (other, _) => return Err(Stop::Left(answer(other))),
        };
        session.make_parents(&target)?;
        let args = session.arguments(&begin, &target, &route);
        let feed = if waits { None } else { Some(Feed::start(&session.policy.zfs, &args)?) };
        let started = Instant::now();
        let mut part = Part { begin, offer, target, route, feed, bytes: 0, started };
        part.write(&head).map_err(|error| Stop::Input(ReceiveError::Read(error)))?;
        Ok(part)
    }

    fn target(&self, session: &Session, begin: &Begin) -> Result<Dataset, Refusal> {
        session.policy.check(begin)?;
        let bad = || Refusal::Name(format!("{:?} is not in the package", begin.to_name.as_str()));
        let named = begin.to_name.dataset();
        let target = match &self.waiting.package {
            Some(root) if root != named => {
                let below = named.strip_prefix(root.as_str()).and_then(|n| n.strip_prefix('/'));
                let path = Below::parse(below.ok_or_else(bad)?).map_err(|_| bad())?;
                self.waiting.target.join(&path).map_err(|_| bad())?
            }
            _ => self.waiting.target.clone(),
        };
        if session.is_below_volume(&target) {
            return Err(Refusal::Name(format!("{target} lies below a volume")));
        }
        Ok(target)
    }

    /// Lets the end of the current stream through, if one is being received.
    pub(super) fn close(&mut self, session: &mut Session) -> Result<(), Stop> {
        let Some(mut part) = self.current.take() else { return Ok(()) };
        let (success, words) = match part.feed.take() {
            Some(feed) => feed.commit().map_err(|error| Stop::Input(ReceiveError::Read(error)))?,
            None => (true, String::new()),
        };
        match session.verify(&part, success, &words)? {
            Outcome::Done(applied) => {
                self.applied.extend(applied);
                let named = part.begin.to_name.dataset().to_owned();
                session.held.insert(part.target, named);
            }
            outcome => drop(self.left.get_or_insert(outcome)),
        }
        Ok(())
    }

    pub(super) fn outcome(self) -> Outcome {
        match self.left {
            Some(outcome) => outcome,
            None if self.applied.is_empty() => Outcome::Duplicate("already there"),
            None => Outcome::Done(self.applied),
        }
    }
}

impl Part {
    fn write(&mut self, data: &[u8]) -> std::io::Result<()> {
        self.bytes += data.len() as u64;
        match &mut self.feed {
            Some(feed) => feed.write(data),
            None => Ok(()),
        }
    }

    pub(super) fn applied(&self, unrecorded: bool) -> Applied {
        Applied {
            target: self.target.to_string(),
            snapshot: self.begin.to_name.snapshot().to_owned(),
            to_name: self.begin.to_name.to_string(),
            to_guid: self.offer.to_guid,
            from_guid: self.offer.from_guid,
            bytes: self.bytes,
            seconds: self.started.elapsed().as_secs(),
            unrecorded,
        }
    }
}
