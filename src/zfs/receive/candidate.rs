//! A waiting stream, described by its header.

use super::super::name::Dataset;
use super::super::offer::Offer;
use super::super::outcome::Outcome;
use super::super::reason::Refusal;
use super::head::head;
use super::input::Open;
use super::policy::Policy;
use std::time::SystemTime;

/// A waiting stream that the policy allows.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The dataset that receives its root dataset.
    pub(super) target: Dataset,
    /// If it is a package: its root dataset on the sending side.
    pub(super) package: Option<String>,
    /// The dataset of its first stream on the sending side.
    pub(super) named: String,
    /// The snapshot of its first stream, without the dataset's name.
    pub(super) snapshot: String,
    pub(super) offer: Offer,
    pub(super) since: SystemTime,
}

/// A stream that is unreadable or that the policy does not allow.
#[derive(Debug)]
pub(super) struct Unfit {
    /// As in [`super::Held`].
    pub(super) name: Option<String>,
    pub(super) to_guid: Option<u64>,
    pub(super) outcome: Box<Outcome>,
}

impl Candidate {
    /// Reads the header of a stream. `asked` is the dataset that its sender asks for; `since` is
    /// the time it arrived.
    pub(super) fn read(
        policy: &Policy,
        asked: Option<&str>,
        since: SystemTime,
        open: &Open<'_>,
    ) -> Result<Self, Unfit> {
        let (package, begin) = head(open, &policy.decrypt).map_err(|outcome| Unfit {
            name: policy.name(asked, None),
            to_guid: None,
            outcome: Box::new(outcome),
        })?;
        let named = package.as_ref().unwrap_or(&begin);
        let unfit = |refusal| Unfit {
            name: policy.name(asked, Some(named)),
            to_guid: Some(begin.to_guid),
            outcome: Box::new(Outcome::Reject(refusal)),
        };
        if package.is_some() && !policy.allowed.package {
            return Err(unfit(Refusal::Kind("package")));
        }
        policy.admit(&begin).map_err(unfit)?;
        let target = policy.target(asked, named).map_err(unfit)?;
        let package = package.map(|package| package.to_name.dataset().to_owned());
        let named = begin.to_name.dataset().to_owned();
        let snapshot = begin.to_name.snapshot().to_owned();
        Ok(Self { target, package, named, snapshot, offer: Offer::from(&*begin), since })
    }
}
