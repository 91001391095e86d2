//! A daemon as a process, and the other side by hand.

use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::keys::{ExchangePrivate, NoisePrivate, SigningPrivate};
use packmule_protocol::mth;
use packmule_protocol::seed::Seed;
use packmule_protocol::sync::frame::{self, HEADER_LEN};
use packmule_protocol::sync::handshake::{Initiator, Transport};
use packmule_protocol::sync::message::{Done, File, Freq, Info, Message};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) struct Keys {
    exchange: ExchangePrivate,
    signing: SigningPrivate,
    pub(super) noise: NoisePrivate,
}

pub(super) fn keys(seed: u8) -> Keys {
    Keys {
        exchange: ExchangePrivate::from_bytes([seed; 32]),
        signing: SigningPrivate::from_seed(&[seed; 32]),
        noise: NoisePrivate::from_bytes([seed; 32]),
    }
}

impl Keys {
    pub(super) fn id(&self) -> NodeId {
        self.signing.public().node_id()
    }

    pub(super) fn public(&self) -> String {
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
pub(super) struct Daemon {
    dir: tempfile::TempDir,
    port: u16,
    child: Child,
    /// As `NNCPDEADLINE`, in seconds.
    deadline: &'static str,
}

impl Daemon {
    pub(super) fn start() -> Self {
        Self::with_deadline("10")
    }

    pub(super) fn with_deadline(deadline: &'static str) -> Self {
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
        let bind = format!("127.0.0.1:{port}");
        let child = command(dir.path(), deadline, "daemon").args(["-bind", &bind]).spawn().unwrap();
        let daemon = Self { dir, port, child, deadline };
        daemon.connect();
        daemon
    }

    /// Another command of the same node.
    pub(super) fn command(&self, name: &str) -> Command {
        command(self.dir.path(), self.deadline, name)
    }

    /// A directory for the test's own files.
    pub(super) fn scratch(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn connect(&self) -> TcpStream {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                    return stream;
                }
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    pub(super) fn tx(&self, seed: u8) -> PathBuf {
        self.spool().join(keys(seed).id().to_string()).join("tx")
    }

    pub(super) fn rx(&self, seed: u8) -> PathBuf {
        self.spool().join(keys(seed).id().to_string()).join("rx")
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub(super) fn log_says(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "no {text:?} in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Peak memory, in KiB.
    pub(super) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// A packet of alice's is taken and confirmed, whatever mallory did.
    pub(super) fn serves_alice(&self, seed: u8) {
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

fn command(dir: &Path, deadline: &str, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packmule"));
    command.args([&format!("nncp-{name}"), "-quiet"]).current_dir(dir);
    command.env("NNCPCFG", dir.join("cfg")).env("NNCPNOSYNC", "1").env("NNCPDEADLINE", deadline);
    command.stderr(Stdio::null());
    command
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A packet as far as a session is concerned: some bytes.
pub(super) fn packet(seed: u8, len: usize) -> Vec<u8> {
    vec![seed; len]
}

/// The other side, by hand.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    pub(super) transport: Transport,
}

pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = frame::begin(&mut out);
    out.extend_from_slice(message);
    frame::finish(&mut out, start);
    out
}

/// The Noise message of the next frame; `None` at the end of the stream.
pub(super) fn next_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).ok()?;
    let len = u32::from_be_bytes(header[8..].try_into().unwrap()) as usize;
    let mut message = vec![0; len.next_multiple_of(4)];
    stream.read_exact(&mut message).ok()?;
    message.truncate(len);
    Some(message)
}

/// A seed for a handshake of ours.
pub(super) fn fresh() -> Seed {
    Seed::from_source(getrandom::fill).unwrap()
}

impl Peer {
    pub(super) fn call(daemon: &Daemon, seed: u8) -> Self {
        // The place of an earlier session may still be taken for a moment.
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let mut stream = daemon.connect();
            let noise = keys(seed).noise;
            let (initiator, first) =
                Initiator::start(&noise, &keys(1).noise.public(), fresh(), b"");
            stream.write_all(&framed(&first)).unwrap();
            if let Some(second) = next_message(&mut stream) {
                let (_, transport) = initiator.finish(&second).unwrap();
                return Self { stream, transport };
            }
            assert!(Instant::now() < end, "refused:\n{}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn says(&mut self, messages: &[Message<'_>]) {
        let mut payload = Vec::new();
        messages.iter().for_each(|message| message.encode(&mut payload));
        self.payload(payload);
    }

    pub(super) fn payload(&mut self, mut payload: Vec<u8>) {
        self.transport.seal(&mut payload, 0).unwrap();
        // The node may have hung up already, as it should.
        self.stream.write_all(&framed(&payload)).ok();
    }

    /// Listens until this is said; false when the node hangs up first.
    pub(super) fn hears(&mut self, wanted: &Message<'_>) -> bool {
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

    /// Listens until the node asks for a packet or confirms one; `None` when it hangs up first.
    pub(super) fn hears_reply(&mut self) -> Option<Message<'static>> {
        while let Some(mut message) = next_message(&mut self.stream) {
            let mut left = self.transport.open(&mut message).unwrap();
            while let Some(message) = Message::take(&mut left).unwrap() {
                match message {
                    Message::Freq(freq) => return Some(Message::Freq(freq)),
                    Message::Done(done) => return Some(Message::Done(done)),
                    _ => {}
                }
            }
        }
        None
    }

    /// Listens until the node hangs up.
    pub(super) fn hears_the_end(&mut self) {
        while next_message(&mut self.stream).is_some() {}
    }
}

pub(super) const HASH: PacketHash = PacketHash([7; 32]);

pub(super) fn info(size: u64) -> Message<'static> {
    Message::Info(Info { nice: 9, size, hash: HASH })
}

pub(super) fn file(offset: u64, data: &[u8]) -> Message<'_> {
    Message::File(File { hash: HASH, offset, data })
}

/// All files below a directory, by name.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
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
