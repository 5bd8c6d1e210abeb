//! QoS 2, both ways.

use super::{
    ACCEPTED, NOTHING, NOTHING_TAKEN, RESUMED, Rig, again, answer, ids, message, message2, puback, publishing,
};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::packet::kind::{PUBCOMP, PUBREC, PUBREL};
use crate::record::Checkpoint;

#[test]
fn a_message_is_received_when_it_is_delivered_and_its_id_is_free_after_that() {
    let mut rig = Rig::source();
    rig.hear(&[message2(1, "a"), message(2, "b"), message2(3, "c")].concat()).unwrap();
    let (checkpoint, texts) = rig.taken();
    assert_eq!((texts, rig.said()), (["a", "b", "c"].map(str::to_owned).to_vec(), NOTHING.to_vec()));
    rig.session.acknowledge(checkpoint.unwrap());
    assert_eq!(rig.said(), [answer(PUBREC, 1), puback(2).to_vec(), answer(PUBREC, 3)].concat());
    rig.hear(&answer(PUBREL, 1)).unwrap();
    assert_eq!(rig.said(), answer(PUBCOMP, 1));
    // The same text under the same id is another message now.
    rig.hear(&message2(1, "a")).unwrap();
    assert_eq!(rig.taken().1, ["a"]);
}

#[test]
fn a_message_is_handed_out_once_wherever_its_handshake_breaks_off() {
    // Before it is delivered, marked as a duplicate or not.
    for mark in [again, |packet| packet] {
        let mut rig = Rig::source();
        rig.hear(&message2(1, "a")).unwrap();
        let (checkpoint, _) = rig.taken();
        rig.session.lost();
        rig.connect(&RESUMED);
        rig.hear(&mark(message2(1, "a"))).unwrap();
        assert_eq!(
            (rig.taken().1, rig.said()),
            (NOTHING_TAKEN.map(str::to_owned).to_vec(), NOTHING.to_vec())
        );
        rig.session.acknowledge(checkpoint.unwrap());
        assert_eq!(rig.said(), answer(PUBREC, 1));
        // The broker has not seen PUBREC; twice.
        for _ in 0..2 {
            rig.session.lost();
            rig.connect(&RESUMED);
            rig.hear(&mark(message2(1, "a"))).unwrap();
            assert_eq!(rig.taken().1, NOTHING_TAKEN);
            assert_eq!(rig.said(), answer(PUBREC, 1));
        }
        // It has not seen PUBCOMP.
        for _ in 0..2 {
            rig.hear(&answer(PUBREL, 1)).unwrap();
            assert_eq!(rig.said(), answer(PUBCOMP, 1));
            rig.session.lost();
            rig.connect(&RESUMED);
        }
    }
}

#[test]
fn a_forgotten_session_or_another_message_is_never_taken_for_the_old_one() {
    for delivered in [false, true] {
        for (connack, text) in [(ACCEPTED, "a"), (RESUMED, "another")] {
            let mut rig = Rig::source();
            rig.hear(&message2(1, "a")).unwrap();
            let (old, _) = rig.taken();
            if delivered {
                rig.session.acknowledge(old.unwrap());
                rig.said();
            }
            rig.session.lost();
            rig.connect(&connack);
            rig.hear(&again(message2(1, text))).unwrap();
            let (new, texts) = rig.taken();
            assert_eq!(texts, [text]);
            rig.session.acknowledge(old.unwrap());
            assert_eq!(rig.said(), NOTHING);
            rig.session.acknowledge(new.unwrap());
            assert_eq!(rig.said(), answer(PUBREC, 1));
        }
    }
}

#[test]
fn a_release_of_nothing_is_answered() {
    let mut rig = Rig::source();
    rig.hear(&answer(PUBREL, 9)).unwrap();
    assert_eq!(rig.said(), answer(PUBCOMP, 9));
}

/// A sink of QoS 2 that is connected for good, and what its first connection said.
fn sink(version: MqttVersion, max_in_flight: u16) -> (Rig, Vec<u8>) {
    let mut rig = Rig::new(version, publishing(2, max_in_flight));
    let accepted = |resumed: u8| match version {
        MqttVersion::V311 => vec![0x20, 2, resumed, 0],
        MqttVersion::V5 => vec![0x20, 3, resumed, 0, 0],
    };
    rig.session.start(rig.now).unwrap();
    let first = rig.said();
    rig.hear(&accepted(0)).unwrap();
    if version == MqttVersion::V311 {
        assert_eq!(rig.said(), [0xe0, 0], "only with the next connection a session begins that is kept");
        assert!(rig.session.is_leaving());
        rig.session.lost();
        rig.connect(&accepted(0));
    }
    assert!(rig.session.is_online() && !rig.session.is_leaving());
    (rig, first)
}

#[test]
fn the_session_of_an_earlier_process_is_swept_away_once() {
    // The connect flags stand after the name and the level of the protocol.
    for version in [MqttVersion::V311, MqttVersion::V5] {
        let (mut rig, first) = sink(version, 4);
        assert_eq!(first[9] & 0b10, 0b10, "clean");
        rig.session.lost();
        rig.session.start(rig.now).unwrap();
        assert_eq!(rig.said()[9] & 0b10, 0, "kept");
    }
}

