//! Decides what a receipt confirms, in which a destination names a state that it has.

/// The effect of a receipt at the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The confirmed mark moves to the state.
    Moved,
    /// No effect: this or a newer state is confirmed already, or nothing so new was sent.
    Known,
    /// The sender does not have the state, or no longer: its chain may have been made anew.
    Gone,
}

/// The effect if the destination has the state with order `held` (larger is newer). `sent` and
/// `confirmed` are the newest states that were sent to it and that it confirmed. A destination can
/// only confirm what was sent to it, and only move forward.
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
