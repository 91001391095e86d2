//! Tests each field of each record outside its range.

use super::*;

/// The mandatory fields of each record, so that a test sets only the field that it tests.
fn sound(kind: RecordType) -> &'static [(usize, u64)] {
    use RecordType as R;
    match kind {
        R::Object => &[(8, 7), (16, 19 | 44 << 32), (24, 512)],
        R::Write => &[(8, 7), (16, 19), (32, 512)],
        R::WriteByref => &[(8, 7), (24, 512), (40, 1), (48, 7)],
        R::Spill => &[(8, 7), (16, 512)],
        R::WriteEmbedded => &[(8, 7), (24, 512), (48, 512 | 33 << 32)],
        R::Free | R::Redact => &[(8, 7)],
        R::ObjectRange => &[(16, 32)],
        R::Begin | R::FreeObjects | R::End => &[],
    }
}

fn check(kind: RecordType, features: Features, fields: &[(usize, u64)]) -> Result<u64, Problem> {
    let mut header = [0; HEADER];
    for (offset, value) in sound(kind).iter().chain(fields) {
        header[*offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }
    let (order, flags) = (ByteOrder::Little, BeginFlags::default());
    Record { kind, order, features, flags, header: &header }.payload_len()
}

fn refused(kind: RecordType, features: Features, fields: &[(usize, u64)], want: &str) {
    match check(kind, features, fields) {
        Err(Problem::Range { field, .. }) => assert_eq!(field, want, "{kind:?} {fields:?}"),
        Err(Problem::Feature(name)) => assert_eq!(name, want, "{kind:?} {fields:?}"),
        other => panic!("{kind:?} {want}: {other:?}"),
    }
}

const PLAIN: Features = Features::DEDUP;
const RAW: Features = Features::RAW;

#[test]
fn payload_lengths_follow_the_fields() {
    use RecordType as R;
    assert_eq!(check(R::Object, PLAIN, &[(24, 512 | 13 << 32)]), Ok(16));
    let raw = [(24, 512 | 5 << 32), (32, 7 << 32)];
    assert_eq!(check(R::Object, RAW, &raw), Ok(7));
    assert_eq!(check(R::Object, PLAIN, &[(24, 512 | 800 << 32), (32, 2 << 16)]), Ok(800));
    assert_eq!(check(R::Write, PLAIN, &[(32, 4096)]), Ok(4096));
    let compressed = [(32, 4096), (48, 15 << 16), (96, 100)];
    assert_eq!(check(R::Write, Features::COMPRESSED, &compressed), Ok(100));
    assert_eq!(check(R::Spill, PLAIN, &[(16, 512)]), Ok(512));
    assert_eq!(check(R::Spill, RAW, &[(16, 1024), (40, 512)]), Ok(512));
    assert_eq!(check(R::WriteEmbedded, Features::EMBEDDED, &[]), Ok(40));
    assert_eq!(check(R::Free, PLAIN, &[(16, 5), (24, u64::MAX)]), Ok(0));
    assert_eq!(check(R::Object, PLAIN, &[(16, 0xc4 | 0xc4 << 32)]), Ok(0), "new types");
}

#[test]
fn every_size_out_of_range_is_refused() {
    use RecordType as R;
    let kib = 1024;
    let large = Features::LARGE_BLOCKS;
    refused(R::Free, PLAIN, &[(0, 1 << 32)], "payloadlen");
    refused(R::Free, PLAIN, &[(16, 5), (24, u64::MAX - 1)], "length");
    refused(R::FreeObjects, PLAIN, &[(8, 2), (16, u64::MAX - 1)], "numobjs");
    for size in [0, 1, 511, 513, 256 * kib] {
        refused(R::Object, PLAIN, &[(24, size)], "blksz");
        refused(R::Write, PLAIN, &[(32, size)], "logical_size");
    }
    refused(R::Object, large, &[(24, 32 * kib * kib)], "blksz");
    refused(R::Write, large, &[(32, 17 * kib * kib)], "logical_size");
    for bonus in [321, 16 * kib + 1, u64::from(u32::MAX)] {
        refused(R::Object, PLAIN, &[(24, 512 | bonus << 32)], "bonuslen");
        refused(R::Object, RAW, &[(32, bonus << 32)], "raw_bonuslen");
    }
    refused(R::Object, PLAIN, &[(32, 1 << 32)], "raw_bonuslen");
    refused(R::Object, RAW, &[(24, 512 | 8 << 32)], "raw_bonuslen");
    refused(R::Write, PLAIN, &[(24, u64::MAX - 511)], "offset");
    refused(R::Write, PLAIN, &[(96, 1)], "compressed_size");
    refused(R::Write, PLAIN, &[(48, 2 << 16), (96, 1)], "compressed WRITE");
    refused(R::Write, RAW, &[(48, 15 << 16)], "compressed_size");
    refused(R::Write, RAW, &[(48, 15 << 16), (96, 513)], "compressed_size");
    refused(R::Write, RAW, &[(48, 2 << 16), (96, 511)], "compressed_size");
    for size in [0, 511, 513, u64::MAX] {
        refused(R::WriteByref, PLAIN, &[(24, size)], "length");
        refused(R::Spill, PLAIN, &[(16, size)], "length");
        refused(R::WriteEmbedded, Features::EMBEDDED, &[(24, size)], "length");
    }
    refused(R::WriteByref, PLAIN, &[(16, u64::MAX)], "length");
    refused(R::WriteByref, PLAIN, &[(56, u64::MAX)], "refoffset");
    refused(R::Spill, PLAIN, &[(40, 1)], "compressed_size");
    refused(R::Spill, RAW, &[], "compressed_size");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 512 | 113 << 32)], "psize");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 512)], "psize");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 33 << 32)], "lsize");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(48, 513 | 33 << 32)], "lsize");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(16, u64::MAX)], "offset");
    refused(R::ObjectRange, RAW, &[(16, 31)], "numslots");
}