#[test]
fn a_publish_is_delivered_when_its_handshake_is_complete() {
    let (mut rig, _) = sink(MqttVersion::V311, 4);
    rig.publish(2, 1);
    assert_eq!(rig.published(), [(1, false), (2, false)]);
    // Only the right answer at the right time counts.
    rig.hear(&[&puback(1)[..], &answer(PUBCOMP, 1)].concat()).unwrap();
    assert_eq!(rig.said(), NOTHING);
    rig.hear(&[answer(PUBREC, 1), answer(PUBREC, 2)].concat()).unwrap();
    assert_eq!(rig.said(), [answer(PUBREL, 1), answer(PUBREL, 2)].concat());
    rig.hear(&answer(PUBREC, 1)).unwrap();
    assert_eq!(rig.said(), answer(PUBREL, 1), "the broker asks once more");
    rig.hear(&answer(PUBCOMP, 2)).unwrap();
    assert_eq!(rig.session.confirmed(), None);
    rig.hear(&answer(PUBCOMP, 1)).unwrap();
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)));
    assert!(rig.session.is_drained());
    rig.hear(&answer(PUBREC, 1)).unwrap();
    assert_eq!(rig.said(), answer(PUBREL, 1), "of what is long done, too");
}

#[test]
fn a_resumed_session_goes_on_where_each_handshake_broke_off() {
    let (mut rig, _) = sink(MqttVersion::V311, 4);
    rig.publish(3, 1);
    rig.said();
    rig.hear(&[answer(PUBREC, 2), answer(PUBREC, 3), answer(PUBCOMP, 3)].concat()).unwrap();
    rig.session.lost();
    let said = rig.connect(&RESUMED);
    let (publish, release) = said.split_at(said.len() - 4);
    assert_eq!(ids(publish), [(1, true)]);
    assert_eq!(release, answer(PUBREL, 2));
    rig.hear(&[answer(PUBCOMP, 2), answer(PUBREC, 1), answer(PUBCOMP, 1)].concat()).unwrap();
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)));
}

#[test]
fn what_a_forgotten_session_had_received_is_published_again() {
    let (mut rig, _) = sink(MqttVersion::V311, 4);
    rig.publish(2, 1);
    rig.said();
    rig.hear(&answer(PUBREC, 1)).unwrap();
    rig.session.lost();
    assert_eq!(ids(&rig.connect(&ACCEPTED)), [(1, true), (2, true)]);
    rig.hear(&answer(PUBCOMP, 1)).unwrap();
    assert_eq!(rig.session.confirmed(), None, "a late answer of the old session");
}

#[test]
fn a_receive_maximum_of_1_is_held_until_the_handshake_is_complete() {
    let mut rig = Rig::new(MqttVersion::V5, publishing(2, 4)).met();
    rig.publish(2, 1);
    let connack = [0x20, 6, 0, 0, 3, 33, 0, 1];
    assert_eq!(rig.connect(&connack)[0] & 0xf6, 0x34);
    rig.hear(&answer(PUBREC, 1)).unwrap();
    assert_eq!(rig.said(), answer(PUBREL, 1));
    rig.hear(&answer(PUBCOMP, 1)).unwrap();
    assert_eq!(rig.said()[0] & 0xf6, 0x34);
}

#[test]
fn a_broker_that_does_not_take_a_message_now_gets_it_again_and_one_that_never_does_ends_the_sink() {
    for code in [0x80, 0x83, 0x91, 0x97] {
        let (mut rig, _) = sink(MqttVersion::V5, 4);
        rig.publish(1, 1);
        rig.said();
        let error = rig.hear(&[0x50, 3, 0, 1, code]).unwrap_err();
        assert!(error.contains("cannot take a message now"), "{error}");
        rig.session.lost();
        assert_eq!(rig.connect(&[0x20, 3, 1, 0, 0])[0], 0x3c, "published once more");
        assert!(rig.session.failure().is_none());
    }
    for (code, words) in [(0x87, "not authorized"), (0x90, "topic"), (0x99, "payload format")] {
        let (mut rig, _) = sink(MqttVersion::V5, 4);
        rig.publish(1, 1);
        rig.said();
        rig.hear(&[0x50, 3, 0, 1, code]).unwrap();
        let error = rig.session.failure().unwrap().to_string();
        assert!(error.contains("refused a message for good") && error.contains(words), "{error}");
        assert_eq!((rig.session.confirmed(), rig.said()), (None, NOTHING.to_vec()));
    }
    // Of what is not in flight a refusal says nothing; of what the broker does not know any more it has had it all.
    let (mut rig, _) = sink(MqttVersion::V5, 4);
    rig.hear(&[0x50, 3, 0, 7, 0x87]).unwrap();
    assert!(rig.session.failure().is_none());
    rig.publish(1, 1);
    rig.said();
    rig.hear(&[&answer(PUBREC, 1)[..], &[0x70, 3, 0, 1, 0x92]].concat()).unwrap();
    assert_eq!(rig.session.confirmed(), Some(Checkpoint(1)));
    rig.said();
    rig.hear(&answer(PUBREC, 7)).unwrap();
    assert_eq!(rig.said(), [0x62, 3, 0, 7, 0x92]);
}
