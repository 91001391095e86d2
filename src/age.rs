//! Calculates ages with a clock that may be wrong.

/// Clock differences up to this many seconds are not reported.
pub(crate) const SKEW: u64 = 300;

/// Seconds from `then` to `now`, both since 1970; `None` if `then` is in the future. Then the clock
/// of this machine is wrong, for example after a power cut, and no age can be calculated.
pub(crate) fn seconds(now: i64, then: i64) -> Option<u64> {
    let ahead = u64::try_from(then.saturating_sub(now)).unwrap_or(0);
    (ahead <= SKEW).then(|| u64::try_from(now.saturating_sub(then)).unwrap_or(0))
}

/// Reads an age in seconds: digits and one of `s`, `m`, `h`, `d`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];
    let (digits, unit) =
        UNITS.into_iter().find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, unit)))?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten()
}

/// Formats an age: `3h07m`.
pub(crate) fn shown(seconds: u64) -> String {
    format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_digits_and_a_unit() {
        for (text, want) in [("5s", 5), ("2m", 120), ("1h", 3600), ("0d", 0), ("14d", 1_209_600)] {
            assert_eq!(parse(text), Some(want), "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s", "+5s", "5 s", "5ss", "99999999999999999999s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_in_the_future_has_no_age() {
        assert_eq!(seconds(1000, 400), Some(600));
        assert_eq!(seconds(1000, 1300), Some(0), "clocks differ a little");
        assert_eq!(seconds(1000, 1301), None);
        assert_eq!(seconds(-5, i64::MAX), None);
        assert_eq!(seconds(i64::MAX, i64::MIN), Some(i64::MAX as u64));
        assert_eq!(shown(11_260), "3h07m");
    }
}
