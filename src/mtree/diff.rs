//! Compares two manifests without a tree.

use super::compare::Rules;
use super::comparison::{Comparison, Difference, Object, What};
use super::entry::EntryId;
use super::facts::{Facts, Kind};
use super::hard_links;
use super::keyword::{Keyword, Keywords};
use super::manifest::Manifest;
use std::collections::HashMap;

/// Compares the manifests `old` and `new` in the keywords that both have.
pub fn diff(old: &Manifest, new: &Manifest, rules: &Rules) -> Comparison {
    let is_empty = old.is_empty() || new.is_empty();
    let mut comparison = Comparison { is_empty, ..Comparison::default() };
    let mut pairs = vec![(EntryId::ROOT, EntryId::ROOT)];
    let mut new_of_old = HashMap::new();
    while let Some((in_old, in_new)) = pairs.pop() {
        comparison.objects += 1;
        let (was, is) = (old.facts(in_old), new.facts(in_new));
        let mut differences = rules.differences(was, is);
        if rules.xattrs_differ(was, is, old.lists_xattrs && new.lists_xattrs)
            && (new.lists_xattrs || is.keywords().contains(Keyword::Xattr))
        {
            differences.add(Keyword::Xattr);
        }
        if !differences.is_empty() {
            let what = What::Differs(differences, Box::new(Facts::clone(is)));
            comparison.differences.push(Difference { object: Object::Entry(in_old), what });
        }
        new_of_old.insert(in_old, in_new);
        if !differences.contains(Keyword::Type) {
            let both = old.entry(in_old).stated && new.entry(in_new).stated;
            comparison.unchecked = comparison.unchecked.union(match both {
                true => unchecked((old, was), (new, is), rules),
                false => Keywords::NONE,
            });
            let holds = old.children(in_old).len() + new.children(in_new).len() > 0;
            if !holds && [was, is].iter().all(|facts| may_be(Kind::File, facts)) {
                comparison.files += 1;
                comparison.undigested += u64::from(!share_digest(was, is));
            }
        }
        if !differences.contains(Keyword::Type) && !was.ignore && !is.ignore {
            children(old, new, (in_old, in_new), rules, &mut pairs, &mut comparison);
        }
    }
    if !old.hard_links().is_empty()
        && !new.hard_links().is_empty()
        && !rules.ignore.contains(Keyword::Nlink)
    {
        broken_links(old, new, &new_of_old, &mut comparison);
    }
    comparison.sort(old);
    comparison
}

/// The keywords of an object that were not compared: only one manifest has them, or a rule ignores
/// them.
fn unchecked(
    (old, was): (&Manifest, &Facts),
    (new, is): (&Manifest, &Facts),
    rules: &Rules,
) -> Keywords {
    let (mut said_old, mut said_new) = (comparable(was), comparable(is));
    if old.lists_xattrs {
        said_old.add(Keyword::Xattr);
    }
    if new.lists_xattrs {
        said_new.add(Keyword::Xattr);
    }
    let both = said_old.intersection(said_new);
    let one = said_old.union(said_new).without(both);
    let never = [Keyword::Inode, Keyword::Resdevice, Keyword::Tags].into_iter().collect();
    one.union(both.intersection(rules.ignore.union(never)))
}

/// The keywords of an object that can be compared with another manifest.
fn comparable(facts: &Facts) -> Keywords {
    let mut said = facts.keywords();
    if facts.time.is_some() {
        said.add(Keyword::Time);
    }
    let none = Keywords::NONE.with(Keyword::TarTime);
    let none = none.with(Keyword::Optional).with(Keyword::Ignore).with(Keyword::Nochange);
    // The same exceptions as in `Rules::differences`.
    let none = none
        .with_if(Keyword::Mode, facts.kind == Some(Kind::Link))
        .with_if(Keyword::Size, !may_be(Kind::File, facts))
        .with_if(Keyword::Nlink, facts.kind == Some(Kind::Dir));
    said.without(none)
}

fn may_be(kind: Kind, facts: &Facts) -> bool {
    facts.kind.is_none_or(|known| known == kind)
}

fn share_digest(was: &Facts, is: &Facts) -> bool {
    was.digests.iter().any(|(algorithm, _)| is.digests.find(algorithm).is_some())
}

/// Compares the entries of a directory in both manifests.
fn children(
    old: &Manifest,
    new: &Manifest,
    (in_old, in_new): (EntryId, EntryId),
    rules: &Rules,
    pairs: &mut Vec<(EntryId, EntryId)>,
    comparison: &mut Comparison,
) {
    for child in old.children(in_old) {
        match new.child(in_new, old.entry(*child).name()) {
            Some(counterpart) => pairs.push((*child, counterpart)),
            None => missing(old, *child, comparison),
        }
    }
    for child in new.children(in_new) {
        let entry = new.entry(*child);
        let is_extra = old.child(in_old, entry.name()).is_none();
        if is_extra && !rules.ignore_extra && !entry.facts.optional {
            let object = Object::Extra(in_old, Box::from(entry.name()));
            comparison.differences.push(Difference { object, what: What::Extra });
        }
    }
}

/// Reports an object and everything below it as missing.
fn missing(old: &Manifest, id: EntryId, comparison: &mut Comparison) {
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        if !old.facts(id).optional {
            comparison
                .differences
                .push(Difference { object: Object::Entry(id), what: What::Missing });
            waiting.extend(old.children(id));
        }
    }
}

fn broken_links(
    old: &Manifest,
    new: &Manifest,
    new_of_old: &HashMap<EntryId, EntryId>,
    comparison: &mut Comparison,
) {
    let groups: HashMap<EntryId, u64> =
        new.hard_links().iter().map(|(group, id)| (*id, *group)).collect();
    // A name without a group is a file of its own.
    let file = |id: &EntryId| match groups.get(id) {
        Some(group) => (Some(*group), None),
        None => (None, Some(*id)),
    };
    let files = new_of_old.iter().map(|(in_old, in_new)| (*in_old, file(in_new))).collect();
    for id in hard_links::broken(old, &files) {
        comparison
            .differences
            .push(Difference { object: Object::Entry(id), what: What::LinkBroken });
    }
}
