//! Checks the root's `self` and `neigh.self`.

use super::super::error::ConfigError;
use super::super::node::Neighbour;
use super::super::warning::Warning;
use super::at::At;
use packmule_protocol::id::NodeId;
use packmule_protocol::keys::{ExchangePublic, PrivateKeys, SigningPublic};

/// The private keys of the root's `self`. Warns if one does not match its public key.
pub(super) fn private_keys(
    own: &At<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<PrivateKeys, ConfigError> {
    own.node_id()?;
    let exchpub: ExchangePublic = own.key("exchpub", "exchPub")?;
    let exchange = own.key("exchprv", "exchPrv")?;
    let signpub: SigningPublic = own.key("signpub", "signPub")?;
    let signing = own.key("signprv", "signPrv")?;
    let noisepub = own.key("noisepub", "noisePub")?;
    let noise = own.key("noiseprv", "noisePrv")?;
    let keys = PrivateKeys { exchange, signing, noise };
    let pairs = [
        ("exch", keys.exchange.public() == exchpub),
        ("sign", keys.signing.public() == signpub),
        ("noise", keys.noise.public() == noisepub),
    ];
    warnings
        .extend(pairs.into_iter().filter(|(_, fit)| !fit).map(|(pair, _)| Warning::Halves(pair)));
    Ok(keys)
}

/// Compares the root's `self` with `neigh.self`.
pub(super) fn one_self(
    id: NodeId,
    own: &At<'_>,
    neighbour: &Neighbour,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    if neighbour.id != id {
        return Err(ConfigError::TwoSelves(id.to_string(), neighbour.id.to_string()));
    }
    let noisepub = own.key("noisepub", "noisePub")?;
    let keys = [
        ("exchpub", own.key::<ExchangePublic>("exchpub", "exchPub")? == neighbour.exchpub),
        ("signpub", own.key::<SigningPublic>("signpub", "signPub")? == neighbour.signpub),
        ("noisepub", neighbour.noisepub.is_none_or(|other| other == noisepub)),
    ];
    warnings
        .extend(keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| Warning::TwoSelves(key)));
    Ok(())
}
