//! The packets of a partner that are done, for good: their names in sorted files.
//!
//! A file is `PMDONE1` and a line feed, then 32-byte names in ascending order. A look-up reads a few
//! of them; nothing is kept in memory.

use super::layout::number;
use super::recent::{Done, Sorted};
use super::store::{Ledger, LedgerError, Result};
use crate::disk::{self, DiskError, Op};
use crate::spool::{Replacement, read_at};
use packmule_protocol::id::{NodeId, PacketHash};
use std::io;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"PMDONE1\n";
const NAME: usize = 32;
/// Names in a file.
const NAMES_MAX: u64 = 1 << 20;
/// Files; beyond that the oldest goes.
const FILES_MAX: usize = 16;
/// Names that are read at once.
const BATCH: usize = 2048;

impl Done {
    /// Opens the files of `node`, the newest first.
    pub(super) fn open(ledger: &Ledger, node: &NodeId) -> Result<Self> {
        let paths = disk::files(&ledger.layout.done_dir(node))?;
        let numbered = |path: &PathBuf| number(path.file_name()?.to_str()?);
        let mut numbers: Vec<_> = paths.iter().filter_map(numbered).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let mut files = Vec::new();
        for number in numbers {
            if let Some(file) = Sorted::open(ledger.layout.done(node, number), number)? {
                files.push(file);
            }
        }
        Ok(Self(files))
    }

