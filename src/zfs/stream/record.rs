//! The records of a stream but BEGIN: their types, payload lengths, and the range of each field.

use super::order::ByteOrder;
use super::{Features, Problem};

/// Length of every record's header, in bytes.
pub const HEADER: usize = 312;
const BLOCK: u64 = 16 << 20;
const SMALL_BLOCK: u64 = 128 << 10;
const BONUS: u64 = 16 << 10;
const EMBEDDED: u64 = 112;
const SLOTS: u64 = 32;
const TO_THE_END: u64 = u64::MAX;

/// What a record does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum RecordType {
    /// Opens a stream.
    Begin,
    /// Makes or changes an object.
    Object,
    /// Removes a range of objects.
    FreeObjects,
    /// Writes a block.
    Write,
    /// Removes a range of an object.
    Free,
    /// Closes a stream, with its checksum.
    End,
    /// A block equal to one sent before (dedup streams).
    WriteByref,
    /// Writes a spill block.
    Spill,
    /// Writes a block so small that it lives in its pointer.
    WriteEmbedded,
    /// Encryption parameters of a range of objects (raw streams).
    ObjectRange,
    /// A range left out on purpose.
    Redact,
}

impl RecordType {
    const ALL: [(Self, &str); 11] = [
        (Self::Begin, "BEGIN"),
        (Self::Object, "OBJECT"),
        (Self::FreeObjects, "FREEOBJECTS"),
        (Self::Write, "WRITE"),
        (Self::Free, "FREE"),
        (Self::End, "END"),
        (Self::WriteByref, "WRITE_BYREF"),
        (Self::Spill, "SPILL"),
        (Self::WriteEmbedded, "WRITE_EMBEDDED"),
        (Self::ObjectRange, "OBJECT_RANGE"),
        (Self::Redact, "REDACT"),
    ];

    pub(super) fn from_wire(number: u32) -> Result<Self, Problem> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(index).map(|(kind, _)| *kind).ok_or(Problem::UnknownType(number))
    }

    /// The name in ZFS's own tools.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// The header of one record.
pub(super) struct Record<'a> {
    pub(super) kind: RecordType,
    pub(super) order: ByteOrder,
    pub(super) features: Features,
    pub(super) header: &'a [u8],
}

