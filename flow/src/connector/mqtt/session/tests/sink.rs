//! Messages that go out.

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5;

use super::{ACCEPTED, RESUMED, Rig, ids, puback, publishing};
use crate::connector::mqtt::config::MqttVersion;
use crate::record::Checkpoint;

#[test]
fn a_checkpoint_is_confirmed_with_its_last_publish_and_all_before() {
    let mut rig = Rig::sink(1);
    rig.connect(&ACCEPTED);
    rig.publish(2, 1);
    rig.publish(1, 2);
    assert_eq!(rig.published(), [(1, false), (2, false), (3, false)]);
    rig.hear(&[puback(2), puback(3)].concat()).unwrap();
    assert_eq!(rig.session.confirmed(), None);
    rig.hear(&puback(1)).unwrap();
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(2)));
    assert!(rig.session.is_drained());
}

#[test]
fn what_is_not_confirmed_is_sent_again_in_order() {
    for connack in [ACCEPTED, RESUMED] {
        let mut rig = Rig::sink(1);
        rig.connect(&ACCEPTED);
        rig.publish(3, 1);
        rig.published();
        rig.publish(1, 2);
        rig.hear(&puback(2)).unwrap();
        rig.session.lost();
        assert_eq!(ids(&rig.connect(&connack)), [(1, true), (3, true), (4, false)]);
        // Acknowledgements late, twice, of nothing: none of them confirms anything else.
        rig.hear(&[puback(2), puback(9), puback(0), puback(65_535), puback(1), puback(1)].concat()).unwrap();
        assert_eq!(rig.session.confirmed(), None);
        rig.hear(&puback(3)).unwrap();
        assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)));
    }
}

#[test]
fn an_acknowledgement_of_what_was_not_sent_on_this_connection_counts_for_nothing() {
    let mut rig = Rig::sink(1);
    rig.session.start(rig.now).unwrap();
    rig.publish(1, 1);
    assert_eq!(rig.said()[0], 0x10);
    rig.hear(&[&ACCEPTED[..], &puback(1)].concat()).unwrap();
    assert_eq!(rig.session.confirmed(), None);
}

#[test]
fn qos_0_is_confirmed_when_it_is_written() {
    let mut rig = Rig::sink(0);
    rig.publish(2, 1);
    rig.connect(&ACCEPTED);
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)));
    rig.publish(2, 2);
    let mut out = Vec::new();
    rig.session.output(rig.now, &mut out);
    assert_eq!(ids(&out), [(0, false), (0, false)]);
    rig.session.lost();
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)), "the write did not come back");
    assert_eq!(ids(&rig.connect(&ACCEPTED)), [(0, false), (0, false)]);
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(2)));
}

#[test]
fn the_ring_is_bounded_and_its_ids_go_round() {
    let mut rig = Rig::sink(1);
    rig.connect(&ACCEPTED);
    for round in 0..70_000_u64 {
        rig.publish(1, round + 1);
        let id = (round % 65_534) as u16 + 1;
        assert_eq!(rig.published(), [(id, false)]);
        rig.hear(&puback(id)).unwrap();
        assert_eq!(rig.session.confirmed(), Some(Checkpoint(round + 1)));
    }
    rig.publish(4, 80_000);
    assert_eq!(rig.session.publish("t", b"x"), Ok(false));
    let error = rig.session.publish("t", &[0; 2000]);
    assert_eq!(error, Ok(false), "there is no room to look at it");
    rig.session.lost();
    let mut rig = Rig::sink(1);
    assert!(rig.session.publish("t", &[0; 2000]).unwrap_err().contains("limit of 1000 bytes"));
}

#[test]
fn the_broker_s_limits_hold() {
    let mut rig = Rig::new(MqttVersion::V5, publishing(1, 10));
    assert_eq!(rig.session.publish("t", b"x"), Ok(false), "how large a packet may be is not known yet");
    let mut rig = rig.met();
    // Receive maximum 1, maximum packet size 100.
    let connack = [0x20, 11, 0, 0, 8, 33, 0, 1, 39, 0, 0, 0, 100];
    rig.publish(2, 1);
    let said = rig.connect(&connack);
    let mut stream = BytesMut::from(&said[..]);
    let Ok(v5::Packet::Publish(first)) = v5::Packet::read(&mut stream, None) else { panic!("no PUBLISH") };
    assert_eq!((first.pkid, stream.len()), (1, 0), "one at a time");
    rig.hear(&puback(1)).unwrap();
    assert_eq!(rig.said()[0], 0x32);
    assert!(rig.session.publish("t", &[0; 100]).unwrap_err().contains("limit of 100 bytes"));
    rig.hear(&[0x40, 3, 0, 2, 0x87]).unwrap();
    let error = rig.session.failure().unwrap();
    assert!(error.to_string().contains("refused a message for good: not authorized"), "{error}");
    assert!(!error.is_temporary());
}

#[test]
fn what_a_sink_has_not_asked_for_is_acknowledged_so_that_the_broker_does_not_keep_it() {
    let mut rig = Rig::sink(1);
    rig.connect(&RESUMED);
    // PUBLISH, QoS 1, topic `a`, id 7.
    rig.hear(&[0x32, 5, 0, 1, b'a', 0, 7]).unwrap();
    assert_eq!(rig.said(), puback(7));
}
