//! Reads datasets, snapshots and bookmarks with `zfs get`.

use super::command::{Zfs, ZfsError};
use super::dialect::Dialect;
use super::name::Dataset;
use super::pool::View;
use super::state::{PLACEHOLDER, Snapshot, State};

/// Properties of a dataset that every query reads, and those that only OpenZFS has.
const OF_DATASETS: [&str; 3] = ["type", "readonly", PLACEHOLDER];
const OPEN: [&str; 2] = ["written", "receive_resume_token"];
/// Properties of a snapshot or bookmark that every query reads.
const OF_SNAPSHOTS: [&str; 3] = ["guid", "createtxg", "creation"];

/// Additional properties to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct More<'a> {
    /// Of datasets.
    pub of_datasets: &'a [&'a str],
    /// Of snapshots and bookmarks.
    pub of_snapshots: &'a [&'a str],
}

/// How deep a query goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The dataset and its snapshots. (`zfs` also lists its children, but not their snapshots.)
    One,
    /// Everything below it.
    All,
}

impl View {
    /// Reads `root` and everything below it, with the properties `more`. Empty if `root` does not
    /// exist.
    ///
    /// # Errors
    /// If `zfs` cannot be run, or its output is unexpected or incomplete.
    pub fn read(
        zfs: &Zfs,
        dialect: Dialect,
        root: &Dataset,
        depth: Depth,
        more: More<'_>,
    ) -> Result<Self, ZfsError> {
        let mut reader = Reader::default();
        let of_datasets = [&OF_DATASETS, more.of_datasets].concat();
        let of_snapshots = [&OF_SNAPSHOTS, more.of_snapshots].concat();
        let both = [&of_datasets[..], &of_snapshots].concat();
        let open = [&of_datasets[..], &OPEN].concat();
        let questions: &[(&[&str], &[&str], Of)] = match dialect {
            // There may be a thousand times as many snapshots, so their query names fewer
            // properties.
            Dialect::Open => &[
                (&["-t", "filesystem,volume"], &open, Of::Datasets),
                (&["-t", "snapshot,bookmark"], &of_snapshots, Of::Snapshots),
            ],
            Dialect::Fuse => &[(&[], &both, Of::All)],
        };
        let depth: &[&str] = if depth == Depth::One { &["-d", "1"] } else { &[] };
        for (kinds, properties, of) in questions {
            let properties = properties.join(",");
            let asked = ["-o", "name,property,value,source", &properties, root.as_str()];
            let args = [&["get", "-Hp", "-r"], depth, kinds, &asked].concat();
            let before = reader.lines;
            match zfs.lines(&args, |line| reader.line(line, *of)) {
                Ok(()) => {}
                // No line was printed, so it is `root` that does not exist, and not a dataset that
                // was destroyed while `zfs` was listing.
                Err(error) if error.is_absent() && reader.lines == before => {
                    return Ok(Self::default());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(reader.view())
    }

    #[cfg(test)]
    pub(super) fn parse(answer: &str) -> Result<Self, ZfsError> {
        let mut reader = Reader::default();
        answer.lines().try_for_each(|line| reader.line(line, Of::All))?;
        Ok(reader.view())
    }
}

/// What a query reads. Lines about other types repeat what another query has read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Datasets,
    Snapshots,
    All,
}

/// Builds a view line by line.
#[derive(Default)]
struct Reader {
    view: View,
    lines: u64,
}

impl Reader {
    fn line(&mut self, line: &str, of: Of) -> Result<(), ZfsError> {
        self.lines += 1;
        let bad = || ZfsError::Answer(line.to_owned());
        let mut fields = line.split('\t');
        let (Some(name), Some(property), Some(value)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(bad());
        };
        let source = fields.next().unwrap_or("-");
        let (dataset, part) = match name.find(['@', '#']) {
            Some(at) => (&name[..at], Some((&name[at..=at], &name[at + 1..]))),
            None => (name, None),
        };
        if (part.is_some() && of == Of::Datasets) || (part.is_none() && of == Of::Snapshots) {
            return Ok(());
        }
        let state = match Dataset::parse(dataset) {
            Ok(dataset) => self.view.datasets.entry(dataset).or_default(),
            Err(_) => self.view.unnamed.entry(dataset.to_owned()).or_default(),
        };
        let line = Line { property, value, source };
        match part {
            None => line.of_dataset(state),
            Some(("@", name)) => line.of_snapshot(find(&mut state.snapshots, name)),
            Some((_, name)) => line.of_snapshot(find(&mut state.bookmarks, name)),
        }
        .map_err(|_| bad())
    }

    fn view(mut self) -> View {
        for state in self.view.datasets.values_mut() {
            state.snapshots.sort_by_key(|snapshot| snapshot.createtxg);
            state.bookmarks.sort_by_key(|bookmark| bookmark.createtxg);
        }
        self.view
    }
}

/// The entry of this name, made if it is missing. Lines are grouped by name, so only the last entry
/// can be the one.
fn find<'a>(entries: &'a mut Vec<Snapshot>, name: &str) -> &'a mut Snapshot {
    if entries.last().is_none_or(|last| last.name != name) {
        entries.push(Snapshot { name: name.to_owned(), ..Snapshot::default() });
    }
    entries.last_mut().expect("one was pushed if there was none")
}

