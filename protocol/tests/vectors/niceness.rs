//! Niceness is shown and read as the reference does, `MAX+d` excepted.

use crate::{json, list, text};
use packmule_protocol::niceness::Niceness;

#[test]
fn every_value_is_shown_as_the_reference_shows_it() {
    let shown = json("niceness.json")["shown"].clone();
    for (value, want) in list(&shown).iter().enumerate().skip(1) {
        let nice = Niceness::from_wire(u32::try_from(value).unwrap()).unwrap();
        assert_eq!(nice.to_string(), want.as_str().unwrap());
    }
}

#[test]
fn every_spelling_is_read_as_the_reference_reads_it() {
    for told in list(&json("niceness.json")["parsed"]) {
        let got = text(told, "text").parse::<Niceness>().ok().map(|nice| u64::from(nice.get()));
        assert_eq!(got, told["value"].as_u64(), "{told}");
    }
}
