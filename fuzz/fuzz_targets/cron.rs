//! A schedule of any text is understood or refused, and what is due is in the future and in order.

#![no_main]

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use packmule::internal::config::cron::Schedule;

fuzz_target!(|text: &str| {
    let Ok(schedule) = text.parse::<Schedule>() else { return };
    let now = date(2026, 11, 22).at(22, 20, 0, 0).in_tz("UTC").expect("a time");
    let mut last = now.clone();
    for time in schedule.upcoming(&now).take(3) {
        assert!(time > last);
        last = time;
    }
});
