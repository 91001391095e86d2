//! The fields of a tar header: numbers, and the checksum. The crate `tar` knows their offsets, but
//! it rejects blank and negative numbers and checksums of signed bytes, which real archives have.

use tar::Header;

/// Size of a tar block in bytes.
pub(super) const BLOCK: usize = 512;

/// Parses the number in a field: octal digits between blanks, or the binary form that GNU tar and
/// star use for large and negative numbers. A blank field is 0.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    match field.first()? {
        0x80..=0xBF => binary(field, field[0] & 0x7F),
        0xC0..=0xFF => binary(field, field[0]),
        _ => octal(field),
    }
}

fn binary(field: &[u8], first: u8) -> Option<i64> {
    let first = i128::from(first.cast_signed());
    let number = field[1..].iter().try_fold(first, |number, byte| {
        number.checked_mul(256).and_then(|number| number.checked_add(i128::from(*byte)))
    })?;
    i64::try_from(number).ok()
}

fn octal(field: &[u8]) -> Option<i64> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    field[..end].trim_ascii().iter().try_fold(0_i64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

/// True if the checksum is the sum of the unsigned bytes or, as in old tars, of the signed bytes.
pub(super) fn is_whole(header: &Header) -> bool {
    let stated = number(&header.as_old().cksum);
    let mut summed = header.clone();
    summed.as_old_mut().cksum.fill(b' ');
    let bytes = || summed.as_bytes().iter();
    let unsigned: i64 = bytes().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    stated == Some(unsigned) || stated == Some(signed)
}

/// The same header with the magic of GNU tar, so that `tar` gives access to GNU's fields. Other
/// tars have device numbers and sparse maps at the same offsets under another magic.
pub(super) fn as_gnu(header: &Header) -> Header {
    let mut gnu = header.clone();
    gnu.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0");
    gnu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        let check = |field: &[u8], want| assert_eq!(number(field), want, "{field:?}");
        check(b"0000644\0", Some(0o644));
        check(b"   644 \0", Some(0o644));
        check(b"77777777777\0", Some(0o77_777_777_777));
        check(b"        ", Some(0));
        check(&[0; 12], Some(0));
        check(&[0x80, 0, 0, 0, 1, 0], Some(256));
        check(&[0xFF; 12], Some(-1));
        check(&[0xFF, 0xFF, 0xFF, 0xFC, 0x18], Some(-1000));
        check(b"0000648\0", None);
        check(b"-1      ", None);
        check(&[0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None);
        check(b"", None);
    }

    #[test]
    fn a_header_is_known_by_its_sum() {
        let mut header = tar::Header::new_ustar();
        header.set_path("\u{fc}ber").unwrap();
        header.set_cksum();
        assert!(is_whole(&header));
        header.as_old_mut().cksum.fill(b' ');
        let signed: i64 = header.as_bytes().iter().map(|b| i64::from(b.cast_signed())).sum();
        header.as_old_mut().cksum.copy_from_slice(format!("{signed:06o}\0 ").as_bytes());
        assert!(is_whole(&header));
        header.as_old_mut().name[0] ^= 1;
        assert!(!is_whole(&header));
    }
}
