//! Finds faults of a node, present or imminent, and says how to repair each.

mod failing;
mod files;
mod finding;
mod locks;
mod network;
mod owner;
mod patient;
pub(crate) mod peers;
mod programs;
mod queue;
mod settings;
mod spool;

pub(crate) use finding::{Finding, Level};
pub(crate) use patient::Patient;

/// Runs all checks. Changes nothing.
pub(crate) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let node = &patient.loaded.node;
    let mut findings = settings::warnings(&patient.loaded.warnings);
    findings.extend(files::secrets(patient.config, node));
    findings.extend(settings::routes(node));
    findings.extend(network::examine(node));
    findings.extend(files::places(node));
    findings.extend(programs::examine(node, patient.programs));
    findings.extend(spool::clock(patient));
    findings.extend(spool::examine(patient));
    findings.extend(queue::examine(patient));
    findings.extend(failing::examine(patient));
    findings.extend(locks::examine(patient));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{checked, fresh, hjson};
    use crate::log::Log;
    use crate::spool::{Options, Spool};
    use jiff::Timestamp;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// The findings for a healthy node below `top`, after `change` was applied to its configuration.
    fn names(top: &Path, change: impl Fn(String) -> String) -> Vec<&'static str> {
        let text = fresh::configuration(false).unwrap();
        let spool = top.join("spool");
        let text = change(text.replace("/var/spool/nncp", spool.to_str().unwrap()));
        let text = text.replace("/usr/sbin/sendmail", "/nonexistent/sendmail");
        let config = top.join("nncp.hjson");
        fs::write(&config, text.as_bytes()).unwrap();
        if !config.with_extension("open").exists() {
            fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let tree = hjson::read(text.as_bytes()).unwrap();
        let loaded = checked(&tree).unwrap();
        let spool = Spool::new(&spool, Options { hdr: false, sync: false }, Log::none());
        let patient = Patient {
            config: &config,
            loaded: &loaded,
            spool: &spool,
            programs: OsStr::new("/usr/bin:/bin"),
            now: Timestamp::now(),
        };
        let found = examine(&patient);
        assert!(found.iter().all(|finding| !finding.what.is_empty() && !finding.advice.is_empty()));
        // Free space depends on the machine that runs the tests.
        let names = found.into_iter().map(|finding| finding.name);
        names.filter(|name| *name != "space-low").collect()
    }

    fn healthy() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("spool")).unwrap();
        top
    }

    #[test]
    fn a_healthy_node_has_no_findings() {
        assert_eq!(names(healthy().path(), |text| text), [""; 0]);
    }

    #[test]
    fn a_missing_spool_is_reported() {
        let top = tempfile::tempdir().unwrap();
        assert_eq!(names(top.path(), |text| text), ["spool-missing"]);
    }

    #[test]
    fn secrets_that_others_can_read_are_reported() {
        let top = healthy();
        fs::write(top.path().join("nncp.open"), "").unwrap();
        assert_eq!(names(top.path(), |text| text), ["secrets-readable"]);
    }

    #[test]
    fn unknown_keys_are_reported_here() {
        let found =
            names(healthy().path(), |text| text.replace("  neigh: {", "  nohrd: true\n  neigh: {"));
        assert_eq!(found[0], "key-unknown");
    }

    #[test]
    fn a_program_or_directory_that_is_not_there_is_reported() {
        let found = names(healthy().path(), |text| {
            text.replace("exec: {", "incoming: /nonexistent/in\n  exec: {x: [\"/nonexistent/x\"], ")
        });
        assert_eq!(found, ["incoming-unusable", "program-missing"]);
    }

    #[test]
    fn a_mailer_is_looked_for_when_there_is_something_to_mail() {
        let found = names(healthy().path(), |text| {
            text.replace("  neigh: {", "  notify: {file: {from: \"a\", to: \"b\"}}\n  neigh: {")
        });
        assert_eq!(found, ["program-missing"]);
    }

    #[test]
    fn an_incoming_directory_that_toss_can_make_is_no_fault() {
        let top = healthy();
        let incoming = |below: &str| {
            let line = format!("incoming: {}/{below}\n  exec: {{", top.path().display());
            names(top.path(), |text| text.replace("exec: {", &line))
        };
        assert_eq!(incoming("in"), [""; 0]);
        assert_eq!(incoming("a/b"), ["incoming-unusable"]);
        assert!(!top.path().join("a").exists());
    }

    #[test]
    fn a_lock_that_nobody_holds_is_as_it_should_be() {
        let top = healthy();
        fs::write(top.path().join("spool/log.lock"), "").unwrap();
        assert_eq!(names(top.path(), |text| text), [""; 0]);
    }

    #[test]
    fn what_is_in_a_packets_place_and_old_beginnings_are_reported() {
        let top = healthy();
        // The node is also listed as its own neighbour, so it needs the same keys.
        let text = fresh::configuration(false).unwrap();
        let own = checked(&hjson::read(text.as_bytes()).unwrap()).unwrap();
        let id = own.node.self_neighbour().id;
        let rx = top.path().join("spool").join(id.to_string()).join("rx");
        fs::create_dir_all(&rx).unwrap();
        let name = |letter: &str| letter.repeat(51) + "A";
        let fifo = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, rx.join(name("A")), fifo, mode, 0).unwrap();
        fs::create_dir(rx.join(name("B"))).unwrap();
        fs::write(rx.join(name("C")), "junk").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", rx.join(name("D"))).unwrap();
        let part = fs::File::create(rx.join(name("E") + ".part")).unwrap();
        let day = std::time::Duration::from_secs(86_400);
        part.set_modified(std::time::SystemTime::now() - 90 * day).unwrap();
        fs::write(rx.join(name("F") + ".part"), "").unwrap();
        let found = names(top.path(), |_| {
            text.replace("/var/spool/nncp", top.path().join("spool").to_str().unwrap())
        });
        assert_eq!(found, ["packet-bad", "packet-bad", "packet-bad", "packet-bad", "part-old"]);
        assert_eq!(fs::read_dir(&rx).unwrap().count(), 6, "nothing is written");
    }

    #[test]
    fn left_overs_strangers_and_the_future_are_reported() {
        let top = healthy();
        let spool = top.path().join("spool");
        fs::create_dir(spool.join("tmp")).unwrap();
        fs::create_dir(spool.join("A".repeat(52))).unwrap();
        let old = fs::File::create(spool.join("tmp/nncp123")).unwrap();
        let day = std::time::Duration::from_secs(86_400);
        old.set_modified(std::time::SystemTime::now() - 3 * day).unwrap();
        assert_eq!(names(top.path(), |text| text), ["tmp-stale", "stranger"]);
        let ahead = fs::File::create(spool.join("log")).unwrap();
        ahead.set_modified(std::time::SystemTime::now() + 3 * day).unwrap();
        assert_eq!(names(top.path(), |text| text)[0], "clock-behind");
    }
}