impl Record<'_> {
    /// Length of the payload that follows, with every field that steers a receiver checked.
    pub(super) fn payload_len(&self) -> Result<u64, Problem> {
        self.within("payloadlen", self.u32(4), 0..=0)?;
        match self.kind {
            RecordType::Begin => Err(Problem::OutOfPlace("BEGIN")),
            RecordType::End => self.end(),
            RecordType::FreeObjects => self.no_wrap("numobjs", self.u64(8), self.u64(16)),
            RecordType::Free => self.range_to_the_end(),
            RecordType::Redact => {
                self.needs(Features::REDACTED)?;
                self.range_to_the_end()
            }
            RecordType::Object => self.object(),
            RecordType::Write => self.write(),
            RecordType::WriteByref => {
                self.needs(Features::DEDUP)?;
                self.within("length", self.u64(24), 0..=BLOCK)?;
                self.no_wrap("length", self.u64(16), self.u64(24))
            }
            RecordType::Spill => self.spill(),
            RecordType::WriteEmbedded => self.embedded(),
            RecordType::ObjectRange => self.object_range(),
        }
    }

    /// The guid of the snapshot that the record says it belongs to.
    pub(super) fn to_guid(&self) -> u64 {
        self.u64(match self.kind {
            RecordType::Begin | RecordType::Object | RecordType::Write | RecordType::End => 40,
            RecordType::FreeObjects | RecordType::Spill | RecordType::ObjectRange => 24,
            RecordType::Free
            | RecordType::WriteByref
            | RecordType::WriteEmbedded
            | RecordType::Redact => 32,
        })
    }

    /// Old senders leave END without a checksum of its own, so its unused bytes must be zero.
    fn end(&self) -> Result<u64, Problem> {
        match self.header[48..280].iter().all(|byte| *byte == 0) {
            true => Ok(0),
            false => Err(self.out_of_range("unused bytes", 1)),
        }
    }

    fn object(&self) -> Result<u64, Problem> {
        let (block, bonus, raw_bonus) = (self.u32(24), self.u32(28), self.u32(36));
        self.within("blksz", block, 0..=self.largest_block())?;
        self.multiple("blksz", block, 512)?;
        self.within("bonuslen", bonus, 0..=BONUS)?;
        let raw = self.has(Features::RAW);
        self.within("raw_bonuslen", raw_bonus, 0..=if raw { BONUS } else { 0 })?;
        Ok(if raw_bonus == 0 { bonus.next_multiple_of(8) } else { raw_bonus })
    }

    fn write(&self) -> Result<u64, Problem> {
        let (logical, compressed) = (self.u64(32), self.u64(96));
        self.within("logical_size", logical, 512..=self.largest_block())?;
        self.no_wrap("offset", self.u64(24), logical)?;
        if self.header[50] == 0 {
            self.within("compressed_size", compressed, 0..=0)?;
            return Ok(logical);
        }
        if !self.has(Features::COMPRESSED) && !self.has(Features::RAW) {
            return Err(Problem::Feature("compressed WRITE"));
        }
        self.within("compressed_size", compressed, 1..=logical)?;
        Ok(compressed)
    }

    fn spill(&self) -> Result<u64, Problem> {
        let (len, compressed) = (self.u64(16), self.u64(40));
        self.within("length", len, 512..=BLOCK)?;
        let allowed = if self.has(Features::RAW) { 1..=len } else { 0..=0 };
        self.within("compressed_size", compressed, allowed)?;
        Ok(if compressed == 0 { len } else { compressed })
    }

    fn embedded(&self) -> Result<u64, Problem> {
        self.needs(Features::EMBEDDED)?;
        if self.has(Features::RAW) {
            return Err(Problem::Feature(self.kind.name()));
        }
        let (len, logical, physical) = (self.u64(24), self.u32(48), self.u32(52));
        self.within("length", len, 0..=BLOCK)?;
        self.no_wrap("offset", self.u64(16), len)?;
        self.within("lsize", logical, 0..=len)?;
        self.within("psize", physical, 0..=EMBEDDED)?;
        Ok(physical.next_multiple_of(8))
    }

    fn object_range(&self) -> Result<u64, Problem> {
        self.needs(Features::RAW)?;
        self.within("numslots", self.u64(16), SLOTS..=SLOTS)?;
        self.multiple("firstobj", self.u64(8), SLOTS)?;
        self.no_wrap("firstobj", self.u64(8), SLOTS)
    }

    fn range_to_the_end(&self) -> Result<u64, Problem> {
        match self.u64(24) {
            TO_THE_END => Ok(0),
            len => self.no_wrap("length", self.u64(16), len),
        }
    }

    fn largest_block(&self) -> u64 {
        if self.has(Features::LARGE_BLOCKS) { BLOCK } else { SMALL_BLOCK }
    }

    fn has(&self, feature: Features) -> bool {
        self.features.contains(feature)
    }

    fn needs(&self, feature: Features) -> Result<(), Problem> {
        if self.has(feature) { Ok(()) } else { Err(Problem::Feature(self.kind.name())) }
    }

    fn within(
        &self,
        field: &'static str,
        value: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<(), Problem> {
        if range.contains(&value) { Ok(()) } else { Err(self.out_of_range(field, value)) }
    }

    fn multiple(&self, field: &'static str, value: u64, of: u64) -> Result<(), Problem> {
        if value.is_multiple_of(of) { Ok(()) } else { Err(self.out_of_range(field, value)) }
    }

    /// No payload follows, and `start + len` does not wrap.
    fn no_wrap(&self, field: &'static str, start: u64, len: u64) -> Result<u64, Problem> {
        start.checked_add(len).map(|_| 0).ok_or_else(|| self.out_of_range(field, len))
    }

    fn out_of_range(&self, field: &'static str, value: u64) -> Problem {
        Problem::Range { record: self.kind.name(), field, value }
    }

    fn u32(&self, offset: usize) -> u64 {
        u64::from(self.order.u32(self.header, offset))
    }

    fn u64(&self, offset: usize) -> u64 {
        self.order.u64(self.header, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        kind: RecordType,
        features: Features,
        fields: &[(usize, u64)],
    ) -> Result<u64, Problem> {
        let mut header = [0; HEADER];
        for (offset, value) in fields {
            header[*offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        }
        Record { kind, order: ByteOrder::Little, features, header: &header }.payload_len()
    }

    fn refused(kind: RecordType, features: Features, fields: &[(usize, u64)], want: &str) {
        match check(kind, features, fields) {
            Err(Problem::Range { field, .. }) => assert_eq!(field, want),
            Err(Problem::Feature(name)) => assert_eq!(name, want),
            other => panic!("{kind:?} {want}: {other:?}"),
        }
    }

    const PLAIN: Features = Features::DEDUP;
    const RAW: Features = Features::RAW;

    #[test]
    fn payload_lengths_follow_the_fields() {
        use RecordType as R;
        assert_eq!(check(R::Object, PLAIN, &[(24, 512 | 13 << 32)]), Ok(16));
        assert_eq!(check(R::Object, RAW, &[(24, 13 << 32), (32, 7 << 32)]), Ok(7));
        assert_eq!(check(R::Write, PLAIN, &[(32, 4096)]), Ok(4096));
        let compressed = [(32, 4096), (48, 15 << 16), (96, 100)];
        assert_eq!(check(R::Write, Features::COMPRESSED, &compressed), Ok(100));
        assert_eq!(check(R::Spill, PLAIN, &[(16, 512)]), Ok(512));
        assert_eq!(check(R::Spill, RAW, &[(16, 1024), (40, 512)]), Ok(512));
        let embedded = [(24, 512), (48, 512 | 33 << 32)];
        assert_eq!(check(R::WriteEmbedded, Features::EMBEDDED, &embedded), Ok(40));
        assert_eq!(check(R::Free, PLAIN, &[(16, 5), (24, u64::MAX)]), Ok(0));
    }

    #[test]
    fn every_field_out_of_range_is_refused() {
        use RecordType as R;
        let kib = 1024;
        refused(R::Free, PLAIN, &[(0, 1 << 32)], "payloadlen");
        refused(R::Free, PLAIN, &[(16, 5), (24, u64::MAX - 1)], "length");
        refused(R::FreeObjects, PLAIN, &[(8, 2), (16, u64::MAX - 1)], "numobjs");
        refused(R::Object, PLAIN, &[(24, 513)], "blksz");
        refused(R::Object, PLAIN, &[(24, 256 * kib)], "blksz");
        refused(R::Object, PLAIN, &[(24, (16 * kib + 1) << 32)], "bonuslen");
        refused(R::Object, PLAIN, &[(32, 1 << 32)], "raw_bonuslen");
        refused(R::Object, RAW, &[(32, (16 * kib + 1) << 32)], "raw_bonuslen");
        refused(R::Write, PLAIN, &[(32, 511)], "logical_size");
        refused(R::Write, PLAIN, &[(32, 129 * kib)], "logical_size");
        refused(R::Write, Features::LARGE_BLOCKS, &[(32, 17 * kib * kib)], "logical_size");
        refused(R::Write, PLAIN, &[(24, u64::MAX), (32, 512)], "offset");
        refused(R::Write, PLAIN, &[(32, 512), (96, 1)], "compressed_size");
        refused(R::Write, PLAIN, &[(32, 512), (48, 2 << 16), (96, 1)], "compressed WRITE");
        refused(R::Write, RAW, &[(32, 512), (48, 2 << 16)], "compressed_size");
        refused(R::Write, RAW, &[(32, 512), (48, 2 << 16), (96, 513)], "compressed_size");
        refused(R::WriteByref, RAW, &[(24, 512)], "WRITE_BYREF");
        refused(R::Spill, PLAIN, &[(16, 0)], "length");
        refused(R::Spill, PLAIN, &[(16, u64::MAX)], "length");
        refused(R::Spill, PLAIN, &[(16, 512), (40, 1)], "compressed_size");
        refused(R::Spill, RAW, &[(16, 512)], "compressed_size");
        refused(R::WriteEmbedded, PLAIN, &[], "WRITE_EMBEDDED");
        refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 113 << 32)], "psize");
        refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 1)], "lsize");
        refused(R::WriteEmbedded, Features::EMBEDDED, &[(24, u64::MAX)], "length");
        refused(R::ObjectRange, PLAIN, &[(16, 32)], "OBJECT_RANGE");
        refused(R::ObjectRange, RAW, &[(16, 31)], "numslots");
        refused(R::ObjectRange, RAW, &[(8, 31), (16, 32)], "firstobj");
        refused(R::Redact, PLAIN, &[], "REDACT");
    }
}
