//! Properties that the sender reads and sets.

/// With `on` a dataset is left out, with what is below it; with `off` a child is sent all the same.
pub(super) const EXCLUDE: &str = "packmule:exclude";
/// simplesnap's, whose rule is that `on` leaves out, and everything else does not.
pub(super) const SIMPLESNAPS: &str = "org.complete.simplesnap:exclude";

/// The properties to read of datasets.
pub(super) const OF_DATASETS: [&str; 2] = [EXCLUDE, SIMPLESNAPS];

/// On a snapshot that bears a name of simplesnap's: we made it.
pub(super) const MADE: &str = "packmule:made";
/// On a snapshot that may begin a chain, until it was sent. Without it, a snapshot of the set that
/// has no mark was sent, and the mark was lost.
pub(super) const UNSENT: &str = "packmule:unsent";
