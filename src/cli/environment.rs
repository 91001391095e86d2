//! The environment variables that packmule reads. An empty one counts as not set.

use packmule_protocol::niceness::Niceness;
use std::env;
use std::ffi::OsString;
use std::time::Duration;

/// `NNCPDEADLINE` is not a number.
#[derive(Debug, thiserror::Error)]
#[error("Can not convert NNCPDEADLINE to integer: {0:?}")]
pub(crate) struct BadDeadline(OsString);

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// `NNCPCFG`: path of the configuration. It takes precedence over `-cfg`.
pub(crate) fn config() -> Option<OsString> {
    variable("NNCPCFG")
}

/// `NNCPSPOOL`: path of the spool. `-spool` takes precedence.
pub(crate) fn spool() -> Option<OsString> {
    variable("NNCPSPOOL")
}

/// `NNCPLOG`: path of the log. `-log` takes precedence.
pub(crate) fn log() -> Option<OsString> {
    variable("NNCPLOG")
}

/// `NNCPNOSYNC`: if set, packmule syncs nothing to disk.
pub(crate) fn nosync() -> bool {
    variable("NNCPNOSYNC").is_some()
}

/// `PATH`: the search path for programs of handlers.
pub(crate) fn path() -> OsString {
    variable("PATH").unwrap_or_default()
}

/// `NNCP_SELF`: id of the node that runs a handler.
pub(crate) fn own_id() -> String {
    variable("NNCP_SELF").unwrap_or_default().to_string_lossy().into_owned()
}

/// `NNCP_SENDER`: id of the node whose packet the handler processes.
pub(crate) fn sender() -> String {
    variable("NNCP_SENDER").unwrap_or_default().to_string_lossy().into_owned()
}

/// `NNCP_NICE`: niceness of a handler's replies.
pub(crate) fn nice() -> Option<Niceness> {
    let number = variable("NNCP_NICE")?.to_str()?.parse().ok()?;
    Niceness::from_wire(number)
}

/// `NNCPDEADLINE`: `onlinedeadline` of neighbours that configure none.
///
/// # Errors
/// It is not a whole number of seconds. A negative number counts as 0; in the reference it ends
/// calls at once.
pub(crate) fn deadline() -> Result<Option<Duration>, BadDeadline> {
    let Some(value) = variable("NNCPDEADLINE") else { return Ok(None) };
    match value.to_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.try_into().unwrap_or(0)))),
        None => Err(BadDeadline(value)),
    }
}

/// The peer's address, from the variables that a UCSPI server sets.
pub(crate) fn ucspi_peer() -> Option<String> {
    let text = |name| variable(name)?.into_string().ok();
    let port = (text("PROTO")? == "TCP").then(|| text("TCPREMOTEPORT"))??;
    match text("TCPREMOTEHOST") {
        Some(host) => Some(format!("{host}:{port}")),
        None => Some(format!("[{}]:{port}", text("TCPREMOTEIP")?)),
    }
}

/// Number of sockets that systemd passed to this process. The first one is descriptor 3.
pub(crate) fn inherited_sockets() -> Option<u32> {
    let number = |name| variable(name)?.to_str()?.parse::<u32>().ok();
    let ours = number("LISTEN_PID")? == std::process::id();
    number("LISTEN_FDS").filter(|count| ours && *count > 0)
}

/// `NOTIFY_SOCKET`: the socket on which systemd waits for the readiness message.
pub(crate) fn supervisor() -> Option<std::path::PathBuf> {
    variable("NOTIFY_SOCKET").map(Into::into)
}
