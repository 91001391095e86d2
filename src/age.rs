//! Calculates ages with a clock that may be wrong.

/// Clock differences up to this many seconds are not reported.
pub(crate) const SKEW: u64 = 300;

/// Seconds from `then` to `now`, both since 1970; `None` if `then` is in the future. Then the clock
/// of this machine is wrong, for example after a power cut, and no age can be calculated.
pub(crate) fn seconds(now: i64, then: i64) -> Option<u64> {
    let ahead = u64::try_from(then.saturating_sub(now)).unwrap_or(0);
    (ahead <= SKEW).then(|| u64::try_from(now.saturating_sub(then)).unwrap_or(0))
}

/// Formats an age: `3h07m`.
pub(crate) fn shown(seconds: u64) -> String {
    format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

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
