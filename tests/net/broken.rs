//! Lines that break and peers that fall silent, at every point of a call.

use super::peer::{Daemon, Peer, files, framed, fresh, keys, next_message, packet};
use packmule_protocol::id::PacketHash;
use packmule_protocol::mth;
use packmule_protocol::sync::frame;
use packmule_protocol::sync::handshake::{Initiator, Responder};
use packmule_protocol::sync::message::{Done, File, Freq, Info, Message};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Bytes of the packet that mallory has for the daemon.
const SIZE: u64 = 1000;

/// The packet that waits for mallory.
fn queued(daemon: &Daemon) -> PacketHash {
    let file = daemon.scratch().join("file");
    fs::write(&file, packet(1, 200_000)).unwrap();
    let queueing = daemon.command("file").arg(&file).arg("mallory:").status();
    assert!(queueing.unwrap().success());
    // The first one is the packet, the other the copy of its header.
    let path = files(&daemon.tx(2)).remove(0);
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

fn first_message() -> Vec<u8> {
    framed(&Initiator::start(&keys(2).noise, &keys(1).noise.public(), fresh(), b"").1)
}

/// Mallory's packet, and what she says on the way to its delivery.
struct Mine {
    bytes: Vec<u8>,
    hash: PacketHash,
}

impl Mine {
    fn new() -> Self {
        let bytes = packet(7, SIZE as usize);
        let hash = PacketHash(mth::hash(&bytes));
        Self { bytes, hash }
    }

    fn offer(&self, peer: &mut Peer) {
        peer.says(&[Message::Info(Info { nice: 9, size: SIZE, hash: self.hash })]);
    }

    fn send(&self, peer: &mut Peer, from: usize, to: usize) {
        let data = &self.bytes[from..to];
        peer.says(&[Message::File(File { hash: self.hash, offset: from as u64, data })]);
    }

    /// Sends whatever is asked for until the packet is confirmed, or the node hangs up.
    fn is_confirmed(&self, peer: &mut Peer) -> bool {
        loop {
            match peer.hears_reply() {
                Some(Message::Freq(freq)) => self.send(peer, freq.offset as usize, SIZE as usize),
                other => return other == Some(Message::Done(Done { hash: self.hash })),
            }
        }
    }

    fn wanted(&self, offset: u64) -> Message<'static> {
        Message::Freq(Freq { hash: self.hash, offset })
    }
}

#[test]
fn a_line_that_breaks_anywhere_costs_that_session_and_nothing_else() {
    let daemon = Daemon::start();
    let theirs = queued(&daemon);
    let mine = Mine::new();
    let ask = |peer: &mut Peer| peer.says(&[Message::Freq(Freq { hash: theirs, offset: 0 })]);
    type Script<'a> = &'a dyn Fn(&Daemon);
    let scripts: [Script<'_>; 11] = [
        &|daemon| drop(daemon.connect()),
        &|daemon| daemon.connect().write_all(&first_message()[..5]).unwrap(),
        &|daemon| daemon.connect().write_all(&first_message()[..60]).unwrap(),
        &|daemon| daemon.connect().write_all(&first_message()).unwrap(),
        &|daemon| drop(Peer::call(daemon, 2)),
        &|daemon| mine.offer(&mut Peer::call(daemon, 2)),
        &|daemon| {
            let mut peer = Peer::call(daemon, 2);
            mine.offer(&mut peer);
            assert!(peer.hears(&mine.wanted(0)));
        },
        &|daemon| {
            let mut peer = Peer::call(daemon, 2);
            mine.offer(&mut peer);
            assert!(peer.hears(&mine.wanted(0)));
            mine.send(&mut peer, 0, 400);
            // Half a frame of the rest.
            peer.stream.write_all(&framed(&[9; 616])[..300]).unwrap();
        },
        &|daemon| ask(&mut Peer::call(daemon, 2)),
        &|daemon| {
            let mut peer = Peer::call(daemon, 2);
            ask(&mut peer);
            next_message(&mut peer.stream).unwrap();
        },
        &|daemon| {
            let mut peer = Peer::call(daemon, 2);
            mine.offer(&mut peer);
            assert!(peer.hears(&mine.wanted(400)), "what came before is kept");
            mine.send(&mut peer, 400, 1000);
        },
    ];
    for (index, script) in scripts.iter().enumerate() {
        script(&daemon);
        daemon.serves_alice(20 + index as u8);
        assert!(daemon.tx(2).join(theirs.to_string()).exists(), "after script {index}");
    }
    // Neither packet was confirmed to anybody, so both are offered once more; and now mallory
    // listens. While the daemon is verifying what came in pieces it says nothing of it.
    let mut peer = Peer::call(&daemon, 2);
    mine.offer(&mut peer);
    while !mine.is_confirmed(&mut peer) {
        peer = Peer::call(&daemon, 2);
        mine.offer(&mut peer);
    }
    assert_eq!(fs::read(daemon.rx(2).join(mine.hash.to_string())).unwrap(), mine.bytes);
    peer.says(&[Message::Done(Done { hash: theirs })]);
    daemon.log_says("Who: sp-done");
    assert_eq!(files(&daemon.tx(2)), [] as [std::path::PathBuf; 0]);
}

