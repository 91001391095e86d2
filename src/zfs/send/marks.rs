//! Marks record in the pool which snapshots were sent where, so that they cannot contradict the
//! pool.
//!
//! On OpenZFS a mark is a bookmark `#packmule:SET:DESTINATION:ROLE:GUID`, followed by the letters
//! of [`Chain`], if any. A bookmark takes no space and survives its snapshot. A `zfs` without
//! bookmarks gets a user property on the snapshot, which a hold protects.

use super::super::command::{Zfs, ZfsError};
use super::super::dialect::Dialect;
use super::super::name::Dataset;
use super::super::state::{Snapshot, State};
use super::age::Age;
use super::chain::Chain;
use super::error::SendError;
use super::naming::SetName;
use std::collections::BTreeSet;

/// The hold on snapshots that have a mark.
pub(super) const HOLD: &str = "packmule";

/// The meaning of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The snapshot begins a chain. It may be queued: a killed run leaves that unknown.
    Pending,
    /// The snapshot is durably queued for the destination.
    Sent,
    /// The destination confirmed that it has the snapshot.
    Confirmed,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Pending, Self::Sent, Self::Confirmed];

    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
        }
    }

    /// The user property for this role, for a `zfs` without bookmarks.
    pub(super) fn property(self) -> &'static str {
        match self {
            Self::Pending => "packmule:pending",
            Self::Sent => "packmule:sent",
            Self::Confirmed => "packmule:confirmed",
        }
    }
}

/// The marks of one set and destination.
#[derive(Debug, Clone)]
pub struct Marks {
    dialect: Dialect,
    /// `SET:DESTINATION`.
    key: String,
}

/// A marked snapshot, which may be destroyed already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The snapshot's guid.
    pub guid: u64,
    /// The name for `zfs send -i`: `#bookmark` or `@snapshot`.
    pub base: String,
    /// Orders the marks of a dataset.
    pub createtxg: u64,
    /// Creation of the snapshot, seconds since 1970.
    pub creation: u64,
    /// The features of the chain from here on; `None` if unknown.
    pub chain: Option<Chain>,
}

impl Mark {
    /// A mark that stands for a snapshot.
    pub fn of_snapshot(snapshot: &Snapshot) -> Self {
        Self::new('@', snapshot, None)
    }

    /// A mark that stands for a bookmark of any tool.
    pub fn of_bookmark(bookmark: &Snapshot) -> Self {
        Self::new('#', bookmark, None)
    }

    fn new(sign: char, of: &Snapshot, chain: Option<Chain>) -> Self {
        Self {
            guid: of.guid,
            base: format!("{sign}{}", of.name),
            createtxg: of.createtxg,
            creation: of.creation,
            chain,
        }
    }
}

