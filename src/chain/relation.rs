//! The decision table: relates a step to the receiver's states by guids and times alone.

/// The contents of a step's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Guid of the state it makes.
    pub to_guid: u64,
    /// Guid of the state it needs; 0 for a full step.
    pub from_guid: u64,
    /// Creation of the state it makes, by the sender's clock, in seconds since 1970.
    pub creation: u64,
}

/// A state that a receiver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Its guid, which is the same at the sender and at every receiver.
    pub guid: u64,
    /// Orders the states of this receiver; larger is newer.
    pub order: u64,
    /// Its creation, by the sender's clock, in seconds since 1970.
    pub creation: u64,
}

/// The states of one chain that a receiver has.
pub(crate) trait Held {
    /// The state of this guid.
    fn state(&self, guid: u64) -> Option<State>;

    /// The newest state, received or local.
    fn newest(&self) -> Option<State>;

    /// The newest state that a step made. Local states say nothing about the sender.
    fn newest_received(&self) -> Option<State>;
}

/// The relation of a step to the receiver's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The receiver has the state that the step makes.
    Duplicate,
    /// Other steps led past that state: this step can never be applied, and is not needed.
    Passed,
    /// A full step; the target does not exist.
    Begins,
    /// A full step; the target exists and has no state.
    IntoEmpty,
    /// A full step that is newer than this state, the newest of the target.
    Restarts(State),
    /// A full step that is not newer than this state.
    Older(State),
    /// An increment; the target does not exist, so the full step is missing.
    NoChain,
    /// An increment whose base is missing.
    NoBase,
    /// Its base is the newest state.
    Continues,
    /// The target has the base, and received a newer state by a step that led further.
    JumpedOver,
    /// The target has the base, and newer states that may or may not block the step.
    Aside,
}

/// The relation of `step` to the target's states `held`; `None` if the target does not exist.
/// `passed` is true if other steps lead from the state that this step makes to one that the target
/// has.
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

/// True if a step from the same base to a newer state was received.
///
/// Only the sender's clock says which state is newer. It has a resolution of seconds and may have
/// been set back. So a step is kept unless it is certainly older, or if nothing was received after
/// its base. Local states say nothing.
fn is_jumped_over(step: &Step, base: State, held: &impl Held) -> bool {
    held.newest_received().is_some_and(|newest| {
        newest.order > base.order && (base.creation..newest.creation).contains(&step.creation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States in order of arrival, each with whether a step made it.
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

    /// States with these guids, each created at the second that equals its guid.
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
