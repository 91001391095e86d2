//! Applying one waiting stream: checked as it flows, cut if it is a package, and looked for in
//! the pool afterwards.

use super::super::command::ZfsError;
use super::super::decide::{Decision, Known, Offer, Refusal, Wait, decide};
use super::super::lock::Lock;
use super::super::name::Dataset;
use super::super::pool::{APPLIED, Depth, Dialect, PLACEHOLDER, Snapshot, State, View};
use super::super::stream::{Begin, Event, Fault, ObjsetType, Walker};
use super::super::words::after_failure;
use super::beside::beside;
use super::feed::Feed;
use super::input::Input;
use super::session::{Session, Waiting};
use super::{Applied, Open, Outcome, ReceiveError};
use crate::blocks::Ahead;
use std::time::{Instant, SystemTime};

const PIECE: usize = 256 << 10;

/// Properties that a volume has, too.
const OF_VOLUMES: [&str; 13] = [
    "readonly",
    "compression",
    "checksum",
    "copies",
    "dedup",
    "logbias",
    "primarycache",
    "refreservation",
    "reservation",
    "secondarycache",
    "snapdev",
    "sync",
    "volmode",
];

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
            Ok(outcome) => outcome,
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
        let newer = View::read(&self.policy.zfs, self.dialect, target, Depth::One, &[])?;
        self.view.update(target, &newer);
        Ok(())
    }

    fn decide_now(&self, offer: &Offer, target: &Dataset) -> Result<Decision, ZfsError> {
        let state = self.view.dataset(target);
        let changed = match state {
            Some(state) => self.changed(offer, target, state)?,
            None => None,
        };
        let known = Known { changed, passed: self.is_passed(offer, target) };
        Ok(decide(offer, target, state, known))
    }

    /// Whether the dataset was changed since the stream's base, when that is not its newest
    /// snapshot and `zfs` can tell.
    fn changed(
        &self,
        offer: &Offer,
        target: &Dataset,
        state: &State,
    ) -> Result<Option<bool>, ZfsError> {
        let base = state.snapshot(offer.from_guid);
        let newest = state.newest().map(|newest| newest.guid);
        let Some(base) = base.filter(|base| Some(base.guid) != newest) else { return Ok(None) };
        if self.dialect == Dialect::Fuse {
            return Ok(None);
        }
        let property = format!("written@{}", base.name);
        let answer =
            self.policy.zfs.ask(&["get", "-Hp", "-o", "value", &property, target.as_str()])?;
        Ok(answer.trim().parse::<u64>().ok().map(|bytes| bytes > 0))
    }

    /// Throws away what an interrupted receive left in the way, if that is allowed. Gives the
    /// decision about the stream when it can not be done.
    fn drop_partial(
        &mut self,
        offer: &Offer,
        target: &Dataset,
    ) -> Result<Option<Decision>, ZfsError> {
        let partial = self.view.dataset(target).is_some_and(|state| state.partial);
        if !partial || offer.resuming || !self.policy.drop_partial {
            return Ok(None);
        }
        match self.policy.zfs.ask(&["receive", "-A", target.as_str()]) {
            Err(ZfsError::Failed { words, .. }) => return Ok(Some(after_failure(&words))),
            other => other?,
        };
        self.refresh(target)?;
        Ok(None)
    }

    /// Makes what is missing between the root and a dataset.
    fn make_parents(&mut self, target: &Dataset) -> Result<(), Stop> {
        let ancestors = std::iter::successors(target.parent(), Dataset::parent);
        let missing: Vec<_> = ancestors
            .take_while(|parent| *parent != self.policy.into)
            .filter(|parent| self.view.dataset(parent).is_none())
            .collect();
        let mark = format!("{PLACEHOLDER}=on");
        for parent in missing.iter().rev() {
            let mut args = vec!["create", "-o", "canmount=off", "-o", "mountpoint=none"];
            args.extend(["-o", "readonly=on", "-o", &mark, parent.as_str()]);
            self.policy.zfs.ask(&args)?;
            self.made.push(parent.clone());
            self.refresh(parent)?;
        }
        Ok(())
    }

    /// Takes away again what was made for a stream that came to nothing. A placeholder that stays,
    /// because that is not permitted or something lies below it, does no harm.
    fn unmake_parents(&mut self) {
        while let Some(made) = self.made.pop() {
            if self.children(&made).is_empty() && self.refresh(&made).is_ok() {
                let state = self.view.dataset(&made);
                let is_bare = state.is_some_and(|s| s.placeholder && s.snapshots.is_empty());
                // Without -r, so `zfs` refuses when another process put something below it.
                if is_bare && self.policy.zfs.ask(&["destroy", made.as_str()]).is_ok() {
                    self.view.update(&made, &View::default());
                }
            }
        }
    }

    /// Whether a dataset would lie below a volume.
    fn is_below_volume(&self, target: &Dataset) -> bool {
        std::iter::successors(target.parent(), Dataset::parent)
            .any(|parent| self.view.dataset(&parent).is_some_and(|state| state.volume))
    }

    /// Looks whether the stream is there, and finds out why not.
    fn verify(&mut self, part: &Part, success: bool, words: &str) -> Result<Outcome, ZfsError> {
        if let Route::Beside(side) = &part.route {
            match self.put_in_place(side, &part.target, part.offer.to_guid) {
                Err(ZfsError::Failed { words, .. }) => return Ok(answer(after_failure(&words))),
                other => other?,
            }
        }
        self.refresh(&part.target)?;
        let there = self.has(&part.target, part.offer.to_guid);
        if !there && success {
            let text = "zfs receive succeeded, but the snapshot is not there".to_owned();
            return Ok(Outcome::Defer(Wait::Machine(text)));
        }
        if !there {
            let Part { offer, target, .. } = part;
            let known = Known { changed: Some(true), passed: self.is_passed(offer, target) };
            return Ok(match decide(offer, target, self.view.dataset(target), known) {
                Decision::Receive | Decision::ReceiveOver | Decision::ReceiveBeside => {
                    answer(after_failure(words))
                }
                decided => answer(decided),
            });
        }
        let unrecorded = self.settle(part)?;
        if unrecorded {
            self.warn_unrecorded();
        }
        self.refresh(&part.target)?;
        let readonly = self.view.dataset(&part.target).is_some_and(|state| state.readonly);
        match self.policy.readonly() {
            Some(asked) if (asked == "on") != readonly => {
                Ok(Outcome::Reject(Refusal::NotReadonly(asked.to_owned())))
            }
            _ => Ok(Outcome::Done(vec![part.applied(unrecorded)])),
        }
    }

    /// Whether a dataset has the snapshot of this guid.
    pub(super) fn has(&self, dataset: &Dataset, guid: u64) -> bool {
        self.view.dataset(dataset).is_some_and(|state| state.snapshot(guid).is_some())
    }

    /// Properties that `zfs receive` could not set, and the record of who sent this.
    fn settle(&self, part: &Part) -> Result<bool, ZfsError> {
        let zfs = &self.policy.zfs;
        if self.dialect == Dialect::Fuse {
            for (property, value) in &self.policy.set {
                zfs.ask(&["set", &format!("{property}={value}"), part.target.as_str()])?;
            }
        }
        if matches!(part.route, Route::Over) {
            zfs.ask(&["inherit", PLACEHOLDER, part.target.as_str()])?;
        }
        Ok(!self.record(&part.target, part.begin.to_name.snapshot(), part.bytes))
    }

    /// Notes on a snapshot who sent it. Tells whether the pool keeps the note.
    fn record(&self, target: &Dataset, snapshot: &str, bytes: u64) -> bool {
        let sender: String = self.policy.sender.chars().filter(|c| !",\t\n".contains(*c)).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let record = format!("{APPLIED}={sender},{bytes},{}", now.as_secs());
        self.policy.zfs.ask(&["set", &record, &format!("{target}@{snapshot}")]).is_ok()
    }

    /// A receiver that was killed after `zfs` had finished left no note: made up for when the
    /// stream comes again.
    pub(super) fn record_late(&mut self, target: &Dataset, guid: u64) {
        let snapshot = self.view.dataset(target).and_then(|state| state.snapshot(guid));
        let is_bare = |known: &&Snapshot| !known.properties.contains_key(APPLIED);
        let Some(snapshot) = snapshot.filter(is_bare) else { return };
        if !self.record(target, &snapshot.name, 0) {
            self.warn_unrecorded();
        }
    }

    fn arguments(&self, begin: &Begin, target: &Dataset, route: &Route) -> Vec<String> {
        let mut args = vec!["receive".to_owned(), "-u".to_owned()];
        let target = match route {
            Route::Straight => target,
            Route::Over => {
                args.push("-F".to_owned());
                target
            }
            Route::Beside(side) => side,
        };
        let volume = begin.objset == ObjsetType::Volume;
        let fits = |name: &str| !volume || name.contains(':') || OF_VOLUMES.contains(&name);
        if self.dialect == Dialect::Open {
            for (property, value) in self.policy.set.iter().filter(|(name, _)| fits(name)) {
                args.extend(["-o".to_owned(), format!("{property}={value}")]);
            }
            for property in self.policy.exclude.iter().filter(|name| fits(name)) {
                args.extend(["-x".to_owned(), property.clone()]);
            }
        }
        args.push(target.to_string());
        args
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
enum Stop {
    Fault(Fault),
    Input(ReceiveError),
    Zfs(ZfsError),
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

/// The plain streams of what is being applied: one, or those of a package.
struct Parts<'a> {
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
struct Part {
    begin: Box<Begin>,
    offer: Offer,
    target: Dataset,
    route: Route,
    /// `None` when an earlier attempt received it beside its place.
    feed: Option<Feed>,
    bytes: u64,
    started: Instant,
}

/// How a stream gets to its place.
enum Route {
    Straight,
    /// Over a placeholder.
    Over,
    /// Into this dataset, which then takes the placeholder's place.
    Beside(Dataset),
}

impl<'a> Parts<'a> {
    fn new(waiting: &'a Waiting) -> Self {
        let place = if waiting.package.is_some() { Place::PackageHeader } else { Place::Head };
        let (head, applied) = (Vec::new(), Vec::new());
        Self { waiting, head, place, current: None, applied, left: None }
    }

    fn bytes(&mut self, data: &[u8]) -> Result<(), ReceiveError> {
        match (self.place, &mut self.current) {
            (Place::Head, _) => self.head.extend_from_slice(data),
            (Place::Plain, Some(part)) => part.write(data).map_err(ReceiveError::Read)?,
            (Place::PackageHeader | Place::Plain, _) => {}
        }
        Ok(())
    }

    fn event(&mut self, session: &mut Session, event: Event) -> Result<(), Stop> {
        match event {
            Event::Package(_) => {}
            Event::PackageHeaderEnd(_) => self.place = Place::Head,
            Event::Begin(begin) => {
                self.place = Place::Plain;
                let head = std::mem::take(&mut self.head);
                match self.start(session, begin)? {
                    Ok(mut part) => {
                        part.write(&head).map_err(|e| Stop::Input(ReceiveError::Read(e)))?;
                        self.current = Some(part);
                    }
                    Err(Outcome::Duplicate(_)) if self.waiting.package.is_some() => {}
                    Err(outcome) => drop(self.left.get_or_insert(outcome)),
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
    fn start(
        &self,
        session: &mut Session,
        begin: Box<Begin>,
    ) -> Result<Result<Part, Outcome>, Stop> {
        let target = match self.target(session, &begin) {
            Ok(target) => target,
            Err(refusal) => return Ok(Err(Outcome::Reject(refusal))),
        };
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
            (Decision::ReceiveBeside, None) => match beside(&target, offer.to_guid) {
                Ok(side) => Route::Beside(side),
                Err(error) => return Ok(Err(Outcome::Reject(Refusal::Name(error.to_string())))),
            },
            (other, _) => return Ok(Err(answer(other))),
        };
        session.make_parents(&target)?;
        let args = session.arguments(&begin, &target, &route);
        let feed = if waits { None } else { Some(Feed::start(&session.policy.zfs, &args)?) };
        let started = Instant::now();
        Ok(Ok(Part { begin, offer, target, route, feed, bytes: 0, started }))
    }

    fn target(&self, session: &Session, begin: &Begin) -> Result<Dataset, Refusal> {
        session.policy.check(begin)?;
        let bad = || Refusal::Name(format!("{:?} is not in the package", begin.to_name.as_str()));
        let named = begin.to_name.dataset();
        let target = match &self.waiting.package {
            Some(root) if root != named => {
                let below = named.strip_prefix(root.as_str()).and_then(|n| n.strip_prefix('/'));
                let path = Dataset::parse(below.ok_or_else(bad)?).map_err(|_| bad())?;
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
    fn close(&mut self, session: &mut Session) -> Result<(), Stop> {
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

    fn outcome(self) -> Outcome {
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

    fn applied(&self, unrecorded: bool) -> Applied {
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