impl Marks {
    /// The marks of this set for this destination.
    ///
    /// # Errors
    /// If the destination's name cannot be part of a mark.
    pub fn new(dialect: Dialect, set: &SetName, destination: &str) -> Result<Self, SendError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if destination.is_empty() || destination.len() > 60 || !destination.bytes().all(legal) {
            return Err(SendError::Destination(destination.to_owned()));
        }
        Ok(Self { dialect, key: format!("{}:{destination}", set.as_str()) })
    }

    /// The marks of every set of a dataset that was sent to this destination.
    pub fn of_destination(dialect: Dialect, state: &State, destination: &str) -> Vec<Self> {
        let ours = |key: &String| key.split_once(':').is_some_and(|(_, to)| to == destination);
        let keys = keys(dialect, state, Role::Sent).into_iter().filter(ours);
        keys.map(|key| Self { dialect, key }).collect()
    }

    /// The set's name.
    pub fn set_name(&self) -> &str {
        self.key.split(':').next().unwrap_or_default()
    }

    /// True if the set was, or may have been, sent to another destination too.
    pub fn has_others(&self, state: &State) -> bool {
        let set = |key: &str| key.split(':').next().map(str::to_owned);
        let other = |key: &String| *key != self.key && set(key) == set(&self.key);
        Role::ALL.iter().any(|role| keys(self.dialect, state, *role).iter().any(other))
    }

    /// The marks of a role in a dataset, oldest first.
    pub fn all(&self, state: &State, role: Role) -> Vec<Mark> {
        let start = self.start(role);
        match self.dialect {
            Dialect::Open => {
                let ours = state.bookmarks.iter().filter_map(|mark| {
                    let guid = mark.name.strip_prefix(&start)?;
                    let chain = Chain::from_suffix(guid.get(16..).unwrap_or_default());
                    Some(Mark::new('#', mark, Some(chain)))
                });
                ours.collect()
            }
            Dialect::Fuse => {
                let ours = state.snapshots.iter().filter(|snapshot| self.is_on(snapshot, role));
                ours.map(Mark::of_snapshot).collect()
            }
        }
    }

    /// The newest snapshot with this role.
    pub fn newest(&self, state: &State, role: Role) -> Option<Mark> {
        self.all(state, role).pop()
    }

    /// The snapshot that a killed run may have queued as the first of the chain.
    pub fn pending(&self, state: &State) -> Option<Mark> {
        self.newest(state, Role::Pending).filter(|mark| state.snapshot(mark.guid).is_some())
    }

    /// The features of the chain at this snapshot.
    pub fn chain_at(&self, state: &State, guid: u64) -> Option<Chain> {
        let marks = [Role::Sent, Role::Confirmed].map(|role| self.all(state, role)).concat();
        marks.into_iter().find(|mark| mark.guid == guid)?.chain
    }

    /// Marks a snapshot, or the bookmark of a destroyed one. Keeps an existing mark. Returns true
    /// if there was none.
    ///
    /// # Errors
    /// Those of `zfs`.
    pub fn set(
        &self,
        zfs: &Zfs,
        dataset: &Dataset,
        state: &State,
        mark: &Mark,
        role: Role,
    ) -> Result<bool, ZfsError> {
        if self.all(state, role).iter().any(|other| other.guid == mark.guid) {
            return Ok(false);
        }
        let name = format!("{dataset}{}", mark.base);
        if self.dialect == Dialect::Open {
            let chain = mark.chain.unwrap_or_default();
            let new = format!("{dataset}#{}{:016x}{chain}", self.start(role), mark.guid);
            return zfs.ask(&["bookmark", &name, &new]).map(|_| true);
        }
        // Another run, for another destination, may have marked it since the pool was read.
        let property = role.property();
        let others = zfs.ask(&["get", "-H", "-o", "value", property, &name])?;
        let others = others.trim().split(',').filter(|key| !matches!(*key, "-" | ""));
        let keys: Vec<_> = others.chain([&*self.key]).collect();
        if !state.snapshot(mark.guid).is_some_and(is_marked) {
            // Fails if the snapshot already has the hold, which is fine.
            let _ = zfs.ask(&["hold", HOLD, &name]);
        }
        zfs.ask(&["set", &format!("{property}={}", keys.join(",")), &name]).map(|_| true)
    }

    /// Removes the marks of a role on snapshots whose guids match.
    ///
    /// # Errors
    /// Those of `zfs`.
    pub fn clear(
        &self,
        zfs: &Zfs,
        dataset: &Dataset,
        state: &State,
        role: Role,
        which: impl Fn(u64) -> bool,
    ) -> Result<(), ZfsError> {
        for mark in self.all(state, role).iter().filter(|mark| which(mark.guid)) {
            self.remove(zfs, dataset, state, mark, role)?;
        }
        Ok(())
    }

    /// Turns `confirmed` marks into `sent` marks: the destination begins a new chain, so it no
    /// longer has what it confirmed. The `sent` marks let a person undo a mistaken restart.
    ///
    /// # Errors
    /// Those of `zfs`.
    pub fn demote(&self, zfs: &Zfs, dataset: &Dataset, state: &State) -> Result<(), ZfsError> {
        for mark in self.all(state, Role::Confirmed) {
            self.set(zfs, dataset, state, &mark, Role::Sent)?;
        }
        self.clear(zfs, dataset, state, Role::Confirmed, |_| true)
    }

    /// Removes old marks of a role, but never the newest one. If marks are properties of snapshots,
    /// keeps only the newest, because each one keeps its snapshot's space in use.
    ///
    /// # Errors
    /// Those of `zfs`.
    pub fn prune(
        &self,
        zfs: &Zfs,
        dataset: &Dataset,
        state: &State,
        role: Role,
        age: &Age,
    ) -> Result<(), ZfsError> {
        let marks = self.all(state, role);
        let old = match self.dialect {
            Dialect::Open => {
                age.expired(&marks.iter().map(|mark| mark.creation).collect::<Vec<_>>())
            }
            Dialect::Fuse => (0..marks.len().saturating_sub(1)).collect(),
        };
        for at in old {
            self.remove(zfs, dataset, state, &marks[at], role)?;
        }
        Ok(())
    }

    fn remove(
        &self,
        zfs: &Zfs,
        dataset: &Dataset,
        state: &State,
        mark: &Mark,
        role: Role,
    ) -> Result<(), ZfsError> {
        if self.dialect == Dialect::Open {
            return zfs.ask(&["destroy", &format!("{dataset}{}", mark.base)]).map(drop);
        }
        let Some(snapshot) = state.snapshot(mark.guid) else { return Ok(()) };
        let name = format!("{dataset}@{}", snapshot.name);
        let mut left = snapshot.clone();
        let keys = snapshot.properties.get(role.property()).cloned().unwrap_or_default();
        let keys: Vec<_> = keys.split(',').filter(|key| *key != self.key).collect();
        if keys.is_empty() {
            left.properties.remove(role.property());
            zfs.ask(&["inherit", role.property(), &name])?;
        } else {
            zfs.ask(&["set", &format!("{}={}", role.property(), keys.join(",")), &name])?;
        }
        if !is_marked(&left) {
            zfs.ask(&["release", HOLD, &name])?;
        }
        Ok(())
    }

    fn start(&self, role: Role) -> String {
        format!("packmule:{}:{}:", self.key, role.word())
    }

    fn is_on(&self, snapshot: &Snapshot, role: Role) -> bool {
        let keys = snapshot.properties.get(role.property());
        keys.is_some_and(|keys| keys.split(',').any(|key| key == self.key))
    }
}

