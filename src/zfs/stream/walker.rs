//! The walker checks a stream piece by piece and reports each boundary in it.

use super::begin::Begin;
use super::fault::{Fault, Problem};
use super::fletcher::Fletcher4;
use super::nvlist;
use super::order::ByteOrder;
use super::record::{HEADER, Record, RecordType};
use super::sequence::Sequence;
use std::collections::BTreeMap;

/// Offset of the checksum in END, and in every other record.
const END_SUM: usize = 8;
const RECORD_SUM: usize = 280;

/// Checks a stream piece by piece. Does no I/O, and stores no data except one record header.
///
/// ```text
///            BEGIN(plain)            END
///   Start ------------------> Plain -----> After      (a plain stream)
///     |
///     | BEGIN(package)   END            END0
///     +-------> Header -----> Between -------> After
///                              |   ^
///                   BEGIN(plain)   | END
///                              v   |
///                              Plain
/// ```
#[derive(Debug)]
pub struct Walker {
    stage: Stage,
    package: bool,
    /// Number of bytes consumed.
    position: u64,
    /// Offset of the current record.
    record_at: u64,
    header: [u8; HEADER],
    filled: usize,
    /// Number of bytes of the current payload that are still to come.
    payload_left: u64,
    /// The BEGIN whose nvlist is not complete yet.
    pending: Option<Box<Begin>>,
    nvlist: Vec<u8>,
    /// The current plain stream or package header.
    current: Option<Current>,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Header,
    Between,
    Plain,
    After,
}

#[derive(Debug)]
struct Current {
    order: ByteOrder,
    begin: Begin,
    sum: Fletcher4,
    sequence: Sequence,
    foreign: u64,
}

/// Counts over the whole stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) records: BTreeMap<RecordType, u64>,
    pub(super) payload_bytes: u64,
    pub(super) without_checksum: u64,
    pub(super) streams: u64,
}

/// A boundary in the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The BEGIN of a package, with its nvlist.
    Package(Box<Begin>),
    /// The END of a package's header, at this offset.
    PackageHeaderEnd(u64),
    /// The BEGIN of a plain stream, with its nvlist.
    Begin(Box<Begin>),
    /// The end of a plain stream whose checksums are all correct.
    End(Box<Plain>),
    /// The end of the package.
    PackageEnd,
}

/// A complete and valid plain stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// Its BEGIN.
    pub begin: Begin,
    /// Offset of its END record.
    pub end_offset: u64,
    /// Number of records with the guid of another snapshot: unusual, but harmless.
    pub foreign_records: u64,
}

impl Default for Walker {
    fn default() -> Self {
        Self::new()
    }
}

impl Walker {
    /// A walker at the start of a stream.
    pub fn new() -> Self {
        Self {
            stage: Stage::Start,
            package: false,
            position: 0,
            record_at: 0,
            header: [0; HEADER],
            filled: 0,
            payload_left: 0,
            pending: None,
            nvlist: Vec::new(),
            current: None,
            tally: Tally::default(),
        }
    }

    /// Consumes bytes up to the next boundary, or all of `input`. Returns the number of bytes
    /// consumed.
    ///
    /// # Errors
    /// The first fault. The walker cannot be used after it.
    pub fn feed(&mut self, input: &[u8]) -> Result<(usize, Option<Event>), Fault> {
        let mut rest = input;
        while !rest.is_empty() {
            if self.stage == Stage::After {
                return Err(self.fault(self.position, Problem::Trailing));
            }
            let event = if self.payload_left > 0 {
                self.payload(&mut rest)?
            } else {
                self.fill_header(&mut rest)?
            };
            if event.is_some() {
                return Ok((input.len() - rest.len(), event));
            }
        }
        Ok((input.len(), None))
    }

