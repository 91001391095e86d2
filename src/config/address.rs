//! The addresses of a neighbour, as the configuration and the command line write them.

use std::fmt;

/// The address to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// `host:port`, over TCP.
    Tcp(String),
    /// `|command`: a command's standard input and output.
    Command(String),
    /// Descriptors 6 and 7, which a UCSPI client opens.
    Ucspi,
}

/// The text is not a valid address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// The text is empty. (The reference crashes.)
    #[error("address is empty")]
    Empty,
    /// The port is missing or not a number.
    #[error("{0}: no port number (an address is host:port, [v6]:port or |command)")]
    NoPort(String),
    /// The address has a scheme. The reference does not support schemes either.
    #[error(
        "{0}: a scheme before the host is not allowed (an address is host:port, [v6]:port or |command)"
    )]
    Scheme(String),
    /// Without brackets, the end of the host is ambiguous.
    #[error("{0}: put the IPv6 address in brackets, [v6]:port")]
    Brackets(String),
    /// The host contains a blank.
    #[error("{0:?}: a blank in a host (an address is host:port, [v6]:port or |command)")]
    Blank(String),
    /// The overlay network that the reference can embed.
    #[error(
        "{0}: packmule has no Yggdrasil router built in; run the yggdrasil daemon, which makes it \
         an ordinary network, and give the node's address there as [200:...]:port"
    )]
    Yggdrasil(String),
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if let Some(command) = text.strip_prefix('|') {
            return Ok(Self::Command(command.into()));
        }
        if ["yggdrasilc://", "yggdrasils://"].iter().any(|scheme| text.starts_with(scheme)) {
            // The query holds a private key, which must not appear in the log.
            let shown = text.split('?').next().unwrap_or_default();
            return Err(AddressError::Yggdrasil(shown.into()));
        }
        if text.contains("://") {
            return Err(AddressError::Scheme(text.into()));
        }
        let Some((host, _)) = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok())
        else {
            return Err(AddressError::NoPort(text.into()));
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if bare.contains(char::is_whitespace) {
            return Err(AddressError::Blank(text.into()));
        }
        if bare.len() == host.len() && host.contains(':') {
            return Err(AddressError::Brackets(text.into()));
        }
        Ok(Self::Tcp(text.into()))
    }
}

/// The form that the log shows.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Command(command) => write!(f, "|{command}"),
            Self::Ucspi => f.write_str("UCSPI-TCP-CLIENT"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_manual() {
        for text in ["host:5400", "127.0.0.1:1", "[::1]:5400", "[fe80::1%eth0]:5400"] {
            assert_eq!(text.parse(), Ok(Address::Tcp(text.into())));
        }
        assert_eq!("|ssh host nncp".parse(), Ok(Address::Command("ssh host nncp".into())));
        assert_eq!("|".parse::<Address>().unwrap().to_string(), "|");
    }

    #[test]
    fn what_can_not_be_called_is_refused_with_a_reason() {
        assert_eq!("".parse::<Address>(), Err(AddressError::Empty));
        for text in ["host", "[::1]", "host:", "host:nncp", "host:65536"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError::NoPort(text.into())));
        }
        let check = |text: &str, want| assert_eq!(text.parse::<Address>(), Err(want));
        check("tcp://host:5400", AddressError::Scheme("tcp://host:5400".into()));
        check("fe80::1:5400", AddressError::Brackets("fe80::1:5400".into()));
        check(" host:5400", AddressError::Blank(" host:5400".into()));
        let error = "yggdrasilc://PUB:5400?prv=SECRET".parse::<Address>().unwrap_err().to_string();
        assert!(error.contains("yggdrasil daemon") && !error.contains("SECRET"), "{error}");
    }
}
