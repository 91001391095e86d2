//! The command that repairs a chain of which a packet was lost. It is to be run on the sender.

use crate::zfs::decide::{Refusal, Wait};
use crate::zfs::name::word;
use crate::zfs::receive::{Held, Looked, Outcome};
use crate::zfs::send::Naming;
use std::collections::{BTreeMap, BTreeSet};

/// The command for a stream that waits for one before it, or begins anew what is there; `None` when
/// it does not help. The sender knows us by a name that we do not know: NODE.
pub(super) fn command(looked: &Looked, outcome: Option<&Outcome>) -> Option<String> {
    match outcome? {
        Outcome::Defer(wait) | Outcome::Reject(Refusal::GivenUp(wait))
            if matches!(wait, Wait::Base(_) | Wait::Full(_)) => {}
        outcome if begins_anew(outcome) => {}
        _ => return None,
    }
    let from = match &looked.newest {
        Some(newest) => newest.guid.to_string(),
        None => "nothing".to_owned(),
    };
    let named = word(&looked.named);
    Some(format!("packmule zfs resend{} -from {from} NODE {named}", options(looked)))
}

/// Whether a stream has nothing to do with what is there: the sender's dataset is another one, or it
/// has lost its marks of what it sent.
pub(super) fn begins_anew(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Reject(Refusal::OtherLineage { .. }))
}

/// The guids of snapshots whose streams are not needed: full ones that are older than what is there,
/// and what builds on them.
pub(super) fn outdated<'a>(held: impl Iterator<Item = &'a Held>) -> BTreeSet<u64> {
    let mut on_top: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut found = Vec::new();
    for held in held {
        let Some(stream) = &held.stream else { continue };
        on_top.entry(stream.from_guid).or_default().push(stream.to_guid);
        if matches!(held.outcome, Some(Outcome::Reject(Refusal::Older(_)))) {
            found.push(stream.to_guid);
        }
    }
    let mut outdated = BTreeSet::new();
    while let Some(guid) = found.pop() {
        if outdated.insert(guid) {
            found.extend(on_top.get(&guid).into_iter().flatten());
        }
    }
    outdated
}

/// The options of the set, as far as a stream tells them.
fn options(looked: &Looked) -> String {
    let mut options = String::new();
    if let Some((naming, set)) = Naming::set_of(&looked.snapshot) {
        if set.as_str() != "main" {
            options += &format!(" -set {}", set.as_str());
        }
        if naming == Naming::Simplesnap {
            options += " -naming simplesnap";
        }
    }
    if looked.raw {
        options += " -w";
    }
    if let Some(host) = &looked.host {
        options += &format!(" -host {}", word(&host.to_string()));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zfs::name::{Below, Dataset};
    use crate::zfs::pool::Snapshot;

    fn looked(snapshot: &str) -> Looked {
        Looked {
            target: Dataset::parse("tank/b/home").unwrap(),
            named: "rpool/home".to_owned(),
            snapshot: snapshot.to_owned(),
            to_guid: 6,
            from_guid: 5,
            raw: false,
            host: None,
            newest: Some(Snapshot { guid: u64::MAX, ..Snapshot::default() }),
        }
    }

    #[test]
    fn the_command_names_the_newest_guid_and_the_senders_dataset() {
        let plain = looked("packmule-main-20261231T235959.123456Z");
        let wait = Outcome::Defer(Wait::Base(5));
        let want = "packmule zfs resend -from 18446744073709551615 NODE rpool/home";
        assert_eq!(command(&plain, Some(&wait)).as_deref(), Some(want));
        let given_up = Outcome::Reject(Refusal::GivenUp(Wait::Base(5)));
        assert_eq!(command(&plain, Some(&given_up)).as_deref(), Some(want));
        let other = Refusal::OtherLineage { name: "s".to_owned(), guid: u64::MAX };
        assert_eq!(command(&plain, Some(&Outcome::Reject(other))).as_deref(), Some(want));
        let other = Looked {
            raw: true,
            host: Some(Below::parse("laptop").unwrap()),
            newest: None,
            ..looked("__simplesnap_weekly_2026-12-31T23:59:59__")
        };
        let want = "packmule zfs resend -set weekly -naming simplesnap -w -host laptop \
                    -from nothing NODE rpool/home";
        let full = Outcome::Defer(Wait::Full(5));
        assert_eq!(command(&other, Some(&full)).as_deref(), Some(want));
    }

    #[test]
    fn what_a_resend_does_not_help_has_no_command() {
        let stream = looked("s");
        assert_eq!(command(&stream, None), None);
        for outcome in [
            Outcome::Defer(Wait::Busy),
            Outcome::Defer(Wait::Pool("tank".to_owned())),
            Outcome::Reject(Refusal::Older("s".to_owned())),
            Outcome::Duplicate("already there"),
        ] {
            assert_eq!(command(&stream, Some(&outcome)), None, "{outcome:?}");
        }
    }
}
