//! Integers as Go's `flag` package reads them: base prefixes, octal zeros, `_` between digits.

use super::value::{Kind, Value, ValueError};
use std::ffi::OsStr;

/// A signed 64-bit integer.
pub(crate) fn signed(text: &str) -> Result<i64, ValueError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = i128::from(unsigned(digits)?);
    i64::try_from(if negative { -value } else { value }).map_err(|_| ValueError::Range)
}

/// An unsigned 64-bit integer; no sign is allowed.
pub(crate) fn unsigned(text: &str) -> Result<u64, ValueError> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    // Go allows an underscore only between two digits, and counts the prefix as a digit.
    let prefixed = digits.len() < lower.len();
    let digits = if prefixed { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return Err(ValueError::Syntax);
    }
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return Err(ValueError::Syntax);
    }
    u64::from_str_radix(&digits, base).map_err(|_| ValueError::Range)
}

impl Value for i64 {
    fn kind(&self) -> Kind {
        Kind::Integer
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = signed(text.to_str().ok_or(ValueError::Syntax)?)?;
        Ok(())
    }

    fn shown(&self) -> String {
        if *self == 0 { String::new() } else { self.to_string() }
    }
}

impl Value for u64 {
    fn kind(&self) -> Kind {
        Kind::Unsigned
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        *self = unsigned(text.to_str().ok_or(ValueError::Syntax)?)?;
        Ok(())
    }

    fn shown(&self) -> String {
        if *self == 0 { String::new() } else { self.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_notations_are_read() {
        for (text, want) in [
            ("0", 0),
            ("10", 10),
            ("+5", 5),
            ("-5", -5),
            ("0x1F", 31),
            ("-0x10", -16),
            ("0o17", 15),
            ("017", 15),
            ("0b101", 5),
            ("1_000", 1000),
            ("0x_10", 16),
            ("0_7", 7),
            ("00", 0),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(signed(text), Ok(want), "{text}");
        }
        assert_eq!(unsigned("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "-", "abc", "1.5", "08", "0x", "_1", "1_", "1__0", " 1", "1 ", "0b2", "--1"]
        {
            assert_eq!(signed(text), Err(ValueError::Syntax), "{text}");
        }
        assert_eq!(unsigned("-1"), Err(ValueError::Syntax));
        assert_eq!(unsigned("+1"), Err(ValueError::Syntax));
        assert_eq!(signed("9223372036854775808"), Err(ValueError::Range));
        assert_eq!(unsigned("18446744073709551616"), Err(ValueError::Range));
    }
}