#[test]
fn what_names_no_object_type_or_algorithm_is_refused() {
    use RecordType as R;
    let of_object = [
        (R::Object, PLAIN),
        (R::Write, PLAIN),
        (R::WriteByref, PLAIN),
        (R::Spill, PLAIN),
        (R::WriteEmbedded, Features::EMBEDDED),
        (R::Free, PLAIN),
        (R::Redact, Features::REDACTED),
    ];
    for (kind, features) in of_object {
        for object in [0, 1 << 48, u64::MAX] {
            refused(kind, features, &[(8, object)], "object");
        }
    }
    refused(R::ObjectRange, RAW, &[(8, 31)], "firstobj");
    refused(R::ObjectRange, RAW, &[(8, 1 << 48)], "firstobj");
    refused(R::WriteByref, PLAIN, &[(40, 0)], "refguid");
    refused(R::WriteByref, PLAIN, &[(48, 0)], "refobject");
    for bad in [54, 0x8a, 0x1_0000, 0xff] {
        refused(R::Object, PLAIN, &[(16, bad)], "type");
        refused(R::Object, PLAIN, &[(16, 19 | bad << 32)], "bonustype");
        refused(R::Write, PLAIN, &[(16, bad)], "type");
        refused(R::Spill, RAW, &[(40, 1), (80, bad << 32)], "type");
    }
    refused(R::Object, PLAIN, &[(16, 0)], "type");
    refused(R::Object, PLAIN, &[(32, 15)], "checksumtype");
    refused(R::Object, PLAIN, &[(32, 17 << 8)], "compress");
    refused(R::Object, PLAIN, &[(32, 33 << 16)], "dn_slots");
    refused(R::Object, PLAIN, &[(32, HAS_SPILL << 24)], "flags");
    refused(R::Write, RAW, &[(48, 17 << 16), (96, 1)], "compressiontype");
    refused(R::Spill, RAW, &[(32, 17 << 8), (40, 1)], "compressiontype");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(40, 17)], "compression");
    refused(R::WriteEmbedded, Features::EMBEDDED, &[(40, 3 << 8)], "etype");
}

#[test]
fn the_shape_of_a_file_is_told_in_raw_streams_alone() {
    use RecordType as R;
    for (field, at, most) in [("indblkshift", 0, 24), ("nlevels", 8, 12), ("nblkptr", 16, 3)] {
        refused(R::Object, PLAIN, &[(48, 1 << at)], field);
        assert_eq!(check(R::Object, RAW, &[(48, most << at)]), Ok(0));
        refused(R::Object, RAW, &[(48, (most + 1) << at)], field);
    }
}

#[test]
fn records_without_the_feature_for_them_are_refused() {
    use RecordType as R;
    refused(R::WriteByref, RAW, &[], "WRITE_BYREF");
    refused(R::WriteEmbedded, PLAIN, &[], "WRITE_EMBEDDED");
    refused(R::ObjectRange, PLAIN, &[], "OBJECT_RANGE");
    refused(R::Redact, PLAIN, &[], "REDACT");
}
