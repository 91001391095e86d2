//! Generates new configurations with fresh keys, with or without comments.
//!
//! Scripts extract keys from this text line by line, so each key is unquoted on a line of its own.

use super::hjson;
use super::schema::autotoss_no;
use crate::random::{self, NoRandomness};
use data_encoding::HEXLOWER;
use packmule_protocol::base32;
use packmule_protocol::keys::{ExchangePrivate, PrivateKeys, SigningPrivate};
use packmule_protocol::packet::kind::Row;
use zeroize::Zeroizing;

/// A whole configuration of a new node.
///
/// # Errors
/// The operating system's random number generator fails.
pub(crate) fn configuration(comments: bool) -> Result<Zeroizing<String>, NoRandomness> {
    let template = if comments { COMMENTED } else { PLAIN };
    loop {
        let keys = PrivateKeys::generate([random::seed()?, random::seed()?, random::seed()?]);
        let signpub = keys.signing.public();
        let pairs = [
            ("ID", Zeroizing::new(signpub.node_id().to_string())),
            ("EXCHPUB", Zeroizing::new(keys.exchange.public().to_string())),
            ("EXCHPRV", keys.exchange.to_base32()),
            ("SIGNPUB", Zeroizing::new(signpub.to_string())),
            ("SIGNPRV", keys.signing.to_base32()),
            ("NOISEPUB", Zeroizing::new(keys.noise.public().to_string())),
            ("NOISEPRV", keys.noise.to_base32()),
            ("LEAVE", Zeroizing::new(leave())),
        ];
        if pairs.iter().all(|(_, key)| is_text(key)) {
            return Ok(filled(template, &pairs));
        }
    }
}

/// The settings that make toss skip packets during a call, one on each line.
fn leave() -> String {
    Row::named().map(|row| format!("    #   #     {}: true\n", autotoss_no(row.name))).collect()
}

/// The section of a new area. The user pastes it into a configuration.
///
/// # Errors
/// The operating system's random number generator fails.
pub(crate) fn area(name: &str, comments: bool) -> Result<Zeroizing<String>, NoRandomness> {
    let template = if comments { COMMENTED_AREA } else { PLAIN_AREA };
    loop {
        let private = ExchangePrivate::generate(random::seed()?);
        let public = private.public();
        let pairs = [
            ("NAME", Zeroizing::new(hjson::key(name))),
            ("ID", Zeroizing::new(public.area_id().to_string())),
            ("PUB", Zeroizing::new(public.to_string())),
            ("PRV", private.to_base32()),
        ];
        if pairs[1..].iter().all(|(_, key)| is_text(key)) {
            return Ok(filled(template, &pairs));
        }
    }
}

/// A new key pair for a Yggdrasil network, in hexadecimal.
///
/// # Errors
/// The operating system's random number generator fails.
pub(crate) fn yggdrasil() -> Result<Zeroizing<String>, NoRandomness> {
    let private = SigningPrivate::generate(random::seed()?);
    let pair = Zeroizing::new(base32::decode(&private.to_base32()).unwrap_or_default());
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str("Public: ");
    HEXLOWER.encode_append(&private.public().0, &mut text);
    text.push_str("\nPrivate: ");
    HEXLOWER.encode_append(&pair, &mut text);
    text.push('\n');
    Ok(text)
}

/// True if Hjson reads the unquoted key as text. It reads a key of digits and one `E` as a number.
fn is_text(key: &str) -> bool {
    key.bytes().any(|byte| byte.is_ascii_alphabetic() && byte != b'E')
}

