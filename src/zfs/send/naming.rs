//! Names of the snapshots that packmule makes. Sorted by name they are in order of time.

use std::str::FromStr;

/// The name of a set: datasets that are sent together, with bases that no other set uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetName(String);

impl SetName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not a legal name of a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a set's name (letters and digits)")]
pub struct SetNameError(String);

impl FromStr for SetName {
    type Err = SetNameError;
    fn from_str(text: &str) -> Result<Self, SetNameError> {
        if !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        Err(SetNameError(text.to_owned()))
    }
}

/// How the snapshots of a set are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `packmule-SET-20261231T235959.123456Z`, in UTC.
    #[default]
    Packmule,
    /// `__simplesnap_SET_2026-12-31T23:59:59__`, in local time. Continues a chain that simplesnap
    /// began.
    Simplesnap,
}

impl Naming {
    /// The naming and the set of a snapshot of this name; `None` if packmule did not name it.
    pub fn set_of(name: &str) -> Option<(Self, SetName)> {
        let set = |naming: Self, start, end: char| {
            let (set, _) = name.strip_prefix(start)?.split_once(end)?;
            let set: SetName = set.parse().ok()?;
            naming.is_of(&set, name).then_some((naming, set))
        };
        set(Self::Packmule, "packmule-", '-')
            .or_else(|| set(Self::Simplesnap, "__simplesnap_", '_'))
    }

    /// The name of a snapshot of this set that is made now.
    pub fn name(self, set: &SetName, now: &jiff::ZonedDateTime) -> String {
        let set = set.as_str();
        match self {
            Self::Packmule => {
                let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
                let micros = utc.subsec_nanosecond() / 1000;
                format!("packmule-{set}-{}.{micros:06}Z", utc.strftime("%Y%m%dT%H%M%S"))
            }
            Self::Simplesnap => {
                format!("__simplesnap_{set}_{}__", now.strftime("%Y-%m-%dT%H:%M:%S"))
            }
        }
    }

    /// True if a snapshot of this name belongs to the set.
    pub fn is_of(self, set: &SetName, name: &str) -> bool {
        let (start, end) = match self {
            Self::Packmule => (format!("packmule-{}-", set.as_str()), "Z"),
            Self::Simplesnap => (format!("__simplesnap_{}_", set.as_str()), "__"),
        };
        name.len() > start.len() + end.len() && name.starts_with(&start) && name.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_their_set_and_sort_by_time() {
        let set: SetName = "main".parse().unwrap();
        let now: jiff::ZonedDateTime = "2026-11-24T22:30:01.5+01:00[+01:00]".parse().unwrap();
        let name = Naming::Packmule.name(&set, &now);
        assert_eq!(name, "packmule-main-20261124T213001.500000Z");
        let simple = Naming::Simplesnap.name(&set, &now);
        assert_eq!(simple, "__simplesnap_main_2026-11-24T22:30:01__");
        assert!(Naming::Packmule.is_of(&set, &name) && Naming::Simplesnap.is_of(&set, &simple));
        assert!(!Naming::Packmule.is_of(&set, &simple));
        assert!(!Naming::Packmule.is_of(&"mai".parse().unwrap(), &name));
        assert_eq!(Naming::set_of(&name), Some((Naming::Packmule, set.clone())));
        assert_eq!(Naming::set_of(&simple), Some((Naming::Simplesnap, set)));
        for other in ["daily", "packmule-main", "packmule-a_b-1Z", "__simplesnap_main_"] {
            assert_eq!(Naming::set_of(other), None, "{other}");
        }
        for bad in ["", "a-b", "a_b", "é"] {
            assert!(bad.parse::<SetName>().is_err());
        }
    }
}
