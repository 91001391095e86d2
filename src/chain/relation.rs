//! The decision table: how a step relates to what a receiver holds, from guids and times alone.

/// What is known of a step before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The state it makes.
    pub to_guid: u64,
    /// The state it needs; 0 for a full step.
    pub from_guid: u64,
    /// When the state it makes was made, by the sender's clock, in seconds since 1970.
    pub creation: u64,
}

/// A state that a receiver holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// The same at the sender and at every receiver.
    pub guid: u64,
    /// Orders the states of this receiver: larger came later.
    pub order: u64,
    /// When it was made, by the sender's clock, in seconds since 1970.
    pub creation: u64,
}

/// What a receiver holds of one chain.
pub(crate) trait Held {
    /// The state of this guid.
    fn state(&self, guid: u64) -> Option<State>;

    /// The newest state, whoever made it.
    fn newest(&self) -> Option<State>;

    /// The newest state that a step made. Others say nothing about the sender.
    fn newest_received(&self) -> Option<State>;
}

/// How a step relates to what a receiver holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The state it makes is held.
    Duplicate,
    /// Other steps led past the state it makes: it can never be applied, nor is it needed.
    Passed,
    /// A full step, and there is nothing of the chain.
    Begins,
    /// A full step, and its place is there without any state.
    IntoEmpty,
    /// A full step that is newer than this state, the newest that is held.
    Restarts(State),
    /// A full step that is no newer than this state.
    Older(State),
    /// It waits for the full step: there is nothing of the chain.
    NoChain,
    /// It waits for its base, which is not held.
    NoBase,
    /// Its base is the newest state.
    Continues,
    /// Its base is held, and a newer state was received from a step that led further.
    JumpedOver,
    /// Its base is held under others, which may or may not be in its way.
    Aside,
}

/// How `step` relates to what is held of its chain, `None` when not even its place is there. `passed`
/// tells whether other steps lead from the state that it makes to one that is held.
pub(crate) fn relation(step: &Step, held: Option<&impl Held>, passed: bool) -> Relation {
    let Some(held) = held else {
        return if step.from_guid == 0 { Relation::Begins } else { Relation::NoChain };
    };
    if held.state(step.to_guid).is_some() {
        return Relation::Duplicate;
    }
    if passed {
        return Relation::Passed;
    }
    match step.from_guid {
        0 => full(step, held),
        base => incremental(step, base, held),
    }
}

fn full(step: &Step, held: &impl Held) -> Relation {
    match held.newest_received().or(held.newest()) {
        None => Relation::IntoEmpty,
        Some(newest) if step.creation <= newest.creation => Relation::Older(newest),
        Some(newest) => Relation::Restarts(newest),
    }
}

fn incremental(step: &Step, base: u64, held: &impl Held) -> Relation {
    let Some(base) = held.state(base) else { return Relation::NoBase };
    if held.newest().is_some_and(|newest| newest.guid == base.guid) {
        return Relation::Continues;
    }
    if is_jumped_over(step, base, held) { Relation::JumpedOver } else { Relation::Aside }
}

/// Whether a step that led from the same base to a newer state was received.
///
/// The sender's clock tells what is newer, which has only seconds and may have been set back. So
/// what is not surely older is kept, and without a state received after the base there is nothing
/// that could hold what the step brings. Local states say nothing.
fn is_jumped_over(step: &Step, base: State, held: &impl Held) -> bool {
    held.newest_received().is_some_and(|newest| {
        newest.order > base.order && (base.creation..newest.creation).contains(&step.creation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States in the order in which they came, with whether a step made them.
    struct States(Vec<(State, bool)>);

    impl Held for States {
        fn state(&self, guid: u64) -> Option<State> {
            self.0.iter().map(|(state, _)| *state).find(|state| state.guid == guid)
        }

        fn newest(&self) -> Option<State> {
            self.0.last().map(|(state, _)| *state)
        }

        fn newest_received(&self) -> Option<State> {
            self.0.iter().rev().find(|(_, received)| *received).map(|(state, _)| *state)
        }
    }

    fn of(guid: u64) -> State {
        State { guid, order: guid, creation: guid }
    }

    /// States with these guids, each made in the second of its guid.
    fn held(guids: &[u64]) -> States {
        States(guids.iter().map(|guid| (of(*guid), true)).collect())
    }

    const FULL: Step = Step { to_guid: 1, from_guid: 0, creation: 1 };
    const STEP: Step = Step { to_guid: 5, from_guid: 4, creation: 5 };

    #[test]
    fn the_table() {
        let local = States(vec![(of(2), true), (of(4), true), (of(9), false)]);
        let late = |creation| Step { creation, ..FULL };
        let rows: &[(&str, Step, Option<States>, Relation)] = &[
            ("full, nothing there", FULL, None, Relation::Begins),
            ("full, empty", FULL, Some(held(&[])), Relation::IntoEmpty),
            ("full again", FULL, Some(held(&[1, 2])), Relation::Duplicate),
            ("full, not newer", FULL, Some(held(&[2])), Relation::Older(of(2))),
            ("full of the same second", late(2), Some(held(&[2])), Relation::Older(of(2))),
            ("full, newer", late(3), Some(held(&[2])), Relation::Restarts(of(2))),
            ("step, nothing there", STEP, None, Relation::NoChain),
            ("step, empty", STEP, Some(held(&[])), Relation::NoBase),
            ("step, base missing", STEP, Some(held(&[2, 3])), Relation::NoBase),
            ("step again", STEP, Some(held(&[4, 5])), Relation::Duplicate),
            ("step on the newest", STEP, Some(held(&[3, 4])), Relation::Continues),
            ("step under a local state", STEP, Some(local), Relation::Aside),
            ("step that was jumped over", STEP, Some(held(&[4, 8])), Relation::JumpedOver),
            (
                "jumped over by one of the same second",
                Step { creation: 8, ..STEP },
                Some(held(&[4, 8])),
                Relation::Aside,
            ),
            (
                "jumped over, but the sender's clock was set back",
                Step { creation: 3, ..STEP },
                Some(held(&[4, 8])),
                Relation::Aside,
            ),
        ];
        for (name, step, held, want) in rows {
            assert_eq!(relation(step, held.as_ref(), false), *want, "{name}");
        }
    }

    #[test]
    fn what_others_led_past_is_passed_unless_it_is_there() {
        assert_eq!(relation(&STEP, Some(&held(&[8])), true), Relation::Passed);
        assert_eq!(relation(&FULL, Some(&held(&[8])), true), Relation::Passed);
        assert_eq!(relation(&STEP, Some(&held(&[5, 8])), true), Relation::Duplicate);
        assert_eq!(relation(&STEP, None::<&States>, true), Relation::NoChain);
    }
}
