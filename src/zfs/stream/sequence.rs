//! Checks the order of records where `zfs receive` depends on it.

use super::fault::Problem;
use super::features::Features;
use super::record::{Record, RecordType};

/// Number of objects in an OBJECT_RANGE.
const RANGE: u64 = 32;

/// The previous records of a plain stream.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// Object and offset of the previous WRITE.
    write: (u64, u64),
    /// First object of the previous OBJECT_RANGE.
    range: Option<u64>,
}

impl Sequence {
    /// Checks that the record may follow the previous ones.
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
            // The encryption parameters of a raw object are in the OBJECT_RANGE before it.
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
