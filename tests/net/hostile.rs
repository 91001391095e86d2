//! Peers that break the rules.

use super::peer::{
    Daemon, HASH, Peer, file, files, framed, fresh, info, keys, next_message, packet,
};
use packmule_protocol::id::PacketHash;
use packmule_protocol::sync::handshake::Initiator;
use packmule_protocol::sync::message::{Done, Freq, Info, Message};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

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
    let (_, first) = Initiator::start(&keys(9).noise, &keys(1).noise.public(), fresh(), b"");
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
    let outside = |path: &PathBuf| !path.starts_with(daemon.rx(3)) && path.extension().is_none();
    let left: Vec<_> = files(&daemon.spool()).into_iter().filter(outside).collect();
    assert_eq!(left, [sentinel], "besides it there are locks, and what alice sent");
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
    daemon.serves_alice(1);
    dead.hears_the_end();
}
