//! Formats sizes: `486 B`, `1.9 KiB`, `294 KiB`.

use std::fmt;

/// A number of bytes, shown in base 1024 with one decimal below ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub u64);

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text(self.0))
    }
}

fn text(bytes: u64) -> String {
    if bytes < 10 {
        return format!("{bytes} B");
    }
    // The reference uses floating point. Use it too, to round the same way at unit boundaries.
    let exponent = (bytes as f64).log(1024.0).floor();
    let unit = UNITS[(exponent as usize).min(UNITS.len() - 1)];
    let value = (bytes as f64 / 1024f64.powf(exponent) * 10.0 + 0.5).floor() / 10.0;
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_references() {
        for (bytes, want) in [
            (0, "0 B"),
            (6, "6 B"),
            (10, "10 B"),
            (486, "486 B"),
            (1010, "1010 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (4403, "4.3 KiB"),
            (10 * 1024, "10 KiB"),
            (200_704, "196 KiB"),
            (9_856_614, "9.4 MiB"),
            (19 * 1024 * 1024, "19 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), want, "{bytes}");
        }
    }

    #[test]
    fn it_pads() {
        assert_eq!(format!("{:>10}", Size(486)), "     486 B");
    }
}
