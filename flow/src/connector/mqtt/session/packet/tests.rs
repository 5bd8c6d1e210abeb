use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::{QoS, v4};
use rumqttc::v5::mqttbytes::{QoS as QoS5, v5};

use super::{Header, Publish, put_puback, read_puback, read_suback};
use crate::connector::mqtt::config::MqttVersion;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V311, MqttVersion::V5];

/// Sizes around every step of the length's encoding.
const SIZES: [usize; 9] = [0, 1, 100, 127, 128, 16_370, 16_384, 2_097_140, 2_097_160];

#[test]
fn the_codec_reads_what_is_written() {
    for version in VERSIONS {
        for (id, size) in SIZES.into_iter().flat_map(|size| [(None, size), (Some(513), size)]) {
            let payload = vec![b'x'; size];
            let publish = Publish { id, duplicate: false, topic: "a/ä", payload: &payload };
            let mut out = Vec::new();
            publish.write(version, true, &mut out);
            assert_eq!(out.len(), publish.size(version), "{version:?} {size}");
            let mut stream = BytesMut::from(&out[..]);
            match version {
                MqttVersion::V311 => {
                    let Ok(v4::Packet::Publish(read)) = v4::Packet::read(&mut stream, usize::MAX) else {
                        panic!("no PUBLISH");
                    };
                    assert_eq!(
                        (read.topic.as_str(), read.pkid, read.retain, read.dup),
                        ("a/ä", id.unwrap_or(0), true, false)
                    );
                    assert_eq!((read.qos as u8, &read.payload[..]), (u8::from(id.is_some()), &payload[..]));
                }
                MqttVersion::V5 => {
                    let Ok(v5::Packet::Publish(read)) = v5::Packet::read(&mut stream, None) else {
                        panic!("no PUBLISH");
                    };
                    assert_eq!(
                        (&read.topic[..], read.pkid, read.retain, read.dup),
                        ("a/ä".as_bytes(), id.unwrap_or(0), true, false)
                    );
                    assert_eq!((read.qos as u8, &read.payload[..]), (u8::from(id.is_some()), &payload[..]));
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
        check(MqttVersion::V311, &out, Some(77), &payload);

        let properties = v5::PublishProperties {
            user_properties: vec![("a".repeat(200), "b".into())],
            content_type: Some("text".into()),
            ..v5::PublishProperties::default()
        };
        for properties in [None, Some(properties)] {
            let mut out = BytesMut::new();
            v5::Publish::new("t", QoS5::AtMostOnce, payload.clone(), properties).write(&mut out).unwrap();
            check(MqttVersion::V5, &out, None, &payload);
        }
    }
}

fn check(version: MqttVersion, packet: &[u8], id: Option<u16>, payload: &[u8]) {
    let header = Header::read(packet).unwrap().unwrap();
    assert_eq!(header.len, packet.len());
    assert_eq!(
        Publish::read(version, header, packet),
        Ok(Publish { id, duplicate: false, topic: "t", payload })
    );
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
    let mut out = Vec::new();
    put_puback(258, &mut out);
    let mut codec = BytesMut::new();
    v4::PubAck::new(258).write(&mut codec).unwrap();
    assert_eq!(out, codec);
    assert_eq!(read_puback(&out[2..]), Ok((258, 0)));
    let mut refused = v5::PubAck::new(9, None);
    refused.reason = v5::PubAckReason::NotAuthorized;
    let mut codec = BytesMut::new();
    refused.write(&mut codec).unwrap();
    assert_eq!(read_puback(&codec[2..]), Ok((9, 0x87)));
    assert!(read_puback(&[1]).is_err());
    assert_eq!(read_suback(MqttVersion::V5, &[0, 1, 0, 1, 0x80]), Ok((1, &[1, 0x80][..])));
}

#[test]
fn broken_packets_are_named_and_never_panic() {
    let broken: [(&[u8], &str); 7] = [
        (&[0x30, 1, 0], "cut short"),
        (&[0x30, 2, 0, 9], "longer than its packet"),
        (&[0x30, 3, 0, 1, 0xff], "not UTF-8"),
        (&[0x30, 2, 0, 0], "empty topic"),
        (&[0x32, 5, 0, 1, b't', 0, 0], "packet id of 0"),
        (&[0x34, 5, 0, 1, b't', 0, 1], "QoS that was not asked for"),
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
