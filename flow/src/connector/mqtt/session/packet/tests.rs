use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::{QoS, v4};
use rumqttc::v5::mqttbytes::{QoS as QoS5, v5};

use super::{Answer, Front, Header, Outgoing, Publish, kind, put_answer, put_unknown, read_suback};
use crate::connector::mqtt::config::MqttVersion;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V311, MqttVersion::V5];

/// Sizes around every step of the length's encoding.
const SIZES: [usize; 9] = [0, 1, 100, 127, 128, 16_370, 16_384, 2_097_140, 2_097_160];

#[test]
fn the_codec_reads_what_is_written() {
    for (version, qos) in VERSIONS.into_iter().flat_map(|version| [0, 1, 2].map(|qos| (version, qos))) {
        for size in SIZES {
            let payload = vec![b'x'; size];
            let id = if qos > 0 { 513 } else { 0 };
            let outgoing =
                Outgoing { qos, retain: true, id, topic: "a/ä", properties: &[], payload: &payload };
            let mut out = Vec::new();
            outgoing.write(version, &mut out);
            assert_eq!(out.len(), outgoing.size(version), "{version:?} {size}");
            let mut stream = BytesMut::from(&out[..]);
            match version {
                MqttVersion::V311 => {
                    let Ok(v4::Packet::Publish(read)) = v4::Packet::read(&mut stream, usize::MAX) else {
                        panic!("no PUBLISH");
                    };
                    assert_eq!(
                        (read.topic.as_str(), read.pkid, read.retain, read.dup),
                        ("a/ä", id, true, false)
                    );
                    assert_eq!((read.qos as u8, &read.payload[..]), (qos, &payload[..]));
                }
                MqttVersion::V5 => {
                    let Ok(v5::Packet::Publish(read)) = v5::Packet::read(&mut stream, None) else {
                        panic!("no PUBLISH");
                    };
                    assert_eq!(
                        (&read.topic[..], read.pkid, read.retain, read.dup),
                        ("a/ä".as_bytes(), id, true, false)
                    );
                    assert_eq!((read.qos as u8, &read.payload[..]), (qos, &payload[..]));
                }
            }
            assert!(stream.is_empty());
        }
    }
}

#[test]
fn what_the_codec_writes_is_read() {
    for size in SIZES {
        let payload = Bytes::from(vec![b'x'; size]);
        let mut out = BytesMut::new();
        let mut publish = v4::Publish::new("t", QoS::AtLeastOnce, payload.to_vec());
        publish.pkid = 77;
        publish.write(&mut out).unwrap();
        check(MqttVersion::V311, &out, 1, 77, &payload);

        let properties = v5::PublishProperties {
            user_properties: vec![("a".repeat(200), "b".into())],
            content_type: Some("text".into()),
            ..v5::PublishProperties::default()
        };
        for properties in [None, Some(properties)] {
            let mut out = BytesMut::new();
            v5::Publish::new("t", QoS5::AtMostOnce, payload.clone(), properties).write(&mut out).unwrap();
            check(MqttVersion::V5, &out, 0, 0, &payload);
        }
    }
}

fn check(version: MqttVersion, packet: &[u8], qos: u8, id: u16, payload: &[u8]) {
    let header = Header::read(packet).unwrap().unwrap();
    assert_eq!(header.len, packet.len());
    let read = Publish::read(version, header, packet).unwrap();
    assert_eq!(read.front, Front { qos, id, duplicate: false, retained: false, topic: "t" });
    assert!(read.payload == payload);
}

#[test]
fn a_header_waits_for_its_last_byte() {
    assert_eq!(Header::read(&[]), Ok(None));
    assert_eq!(Header::read(&[0x30]), Ok(None));
    assert_eq!(Header::read(&[0x30, 0x80, 0x80, 0x80]), Ok(None));
    assert_eq!(Header::read(&[0x30, 0x80, 0x01]), Ok(Some(Header { first: 0x30, body: 3, len: 131 })));
    assert!(Header::read(&[0x30, 0x80, 0x80, 0x80, 0x80]).is_err());
}

#[test]
fn acknowledgements_agree_with_the_codec() {
    let kinds = [kind::PUBACK, kind::PUBREC, kind::PUBREL, kind::PUBCOMP];
    for (kind, first) in kinds.into_iter().zip([0x40, 0x50, 0x62, 0x70]) {
        let mut out = Vec::new();
        put_answer(kind, 258, &mut out);
        assert_eq!(out, [first, 2, 1, 2]);
        let read = v4::Packet::read(&mut BytesMut::from(&out[..]), 100).unwrap();
        let id = match read {
            v4::Packet::PubAck(read) => read.pkid,
            v4::Packet::PubRec(read) => read.pkid,
            v4::Packet::PubRel(read) => read.pkid,
            v4::Packet::PubComp(read) => read.pkid,
            other => panic!("{other:?}"),
        };
        assert_eq!(id, 258);
        out.clear();
        put_unknown(MqttVersion::V5, kind, 258, &mut out);
        assert_eq!(out, [first, 3, 1, 2, 0x92]);
    }
    for (version, body, code) in [
        (MqttVersion::V311, &[1, 2][..], 0),
        (MqttVersion::V5, &[1, 2], 0),
        (MqttVersion::V5, &[1, 2, 0x87], 0x87),
        (MqttVersion::V5, &[1, 2, 0x87, 0], 0x87),
    ] {
        let answer = Answer::read(version, body).unwrap();
        assert_eq!((answer.id, answer.code), (258, code));
    }
    let mut refused = v5::PubAck::new(9, None);
    refused.reason = v5::PubAckReason::NotAuthorized;
    let mut codec = BytesMut::new();
    refused.write(&mut codec).unwrap();
    let answer = Answer::read(MqttVersion::V5, &codec[2..]).unwrap();
    assert_eq!((answer.id, answer.code), (9, 0x87));
    assert!(Answer::read(MqttVersion::V5, &[1]).is_err());
    assert_eq!(read_suback(MqttVersion::V5, &[0, 1, 0, 1, 0x80]), Ok((1, &[1, 0x80][..])));
}

#[test]
fn broken_packets_are_named_and_never_panic() {
    let broken: [(&[u8], &str); 6] = [
        (&[0x30, 1, 0], "cut short"),
        (&[0x30, 2, 0, 9], "longer than its packet"),
        (&[0x30, 3, 0, 1, 0xff], "not UTF-8"),
        (&[0x32, 5, 0, 1, b't', 0, 0], "packet id of 0"),
        (&[0x36, 5, 0, 1, b't', 0, 1], "both bits of QoS"),
        (&[0x32, 4, 0, 1, b't', 0], "longer than its packet"),
    ];
    for (packet, words) in broken {
        let header = Header::read(packet).unwrap().unwrap();
        for version in VERSIONS {
            let error = Publish::read(version, header, packet).unwrap_err();
            assert!(error.contains(words), "{packet:?}: {error}");
        }
    }
    let packet: &[u8] = &[0x30, 4, 0, 1, b't', 5];
    let header = Header::read(packet).unwrap().unwrap();
    assert_eq!(Publish::read(MqttVersion::V5, header, packet), Err("properties cut short"));
}
