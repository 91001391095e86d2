//! Reports the state of the process to systemd: `sd_notify`.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;

/// The service manager, if there is one. Failures are ignored.
#[derive(Debug, Clone)]
pub(super) struct Supervisor(Option<PathBuf>);

impl Supervisor {
    /// The service manager that listens on this socket (`NOTIFY_SOCKET`).
    pub(super) fn new(socket: Option<PathBuf>) -> Self {
        Self(socket)
    }

    /// Reports that the process serves.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// Reports that the process reads its configuration again.
    pub(super) fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// Reports that the process is about to end.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, text: &str) {
        let Some(path) = &self.0 else { return };
        let send = || {
            let name = path.as_os_str().as_bytes();
            let address = match name.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name)?,
                None => SocketAddr::from_pathname(path)?,
            };
            UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)
        };
        send().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_hears_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let supervisor = Supervisor::new(Some(path));
        let mut heard = [0; 99];
        let mut hear = || {
            let len = listener.recv(&mut heard).unwrap();
            String::from_utf8_lossy(&heard[..len]).into_owned()
        };
        supervisor.ready();
        assert_eq!(hear(), "READY=1");
        supervisor.reloading();
        assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        Supervisor::new(None).ready();
    }
}