#[test]
fn silence_in_any_state_is_ended() {
    let daemon = Daemon::with_deadline("3");
    let mine = Mine::new();
    let ends = |mut stream: TcpStream| {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the daemon hangs up before our patience ends");
    };
    let strangers = [0, 5, 13, 60].map(|start| {
        let mut stream = daemon.connect();
        stream.write_all(&first_message()[..start]).unwrap();
        stream
    });
    strangers.into_iter().for_each(ends);
    type Script<'a> = &'a dyn Fn(&mut Peer);
    let scripts: [Script<'_>; 4] = [
        &|_| {},
        &|peer| peer.stream.write_all(&framed(&[9; 100])[..50]).unwrap(),
        &|peer| mine.offer(peer),
        &|peer| {
            mine.offer(peer);
            assert!(peer.hears(&mine.wanted(0)));
            mine.send(peer, 0, 400);
        },
    ];
    for script in scripts {
        let mut peer = Peer::call(&daemon, 2);
        script(&mut peer);
        ends(peer.stream);
    }
    daemon.serves_alice(1);
}

/// Answers one call: what to do with its stream.
fn answer(listener: &TcpListener, script: impl FnOnce(TcpStream)) {
    let (stream, _) = listener.accept().unwrap();
    script(stream);
}

/// Reads the first message and answers it; the stream is established.
fn establish(stream: &mut TcpStream) -> Vec<u8> {
    let first = next_message(stream).unwrap();
    let (responder, _, _) = Responder::start(&keys(2).noise, fresh(), &first).unwrap();
    framed(&responder.finish(b"").0)
}

#[test]
fn a_call_to_a_broken_node_fails_and_ends() {
    let daemon = Daemon::with_deadline("3");
    let theirs = queued(&daemon);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    type Script = fn(TcpStream);
    let scripts: [(Script, bool); 6] = [
        // A bare end of the stream may be a node that is busy: it is called once more.
        (drop, true),
        (|mut stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap(), false),
        (|mut stream| assert!(stream.read_to_end(&mut Vec::new()).is_ok()), false),
        (
            |mut stream| {
                let second = establish(&mut stream);
                stream.write_all(&second[..100.min(second.len() - 1)]).unwrap();
            },
            true,
        ),
        (
            |mut stream| {
                let mut second = establish(&mut stream);
                second[frame::HEADER_LEN + 40] ^= 1;
                stream.write_all(&second).unwrap();
                stream.read_to_end(&mut Vec::new()).ok();
            },
            false,
        ),
        (
            |mut stream| {
                let second = establish(&mut stream);
                stream.write_all(&second).unwrap();
                stream.write_all(b"garbage in the place of a frame").unwrap();
                stream.read_to_end(&mut Vec::new()).ok();
            },
            false,
        ),
    ];
    for (index, (script, again)) in scripts.into_iter().enumerate() {
        let mut calling = daemon.command("call").args(["mallory", &address]).spawn().unwrap();
        answer(&listener, script);
        if again {
            answer(&listener, script);
        }
        assert_eq!(calling.wait().unwrap().code(), Some(1), "script {index}");
        assert!(daemon.tx(2).join(theirs.to_string()).exists(), "script {index}");
    }
}
