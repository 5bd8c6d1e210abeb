//! What only MQTT 5 has.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc::v5::mqttbytes::{QoS, v5};

use super::{NOTHING, Rig, subscribing};
use crate::connector::mqtt::config::{MqttRetainHandling, MqttVersion};
use crate::connector::mqtt::session::subscriptions::SUBSCRIBE_ID;
use crate::connector::mqtt::session::{Asking, Event, Part, Publishing, property, put_bytes, put_pair};
use crate::record::PayloadBatch;

const ACCEPTED: [u8; 5] = [0x20, 3, 0, 0, 0];

fn source() -> Rig {
    let mut rig = Rig::new(MqttVersion::V5, subscribing(&["t/#"], 1));
    rig.connect(&ACCEPTED);
    rig.hear(&[0x90, 4, 0xff, 0xff, 0, 1]).unwrap();
    rig.session.events();
    rig
}

/// A message with an alias, and a topic or none.
fn aliased(topic: &str, alias: u16, id: u16, text: &str) -> Vec<u8> {
    let properties = v5::PublishProperties { topic_alias: Some(alias), ..v5::PublishProperties::default() };
    let mut publish =
        v5::Publish::new(topic, QoS::AtLeastOnce, Bytes::from(text.to_owned()), Some(properties));
    publish.pkid = id;
    let mut out = BytesMut::new();
    publish.write(&mut out).unwrap();
    out.to_vec()
}

fn topics(rig: &mut Rig) -> Vec<String> {
    let mut batch = PayloadBatch::new();
    rig.session.take(&mut batch);
    batch.iter().map(|payload| payload.metadata().topic.unwrap().to_owned()).collect()
}

#[test]
fn the_broker_s_topic_aliases_stand_for_their_topics_on_their_connection() {
    let mut rig = source();
    let packets = [
        aliased("t/long", 1, 1, "a"),
        aliased("", 1, 2, "b"),
        aliased("t/other", 256, 3, "c"),
        aliased("", 256, 4, "d"),
        aliased("t/new", 1, 5, "e"),
        aliased("", 1, 6, "f"),
    ];
    rig.hear(&packets.concat()).unwrap();
    assert_eq!(topics(&mut rig), ["t/long", "t/long", "t/other", "t/other", "t/new", "t/new"]);
    // One over the limit sets an alias, too.
    rig.hear(&[aliased("t/big", 2, 7, &"x".repeat(5000)), aliased("", 2, 8, "g")].concat()).unwrap();
    assert_eq!(topics(&mut rig), ["t/big", "t/big"]);
    rig.session.lost();
    rig.connect(&[0x20, 3, 1, 0, 0]);
    assert!(rig.hear(&aliased("", 1, 9, "h")).unwrap_err().contains("never set"));
    for (alias, topic, words) in [(0, "t", "beyond the maximum"), (257, "t", "beyond"), (9, "", "never set")]
    {
        let error = source().hear(&aliased(topic, alias, 1, "x")).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let empty = [0x32, 5, 0, 0, 0, 1, 0];
    assert!(source().hear(&empty).unwrap_err().contains("an empty topic"));
}

#[test]
fn what_a_message_brings_along_stands_beside_its_payload() {
    let mut rig = source();
    let properties = v5::PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(9),
        response_topic: Some("answers".into()),
        correlation_data: Some(Bytes::from_static(b"\xff\x00")),
        user_properties: vec![("unit".into(), "C".into()), ("unit".into(), "F".into())],
        content_type: Some("text/plain".into()),
        subscription_identifiers: vec![300],
        ..v5::PublishProperties::default()
    };
    let mut publish = v5::Publish::new("t/1", QoS::AtMostOnce, Bytes::from_static(b"x"), Some(properties));
    publish.retain = true;
    let mut packet = BytesMut::new();
    publish.write(&mut packet).unwrap();
    rig.hear(&packet).unwrap();
    let mut batch = PayloadBatch::new();
    rig.session.take(&mut batch).unwrap();
    let headers: Vec<_> = batch.get(0).unwrap().headers().collect();
    for header in [
        (":retained", "true"),
        (":content_type", "text/plain"),
        (":response_topic", "answers"),
        (":correlation_data", "/wA="),
        ("unit", "C"),
        ("unit", "F"),
    ] {
        assert!(headers.contains(&header), "{header:?} in {headers:?}");
    }
    assert_eq!(headers.len(), 6);
    // Broken ones are an error of the broker, wherever they break off.
    for properties in [&[0x26, 0, 1, b'a', 0][..], &[0x03, 0, 9], &[0x23, 1], &[0x7f], &[0x08, 0, 1, 0xff]] {
        let mut packet = vec![0x30, (4 + properties.len()) as u8, 0, 1, b't', properties.len() as u8];
        packet.extend_from_slice(properties);
        let error = source().hear(&packet).unwrap_err();
        assert!(error.contains("broke the protocol") && error.contains("propert"), "{error}");
    }
}

