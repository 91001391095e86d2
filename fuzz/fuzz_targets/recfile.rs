//! Logs of any bytes are read to the end or refused, and what we write is one record whatever a
//! peer put into it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::log::recfile::{self, Reader};
use packmule::internal::log::{Entry, Level, Record, sentence};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(record)) = reader.record() {
        let _ = sentence::humanize(&record);
    }

    let value = String::from_utf8_lossy(bytes);
    let record = Record::new("rx", format!("Got file {value}")).field("Dst", &value);
    let when = "2026-11-22T22:09:36Z".parse().expect("a time");
    let entry = Entry { when, level: Level::Error(value.to_string()), record };
    let text = recfile::write(&entry);
    let mut reader = Reader::new(text.as_bytes());
    let read = reader.record().expect("readable").expect("a record");
    assert_eq!(read.last("Who"), Some("rx"));
    assert_eq!(read.last("When"), Some("2026-11-22T22:09:36Z"));
    assert_eq!(read.0.len(), 5);
    assert_eq!(reader.record().expect("readable"), None);
    assert!(!sentence::write(&entry).chars().any(char::is_control));
});
