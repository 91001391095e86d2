//! Schedules in the reference's cron dialect: seconds and years, `L`, `W` and `#` for days.
//! NNCP manual, "Call configuration".

mod day;
mod parse;
mod schedule;
#[cfg(test)]
mod tests;

pub use parse::CronError;
pub use schedule::Schedule;