/// The publishes in `said`: topic, alias and packet length.
fn read(said: &[u8]) -> Vec<(String, Option<u16>)> {
    let mut stream = BytesMut::from(said);
    let mut all = Vec::new();
    while !stream.is_empty() {
        let v5::Packet::Publish(publish) = v5::Packet::read(&mut stream, None).unwrap() else {
            panic!("no PUBLISH")
        };
        assert_eq!(&publish.payload[..], b"payload");
        let alias = publish.properties.and_then(|properties| properties.topic_alias);
        all.push((String::from_utf8(publish.topic.to_vec()).unwrap(), alias));
    }
    all
}

#[test]
fn the_first_topics_of_a_connection_get_the_aliases_that_the_broker_takes() {
    let mut properties = Vec::new();
    put_pair("a", "b", &mut properties);
    for properties in [Vec::new(), properties] {
        let part = Part::Sink(Publishing { qos: 1, retain: false, max_in_flight: 100, properties });
        let mut rig = Rig::new(MqttVersion::V5, part).met();
        for topic in ["one/long", "two/long", "one/long", "s", "three/long", "two/long", "three/long"] {
            rig.session.publish(topic, b"payload").unwrap();
        }
        let full = |topic: &str| (topic.to_owned(), None);
        // Two aliases.
        for resumed in [0, 1] {
            let said = rig.connect(&[0x20, 6, resumed, 0, 3, 0x22, 0, 2]);
            let expected = [
                ("one/long".to_owned(), Some(1)),
                ("two/long".to_owned(), Some(2)),
                (String::new(), Some(1)),
                full("s"),
                full("three/long"),
                (String::new(), Some(2)),
                full("three/long"),
            ];
            assert_eq!(read(&said), expected, "anew on each connection");
            rig.session.lost();
        }
        // None; and one, but no room in the packet for the three bytes of an alias beside the topic.
        let said = rig.connect(&ACCEPTED);
        assert!(read(&said).iter().all(|(_, alias)| alias.is_none()));
        rig.session.lost();
        let longest = said.split_inclusive(|byte| *byte == b'd').map(<[u8]>::len).max().unwrap() as u8;
        let said = rig.connect(&[0x20, 11, 0, 0, 8, 0x22, 0, 9, 0x27, 0, 0, 0, longest]);
        assert_eq!(read(&said)[4], full("three/long"));
    }
}

#[test]
fn a_sink_s_properties_travel_with_every_message() {
    let mut properties = Vec::new();
    put_bytes(property::CONTENT_TYPE, b"text", &mut properties);
    put_bytes(property::CORRELATION_DATA, b"7", &mut properties);
    put_pair("a", "b", &mut properties);
    put_pair("long", &"x".repeat(200), &mut properties);
    let part = Part::Sink(Publishing { qos: 0, retain: true, max_in_flight: 9, properties });
    let mut rig = Rig::new(MqttVersion::V5, part).met();
    rig.session.publish("t", b"payload").unwrap();
    let mut said = BytesMut::from(&rig.connect(&ACCEPTED)[..]);
    let Ok(v5::Packet::Publish(publish)) = v5::Packet::read(&mut said, None) else { panic!("no PUBLISH") };
    let properties = publish.properties.unwrap();
    assert_eq!((&publish.payload[..], publish.retain), (&b"payload"[..], true));
    assert_eq!(properties.content_type.as_deref(), Some("text"));
    assert_eq!(properties.correlation_data.as_deref(), Some(&b"7"[..]));
    assert_eq!(properties.user_properties, [("a".into(), "b".into()), ("long".into(), "x".repeat(200))]);
    rig.session.close();
    assert_eq!(rig.said(), [0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0], "nobody needs the session any more");
}