/// `SET:DESTINATION` of each mark of a role.
fn keys(dialect: Dialect, state: &State, role: Role) -> BTreeSet<String> {
    match dialect {
        Dialect::Open => {
            let key = |mark: &Snapshot| {
                let words: Vec<_> = mark.name.strip_prefix("packmule:")?.split(':').collect();
                let [set, destination, word, ..] = words[..] else { return None };
                (word == role.word()).then(|| format!("{set}:{destination}"))
            };
            state.bookmarks.iter().filter_map(key).collect()
        }
        Dialect::Fuse => {
            let properties =
                state.snapshots.iter().filter_map(|s| s.properties.get(role.property()));
            properties.flat_map(|keys| keys.split(',').map(str::to_owned)).collect()
        }
    }
}

/// True if the snapshot has a mark of any set and destination.
pub(super) fn is_marked(snapshot: &Snapshot) -> bool {
    Role::ALL.iter().any(|role| snapshot.properties.contains_key(role.property()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(dialect: Dialect) -> Marks {
        Marks::new(dialect, &"main".parse().unwrap(), "vault").unwrap()
    }

    fn named(name: &str, guid: u64) -> Snapshot {
        Snapshot { name: name.to_owned(), guid, createtxg: guid, ..Snapshot::default() }
    }

    #[test]
    fn bookmarks_of_other_sets_destinations_and_roles_are_not_ours() {
        let bookmarks = vec![
            named("packmule:main:vault:sent:0000000000000001", 1),
            named("packmule:main:vault2:sent:0000000000000002", 2),
            named("packmule:other:vault:sent:0000000000000003", 3),
            named("packmule:main:vault:confirmed:0000000000000004", 4),
            named("packmule:main:vault:sent:0000000000000005:wL", 5),
        ];
        let state = State { bookmarks, ..State::default() };
        let marks = marks(Dialect::Open);
        let guids: Vec<_> = marks.all(&state, Role::Sent).iter().map(|mark| mark.guid).collect();
        assert_eq!(guids, [1, 5]);
        assert_eq!(marks.chain_at(&state, 1), Some(Chain::default()));
        assert_eq!(marks.chain_at(&state, 5), Some(Chain { raw: true, large_blocks: true }));
        assert_eq!(marks.chain_at(&state, 2), None);
        let sets = Marks::of_destination(Dialect::Open, &state, "vault");
        assert_eq!(
            sets.iter().map(|marks| &*marks.key).collect::<Vec<_>>(),
            ["main:vault", "other:vault"]
        );
        let has_others = |set: &str, to: &str| {
            Marks::new(Dialect::Open, &set.parse().unwrap(), to).unwrap().has_others(&state)
        };
        assert!(has_others("main", "vault") && has_others("other", "new"));
        assert!(!has_others("other", "vault") && !has_others("third", "vault"));
        let newest = marks.newest(&state, Role::Confirmed).unwrap();
        assert_eq!(newest.base, "#packmule:main:vault:confirmed:0000000000000004");
    }

    #[test]
    fn without_bookmarks_properties_of_snapshots_are_the_marks() {
        let mut snapshot = named("s", 1);
        snapshot.properties.insert("packmule:sent".into(), "main:a,main:vault".into());
        let state = State { snapshots: vec![snapshot, named("t", 2)], ..State::default() };
        assert_eq!(marks(Dialect::Fuse).newest(&state, Role::Sent).unwrap().base, "@s");
        assert_eq!(marks(Dialect::Fuse).newest(&state, Role::Confirmed), None);
    }

    #[test]
    fn a_destination_that_does_not_fit_is_refused() {
        for name in ["", "a:b", "a/b", "a b"] {
            assert!(Marks::new(Dialect::Open, &"main".parse().unwrap(), name).is_err());
        }
    }
}
