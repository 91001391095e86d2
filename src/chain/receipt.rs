//! What a receipt confirms: a destination names a state that it holds.

/// What a receipt changes at the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The confirmed mark moves to the state.
    Moved,
    /// That state or a newer one was confirmed before, or none so new was sent.
    Known,
    /// There is no such state here, or no longer: perhaps its chain was destroyed and made anew.
    Gone,
}

/// What a destination confirms that holds the state of this age (larger is newer), by the newest state
/// that it was sent and the newest that it confirmed. It can choose only among what was sent to it, and
/// only forward.
pub(crate) fn confirms(held: u64, sent: Option<u64>, confirmed: Option<u64>) -> Confirmation {
    let reaches = |mark: Option<u64>| mark.is_some_and(|age| age >= held);
    if reaches(sent) && !reaches(confirmed) { Confirmation::Moved } else { Confirmation::Known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_is_confirmed_and_never_backward() {
        for (held, sent, confirmed, want) in [
            (5, Some(7), None, Confirmation::Moved),
            (5, Some(5), Some(4), Confirmation::Moved),
            (5, Some(7), Some(5), Confirmation::Known),
            (5, Some(7), Some(6), Confirmation::Known),
            (5, Some(4), None, Confirmation::Known),
            (5, None, None, Confirmation::Known),
        ] {
            assert_eq!(confirms(held, sent, confirmed), want, "{held} {sent:?} {confirmed:?}");
        }
    }
}
