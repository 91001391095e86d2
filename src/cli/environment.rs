//! The environment variables that are read. An empty one counts as not set.

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

/// `NNCPCFG`: where the configuration is. It beats `-cfg`.
pub(crate) fn config() -> Option<OsString> {
    variable("NNCPCFG")
}

/// `NNCPSPOOL`: where the spool is, unless `-spool` says so.
pub(crate) fn spool() -> Option<OsString> {
    variable("NNCPSPOOL")
}

/// `NNCPLOG`: where the log is, unless `-log` says so.
pub(crate) fn log() -> Option<OsString> {
    variable("NNCPLOG")
}

/// `NNCPNOSYNC`: nothing is synced to disk.
pub(crate) fn nosync() -> bool {
    variable("NNCPNOSYNC").is_some()
}

/// `PATH`: where handlers' programs are found.
pub(crate) fn path() -> OsString {
    variable("PATH").unwrap_or_default()
}

/// `NNCP_SELF`: who runs a handler.
pub(crate) fn own_id() -> String {
    variable("NNCP_SELF").unwrap_or_default().to_string_lossy().into_owned()
}

/// `NNCP_SENDER`: whom a handler is run for.
pub(crate) fn sender() -> String {
    variable("NNCP_SENDER").unwrap_or_default().to_string_lossy().into_owned()
}

/// `NNCP_NICE`: how urgent a handler's answers are.
pub(crate) fn nice() -> Option<Niceness> {
    let number = variable("NNCP_NICE")?.to_str()?.parse().ok()?;
    Niceness::from_wire(number)
}

/// `NNCPDEADLINE`: silence after which calls end, for neighbours that configure none.
///
/// # Errors
/// It is not a whole number of seconds. A negative one is accepted by the reference and ends
/// calls at once; here it is 0.
pub(crate) fn deadline() -> Result<Option<Duration>, BadDeadline> {
    let Some(value) = variable("NNCPDEADLINE") else { return Ok(None) };
    match value.to_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.try_into().unwrap_or(0)))),
        None => Err(BadDeadline(value)),
    }
}

/// The caller's address, as a UCSPI server leaves it.
pub(crate) fn ucspi_peer() -> Option<String> {
    let text = |name| variable(name)?.into_string().ok();
    let port = (text("PROTO")? == "TCP").then(|| text("TCPREMOTEPORT"))??;
    match text("TCPREMOTEHOST") {
        Some(host) => Some(format!("{host}:{port}")),
        None => Some(format!("[{}]:{port}", text("TCPREMOTEIP")?)),
    }
}

/// Number of sockets that systemd opened for this process, from descriptor 3 on.
pub(crate) fn inherited_sockets() -> Option<u32> {
    let number = |name| variable(name)?.to_str()?.parse::<u32>().ok();
    let ours = number("LISTEN_PID")? == std::process::id();
    number("LISTEN_FDS").filter(|count| ours && *count > 0)
}

/// Where systemd wants to hear that we are ready.
pub(crate) fn supervisor() -> Option<std::path::PathBuf> {
    variable("NOTIFY_SOCKET").map(Into::into)
}