    /// Whether a packet is among them.
    pub(super) fn contains(&self, packet: &PacketHash) -> Result<bool> {
        for file in &self.0 {
            if file.contains(&packet.0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds names; durable on return. Repeating it does no harm.
    pub(super) fn merge(
        &self,
        ledger: &Ledger,
        node: &NodeId,
        names: impl IntoIterator<Item = PacketHash>,
    ) -> Result<()> {
        let mut names: Vec<_> = names.into_iter().map(|packet| packet.0).collect();
        names.sort_unstable();
        names.dedup();
        let newest = self.0.first();
        let room = newest.is_some_and(|file| file.names + names.len() as u64 <= NAMES_MAX);
        let number = newest.map_or(1, |file| if room { file.number } else { file.number + 1 });
        let mut new = ledger.spool.replacement(&ledger.layout.done(node, number))?;
        new.write(MAGIC)?;
        match newest.filter(|_| room) {
            Some(file) => file.merge(&names, &mut new)?,
            None => new.write(names.as_flattened())?,
        }
        new.commit()?;
        if !room {
            for old in self.0.iter().skip(FILES_MAX - 1) {
                ledger.spool.disk().remove_if_there(&old.path)?;
            }
        }
        Ok(())
    }
}

impl Sorted {
    /// Opens a file; `None` if it is gone.
    fn open(path: PathBuf, number: u64) -> Result<Option<Self>> {
        let (file, size) = match disk::open_regular_path(&path) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map(|(file, metadata)| (file, metadata.len()))?,
        };
        let mut magic = [0; MAGIC.len()];
        let read = read_at(&file, &path, 0, &mut magic)?;
        let body = size.saturating_sub(MAGIC.len() as u64);
        if read < magic.len() || &magic != MAGIC || !body.is_multiple_of(NAME as u64) {
            let reason = "is not a list of packets that are done: if you remove it, those that come \
                          again are processed again";
            return Err(LedgerError::Damaged { path, reason });
        }
        Ok(Some(Self { number, file, path, names: body / NAME as u64 }))
    }

    fn contains(&self, wanted: &[u8; NAME]) -> Result<bool> {
        let (mut low, mut high) = (0, self.names);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle)?.cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }

    fn name(&self, index: u64) -> Result<[u8; NAME]> {
        let mut name = [0; NAME];
        let at = MAGIC.len() as u64 + index * NAME as u64;
        match read_at(&self.file, &self.path, at, &mut name)? {
            NAME => Ok(name),
            _ => Err(cut(&self.path).into()),
        }
    }

    /// Writes its names and `more`, which are sorted, to `new`.
    fn merge(&self, more: &[[u8; NAME]], new: &mut Replacement) -> Result<()> {
        let mut more = more.iter().peekable();
        let mut batch = vec![0; BATCH * NAME];
        let mut out = Vec::with_capacity(2 * batch.len());
        let mut at = MAGIC.len() as u64;
        loop {
            let len = read_at(&self.file, &self.path, at, &mut batch)?;
            out.clear();
            for name in batch[..len].as_chunks::<NAME>().0 {
                while let Some(next) = more.next_if(|next| *next < name) {
                    out.extend_from_slice(next);
                }
                let _ = more.next_if_eq(&name);
                out.extend_from_slice(name);
            }
            if len < batch.len() {
                more.for_each(|name| out.extend_from_slice(name));
                return Ok(new.write(&out)?);
            }
            new.write(&out)?;
            at += len as u64;
        }
    }
}

fn cut(path: &Path) -> DiskError {
    DiskError { op: Op::Read, path: path.to_owned(), cause: io::ErrorKind::UnexpectedEof.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::{NODE, TestSpool};
    use std::fs::File;
    use std::time::{Duration, Instant};

    /// Names that are spread as digests are.
    fn name(number: u64) -> PacketHash {
        PacketHash(packmule_protocol::id::blake2b_256(&number.to_be_bytes()))
    }

    fn merge(ledger: &Ledger, names: std::ops::Range<u64>) -> Result<()> {
        Done::open(ledger, &NODE)?.merge(ledger, &NODE, names.map(name))
    }

    fn has(ledger: &Ledger, number: u64) -> bool {
        Done::open(ledger, &NODE).unwrap().contains(&name(number)).unwrap()
    }

    #[test]
    fn names_are_found_and_no_others() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        assert!(!has(&ledger, 0));
        for start in [0, 5000, 4000, 9000] {
            merge(&ledger, start..start + 3000).unwrap();
        }
        for number in 0..14_000 {
            let want = matches!(number, 0..3000 | 4000..8000 | 9000..12_000);
            assert_eq!(has(&ledger, number), want, "{number}");
        }
        let size = std::fs::metadata(ledger.layout.done(&NODE, 1)).unwrap().len();
        assert_eq!(size, 8 + 32 * 10_000, "none twice");
    }

    #[test]
    fn stopped_at_any_step_no_name_is_lost() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let ledger = Ledger::new(&test.spool);
            merge(&ledger, 0..50).unwrap();
            let (merged, reached) = fault::with(fault, at, || merge(&ledger, 50..60));
            let (old, new) = ((0..50).all(|n| has(&ledger, n)), (50..60).all(|n| has(&ledger, n)));
            assert!(old && (new || merged.is_err()), "{fault:?} at {at}");
            merge(&ledger, 50..60).unwrap();
            assert!((0..60).all(|number| has(&ledger, number)), "{fault:?} at {at}");
            reached
        });
    }

    /// A file as long as a full one, made without its names.
    fn full(ledger: &Ledger, number: u64) {
        let path = ledger.layout.done(&NODE, number);
        std::fs::create_dir_all(ledger.layout.done_dir(&NODE)).unwrap();
        std::fs::write(&path, MAGIC).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(8 + 32 * NAMES_MAX).unwrap();
    }

    #[test]
    fn a_full_file_is_followed_by_another_and_the_oldest_goes() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        (1..=16).for_each(|number| full(&ledger, number));
        merge(&ledger, 0..10).unwrap();
        merge(&ledger, 10..20).unwrap();
        assert!((0..20).all(|number| has(&ledger, number)));
        let left = std::fs::read_dir(ledger.layout.done_dir(&NODE)).unwrap().count();
        assert!(left == 16 && !ledger.layout.done(&NODE, 1).exists());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        merge(&ledger, 0..3).unwrap();
        let path = ledger.layout.done(&NODE, 1);
        let whole = std::fs::read(&path).unwrap();
        for content in [&b""[..], b"PMDONE2\n", &whole[..50], &[0; 104]] {
            std::fs::write(&path, content).unwrap();
            assert!(Done::open(&ledger, &NODE).is_err());
        }
    }

    /// Run by hand, on a disk: `cargo test --release -- --ignored a_million_names`.
    #[test]
    #[ignore = "takes a minute and a disk"]
    fn a_million_names_are_looked_up_in_five_milliseconds() {
        let test = TestSpool::new();
        let ledger = Ledger::new(&test.spool);
        for start in (0..1_000_000).step_by(4096) {
            merge(&ledger, start..start + 4096).unwrap();
        }
        let path = ledger.layout.done(&NODE, 1);
        let mut slowest = Duration::ZERO;
        for number in (0..2_000_000).step_by(40_009) {
            let file = File::open(&path).unwrap();
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
            let begun = Instant::now();
            assert_eq!(has(&ledger, number), number < 1_003_520);
            slowest = slowest.max(begun.elapsed());
        }
        println!("slowest: {slowest:?}");
        assert!(slowest < Duration::from_millis(5), "{slowest:?}");
    }
}