/// The template with every `$KEY` replaced.
fn filled(template: &str, pairs: &[(&str, Zeroizing<String>)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(template.len() + 1024));
    let mut pieces = template.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(piece.len());
        let (key, rest) = piece.split_at(end);
        let value = pairs.iter().find(|(name, _)| *name == key);
        text.push_str(value.map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

const PLAIN: &str = "\
{
  spool: /var/spool/nncp
  log: /var/spool/nncp/log

  self: {
    # These are private keys: never show them to anybody
    id: $ID
    exchpub: $EXCHPUB
    exchprv: $EXCHPRV
    signpub: $SIGNPUB
    signprv: $SIGNPRV
    noiseprv: $NOISEPRV
    noisepub: $NOISEPUB
  }

  neigh: {
    self: {
      id: $ID
      exchpub: $EXCHPUB
      signpub: $SIGNPUB
      noisepub: $NOISEPUB
      exec: {sendmail: [\"/usr/sbin/sendmail\"]}
    }
  }
}
";

const COMMENTED: &str = "\
{
  # Directory of the packets that wait
  spool: /var/spool/nncp
  # File that tells what happened
  log: /var/spool/nncp/log
  # Permissions that new files do not get (octal, quoted)
  # umask: \"022\"
  # Show no progress unless asked to
  # noprogress: true
  # Keep no hdr/ files, which speed up the listing of packets
  # nohdr: true

  # Finding neighbours on the local network by multicast:
  # interfaces (regular expressions) to listen on
  mcd-listen: [\".*\"]
  # interfaces to announce ourselves on, and every how many seconds
  mcd-send: {.*: 10}

  # Short names for Yggdrasil keys and peers
  # yggdrasil-aliases: {
  #   myprv: 60bb...27aa
  #   bob-pub: 98de...ac19d
  #   alice-endpoint: tcp://example.com:1234?key=689c...13fb
  #   default-endpoints: tcp://[::1]:2345,alice-endpoint
  # }

  # Mails about what was tossed, sent by the exec handle sendmail of neigh.self
  # notify: {
  #   file: {
  #     from: nncp@localhost
  #     to: user+file@example.com
  #   }
  #   freq: {
  #     from: nncp@localhost
  #     to: user+freq@example.com
  #   }
  #   exec: {
  #     # The handle somehandle, called by bob
  #     bob.somehandle: {
  #       from: nncp+bob@localhost
  #       to: user+somehandle@example.com
  #     }
  #     # The handle anotherhandle, called by anybody
  #     *.anotherhandle: {
  #       from: nncp@localhost
  #       to: user+anotherhandle@example.com
  #     }
  #   }
  # }

  self: {
    # These are private keys: never show them to anybody
    id: $ID
    exchpub: $EXCHPUB
    exchprv: $EXCHPRV
    signpub: $SIGNPUB
    signprv: $SIGNPRV
    noiseprv: $NOISEPRV
    noisepub: $NOISEPUB
  }

  neigh: {
    self: {
      # These are public keys: give them to your neighbours
      id: $ID
      exchpub: $EXCHPUB
      signpub: $SIGNPUB
      noisepub: $NOISEPUB

      exec: {
        # Sends the mails of notify
        sendmail: [\"/usr/sbin/sendmail\"]
      }
    }

    # A neighbour. Only its id and keys have to be here
    # alice: {
    #   id: XJZBK...65IJQ
    #   exchpub: MJACJ...FAI6A
    #   signpub: T4AFC...N2FRQ
    #   noisepub: UBM5K...VI42A
    #
    #   # Commands that she may run here, by handle
    #   # exec: {sendmail: [\"/usr/sbin/sendmail\"]}
    #
    #   # Directory for the files she sends; without it she may not send any
    #   # incoming: \"/home/alice/incoming\"
    #
    #   # Relays on the way to her, the one nearest to us first
    #   # via: [\"bob\", \"eve\"]
    #
    #   # A call ends after so many seconds of silence
    #   # onlinedeadline: 1800
    #
    #   # and after so many seconds in any case
    #   # maxonlinetime: 3600
    #
    #   # freq: {
    #   #   # Directory she may request files from; without it she may not
    #   #   path: \"/home/bob/pub\"
    #   #   # Cut files for her in chunks of so many KiB
    #   #   # chunked: 1024
    #   #   # Pad packets for her to so many KiB
    #   #   # minsize: 2048
    #   #   # Refuse requests for files above so many KiB
    #   #   # maxsize: 4096
    #   # }
    #
    #   # Packets a second that we receive and send at most
    #   # rxrate: 10
    #   # txrate: 20
    #
    #   # Her addresses, by a name of your choice
    #   # addrs: {
    #   #   lan: \"[fe80::1234%igb0]:5400\"
    #   #   internet: alice.com:3389
    #   # }
    #
    #   # When to call her
    #   # calls: [
    #   #   {
    #   #     cron: \"*/2 * * * *\"
    #   #     onlinedeadline: 1800
    #   #     maxonlinetime: 1750
    #   #     nice: PRIORITY+10
    #   #     rxrate: 10
    #   #     txrate: 20
    #   #     xx: rx
    #   #     addr: lan
    #   #     when-tx-exists: true
    #   #     nock: true
    #   #     mcd-ignore: true
    #   #
    #   #     autotoss: false
    #   #     autotoss-doseen: true
$LEAVE    #   #     autotoss-gen-ack: true
    #   #   }
    #   # ]
    #
    #   # How acknowledgements to her look
    #   # ack: {
    #   #   nice: MAX
    #   #   minsize: 2048
    #   # }
    # }
  }
}
";

const PLAIN_AREA: &str = "\
areas: {
  $NAME: {
    id: $ID
    # Not for nodes that only pass the area's messages on
    pub: $PUB
    prv: $PRV
  }
}
";

const COMMENTED_AREA: &str = "\
areas: {
  $NAME: {
    id: $ID

    # Not for nodes that only pass the area's messages on
    pub: $PUB
    prv: $PRV

    # Neighbours that get the area's messages from us
    # subs: [\"alice\"]

    # Directory for the files sent to the area; without it none are taken
    # incoming: /home/areas/news/incoming

    # Commands that messages of the area may run here, by handle
    # exec: {sendmail: [\"/usr/sbin/sendmail\"]}

    # Toss messages of senders we do not know, too (they are passed on in any case)
    # allow-unknown: true
  }
}
";

#[cfg(test)]
mod tests {
    use super::super::load::checked;
    use super::*;

    #[test]
    fn a_fresh_configuration_loads_without_a_warning() {
        for comments in [false, true] {
            let text = configuration(comments).unwrap();
            let loaded = checked(&hjson::read(text.as_bytes()).unwrap()).unwrap();
            assert_eq!(loaded.warnings, []);
            assert!(loaded.node.keys.is_some());
            assert_eq!(loaded.node.mcd_send.len(), usize::from(comments));
            assert!(!text.contains('$'), "{}", *text);
        }
    }

    #[test]
    fn the_examples_in_the_comments_are_keys_that_exist() {
        let text = configuration(true).unwrap();
        let is_setting = |line: &&str| {
            let key = line.split_once(": ").map_or(" ", |(key, _)| key);
            !key.contains(' ') || line.trim_matches(['{', '[', '}', ']']).is_empty()
        };
        let bare = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
        let lines: Vec<&str> = bare.filter(is_setting).collect();
        let tree = hjson::read(lines.join("\n").as_bytes()).unwrap();
        let canonical = super::super::schema::canonical(&tree).unwrap();
        assert_eq!(canonical.unknown, Vec::<String>::new());
        assert_eq!(canonical.tree["neigh"]["alice"]["calls"][0]["autotoss-gen-ack"], true);
        assert_eq!(canonical.tree["notify"]["exec"]["*.anotherhandle"]["from"], "nncp@localhost");
    }

    #[test]
    fn an_area_pastes_into_a_configuration() {
        for comments in [false, true] {
            let area = area("news", comments).unwrap();
            let text = configuration(false).unwrap();
            let text = format!("{}{}}}", text.trim_end().trim_end_matches('}'), *area);
            let loaded = checked(&hjson::read(text.as_bytes()).unwrap()).unwrap();
            assert_eq!(loaded.warnings, []);
            assert!(loaded.node.areas["news"].private.is_some());
        }
    }

    #[test]
    fn yggdrasil_keys_are_hex_and_the_private_one_ends_with_the_public() {
        let text = yggdrasil().unwrap();
        let (public, private) = text.trim_end().split_once('\n').unwrap();
        let (public, private) = (&public["Public: ".len()..], &private["Private: ".len()..]);
        assert_eq!((public.len(), private.len()), (64, 128));
        assert!(private.ends_with(public));
    }
}
