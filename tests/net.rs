//! The daemon as a process, and peers that break the rules: it lives, others are served, only the
//! peer's own `rx` is touched, and the log says who and why.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::keys::{ExchangePrivate, NoisePrivate, SigningPrivate};
use packmule_protocol::mth;
use packmule_protocol::sync::frame::{self, HEADER_LEN};
use packmule_protocol::sync::handshake::{Initiator, Transport};
use packmule_protocol::sync::message::{Done, File, Freq, Info, Message};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Keys {
    exchange: ExchangePrivate,
    signing: SigningPrivate,
    noise: NoisePrivate,
}

fn keys(seed: u8) -> Keys {
    Keys {
        exchange: ExchangePrivate::from_bytes([seed; 32]),
        signing: SigningPrivate::from_seed(&[seed; 32]),
        noise: NoisePrivate::from_bytes([seed; 32]),
    }
}

impl Keys {
    fn id(&self) -> NodeId {
        self.signing.public().node_id()
    }

    fn public(&self) -> String {
        format!(
            "id: {}\n exchpub: {}\n signpub: {}\n noisepub: {}\n",
            self.id(),
            self.exchange.public(),
            self.signing.public(),
            self.noise.public()
        )
    }
}

/// A daemon with two neighbours: mallory (2), who attacks, and alice (3), who does not.
struct Daemon {
    dir: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Daemon {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = keys(1);
        let config = format!(
            "{{\n spool: {0}/spool\n log: {0}/log\n self: {{\n {1} exchprv: {2}\n signprv: {3}\n \
             noiseprv: {4}\n }}\n neigh: {{\n self: {{\n {1} }}\n mallory: {{\n {5} }}\n alice: \
             {{\n {6} }}\n }}\n}}\n",
            dir.path().display(),
            own.public(),
            own.exchange.to_base32().as_str(),
            own.signing.to_base32().as_str(),
            own.noise.to_base32().as_str(),
            keys(2).public(),
            keys(3).public(),
        );
        fs::create_dir(dir.path().join("spool")).unwrap();
        fs::write(dir.path().join("cfg"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_packmule"))
            .args(["nncp-daemon", "-quiet", "-bind", &format!("127.0.0.1:{port}")])
            .env("NNCPCFG", dir.path().join("cfg"))
            .env("NNCPNOSYNC", "1")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { dir, port, child };
        daemon.connect();
        daemon
    }

    fn connect(&self) -> TcpStream {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    return stream;
                }
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn spool(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    fn rx(&self, seed: u8) -> PathBuf {
        self.spool().join(keys(seed).id().to_string()).join("rx")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn log_says(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "no {text:?} in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Peak memory, in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// A packet of alice's is taken and confirmed, whatever mallory did.
    fn serves_alice(&self, seed: u8) {
        let packet = packet(seed, 5000);
        let hash = PacketHash(mth::hash(&packet));
        let mut alice = Peer::call(self, 3);
        alice.says(&[Message::Info(Info { nice: 9, size: 5000, hash })]);
        assert!(alice.hears(&Message::Freq(Freq { hash, offset: 0 })));
        alice.says(&[Message::File(File { hash, offset: 0, data: &packet })]);
        assert!(alice.hears(&Message::Done(Done { hash })));
        assert_eq!(fs::read(self.rx(3).join(hash.to_string())).unwrap(), packet);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A packet as far as a session is concerned: some bytes.
fn packet(seed: u8, len: usize) -> Vec<u8> {
    vec![seed; len]
}

/// The other side, by hand.
struct Peer {
    stream: TcpStream,
    transport: Transport,
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = frame::begin(&mut out);
    out.extend_from_slice(message);
    frame::finish(&mut out, start);
    out
}

/// The Noise message of the next frame; `None` at the end of the stream.
fn next_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).ok()?;
    let len = u32::from_be_bytes(header[8..].try_into().unwrap()) as usize;
    let mut message = vec![0; len.next_multiple_of(4)];
    stream.read_exact(&mut message).ok()?;
    message.truncate(len);
    Some(message)
}

impl Peer {
    fn call(daemon: &Daemon, seed: u8) -> Self {
        // The place of an earlier session may still be taken for a moment.
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let mut stream = daemon.connect();
            let noise = keys(seed).noise;
            let (initiator, first) = Initiator::start(&noise, &keys(1).noise.public(), b"");
            stream.write_all(&framed(&first)).unwrap();
            if let Some(second) = next_message(&mut stream) {
                let (_, transport) = initiator.finish(&second).unwrap();
                return Self { stream, transport };
            }
            assert!(Instant::now() < end, "refused:\n{}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn says(&mut self, messages: &[Message<'_>]) {
        let mut payload = Vec::new();
        messages.iter().for_each(|message| message.encode(&mut payload));
        self.payload(payload);
    }

    fn payload(&mut self, mut payload: Vec<u8>) {
        self.transport.seal(&mut payload, 0).unwrap();
        // The node may have hung up already, as it should.
        self.stream.write_all(&framed(&payload)).ok();
    }

    /// Listens until this is said; false when the node hangs up first.
    fn hears(&mut self, wanted: &Message<'_>) -> bool {
        while let Some(mut message) = next_message(&mut self.stream) {
            let mut left = self.transport.open(&mut message).unwrap();
            while let Some(message) = Message::take(&mut left).unwrap() {
                if message == *wanted {
                    return true;
                }
            }
        }
        false
    }

    /// Listens until the node hangs up.
    fn hears_the_end(&mut self) {
        while next_message(&mut self.stream).is_some() {}
    }
}

const HASH: PacketHash = PacketHash([7; 32]);

fn info(size: u64) -> Message<'static> {
    Message::Info(Info { nice: 9, size, hash: HASH })
}

fn file(offset: u64, data: &[u8]) -> Message<'_> {
    Message::File(File { hash: HASH, offset, data })
}

/// All files below a directory, by name.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

#[test]
fn garbage_unknown_keys_and_silence_keep_nobody_out() {
    let daemon = Daemon::start();
    let silent: Vec<TcpStream> = (0..1000).map(|_| daemon.connect()).collect();
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"NNCPS\0\0\x01\xFF\xFF\xFF\xFF", &framed(&[7; 200])]
    {
        let mut stream = daemon.connect();
        stream.write_all(bytes).ok();
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "nothing is said to strangers");
    }
    let (_, first) = Initiator::start(&keys(9).noise, &keys(1).noise.public(), b"");
    let mut stranger = daemon.connect();
    stranger.write_all(&framed(&first)).unwrap();
    assert_eq!(next_message(&mut stranger), None);
    daemon.log_says(&format!("Peer: {}\n", keys(9).noise.public()));
    daemon.serves_alice(1);
    drop(silent);
    assert!(daemon.memory() < 200 << 10, "{} KiB", daemon.memory());
}

#[test]
fn a_peer_that_breaks_the_rules_ends_its_own_session_and_no_other() {
    let daemon = Daemon::start();
    type Script<'a> = &'a dyn Fn(&mut Peer);
    let scripts: [(&str, Script<'_>); 8] = [
        ("bad magic number", &|peer| peer.stream.write_all(b"garbage garbage").unwrap()),
        ("too long", &|peer| {
            peer.stream.write_all(b"NNCPS\0\0\x01\x00\x02\x00\x01").unwrap();
        }),
        ("altered", &|peer| peer.stream.write_all(&framed(&[7; 100])).unwrap()),
        ("unknown type 77", &|peer| peer.payload(77u32.to_be_bytes().to_vec())),
        ("info: ends inside", &|peer| peer.payload(vec![0; 20])),
        ("bytes at 5000 instead of 0", &|peer| {
            peer.says(&[info(1000)]);
            peer.hears(&Message::Freq(Freq { hash: HASH, offset: 0 }));
            peer.says(&[file(5000, b"beyond")]);
        }),
        ("more than the 1000 bytes announced", &|peer| {
            peer.says(&[info(1000)]);
            peer.hears(&Message::Freq(Freq { hash: HASH, offset: 0 }));
            peer.says(&[file(0, &[1; 1001])]);
        }),
        ("bytes at 0 instead of 100", &|peer| {
            peer.says(&[info(1000)]);
            peer.hears(&Message::Freq(Freq { hash: HASH, offset: 0 }));
            peer.says(&[file(0, &[1; 100]), file(0, &[1; 100])]);
        }),
    ];
    for (index, (why, script)) in scripts.iter().enumerate() {
        let mut mallory = Peer::call(&daemon, 2);
        script(&mut mallory);
        mallory.hears_the_end();
        daemon.log_says(why);
        daemon.serves_alice(10 + index as u8);
    }
    // What was valid is kept, for the next call.
    let part = daemon.rx(2).join(format!("{HASH}.part"));
    assert_eq!(fs::read(part).unwrap(), [1; 100]);
    assert!(daemon.log().contains(&format!("Node: {}", keys(2).id())));
}

#[test]
fn what_is_of_no_effect_is_said_and_nothing_else_is_touched() {
    let daemon = Daemon::start();
    let sentinel = daemon.spool().join(keys(3).id().to_string()).join("tx");
    fs::create_dir_all(&sentinel).unwrap();
    let sentinel = sentinel.join(HASH.to_string());
    fs::write(&sentinel, packet(1, 2000)).unwrap();
    let mut mallory = Peer::call(&daemon, 2);
    mallory.says(&[file(0, &[1; 1000])]);
    mallory
        .says(&[Message::Done(Done { hash: HASH }), Message::Freq(Freq { hash: HASH, offset: 0 })]);
    for size in [0, 1, 479, 1 << 63, u64::MAX] {
        mallory.says(&[info(size)]);
    }
    let other = PacketHash([8; 32]);
    for batch in 0..120u32 {
        let mut payload = Vec::new();
        for index in 0..1360u32 {
            let mut hash = [9; 32];
            hash[..4].copy_from_slice(&(batch * 1360 + index).to_be_bytes());
            Message::Info(Info { nice: 9, size: 1 << 61, hash: PacketHash(hash) })
                .encode(&mut payload);
        }
        mallory.payload(payload);
    }
    mallory.says(&[Message::Ping, Message::Done(Done { hash: other })]);
    daemon.log_says("was never announced");
    daemon.log_says("was not offered");
    daemon.log_says("impossible size or niceness");
    daemon.serves_alice(1);
    assert!(sentinel.exists(), "another neighbour's packet is not mallory's to remove");
    assert_eq!(files(&daemon.rx(2)), [] as [PathBuf; 0]);
    assert!(daemon.memory() < 200 << 10, "{} KiB", daemon.memory());
}

#[test]
fn wrong_content_is_refused_and_asked_for_again() {
    let daemon = Daemon::start();
    let mut mallory = Peer::call(&daemon, 2);
    mallory.says(&[info(1000)]);
    for _ in 0..3 {
        assert!(mallory.hears(&Message::Freq(Freq { hash: HASH, offset: 0 })));
        mallory.says(&[file(0, &[1; 1000])]);
    }
    daemon.log_says("checksum mismatch");
    daemon.serves_alice(1);
    assert_eq!(files(&daemon.rx(2)), [] as [PathBuf; 0]);
}

#[test]
fn a_dead_line_does_not_keep_its_neighbour_out() {
    let daemon = Daemon::start();
    let mut dead = Peer::call(&daemon, 3);
    dead.says(&[info(1000)]);
    assert!(dead.hears(&Message::Freq(Freq { hash: HASH, offset: 0 })));
    // The line is gone, and nobody told the daemon.
    let started = Instant::now();
    daemon.serves_alice(1);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    dead.hears_the_end();
}
