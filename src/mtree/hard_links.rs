//! Hard links: which names should be one file, and whether they are.

use super::entry::EntryId;
use super::manifest::Manifest;
use std::collections::HashMap;
use std::hash::Hash;

/// The names that are not hard links to the rest of their group, or that are hard links to a name
/// outside of it. `files` has the file of each name; a name that is not in it is missing, which is
/// reported elsewhere.
pub(super) fn broken<F: Copy + Eq + Hash>(
    manifest: &Manifest,
    files: &HashMap<EntryId, F>,
) -> Vec<EntryId> {
    let mut broken = Vec::new();
    let mut owners = HashMap::new();
    let mut grouped = HashMap::new();
    for (group, id) in manifest.hard_links() {
        grouped.insert(*id, *group);
        let Some(file) = files.get(id) else { continue };
        // The first existing name of a group determines the file of the group.
        owners.entry(*group).or_insert(*file);
    }
    let of_file: HashMap<F, u64> = owners.iter().map(|(group, file)| (*file, *group)).collect();
    for (id, file) in files {
        let is_right = match grouped.get(id) {
            Some(group) => owners.get(group) == Some(file) && of_file.get(file) == Some(group),
            None => !of_file.contains_key(file),
        };
        if !is_right {
            broken.push(*id);
        }
    }
    broken
}
