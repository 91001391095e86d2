use super::Schedule;
use jiff::civil::{DateTime, date};

fn upcoming(text: &str, zone: &str, from: DateTime, count: usize) -> Vec<String> {
    let schedule: Schedule = text.parse().unwrap();
    let now = from.in_tz(zone).unwrap();
    let times: Vec<_> = schedule.upcoming(&now).take(count).collect();
    times.iter().map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).collect()
}

/// As the reference answers at 22:20 on 22 November 2026, UTC.
fn check(text: &str, want: &[&str]) {
    let from = date(2026, 11, 22).at(22, 20, 0, 0);
    let found = upcoming(text, "UTC", from, want.len().max(1));
    let want: Vec<String> = want.iter().map(|time| format!("{time}:00")).collect();
    assert_eq!(found, want, "{text}");
}

#[test]
fn times_are_those_of_the_reference() {
    check("30 0 3 * * *", &["2026-12-03 00:30", "2027-01-03 00:30"]);
    check("0 0 L * *", &["2026-11-30 00:00", "2026-12-31 00:00"]);
    check("0 0 LW * *", &["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00"]);
    check("0 0 1W * *", &["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]);
    check("0 0 * * 5#2", &["2026-12-11 00:00", "2027-01-08 00:00"]);
    check("0 0 * * 5L", &["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]);
    check("0 0 13 * 5", &["2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00"]);
    check("0 0 29 2 *", &["2028-02-29 00:00", "2032-02-29 00:00"]);
    check("5/20 * * * *", &["2026-11-22 22:25", "2026-11-22 22:45", "2026-11-22 23:05"]);
    check("20 22 * * *", &["2026-11-23 22:20"]);
}

#[test]
fn schedules_that_end_give_nothing() {
    for text in ["0 0 30 2 *", "0 0 1 1 * 2020", "0 0 * * fri-mon", "0 0 1 1 * 2030-2028"] {
        check(text, &[]);
    }
}

#[test]
fn a_time_that_spring_skips_is_due_later_that_day_and_once() {
    let from = date(2027, 3, 13).at(12, 0, 0, 0);
    let found = upcoming("30 2 * * *", "America/New_York", from, 3);
    assert_eq!(found, ["2027-03-14 03:30:00", "2027-03-15 02:30:00", "2027-03-16 02:30:00"]);
}

#[test]
fn a_time_that_autumn_repeats_is_due_once() {
    let from = date(2027, 10, 30).at(12, 0, 0, 0);
    let found = upcoming("30 2 * * *", "Europe/Berlin", from, 2);
    assert_eq!(found, ["2027-10-31 02:30:00", "2027-11-01 02:30:00"]);
}

#[test]
fn refusals_are_told_as_the_reference_does() {
    let check = |text: &str, want: &str| {
        let error = text.parse::<Schedule>().unwrap_err().to_string();
        assert!(error.contains(want), "{text}: {error}");
    };
    check("", "missing field(s)");
    check("* * * *", "missing field(s)");
    check("@reboot", "missing field(s)");
    check("61 * * * *", "syntax error in minute field: '61'");
    check("* * * * 1#6", "syntax error in day-of-week field: '1#6'");
    check("* * L-1 * *", "syntax error in day-of-month field: 'L-1'");
    check("? */24 * * *", "invalid interval */24");
    check(", * * * *", "minute field: missing directive");
    // The reference crashes on this one.
    check("10-5 * * * *", "no value in minute field: '10-5'");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-0-9*/?,#LWlwa-f@ ]{0,24}") {
        if let Ok(schedule) = text.parse::<Schedule>() {
            let now = date(2026, 11, 22).at(22, 20, 0, 0).in_tz("UTC").unwrap();
            let times: Vec<_> = schedule.upcoming(&now).take(3).collect();
            assert!(times.is_sorted() && times.iter().all(|time| *time > now));
        }
    }
}
