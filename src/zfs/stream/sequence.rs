//! The order of records, where `zfs receive` depends on it.

use super::fault::Problem;
use super::features::Features;
use super::record::{Record, RecordType};

/// Objects that one OBJECT_RANGE is about.
const RANGE: u64 = 32;

/// What went before, in one plain stream.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// Object and offset of the WRITE before.
    write: (u64, u64),
    /// First object of the OBJECT_RANGE before.
    range: Option<u64>,
}

impl Sequence {
    /// Takes the next record.
    pub(super) fn follows(&mut self, record: &Record<'_>) -> Result<(), Problem> {
        let object = record.object();
        match record.kind {
            RecordType::Write => {
                let next = (object, record.write_offset());
                if next < self.write {
                    return Err(Problem::OutOfPlace("WRITE"));
                }
                self.write = next;
            }
            RecordType::ObjectRange => self.range = Some(object),
            // Only the range before tells how a raw object was encrypted.
            RecordType::Object if record.features.contains(Features::RAW) => {
                let is_in = |first: u64| (first..first + RANGE).contains(&object);
                if !self.range.is_some_and(is_in) {
                    return Err(record.out_of_range("object", object));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
