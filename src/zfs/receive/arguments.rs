//! The command line of `zfs receive`.

use super::super::decide::Route;
use super::super::dialect::Dialect;
use super::super::name::Dataset;
use super::super::stream::{Begin, ObjsetType};
use super::subtree::Subtree;

/// Properties that exist on volumes as well as on file systems.
const OF_VOLUMES: [&str; 13] = [
    "readonly",
    "compression",
    "checksum",
    "copies",
    "dedup",
    "logbias",
    "primarycache",
    "refreservation",
    "reservation",
    "secondarycache",
    "snapdev",
    "sync",
    "volmode",
];

impl Subtree {
    pub(super) fn arguments(&self, begin: &Begin, route: Route, into: &Dataset) -> Vec<String> {
        let mut args = vec!["receive".to_owned(), "-u".to_owned()];
        if route == Route::Over {
            args.push("-F".to_owned());
        }
        let volume = begin.objset == ObjsetType::Volume;
        let fits = |name: &str| !volume || name.contains(':') || OF_VOLUMES.contains(&name);
        if self.dialect == Dialect::Open {
            for (property, value) in self.policy.set.iter().filter(|(name, _)| fits(name)) {
                args.extend(["-o".to_owned(), format!("{property}={value}")]);
            }
            for property in self.policy.exclude.iter().filter(|name| fits(name)) {
                args.extend(["-x".to_owned(), property.clone()]);
            }
        }
        args.push(into.to_string());
        args
    }
}
