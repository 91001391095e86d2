//! Builds the command, to be run on the sender, that repairs a chain after a packet was lost.

use crate::zfs::decide::{Refusal, Wait};
use crate::zfs::name::word;
use crate::zfs::receive::{Outcome, Preview};
use crate::zfs::send::Naming;

/// The command for a stream that waits for its base, or that starts a new chain for an existing
/// dataset; `None` if no command helps. It says NODE, because we do not know our name at the sender.
pub(super) fn command(preview: &Preview, outcome: Option<&Outcome>) -> Option<String> {
    match outcome? {
        Outcome::Defer(wait) | Outcome::Reject(Refusal::GivenUp(wait))
            if matches!(wait, Wait::Base(_) | Wait::Full(_)) => {}
        outcome if begins_anew(outcome) => {}
        _ => return None,
    }
    let from = match &preview.bases[..] {
        [] => "nothing".to_owned(),
        bases => bases.iter().map(u64::to_string).collect::<Vec<_>>().join(","),
    };
    let named = word(&preview.named);
    Some(format!("packmule zfs resend{} -from {from} NODE {named}", options(preview)))
}

/// True if the stream starts a new chain for a dataset that exists: the sender has replaced its
/// dataset, or lost the marks of what it sent.
pub(super) fn begins_anew(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Reject(Refusal::OtherLineage { .. }))
}

/// The options of the set that can be read from a stream.
fn options(preview: &Preview) -> String {
    let mut options = String::new();
    if let Some((naming, set)) = Naming::set_of(&preview.snapshot) {
        if set.as_str() != "main" {
            options += &format!(" -set {}", set.as_str());
        }
        if naming == Naming::Simplesnap {
            options += " -naming simplesnap";
        }
    }
    if preview.raw {
        options += " -w";
    }
    if let Some(host) = &preview.host {
        options += &format!(" -host {}", word(&host.to_string()));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zfs::name::{Below, Dataset};
    use crate::zfs::state::Snapshot;

    fn preview(snapshot: &str) -> Preview {
        Preview {
            target: Dataset::parse("tank/b/home").unwrap(),
            named: "rpool/home".to_owned(),
            snapshot: snapshot.to_owned(),
            to_guid: 6,
            from_guid: 5,
            raw: false,
            host: None,
            newest: Some(Snapshot { guid: u64::MAX, ..Snapshot::default() }),
            bases: vec![u64::MAX],
            first: None,
        }
    }

    #[test]
    fn the_command_names_the_newest_guid_and_the_senders_dataset() {
        let plain = preview("packmule-main-20261231T235959.123456Z");
        let wait = Outcome::Defer(Wait::Base(5));
        let want = "packmule zfs resend -from 18446744073709551615 NODE rpool/home";
        assert_eq!(command(&plain, Some(&wait)).as_deref(), Some(want));
        let many =
            Preview { bases: vec![9, 7, 3], ..preview("packmule-main-20261231T235959.123456Z") };
        let list = want.replace("18446744073709551615", "9,7,3");
        assert_eq!(command(&many, Some(&wait)), Some(list));
        let given_up = Outcome::Reject(Refusal::GivenUp(Wait::Base(5)));
        assert_eq!(command(&plain, Some(&given_up)).as_deref(), Some(want));
        let other = Refusal::OtherLineage { name: "s".to_owned(), guid: u64::MAX };
        assert_eq!(command(&plain, Some(&Outcome::Reject(other))).as_deref(), Some(want));
        let other = Preview {
            raw: true,
            host: Some(Below::parse("laptop").unwrap()),
            newest: None,
            bases: Vec::new(),
            ..preview("__simplesnap_weekly_2026-12-31T23:59:59__")
        };
        let want = "packmule zfs resend -set weekly -naming simplesnap -w -host laptop \
                    -from nothing NODE rpool/home";
        let full = Outcome::Defer(Wait::Full(5));
        assert_eq!(command(&other, Some(&full)).as_deref(), Some(want));
    }

    #[test]
    fn what_a_resend_does_not_help_has_no_command() {
        let stream = preview("s");
        assert_eq!(command(&stream, None), None);
        for outcome in [
            Outcome::Defer(Wait::Busy),
            Outcome::Defer(Wait::Pool("tank".to_owned())),
            Outcome::Reject(Refusal::Older {
                dataset: stream.target.clone(),
                name: "s".to_owned(),
            }),
            Outcome::Duplicate("already there"),
        ] {
            assert_eq!(command(&stream, Some(&outcome)), None, "{outcome:?}");
        }
    }
}
