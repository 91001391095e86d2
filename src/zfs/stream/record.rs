//! The records of a stream except BEGIN: their types, payload lengths, and the range of each field.

use super::begin::BeginFlags;
use super::fault::Problem;
use super::features::Features;
use super::order::ByteOrder;

/// Length of each record's header, in bytes.
pub const HEADER: usize = 312;
const SECTOR: u64 = 512;
const BLOCK: u64 = 16 << 20;
const SMALL_BLOCK: u64 = 128 << 10;
/// A dnode: bytes per slot, of which this many are the core and one block pointer.
const SLOT: u64 = 512;
const CORE: u64 = 192;
const EMBEDDED: u64 = 112;
const SLOTS: u64 = 32;
const TO_THE_END: u64 = u64::MAX;
/// Object numbers are below this. Object 0 is the meta-dnode.
const OBJECTS: u64 = 1 << 48;
/// Object types: below this, or with this bit and one of the byte-swap functions.
const TYPES: u64 = 54;
const NEW_TYPE: u64 = 0x80;
const SWAPS: u64 = 10;
/// Checksum and compression algorithms, and kinds of embedded data.
const CHECKSUMS: u64 = 15;
const COMPRESSIONS: u64 = 17;
const EMBEDDED_KINDS: u64 = 3;
/// The compression algorithm "off".
const OFF: u64 = 2;
/// Shape of a file's tree of blocks.
const INDIRECT_SHIFT: u64 = 24;
const LEVELS: u64 = 12;
const POINTERS: u64 = 3;
/// Flag of an OBJECT record: it has a spill block.
const HAS_SPILL: u64 = 4;

/// Record types.
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
    /// Repeats a block that was sent before (deduplicated streams).
    WriteByref,
    /// Writes a spill block.
    Spill,
    /// Writes an embedded-data block: one that fits into its block pointer.
    WriteEmbedded,
    /// Encryption parameters of a range of objects (raw streams).
    ObjectRange,
    /// A range that was redacted.
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
///
/// The ranges are those that the `zfs receive` of OpenZFS checks in the kernel. A stream outside
/// them fails half-way, or does damage. Old and current senders stay within them.
pub(super) struct Record<'a> {
    pub(super) kind: RecordType,
    pub(super) order: ByteOrder,
    pub(super) features: Features,
    pub(super) flags: BeginFlags,
    pub(super) header: &'a [u8],
}

