//! Parses the words of entries.

use super::super::escape::unescape;
use super::super::facts::Facts;
use super::super::keyword::Keyword;
use super::super::value::{self, ValueError};
use super::fault::Fault;
use super::warning::{MOST_WARNINGS, Warning, Warnings};
use super::word::{lossy, split_keyword};
use std::collections::HashSet;
use std::sync::Arc;

/// Parses words, and shares values that many entries have.
#[derive(Default)]
pub(super) struct Values {
    /// Unknown keywords that were reported.
    unknown: HashSet<Box<[u8]>>,
    /// Names of users, groups, flags and tags.
    shared: HashSet<Arc<[u8]>>,
}

impl Values {
    /// Stores the value of a word in `facts`.
    pub(super) fn read(
        &mut self,
        facts: &mut Facts,
        word: &[u8],
        warnings: &mut Warnings,
    ) -> Result<(), Fault> {
        let (name, text) = split_keyword(word);
        let keyword = match word.starts_with(b"xattr.") {
            true => Some(Keyword::Xattr),
            false => Keyword::of_name(name),
        };
        let Some(keyword) = keyword else {
            self.unknown_keyword(name, warnings);
            return Ok(());
        };
        let allowed = value::allowed(keyword);
        let fault = |fault| Fault::Value { word: lossy(word), fault, allowed };
        if let Some(xattr) = word.strip_prefix(b"xattr.") {
            return value::read_xattr(facts, xattr).map_err(fault);
        }
        let text = match text {
            Some(text) => text,
            None if keyword.is_bare() => b"",
            None => return Err(fault(ValueError::Missing)),
        };
        match keyword {
            Keyword::Uname => facts.rare_mut().uname = Some(self.share(text).map_err(fault)?),
            Keyword::Gname => facts.rare_mut().gname = Some(self.share(text).map_err(fault)?),
            Keyword::Flags => facts.rare_mut().flags = Some(self.share(text).map_err(fault)?),
            Keyword::Tags => facts.rare_mut().tags = Some(self.share(text).map_err(fault)?),
            Keyword::Content => warnings.add(Warning::Contents),
            Keyword::Xattr | Keyword::Acl => self.unknown_keyword(name, warnings),
            _ => value::read(facts, keyword, text).map_err(fault)?,
        }
        Ok(())
    }

    /// One shared copy of a name.
    fn share(&mut self, text: &[u8]) -> Result<Arc<[u8]>, ValueError> {
        let name = unescape(text).map_err(|_| ValueError::Malformed)?;
        if let Some(known) = self.shared.get(&name[..]) {
            return Ok(Arc::clone(known));
        }
        let name: Arc<[u8]> = name.into();
        self.shared.insert(Arc::clone(&name));
        Ok(name)
    }

    /// Reports an unknown keyword once.
    pub(super) fn unknown_keyword(&mut self, name: &[u8], warnings: &mut Warnings) {
        if self.unknown.len() < MOST_WARNINGS && self.unknown.insert(Box::from(name)) {
            warnings.add(Warning::UnknownKeyword(lossy(name)));
        }
    }
}
