//! Numbers: decimal, and as in C for devices.

use super::error::ValueError;

/// Parses a decimal number.
pub(super) fn number<N: TryFrom<u64>>(value: &[u8]) -> Result<N, ValueError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(ValueError::Malformed);
    }
    let mut number = 0_u64;
    for digit in value {
        let more = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
        number = more.ok_or(ValueError::OutOfRange)?;
    }
    N::try_from(number).map_err(|_| ValueError::OutOfRange)
}

/// Parses a number as in C: `0x1f`, `017`, `10`.
pub(super) fn c_number(text: &str) -> Result<u64, ValueError> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (&lower[..], 10),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ValueError::Malformed);
    }
    u64::from_str_radix(digits, base).map_err(|_| ValueError::OutOfRange)
}

/// Appends a decimal number. Faster than formatting, since each line has several.
pub(super) fn push_number(mut number: u64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break text.extend_from_slice(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_for_nobody() {
        assert_eq!(number::<u32>(b"4294967296"), Err(ValueError::OutOfRange));
        assert_eq!(number::<u32>(b"-1"), Err(ValueError::Malformed));
        assert_eq!(number::<u64>(b"18446744073709551616"), Err(ValueError::OutOfRange));
        for (text, value) in [("18446744073709551615", u64::MAX), ("0", 0), ("10", 10)] {
            assert_eq!(number::<u64>(text.as_bytes()), Ok(value));
            let mut written = Vec::new();
            push_number(value, &mut written);
            assert_eq!(written, text.as_bytes());
        }
    }
}