#[test]
fn a_subscription_says_what_it_wants() {
    let asking = Asking {
        qos: 2,
        at_least_once: true,
        no_local: true,
        retain_as_published: true,
        retain_handling: MqttRetainHandling::New,
    };
    let mut rig = Rig::new(MqttVersion::V5, Part::Source { filters: vec!["t/#".into()], asking });
    let said = rig.connect(&ACCEPTED);
    let Ok(v5::Packet::Subscribe(packet)) = v5::Packet::read(&mut BytesMut::from(&said[..]), None) else {
        panic!("no SUBSCRIBE")
    };
    let filter = v5::Filter {
        path: "t/#".into(),
        qos: QoS::ExactlyOnce,
        nolocal: true,
        preserve_retain: true,
        retain_forward_rule: v5::RetainForwardRule::OnNewSubscribe,
    };
    assert_eq!((packet.pkid, packet.filters), (SUBSCRIBE_ID, vec![filter]));
    rig.session.events();
    // Less than asked for is said; nothing at all is the end.
    rig.hear(&[0x90, 4, 0xff, 0xff, 0, 1]).unwrap();
    assert_eq!(rig.session.events(), [Event::Lowered { filter: "t/#".into(), qos: 1 }]);
    rig.session.lost();
    rig.connect(&ACCEPTED);
    rig.hear(&[0x90, 4, 0xff, 0xff, 0, 0]).unwrap();
    let error = rig.session.failure().unwrap();
    assert!(error.to_string().contains("set `at_least_once = false`") && !error.is_temporary(), "{error}");
}

#[test]
fn we_say_how_much_we_take() {
    let mut rig = source();
    rig.session.lost();
    rig.session.start(rig.now).unwrap();
    let said = rig.said();
    for property in [&[0x21, 0x20, 0][..], &[0x22, 1, 0], &[0x27, 0, 0, 3, 0xe8]] {
        assert!(said.windows(property.len()).any(|bytes| bytes == property), "{property:?} in {said:?}");
    }
}

#[test]
fn the_broker_s_keep_alive_and_session_expiry_override_ours() {
    let mut rig = Rig::new(MqttVersion::V5, subscribing(&["t"], 1));
    // A keep-alive of 2 s and a session that is kept for 60 s.
    let connack = [0x20, 11, 0, 0, 8, 0x13, 0, 2, 0x11, 0, 0, 0, 60];
    rig.session.start(rig.now).unwrap();
    rig.said();
    rig.hear(&connack).unwrap();
    assert_eq!(rig.session.events(), [Event::Connected { resumed: false }], "nothing else was asked");
    rig.hear(&[0x90, 4, 0xff, 0xff, 0, 1]).unwrap();
    rig.said();
    rig.pass(2).unwrap();
    assert_eq!(rig.said(), [0xc0, 0]);
    assert_eq!(rig.session.deadline(), Some(rig.now + Duration::from_secs(1)));
    assert!(rig.pass(1).unwrap_err().contains("silent"));
    // 0 switches it off.
    rig.session.lost();
    rig.connect(&[0x20, 6, 1, 0, 3, 0x13, 0, 0]);
    rig.pass(100).unwrap();
    assert_eq!(rig.said(), NOTHING);
    rig.session.lost();
    rig.session.profile.session_expiry = Some(u32::MAX);
    rig.session.events();
    rig.connect(&connack);
    assert!(rig.session.events().contains(&Event::Shortened { seconds: 60 }));
}
