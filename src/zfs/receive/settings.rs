//! Warns of pool settings with which a hostile sender or a snapshot tool can damage backups.

use super::super::get::More;
use super::super::name::Dataset;
use super::super::pool::View;
use super::super::state::{APPLIED, State};

/// On `true`, a snapshot tool makes local snapshots, which block streams.
const AUTO_SNAPSHOT: &str = "com.sun:auto-snapshot";

/// The properties that [`warnings`] reads.
const SETTINGS: [&str; 3] = ["mountpoint", "canmount", AUTO_SNAPSHOT];

/// The properties that `status` reads of a receiver: the settings, and the records of receives.
pub const RECEIVER: More<'static> =
    More { of_datasets: &SETTINGS, of_snapshots: RECEIVED.of_snapshots };

/// The properties that a receiving session reads.
pub(super) const RECEIVED: More<'static> = More { of_datasets: &[], of_snapshots: &[APPLIED] };

/// Warnings about the datasets below `root`. `root` may be missing, if its pool is not imported.
pub fn warnings(view: &View, root: &Dataset) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(state) = view.dataset(root) else { return warnings };
    warnings.extend(of_root(state).map(|text| format!("{root}: {text}")));
    for (name, state) in view.datasets().filter(|(name, _)| *name != root) {
        if let Some(bytes) = state.written.filter(|bytes| *bytes > 0 && state.newest().is_some()) {
            warnings.push(format!("{name}: {bytes} bytes were written to the backup"));
        }
    }
    warnings
}

fn of_root(state: &State) -> impl Iterator<Item = String> + use<> {
    let value = |name: &str| state.properties.get(name).map_or("-", String::as_str).to_owned();
    let (mountpoint, canmount) = (value("mountpoint"), value("canmount"));
    let unmounted = ["none", "legacy", "-"].contains(&mountpoint.as_str());
    let snapshots = value(AUTO_SNAPSHOT);
    let rows = [
        (
            !unmounted,
            format!("mountpoint is {mountpoint}, not none: received datasets can be mounted"),
        ),
        (canmount == "on", "canmount is on, not off".to_owned()),
        (!state.readonly, "readonly is off: received datasets can be written to".to_owned()),
        (
            !["false", "-"].contains(&snapshots.as_str()),
            format!("{AUTO_SNAPSHOT} is {snapshots}: local snapshots block streams"),
        ),
    ];
    rows.into_iter().filter(|(wrong, _)| *wrong).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(lines: &str) -> View {
        View::parse(lines).unwrap()
    }

    fn check(lines: &str, want: &[&str]) {
        let root = Dataset::parse("tank/b").unwrap();
        assert_eq!(warnings(&view(lines), &root), want);
    }

    #[test]
    fn a_root_as_the_manual_makes_it_is_silent() {
        check(
            "tank/b\tmountpoint\tnone\tlocal\ntank/b\tcanmount\toff\tlocal\n\
             tank/b\treadonly\ton\tlocal\ntank/b\twritten\t1\t-\n\
             tank/b\tcom.sun:auto-snapshot\tfalse\tlocal\n",
            &[],
        );
        check("", &[]);
    }

    #[test]
    fn what_lets_a_backup_be_mounted_or_changed_is_told() {
        check(
            "tank/b\tmountpoint\t/tank/b\tdefault\ntank/b\tcanmount\ton\tdefault\n\
             tank/b\treadonly\toff\tdefault\ntank/b\tcom.sun:auto-snapshot\ttrue\tlocal\n\
             tank/b/a\twritten\t77\t-\ntank/b/a@s\tguid\t5\t-\ntank/b/new\twritten\t9\t-\n",
            &[
                "tank/b: mountpoint is /tank/b, not none: received datasets can be mounted",
                "tank/b: canmount is on, not off",
                "tank/b: readonly is off: received datasets can be written to",
                "tank/b: com.sun:auto-snapshot is true: local snapshots block streams",
                "tank/b/a: 77 bytes were written to the backup",
            ],
        );
    }
}
