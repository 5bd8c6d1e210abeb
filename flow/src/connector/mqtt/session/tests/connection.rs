//! Its beginning, its keep-alive and its end.

use std::time::Duration;

use super::{ACCEPTED, NOTHING, Rig, subscribing};
use crate::connector::mqtt::config::MqttVersion;

#[test]
fn a_silent_peer_is_noticed_within_one_and_a_half_keep_alives() {
    let mut rig = Rig::source();
    rig.said();
    rig.pass(9).unwrap();
    assert_eq!(rig.said(), NOTHING);
    rig.pass(1).unwrap();
    assert_eq!(rig.said(), [0xc0, 0]);
    rig.pass(4).unwrap();
    assert_eq!(rig.session.deadline(), Some(rig.now + Duration::from_secs(1)));
    assert!(rig.pass(1).unwrap_err().contains("silent"));
    // Only talking to it does not help: it must answer.
    let mut rig = Rig::sink(1);
    rig.connect(&ACCEPTED);
    let silent = (0..15).find(|_| {
        rig.session.publish("t", b"x").unwrap();
        rig.said();
        rig.pass(1).is_err()
    });
    assert_eq!(silent, Some(14));
}

#[test]
fn a_peer_that_takes_nothing_is_noticed() {
    let mut rig = Rig::sink(1);
    rig.connect(&ACCEPTED);
    rig.publish(1, 1);
    rig.session.output(rig.now, &mut Vec::new());
    let mut error = None;
    for _ in 0..15 {
        rig.hear(&[0xd0, 0]).unwrap();
        error = rig.pass(1).err();
    }
    assert!(error.unwrap().contains("has read nothing"));
}

#[test]
fn the_handshake_has_deadlines() {
    let mut rig = Rig::source();
    rig.session.lost();
    rig.session.start(rig.now).unwrap();
    assert!(rig.pass(5).unwrap_err().contains("answer CONNECT"));
    rig.session.lost();
    rig.connect(&ACCEPTED);
    assert!(rig.pass(5).unwrap_err().contains("answer SUBSCRIBE"));
}

#[test]
fn each_refusal_is_said_in_words() {
    for (version, code, words) in [
        (MqttVersion::V311, 1, "does not speak this version"),
        (MqttVersion::V311, 2, "does not take this client id"),
        (MqttVersion::V311, 3, "server is unavailable"),
        (MqttVersion::V311, 4, "bad user name or password"),
        (MqttVersion::V311, 5, "not authorized"),
        (MqttVersion::V5, 0x84, "does not speak this version"),
        (MqttVersion::V5, 0x85, "does not take this client id"),
        (MqttVersion::V5, 0x86, "bad user name or password"),
        (MqttVersion::V5, 0x87, "not authorized"),
        (MqttVersion::V5, 0x89, "busy"),
        (MqttVersion::V5, 0x8a, "banned"),
        (MqttVersion::V5, 0x9f, "too fast"),
        (MqttVersion::V5, 0xfe, "reason code 0xfe"),
    ] {
        let mut rig = Rig::new(version, subscribing(&["a"], 0));
        rig.session.start(rig.now).unwrap();
        let connack = match version {
            MqttVersion::V311 => vec![0x20, 2, 0, code],
            MqttVersion::V5 => vec![0x20, 3, 0, code, 0],
        };
        let error = rig.hear(&connack).unwrap_err();
        assert!(error.contains("refused the connection") && error.contains(words), "{error}");
    }
    let mut rig = Rig::source();
    assert!(rig.hear(&[0xe0, 1, 0x8e]).unwrap_err().contains("same client id"));
    assert!(Rig::source().hear(&[0xe0, 0]).unwrap_err().contains("good-bye"));
}

#[test]
fn a_broken_protocol_is_named() {
    for (bytes, words) in [
        (&[0x36, 5, 0, 1, b't', 0, 1][..], "both bits of QoS"),
        (&[0x30, 0xff, 0xff, 0xff, 0xff], "more than four bytes"),
        (&[0x90, 3, 0, 1, 0], "SUBACK for nothing"),
        (&[0xf0, 0], "kind 15"),
        (&[0xd0, 0xff, 0x7f], "larger than `max_packet_size`"),
    ] {
        let error = Rig::source().hear(bytes).unwrap_err();
        assert!(error.contains(words), "{bytes:?}: {error}");
    }
    let mut rig = Rig::sink(1);
    rig.session.start(rig.now).unwrap();
    assert!(rig.hear(&[0xd0, 0]).unwrap_err().contains("no CONNACK"));
}