impl Record<'_> {
    /// Length of the payload. Checks every field that a receiver uses.
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
            RecordType::Object => self.object_record(),
            RecordType::Write => self.write(),
            RecordType::WriteByref => self.write_byref(),
            RecordType::Spill => self.spill(),
            RecordType::WriteEmbedded => self.embedded(),
            RecordType::ObjectRange => self.object_range(),
        }
    }

    /// The guid of the snapshot that the record belongs to.
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

    /// The first field: the object of the record, or the first object of its range.
    pub(super) fn object(&self) -> u64 {
        self.u64(8)
    }

    /// Offset of a WRITE within its object.
    pub(super) fn write_offset(&self) -> u64 {
        self.u64(24)
    }

    pub(super) fn out_of_range(&self, field: &'static str, value: u64) -> Problem {
        Problem::Range { record: self.kind.name(), field, value }
    }

    /// Old senders write END without a checksum of its own. Then its unused bytes must be zero.
    fn end(&self) -> Result<u64, Problem> {
        match self.header[48..280].iter().all(|byte| *byte == 0) {
            true => Ok(0),
            false => Err(self.out_of_range("unused bytes", 1)),
        }
    }

    fn object_record(&self) -> Result<u64, Problem> {
        self.is_object()?;
        self.within("type", self.u32(16), 1..=u64::MAX)?;
        self.is_type("type", self.u32(16))?;
        self.is_type("bonustype", self.u32(20))?;
        self.is_block("blksz", self.u32(24), self.largest_block())?;
        self.below("checksumtype", self.u8(32), CHECKSUMS)?;
        self.below("compress", self.u8(33), COMPRESSIONS)?;
        self.within("dn_slots", self.u8(34), 0..=SLOTS)?;
        // Senders older than large dnodes leave this field zero.
        let room = self.u8(34).max(1) * SLOT - CORE;
        let (bonus, raw_bonus) = (self.u32(28), self.u32(36));
        self.within("bonuslen", bonus, 0..=room)?;
        if self.has(Features::RAW) {
            self.within("raw_bonuslen", raw_bonus, bonus..=room)?;
            self.within("indblkshift", self.u8(48), 0..=INDIRECT_SHIFT)?;
            self.within("nlevels", self.u8(49), 0..=LEVELS)?;
            self.within("nblkptr", self.u8(50), 0..=POINTERS)?;
        } else {
            let spill = if self.flags.has_spill_blocks() { HAS_SPILL } else { 0 };
            self.within("flags", self.u8(35) & !spill, 0..=0)?;
            self.within("raw_bonuslen", raw_bonus, 0..=0)?;
            let shape = [("indblkshift", 48), ("nlevels", 49), ("nblkptr", 50)];
            shape.iter().try_for_each(|(field, at)| self.within(field, self.u8(*at), 0..=0))?;
        }
        Ok(if raw_bonus == 0 { bonus.next_multiple_of(8) } else { raw_bonus })
    }

    fn write(&self) -> Result<u64, Problem> {
        let (logical, compressed) = (self.u64(32), self.u64(96));
        self.is_object()?;
        self.is_type("type", self.u32(16))?;
        self.is_block("logical_size", logical, self.largest_block())?;
        self.no_wrap("offset", self.write_offset(), logical)?;
        let compression = self.u8(50);
        self.below("compressiontype", compression, COMPRESSIONS)?;
        if compression == 0 {
            self.within("compressed_size", compressed, 0..=0)?;
            return Ok(logical);
        }
        if !self.has(Features::COMPRESSED) && !self.has(Features::RAW) {
            return Err(Problem::Feature("compressed WRITE"));
        }
        let least = if compression == OFF { logical } else { 1 };
        self.within("compressed_size", compressed, least..=logical)?;
        Ok(compressed)
    }

    fn write_byref(&self) -> Result<u64, Problem> {
        self.needs(Features::DEDUP)?;
        self.is_object()?;
        let len = self.u64(24);
        self.is_block("length", len, BLOCK)?;
        self.within("refguid", self.u64(40), 1..=u64::MAX)?;
        self.within("refobject", self.u64(48), 1..=OBJECTS - 1)?;
        self.no_wrap("refoffset", self.u64(56), len)?;
        self.no_wrap("length", self.u64(16), len)
    }

    fn spill(&self) -> Result<u64, Problem> {
        let (len, compressed) = (self.u64(16), self.u64(40));
        self.is_object()?;
        self.is_block("length", len, BLOCK)?;
        if self.has(Features::RAW) {
            self.is_type("type", self.u32(84))?;
            self.below("compressiontype", self.u8(33), COMPRESSIONS)?;
            self.within("compressed_size", compressed, 1..=len)?;
            return Ok(compressed);
        }
        self.within("compressed_size", compressed, 0..=0)?;
        Ok(len)
    }

    fn embedded(&self) -> Result<u64, Problem> {
        self.needs(Features::EMBEDDED)?;
        if self.has(Features::RAW) {
            return Err(Problem::Feature(self.kind.name()));
        }
        let (len, logical, physical) = (self.u64(24), self.u32(48), self.u32(52));
        self.is_object()?;
        self.is_block("length", len, BLOCK)?;
        self.no_wrap("offset", self.u64(16), len)?;
        self.below("compression", self.u8(40), COMPRESSIONS)?;
        self.below("etype", self.u8(41), EMBEDDED_KINDS)?;
        self.within("lsize", logical, 1..=len)?;
        self.within("psize", physical, 1..=EMBEDDED)?;
        Ok(physical.next_multiple_of(8))
    }

    fn object_range(&self) -> Result<u64, Problem> {
        self.needs(Features::RAW)?;
        self.within("numslots", self.u64(16), SLOTS..=SLOTS)?;
        self.multiple("firstobj", self.object(), SLOTS)?;
        self.within("firstobj", self.object(), 0..=OBJECTS - SLOTS)?;
        Ok(0)
    }

    fn range_to_the_end(&self) -> Result<u64, Problem> {
        self.is_object()?;
        match self.u64(24) {
            TO_THE_END => Ok(0),
            len => self.no_wrap("length", self.u64(16), len),
        }
    }

    fn is_object(&self) -> Result<(), Problem> {
        self.within("object", self.object(), 1..=OBJECTS - 1)
    }

    /// A named type, or one that names its byte-swap function.
    fn is_type(&self, field: &'static str, number: u64) -> Result<(), Problem> {
        let is_new = number & NEW_TYPE != 0 && number <= 0xff;
        let is_known = if is_new { number & 0x1f < SWAPS } else { number < TYPES };
        if is_known { Ok(()) } else { Err(self.out_of_range(field, number)) }
    }

    fn is_block(&self, field: &'static str, size: u64, largest: u64) -> Result<(), Problem> {
        self.within(field, size, SECTOR..=largest)?;
        self.multiple(field, size, SECTOR)
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

    fn below(&self, field: &'static str, value: u64, end: u64) -> Result<(), Problem> {
        self.within(field, value, 0..=end - 1)
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

    /// Returns a payload length of 0, and checks that `start + len` does not overflow.
    fn no_wrap(&self, field: &'static str, start: u64, len: u64) -> Result<u64, Problem> {
        start.checked_add(len).map(|_| 0).ok_or_else(|| self.out_of_range(field, len))
    }

    fn u8(&self, offset: usize) -> u64 {
        u64::from(self.header[offset])
    }

    fn u32(&self, offset: usize) -> u64 {
        u64::from(self.order.u32(self.header, offset))
    }

    fn u64(&self, offset: usize) -> u64 {
        self.order.u64(self.header, offset)
    }
}

#[cfg(test)]
mod tests;
