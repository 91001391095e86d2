//! Which old marks to remove, by a clock that may be wrong.
//!
//! All marks of the last two days are kept, then one a day, then one a week. The age of a mark is
//! the sum of the intervals from it to the next mark, and so on up to now. An interval that is
//! implausibly long counts as zero, so a run whose clock jumped makes no mark old.

use std::time::Duration;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// All marks younger than this are kept.
const ALL: i64 = 2 * DAY;
/// Up to this age, one mark a day is kept; then one a week.
const DAILY: i64 = 30 * DAY;
/// The longest step that counts: longer than the steps between kept marks, and than most pauses.
const STEP: i64 = 35 * DAY;

/// The rule by which marks expire.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// The current time, in seconds since 1970.
    pub now: i64,
    /// The greatest age of a mark.
    pub keep: Duration,
}

impl Age {
    /// The positions of marks that expire. `created` has their creation times (seconds since 1970)
    /// in the order in which they were made. The newest mark never expires.
    pub fn expired(&self, created: &[u64]) -> Vec<usize> {
        let times = created.iter().map(|time| i64::try_from(*time).unwrap_or(i64::MAX));
        let times: Vec<_> = times.chain([self.now]).collect();
        let steps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        if is_doubtful(&steps) {
            return Vec::new();
        }
        let keep = i64::try_from(self.keep.as_secs()).unwrap_or(i64::MAX);
        let mut expired = Vec::new();
        let (mut age, mut above) = (0, None);
        for (at, time) in times[..created.len()].iter().enumerate().rev() {
            // A jump of the clock and its correction cancel each other out.
            age += counted(steps[at]);
            let period = period(age, *time);
            let is_extra = period.is_some() && period == above;
            if at + 1 < created.len() && (age >= keep || is_extra) {
                expired.push(at);
            }
            above = period;
        }
        expired
    }
}

/// The newest mark of each period is kept. `None` is a period of its own.
fn period(age: i64, created: i64) -> Option<(i64, i64)> {
    let length = match age {
        ..ALL => return None,
        ALL..DAILY => DAY,
        _ => 7 * DAY,
    };
    Some((length, created.div_euclid(length)))
}

fn counted(step: i64) -> i64 {
    if (-STEP..=STEP).contains(&step) { step } else { 0 }
}

/// True if the clock jumped, or the machine was off, at one of the last two steps; the marks cannot
/// tell which. A pause up to twice as long as the one before counts as usual.
fn is_doubtful(steps: &[i64]) -> bool {
    let [before @ .., last, now] = steps else { return false };
    let before = before.last().copied().map_or(0, counted);
    let usual = ALL.max(2 * before);
    [last, now].iter().any(|step| !(-HOUR..=usual).contains(*step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const YEAR: i64 = 365 * DAY;

    /// The ages of the marks that are kept if a run follows each of these marks.
    fn kept(ages: impl IntoIterator<Item = i64>, keep: i64) -> Vec<i64> {
        let mut left: Vec<u64> = Vec::new();
        for age in ages {
            left.push(u64::try_from(NOW - age).unwrap());
            run(&mut left, NOW - age, keep);
        }
        left.iter().map(|time| NOW - i64::try_from(*time).unwrap()).collect()
    }

    fn run(left: &mut Vec<u64>, now: i64, keep: i64) {
        let keep = Duration::from_secs(u64::try_from(keep).unwrap());
        let mut expired = Age { now, keep }.expired(left);
        expired.sort_unstable();
        for at in expired.iter().rev() {
            left.remove(*at);
        }
    }

    fn hourly(days: i64) -> impl Iterator<Item = i64> {
        (0..days * 24).rev().map(|hours| hours * HOUR)
    }

    #[test]
    fn hourly_marks_of_half_a_year_thin_out() {
        let kept = kept(hourly(180), 90 * DAY);
        let between = |from: i64, to: i64| {
            kept.iter().filter(|age| (from * DAY..to * DAY).contains(*age)).count()
        };
        assert_eq!(between(0, 2), 48, "all of two days");
        assert!((28..=29).contains(&between(2, 30)), "{}", between(2, 30));
        assert!((8..=10).contains(&between(30, 90)), "{}", between(30, 90));
        assert_eq!(between(90, 1000), 0);
    }

    #[test]
    fn rare_marks_stay_until_they_are_as_old_as_asked_for() {
        let weekly = kept((0..52).rev().map(|weeks| weeks * 7 * DAY), 90 * DAY);
        assert_eq!(weekly.len(), 13);
        let monthly = kept((0..24).rev().map(|months| months * 30 * DAY), 90 * DAY);
        assert_eq!(monthly.len(), 3);
    }

    /// Asserts that runs with a clock that is wrong by `off` remove no mark, and that the runs
    /// after the clock is right again remove none either.
    #[track_caller]
    fn survives(off: i64, runs: i64) {
        let mut left: Vec<_> = kept(hourly(60), 90 * DAY);
        let before = left.clone();
        let mut times: Vec<u64> =
            left.drain(..).map(|age| u64::try_from(NOW - age).unwrap()).collect();
        for run_at in (1..=runs).map(|hour| NOW + off + hour * HOUR) {
            times.push(u64::try_from(run_at).unwrap());
            run(&mut times, run_at, 90 * DAY);
        }
        for run_at in (1..=3).map(|hour| NOW + (runs + hour) * HOUR) {
            times.push(u64::try_from(run_at).unwrap());
            run(&mut times, run_at, 90 * DAY);
        }
        // A few hours have passed, so the marks that became too old in them may expire.
        let of = |time: &u64| NOW - i64::try_from(*time).unwrap();
        let lost: Vec<_> =
            before.iter().filter(|age| !times.iter().any(|t| of(t) == **age)).collect();
        assert!(lost.len() <= usize::try_from(runs + 4).unwrap(), "{off}: {lost:?}");
        assert!(lost.iter().all(|age| **age >= ALL - (runs + 4) * HOUR), "{off}: {lost:?}");
    }

    #[test]
    fn a_clock_that_jumped_removes_nothing() {
        for off in [YEAR, 10 * YEAR, -20 * YEAR, 3 * DAY, -3 * DAY, -40 * DAY, 40 * DAY] {
            survives(off, 1);
        }
        for off in [YEAR, -20 * YEAR, 40 * DAY] {
            survives(off, 10);
        }
    }

    #[test]
    fn the_newest_mark_stays_whatever_the_clock_says() {
        for now in [0, NOW, NOW + YEAR, i64::MAX] {
            let age = Age { now, keep: Duration::ZERO };
            assert!(age.expired(&[]).is_empty());
            assert!(age.expired(&[1_800_000_000]).is_empty());
            assert!(!age.expired(&[1, u64::MAX]).contains(&1));
        }
    }
}
