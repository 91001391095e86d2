//! Reports what a call did not transfer, and why, so that the user can call again or act.

use super::station::Station;
use crate::config::Neighbour;
use crate::log::event::Xx;
use crate::log::online;
use packmule_protocol::sync::{Left, Reached, Total};

/// Logs what a call did not transfer.
pub(super) fn tell(station: &Station, neighbour: &Neighbour, left: &Left) {
    let say = |xx, total: Total, why: &str| {
        if total.packets > 0 {
            let record = online::left(neighbour.peer(), xx, total.packets, total.bytes);
            station.log.error(record, &why);
        }
    };
    for reached in [Reached::Offered, Reached::Requested, Reached::Sent] {
        say(Xx::Tx, total(left, reached), &why(&neighbour.name, reached));
    }
    let unfinished = "not received completely; call again to receive the rest";
    say(Xx::Rx, left.to_receive, unfinished);
}

fn total(left: &Left, reached: Reached) -> Total {
    let of_these = left.to_send.iter().filter(|packet| packet.reached == reached);
    of_these.fold(Total::default(), |total, packet| Total {
        packets: total.packets + 1,
        bytes: total.bytes.saturating_add(packet.size),
    })
}

fn why(name: &str, reached: Reached) -> String {
    match reached {
        Reached::Offered => format!(
            "{name} requested none of them: check there for free space, a niceness limit, whether it \
             receives, and whether it is still verifying packets"
        ),
        Reached::Requested => "not sent completely; call again to send the rest".into(),
        Reached::Sent => format!(
            "sent, and not confirmed: {name} has not verified them yet or could not store them; \
             call again, and check the log there"
        ),
        Reached::Delivered => "delivered".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packmule_protocol::id::PacketHash;
    use packmule_protocol::sync::Unconfirmed;

    #[test]
    fn what_is_left_is_summed_by_how_far_it_came() {
        let packet = |id, size, reached| Unconfirmed { hash: PacketHash([id; 32]), size, reached };
        let to_send = vec![
            packet(1, 500, Reached::Offered),
            packet(2, 600, Reached::Sent),
            packet(3, u64::MAX, Reached::Sent),
        ];
        let left = Left { to_send, ..Left::default() };
        assert_eq!(total(&left, Reached::Offered), Total { packets: 1, bytes: 500 });
        assert_eq!(total(&left, Reached::Requested), Total::default());
        assert_eq!(total(&left, Reached::Sent), Total { packets: 2, bytes: u64::MAX });
    }
}
