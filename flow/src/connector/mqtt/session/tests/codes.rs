//! Every code with which a broker refuses or ends a connection.

use super::{Rig, publishing, subscribing};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::{Lost, Remedy};

/// What the broker's packets end the connection with, and the remedy.
fn ended(version: MqttVersion, packets: &[&[u8]]) -> (String, Remedy) {
    let mut rig = Rig::new(version, subscribing(&["a"], 0));
    rig.session.start(rig.now).unwrap();
    rig.said();
    rig.input.extend_from_slice(&packets.concat());
    let lost: Lost = rig.session.receive(&rig.input, rig.now, 42).unwrap_err();
    (lost.to_string(), lost.remedy())
}

#[test]
fn each_refusal_of_mqtt_3_1_1() {
    for (code, words, remedy) in [
        (1, "does not speak this version of MQTT; change `version`", Remedy::Mend),
        (2, "does not take this client id; change `client_id`", Remedy::Mend),
        (3, "the server is unavailable", Remedy::Wait),
        (4, "bad user name or password; check `username`", Remedy::Mend),
        (5, "not authorized; check `username`", Remedy::Mend),
        (77, "reason code 0x4d", Remedy::Mend),
    ] {
        let (text, kind) = ended(MqttVersion::V311, &[&[0x20, 2, 0, code]]);
        assert!(text.starts_with("the broker refused the connection: ") && text.contains(words), "{text}");
        assert_eq!(kind, remedy, "{text}");
    }
}

#[test]
fn each_refusal_of_mqtt_5() {
    for (code, words, remedy) in [
        (0x80, "unspecified error", Remedy::Wait),
        (0x81, "malformed packet", Remedy::Mend),
        (0x82, "protocol error", Remedy::Mend),
        (0x83, "not accepted by this broker", Remedy::Wait),
        (0x84, "change `version`", Remedy::Mend),
        (0x85, "change `client_id`", Remedy::Mend),
        (0x86, "check `username` and `password`", Remedy::Mend),
        (0x87, "access rules", Remedy::Mend),
        (0x88, "unavailable", Remedy::Wait),
        (0x89, "busy", Remedy::Wait),
        (0x8a, "banned", Remedy::Mend),
        (0x8c, "authentication method", Remedy::Mend),
        (0x90, "topic not accepted", Remedy::Mend),
        (0x95, "packet too large; lower `max_packet_size`", Remedy::Mend),
        (0x97, "quota exceeded", Remedy::Wait),
        (0x99, "payload format", Remedy::Mend),
        (0x9a, "retained messages are not supported", Remedy::Mend),
        (0x9b, "lower `qos`", Remedy::Mend),
        (0x9c, "use another server", Remedy::Wait),
        (0x9d, "the server has moved; change `url`", Remedy::Mend),
        (0x9f, "connections come too fast", Remedy::Wait),
    ] {
        let (text, kind) = ended(MqttVersion::V5, &[&[0x20, 3, 0, code, 0]]);
        assert!(text.starts_with("the broker refused the connection: ") && text.contains(words), "{text}");
        assert_eq!(kind, remedy, "{text}");
    }
    // In its own words, too; and where it has none, or does not speak MQTT 5.
    let said = [0x20, 13, 0, 0x9d, 10, 0x1f, 0, 2, b'n', b'o', 0x1c, 0, 2, b'a', b':'];
    let (text, _) = ended(MqttVersion::V5, &[&said]);
    assert!(text.ends_with("change `url` (\"no\") (at `a:`)"), "{text}");
    let (text, _) = ended(MqttVersion::V5, &[&[0x20, 2, 0, 1]]);
    assert!(text.contains("change `version`"), "{text}");
}

#[test]
fn each_way_to_be_sent_away() {
    const ACCEPTED: &[u8] = &[0x20, 3, 0, 0, 0];
    for (code, words, remedy) in [
        (0x80, "unspecified error", Remedy::Wait),
        (0x81, "malformed packet", Remedy::Mend),
        (0x82, "protocol error", Remedy::Mend),
        (0x83, "not accepted", Remedy::Wait),
        (0x87, "not authorized", Remedy::Mend),
        (0x89, "busy", Remedy::Wait),
        (0x8b, "shutting down", Remedy::Wait),
        (0x8d, "keep-alive", Remedy::Wait),
        (0x8e, "another client with the same client id has connected", Remedy::Yield),
        (0x8f, "topic filter not accepted", Remedy::Mend),
        (0x90, "topic not accepted", Remedy::Mend),
        (0x93, "receive maximum", Remedy::Wait),
        (0x94, "topic alias", Remedy::Mend),
        (0x95, "too large", Remedy::Mend),
        (0x96, "messages come too fast", Remedy::Wait),
        (0x97, "quota", Remedy::Wait),
        (0x98, "administrator", Remedy::Wait),
        (0x99, "payload format", Remedy::Mend),
        (0x9a, "retained", Remedy::Mend),
        (0x9b, "QoS", Remedy::Mend),
        (0x9c, "another server", Remedy::Wait),
        (0x9d, "moved", Remedy::Mend),
        (0x9e, "shared subscriptions", Remedy::Mend),
        (0x9f, "too fast", Remedy::Wait),
        (0xa0, "maximum age", Remedy::Wait),
        (0xa1, "identifiers", Remedy::Mend),
        (0xa2, "wildcard", Remedy::Mend),
        (0xfe, "reason code 0xfe", Remedy::Mend),
    ] {
        let (text, kind) = ended(MqttVersion::V5, &[ACCEPTED, &[0xe0, 2, code, 0]]);
        assert!(text.starts_with("the broker closed the connection: ") && text.contains(words), "{text}");
        assert_eq!(kind, remedy, "{text}");
    }
    for good_bye in [&[0xe0, 0][..], &[0xe0, 1, 0]] {
        let (text, kind) = ended(MqttVersion::V5, &[ACCEPTED, good_bye]);
        assert_eq!((text.as_str(), kind), ("the broker said good-bye", Remedy::Wait));
    }
}

#[test]
fn what_a_broker_cannot_do_for_a_sink_is_named_before_anything_is_sent() {
    for (connack, words) in [
        (&[0x20, 5, 0, 0, 2, 0x24, 0][..], "the broker takes no QoS 1; set `qos = 0`"),
        (&[0x20, 6, 0, 0, 3, 0x21, 0, 0], "a receive maximum of 0"),
        (&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0], "a packet size of 0"),
        (&[0x20, 4, 0, 0, 1, 0x77], "a property that MQTT 5 does not know"),
        (&[0x20, 4, 0, 0, 9, 0x21], "properties cut short"),
    ] {
        let mut rig = Rig::new(MqttVersion::V5, publishing(1, 4));
        rig.session.start(rig.now).unwrap();
        let error = rig.hear(connack).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}