/// One line of the output of `zfs get`.
struct Line<'a> {
    property: &'a str,
    value: &'a str,
    source: &'a str,
}

impl Line<'_> {
    fn is_local(&self) -> bool {
        matches!(self.source, "local" | "received")
    }

    /// True if the property has a value. `-` means none, unless a person set a user property to
    /// `-`.
    fn is_set(&self) -> bool {
        (self.value, self.source) != ("-", "-")
    }

    fn of_dataset(&self, state: &mut State) -> Result<(), std::num::ParseIntError> {
        match self.property {
            "type" => state.volume = self.value == "volume",
            "readonly" => state.readonly = self.value == "on",
            "written" => state.written = self.value.parse().ok(),
            "receive_resume_token" => state.partial = self.value != "-",
            // Children inherit the mark; only the dataset that has it set is a placeholder.
            PLACEHOLDER => state.placeholder = self.is_local() && self.value == "on",
            asked if is_asked(asked) && self.is_set() => {
                state.properties.insert(asked.to_owned(), self.value.to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn of_snapshot(&self, snapshot: &mut Snapshot) -> Result<(), std::num::ParseIntError> {
        match self.property {
            "guid" => snapshot.guid = self.value.parse()?,
            "createtxg" => snapshot.createtxg = self.value.parse()?,
            "creation" => snapshot.creation = self.value.parse()?,
            asked if is_asked(asked) && self.is_local() && self.value != "-" => {
                snapshot.properties.insert(asked.to_owned(), self.value.to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

/// True if the property is an additional one.
fn is_asked(property: &str) -> bool {
    ![&OF_DATASETS[..], &OPEN, &OF_SNAPSHOTS].concat().contains(&property)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "\
tank/b\ttype\tfilesystem\t-
tank/b\treadonly\ton\tlocal
tank/b\twritten\t12\t-
tank/b\treceive_resume_token\t-\t-
tank/b\tpackmule:placeholder\ton\tlocal
tank/b@new\tguid\t18446744073709551615\t-
tank/b@new\tcreatetxg\t20\t-
tank/b@new\tpackmule:applied\tme,1,2\tlocal
tank/b@old\tguid\t5\t-
tank/b@old\tcreatetxg\t10\t-
tank/b@old\tcreation\t99\t-
tank/b@old\tpackmule:applied\tx\tinherited from tank/b
tank/b#mark\tguid\t4\t-
tank/b/c\ttype\tvolume\t-
tank/b/c\tpackmule:placeholder\ton\tinherited from tank/b
tank/b/..\ttype\tfilesystem\t-
tank/b/my docs\ttype\tfilesystem\t-
tank/b/my docs\torg:x\t-\tlocal
tank/b/my docs\torg:y\t-\t-
";

    #[test]
    fn an_answer_becomes_datasets_with_ordered_snapshots() {
        let view = View::parse(ANSWER).unwrap();
        let b = view.dataset(&Dataset::parse("tank/b").unwrap()).unwrap();
        assert!(b.readonly && b.placeholder && !b.partial && !b.volume);
        assert_eq!(b.written, Some(12));
        let names: Vec<_> = b.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
        assert_eq!(names, ["old", "new"]);
        assert_eq!(b.newest().unwrap().guid, u64::MAX);
        assert_eq!(b.newest_received().unwrap().name, "new");
        assert_eq!(b.bookmarks[0].guid, 4);
        let c = view.dataset(&Dataset::parse("tank/b/c").unwrap()).unwrap();
        assert!(c.volume && !c.placeholder, "an inherited mark is not the child's own");
        let docs = view.dataset(&Dataset::parse("tank/b/my docs").unwrap()).unwrap();
        assert_eq!(docs.properties.keys().collect::<Vec<_>>(), ["org:x"]);
        assert_eq!(view.unnamed().map(|(name, _)| name).collect::<Vec<_>>(), ["tank/b/.."]);
    }

    #[test]
    fn a_guid_that_is_not_a_number_is_an_error() {
        assert!(View::parse("tank@a\tguid\t6.02E\t-\n").is_err());
        assert!(View::parse("tank\n").is_err());
    }
}
