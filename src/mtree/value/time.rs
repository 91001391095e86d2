//! Times: `1610421833.500000000`, seconds and nanoseconds.

use super::super::facts::Timestamp;
use super::error::ValueError;
use super::number::number;
use std::fmt;

/// Always nine digits, so that it means the same as a fraction and as a count of nanoseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanoseconds)
    }
}

/// The part after the dot is a count of nanoseconds and not a fraction: `1.5` is 1 s + 5 ns.
pub(super) fn time(value: &[u8]) -> Result<Timestamp, ValueError> {
    let (negative, value) = match value {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds: u64 = number(parts.next().unwrap_or_default())?;
    let nanoseconds = match parts.next() {
        None => 0,
        Some(digits) if digits.len() > 9 => return Err(ValueError::OutOfRange),
        Some(digits) => number(digits)?,
    };
    let signed = if negative { -i128::from(seconds) } else { i128::from(seconds) };
    let seconds = i64::try_from(signed).map_err(|_| ValueError::OutOfRange)?;
    Ok(Timestamp { seconds, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_nanoseconds_after_the_dot() {
        let check = |text: &str, seconds, nanoseconds| {
            assert_eq!(time(text.as_bytes()), Ok(Timestamp { seconds, nanoseconds }), "{text}");
        };
        check("1.5", 1, 5);
        check("1610421833.500000000", 1_610_421_833, 500_000_000);
        check("-1.000000000", -1, 0);
        check("7", 7, 0);
        check("-9223372036854775808.0", i64::MIN, 0);
        for text in ["1.0000000001", "99999999999999999999.0", "9223372036854775808"] {
            assert_eq!(time(text.as_bytes()), Err(ValueError::OutOfRange), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1.5.5", "+1", "1.-5", "1e3"] {
            assert_eq!(time(text.as_bytes()), Err(ValueError::Malformed), "{text}");
        }
    }
}