    /// To be called at the end of the input.
    ///
    /// # Errors
    /// If the stream is incomplete.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.stage {
            Stage::After => Ok(()),
            _ => Err(self.fault(self.position, Problem::Truncated)),
        }
    }

    /// Number of bytes consumed.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    fn take<'a>(&mut self, rest: &mut &'a [u8], most: u64) -> &'a [u8] {
        let len = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        let (taken, left) = rest.split_at(len);
        *rest = left;
        self.position += len as u64;
        taken
    }

    fn payload(&mut self, rest: &mut &[u8]) -> Result<Option<Event>, Fault> {
        let data = self.take(rest, self.payload_left);
        self.payload_left -= data.len() as u64;
        self.tally.payload_bytes += data.len() as u64;
        if self.pending.as_ref().is_some_and(|begin| begin.reads_nvlist()) {
            self.nvlist.extend_from_slice(data);
        }
        if let Some(current) = &mut self.current {
            current.sum.update(data);
            if self.payload_left == 0 {
                current.sum.drop_tail();
            }
        }
        if self.payload_left > 0 { Ok(None) } else { self.begun() }
    }

    fn fill_header(&mut self, rest: &mut &[u8]) -> Result<Option<Event>, Fault> {
        if self.filled == 0 {
            self.record_at = self.position;
        }
        let data = self.take(rest, (HEADER - self.filled) as u64);
        self.header[self.filled..self.filled + data.len()].copy_from_slice(data);
        self.filled += data.len();
        if self.filled < HEADER {
            return Ok(None);
        }
        self.filled = 0;
        let header = self.header;
        self.record(&header).map_err(|problem| self.fault(self.record_at, problem))
    }

    fn record(&mut self, header: &[u8; HEADER]) -> Result<Option<Event>, Problem> {
        match self.stage {
            Stage::Start => self.begin(header),
            Stage::Between if header[..4] == [0; 4] => self.begin(header),
            Stage::Between => self.package_end(header),
            Stage::Header | Stage::Plain => self.inner(header),
            Stage::After => Err(Problem::Trailing),
        }
    }

    fn begin(&mut self, header: &[u8]) -> Result<Option<Event>, Problem> {
        let order = Begin::byte_order(header)?;
        let begin = Begin::parse(header, order, self.record_at)?;
        if begin.package {
            if self.package {
                return Err(Problem::NestedPackage);
            }
            self.package = true;
            self.stage = Stage::Header;
        } else {
            self.stage = Stage::Plain;
            self.tally.streams += 1;
        }
        *self.tally.records.entry(RecordType::Begin).or_default() += 1;
        let mut sum = Fletcher4::new(order);
        sum.update(header);
        self.payload_left = u64::from(begin.nvlist_len);
        self.current = Some(Current {
            order,
            begin: begin.clone(),
            sum,
            sequence: Sequence::default(),
            foreign: 0,
        });
        self.pending = Some(Box::new(begin));
        self.nvlist.clear();
        if self.payload_left > 0 { Ok(None) } else { Ok(self.begin_event()) }
    }

    /// Handles a complete payload, which may be the nvlist of a BEGIN.
    fn begun(&mut self) -> Result<Option<Event>, Fault> {
        if let Some(begin) = &mut self.pending
            && begin.reads_nvlist()
        {
            match nvlist::List::unpack(&self.nvlist) {
                Ok(list) => {
                    begin.nvlist = Some(list);
                    begin.nvlist_encoding = nvlist::Encoding::of(&self.nvlist).ok();
                }
                Err(error) => return Err(self.fault(self.record_at, error.into())),
            }
        }
        Ok(self.begin_event())
    }

    fn begin_event(&mut self) -> Option<Event> {
        let begin = self.pending.take()?;
        if let Some(current) = &mut self.current {
            current.begin.clone_from(&begin);
        }
        Some(if begin.package { Event::Package(begin) } else { Event::Begin(begin) })
    }

    /// A record between BEGIN and END, END included.
    fn inner(&mut self, header: &[u8]) -> Result<Option<Event>, Problem> {
        let current = self.current.as_mut().expect("a BEGIN led here");
        let order = current.order;
        let kind = RecordType::from_wire(order.u32(header, 0))?;
        let Begin { features, flags, .. } = current.begin;
        let record = Record { kind, order, features, flags, header };
        if self.stage == Stage::Header && kind != RecordType::End {
            return Err(Problem::OutOfPlace(kind.name()));
        }
        let payload = record.payload_len()?;
        current.sequence.follows(&record)?;
        if record.to_guid() != current.begin.to_guid {
            if kind == RecordType::End {
                let value = record.to_guid();
                return Err(Problem::Range { record: "END", field: "toguid", value });
            }
            current.foreign += 1;
        }
        *self.tally.records.entry(kind).or_default() += 1;
        let sum_at = |offset: usize| std::array::from_fn(|i| order.u64(header, offset + i * 8));
        if kind == RecordType::End && current.sum.sums() != sum_at(END_SUM) {
            return Err(Problem::EndChecksum);
        }
        current.sum.update(&header[..RECORD_SUM]);
        if header[RECORD_SUM..].iter().all(|byte| *byte == 0) {
            self.tally.without_checksum += 1;
        } else if current.sum.sums() != sum_at(RECORD_SUM) {
            return Err(Problem::RecordChecksum(kind.name()));
        }
        current.sum.update(&header[RECORD_SUM..]);
        self.payload_left = payload;
        if kind == RecordType::End { Ok(Some(self.end())) } else { Ok(None) }
    }

    fn end(&mut self) -> Event {
        let Current { begin, foreign, .. } = self.current.take().expect("END of a BEGIN");
        let header = self.stage == Stage::Header;
        self.stage = if self.package { Stage::Between } else { Stage::After };
        if header {
            return Event::PackageHeaderEnd(self.record_at);
        }
        Event::End(Box::new(Plain { begin, end_offset: self.record_at, foreign_records: foreign }))
    }

    /// END0: an END whose other bytes are all zero.
    fn package_end(&mut self, header: &[u8]) -> Result<Option<Event>, Problem> {
        let is_end = header[..4] == 5_u32.to_le_bytes() || header[..4] == 5_u32.to_be_bytes();
        if !is_end || header[4..].iter().any(|byte| *byte != 0) {
            return Err(Problem::OutOfPlace("data"));
        }
        if self.tally.streams == 0 {
            return Err(Problem::EmptyPackage);
        }
        *self.tally.records.entry(RecordType::End).or_default() += 1;
        self.stage = Stage::After;
        Ok(Some(Event::PackageEnd))
    }

    fn fault(&self, offset: u64, problem: Problem) -> Fault {
        Fault { offset, problem }
    }
}
