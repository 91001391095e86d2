//! Hard links: which names should be one file, and whether they are.

use super::entry::EntryId;
use super::manifest::Manifest;
use std::collections::HashMap;
use std::hash::Hash;

/// The names that are not one file with the rest of their group, or that are one with a name of
/// another group or of none. `files` tells which file each name is; one that is absent is missing
/// and reported as such.
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
        // The first of a group that is there says which file the group is.
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
