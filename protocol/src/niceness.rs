//! Niceness, the priority of a packet: smaller is more urgent. NNCP manual, "Niceness".
//!
//! ```
//! use packmule_protocol::niceness::Niceness;
//!
//! let nice: Niceness = "NORMAL+10".parse()?;
//! assert_eq!(nice.get(), 170);
//! assert_eq!(nice.to_string(), "N+10");
//! # Ok::<(), packmule_protocol::niceness::ParseNicenessError>(())
//! ```

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

/// Priority, from 1 (most urgent) to 255. Zero is not a niceness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Niceness(NonZeroU8);

/// Why a text is not a niceness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseNicenessError {
    /// A number outside 1 to 255.
    #[error("nice out of bounds")]
    OutOfBounds,
    /// A delta that leaves the band of its name.
    #[error("too big niceness delta")]
    TooBigDelta,
    /// Neither a number nor a name with an optional delta.
    #[error("invalid niceness")]
    Invalid,
}

const fn level(value: u8) -> Niceness {
    Niceness(NonZeroU8::new(value).expect("not zero"))
}

/// The four bands, by letter, long name and middle.
const BANDS: [(&str, &str, u8); 4] =
    [("F", "flash", 32), ("P", "priority", 96), ("N", "normal", 160), ("B", "bulk", 224)];

impl Niceness {
    /// `F`, 32.
    pub const FLASH: Self = level(32);
    /// `P`, 96: the default of exec.
    pub const PRIORITY: Self = level(96);
    /// `N`, 160: the default of freq and ack.
    pub const NORMAL: Self = level(160);
    /// `B`, 224: the default of files and of replies.
    pub const BULK: Self = level(224);
    /// `MAX`, 255: least urgent, and as a limit "no limit".
    pub const MAX: Self = level(255);

    /// The niceness in a 4-byte field of a packet.
    pub fn from_wire(word: u32) -> Option<Self> {
        u8::try_from(word).ok().and_then(NonZeroU8::new).map(Self)
    }

    /// The number, 1 to 255.
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for Niceness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = i16::from(self.get());
        if value == 255 {
            return f.pad("MAX");
        }
        // The manual calls 1 "F-31", but the reference prints a bare number for the lowest level
        // of a band (1, 65, 129, 193). Scripts read this column, so this prints the same.
        let named =
            BANDS.iter().find(|(_, _, middle)| (-30..=32).contains(&(value - i16::from(*middle))));
        match named {
            None => f.pad(&value.to_string()),
            Some((letter, _, middle)) => match value - i16::from(*middle) {
                0 => f.pad(letter),
                delta => f.pad(&format!("{letter}{delta:+}")),
            },
        }
    }
}

impl FromStr for Niceness {
    type Err = ParseNicenessError;

    fn from_str(text: &str) -> Result<Self, ParseNicenessError> {
        if let Some(value) = decimal(text) {
            return value
                .ok()
                .and_then(|v| u8::try_from(v).ok())
                .and_then(NonZeroU8::new)
                .map(Self)
                .ok_or(ParseNicenessError::OutOfBounds);
        }
        let text = text.to_ascii_lowercase();
        if let Some(base) = alias(&text) {
            return Ok(base);
        }
        let sign = text.find(['+', '-']).ok_or(ParseNicenessError::Invalid)?;
        let (word, delta) = text.split_at(sign);
        let (sign, digits) = delta.split_at(1);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseNicenessError::Invalid);
        }
        let base = alias(word).ok_or(ParseNicenessError::Invalid)?;
        let limit = if sign == "-" || base == Self::BULK { 31 } else { 32 };
        let delta = digits
            .parse::<i16>()
            .ok()
            .filter(|delta| *delta <= limit)
            .ok_or(ParseNicenessError::TooBigDelta)?;
        let value = i16::from(base.get()) + if sign == "-" { -delta } else { delta };
        // The reference lets "MAX+1" wrap round to 0, which is not a niceness.
        u8::try_from(value)
            .ok()
            .and_then(NonZeroU8::new)
            .map(Self)
            .ok_or(ParseNicenessError::TooBigDelta)
    }
}

/// A decimal integer with an optional sign; `Err` if it does not fit into 64 bits.
fn decimal(text: &str) -> Option<Result<i64, std::num::ParseIntError>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse())
}

fn alias(lower: &str) -> Option<Niceness> {
    if lower == "max" {
        return Some(Niceness::MAX);
    }
    BANDS
        .iter()
        .find(|(letter, name, _)| lower == *name || lower.eq_ignore_ascii_case(letter))
        .map(|(_, _, middle)| level(*middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Option<u8>) {
        assert_eq!(text.parse::<Niceness>().ok().map(Niceness::get), want, "{text:?}");
    }

    #[test]
    fn the_manuals_forms_parse() {
        for (text, value) in [
            ("1", 1),
            ("255", 255),
            ("+5", 5),
            ("007", 7),
            ("f", 32),
            ("F", 32),
            ("flash", 32),
            ("F+0", 32),
            ("F-0", 32),
            ("F-31", 1),
            ("F+32", 64),
            ("P-31", 65),
            ("P+32", 128),
            ("N+32", 192),
            ("B-31", 193),
            ("BULK+31", 255),
            ("MAX-1", 254),
            ("MAX-31", 224),
            ("f+010", 42),
            ("MAX+0", 255),
        ] {
            check(text, Some(value));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "0",
            "256",
            "-5",
            "1_0",
            " 5",
            "F-32",
            "F+33",
            "x+1",
            "32+1",
            "f+",
            "f+-1",
            "B+32",
            "0x10",
            "MAX-32",
            "F+1\n",
            "f+99999999999999999999",
            "",
            "1.5",
            "MAX+1",
            "MAX+32",
            "99999999999999999999",
            "+",
            "-",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn text_is_the_references() {
        for (value, text) in [
            (1, "1"),
            (2, "F-30"),
            (31, "F-1"),
            (32, "F"),
            (33, "F+1"),
            (64, "F+32"),
            (65, "65"),
            (66, "P-30"),
            (96, "P"),
            (128, "P+32"),
            (129, "129"),
            (130, "N-30"),
            (160, "N"),
            (193, "193"),
            (224, "B"),
            (254, "B+30"),
            (255, "MAX"),
        ] {
            assert_eq!(level(value).to_string(), text);
        }
    }

    #[test]
    fn every_niceness_reads_its_own_text() {
        for value in 1..=255 {
            assert_eq!(level(value).to_string().parse(), Ok(level(value)));
        }
    }
}
