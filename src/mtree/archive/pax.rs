//! The records of pax headers, such as `25 mtime=1610421833.5`: one per line, with its length
//! first.

use crate::mtree::facts::Timestamp;
use std::io;

/// The records of a member, after the global ones. The last record of a key counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Records(Vec<Record>);

#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) key: Box<[u8]>,
    pub(super) value: Box<[u8]>,
}

impl Records {
    /// Adds the records of a header.
    ///
    /// # Errors
    /// If the text is not a list of records.
    pub(super) fn add(&mut self, mut text: &[u8]) -> io::Result<()> {
        while text.iter().any(|byte| *byte != 0) {
            let (record, rest) = record(text).ok_or_else(malformed)?;
            self.0.push(record);
            text = rest;
        }
        Ok(())
    }

    /// The value of a key. An empty value means that the field of the tar header applies.
    pub(super) fn find(&self, key: &str) -> Option<&[u8]> {
        let record = self.0.iter().rev().find(|record| *record.key == *key.as_bytes())?;
        Some(&*record.value).filter(|value| !value.is_empty())
    }

    /// The value of a key as a number.
    pub(super) fn number<N: std::str::FromStr>(&self, key: &str) -> Option<N> {
        str::from_utf8(self.find(key)?).ok()?.parse().ok()
    }

    /// Adds records that these override.
    pub(super) fn extend(&mut self, records: Self) {
        self.0.extend(records.0);
    }

    /// All records in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Splits off the first record of a header. A value may contain newlines.
fn record(text: &[u8]) -> Option<(Record, &[u8])> {
    let blank = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = str::from_utf8(&text[..blank]).ok()?.parse().ok()?;
    let body = text.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    let (key, value) = (body[..equals].into(), body[equals + 1..].into());
    Some((Record { key, value }, &text[length..]))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a pax header is invalid")
}

/// Parses decimal seconds with a fraction. The seconds are rounded down: `-1.5` is -2 s + 0.5 s.
pub(super) fn time(text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.try_fold(0_u32, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })?;
    let seconds: i64 = whole.parse().ok()?;
    if whole.starts_with('-') && nanoseconds > 0 {
        let seconds = seconds.checked_sub(1)?;
        return Some(Timestamp { seconds, nanoseconds: 1_000_000_000 - nanoseconds });
    }
    Some(Timestamp { seconds, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_length() {
        let mut records = Records::default();
        records.add(b"8 a=old\n").unwrap();
        records.add(b"8 a=new\n12 b=x\ny=z\n\n5 c=\n\0\0\0").unwrap();
        assert_eq!(records.find("a"), Some(&b"new"[..]));
        assert_eq!(records.find("b"), Some(&b"x\ny=z\n"[..]));
        assert_eq!(records.find("c"), None);
    }

    #[test]
    fn records_that_make_no_sense_are_refused() {
        for text in
            [&b"9 a=new"[..], b"x a=b\n", b"99 a=b\n", b"5 a=b\n", b"6 =ab\n", b"2 \n", b"0 a"]
        {
            assert!(Records::default().add(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_are_decimal_fractions() {
        let check = |text: &str, seconds, nanoseconds| {
            let want = Some(Timestamp { seconds, nanoseconds });
            assert_eq!(time(text.as_bytes()), want, "{text}");
        };
        check("1.5", 1, 500_000_000);
        check("-1.5", -2, 500_000_000);
        check("-1", -1, 0);
        check("7.1234567899", 7, 123_456_789);
        assert_eq!(time(b"1.x"), None);
    }
}
