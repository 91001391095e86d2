//! User properties that the sender reads and sets.

/// `on` excludes a dataset and its children; `off` on a child includes the child again.
pub(super) const EXCLUDE: &str = "packmule:exclude";
/// The property of simplesnap. There, every value except `on` means that the dataset is sent.
pub(super) const SIMPLESNAPS: &str = "org.complete.simplesnap:exclude";

/// The properties to read of datasets.
pub(super) const OF_DATASETS: [&str; 2] = [EXCLUDE, SIMPLESNAPS];

/// Set on a snapshot with a name of simplesnap's that packmule made.
pub(super) const MADE: &str = "packmule:made";
/// Set on a snapshot that may begin a chain, until it is sent. A snapshot of the set that has
/// neither this property nor a mark was sent, and its mark is lost.
pub(super) const UNSENT: &str = "packmule:unsent";
