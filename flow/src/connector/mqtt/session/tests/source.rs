//! Messages that come in.

use bytes::BytesMut;
use rumqttc::mqttbytes::v4;

use super::{ACCEPTED, NOTHING, NOTHING_TAKEN, RESUMED, Rig, SUBACK, again, message, puback, subscribing};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::Event;
use crate::connector::mqtt::session::subscriptions::SUBSCRIBE_ID;
use crate::record::{Checkpoint, Payload, PayloadBatch};

#[test]
fn receipts_go_out_after_the_acknowledgement_in_the_order_of_arrival() {
    let mut rig = Rig::source();
    rig.hear(&[message(7, "a"), message(3, "b"), message(0, "c"), message(5, "d")].concat()).unwrap();
    assert_eq!(rig.taken(), (Some(Checkpoint(4)), ["a", "b", "c", "d"].map(str::to_owned).to_vec()));
    rig.hear(&message(9, "e")).unwrap();
    assert_eq!(rig.taken().0, Some(Checkpoint(5)));
    assert_eq!(rig.said(), NOTHING);
    rig.session.acknowledge(Checkpoint(4));
    assert_eq!(rig.said(), [puback(7), puback(3), puback(5)].concat());
    rig.session.acknowledge(Checkpoint(5));
    assert_eq!(rig.said(), puback(9));
}

#[test]
fn a_small_batch_takes_a_part_and_leaves_the_rest() {
    let mut rig = Rig::source();
    rig.hear(&[1, 2, 3, 4, 5].map(|id| message(id, &id.to_string())).concat()).unwrap();
    let mut batch = PayloadBatch::with_capacity(2);
    for (checkpoint, texts) in [(2, "12"), (4, "34"), (5, "5")] {
        batch.clear();
        assert_eq!(rig.session.take(&mut batch), Some(Checkpoint(checkpoint)));
        let taken: Vec<u8> = batch.iter().flat_map(Payload::bytes).copied().collect();
        assert_eq!((taken.as_slice(), batch.capacity()), (texts.as_bytes(), 2));
    }
    rig.session.acknowledge(Checkpoint(2));
    assert_eq!(rig.said(), [puback(1), puback(2)].concat());
    rig.hear(&[6, 7, 8].map(|id| message(id, "x")).concat()).unwrap();
    assert!(rig.session.is_stalled(), "from now on the inbox is as large as the batch");
    batch.clear();
    assert_eq!(rig.session.take(&mut batch), Some(Checkpoint(7)));
}

#[test]
fn an_acknowledgement_never_confirms_a_message_of_a_later_connection() {
    for connack in [ACCEPTED, RESUMED] {
        let mut rig = Rig::source();
        rig.hear(&[message(1, "old"), message(2, "older")].concat()).unwrap();
        let (old, _) = rig.taken();
        rig.hear(&message(3, "not taken")).unwrap();
        rig.session.lost();
        let said = rig.connect(&connack);
        assert_eq!(said.is_empty(), connack == RESUMED, "subscribes where the session is gone");
        // Another message under an id that is waiting for its acknowledgement.
        rig.hear(&message(1, "new")).unwrap();
        rig.session.acknowledge(old.unwrap());
        assert_eq!(rig.said(), NOTHING);
        let (new, texts) = rig.taken();
        assert_eq!(texts, ["not taken", "new"]);
        rig.session.acknowledge(new.unwrap());
        assert_eq!(rig.said(), puback(1));
    }
}

#[test]
fn a_session_that_the_broker_has_lost_is_said() {
    let mut rig = Rig::source();
    for (connack, lost) in [(RESUMED, false), (ACCEPTED, true)] {
        rig.session.lost();
        rig.session.events();
        rig.connect(&connack);
        assert_eq!(rig.session.events().contains(&Event::Forgotten), lost);
    }
}

#[test]
fn what_a_resumed_session_sends_again_is_not_handed_out_twice() {
    let mut rig = Rig::source();
    rig.hear(&[message(1, "a"), message(2, "b"), message(3, "c")].concat()).unwrap();
    let (first, texts) = rig.taken();
    assert_eq!(texts, ["a", "b", "c"]);
    // Lost twice, and only a part comes again in between.
    rig.session.lost();
    rig.connect(&RESUMED);
    rig.hear(&again(message(1, "a"))).unwrap();
    rig.session.lost();
    rig.connect(&RESUMED);
    rig.hear(&[again(message(1, "a")), again(message(2, "b")), message(4, "d")].concat()).unwrap();
    let (second, texts) = rig.taken();
    assert_eq!(texts, ["d"]);
    assert_eq!(rig.said(), NOTHING);
    rig.session.acknowledge(first.unwrap());
    assert_eq!(rig.said(), [puback(1), puback(2)].concat());
    // What is delivered by now is confirmed as soon as it comes.
    rig.hear(&again(message(3, "c"))).unwrap();
    assert_eq!(rig.taken().1, NOTHING_TAKEN);
    rig.session.acknowledge(second.unwrap());
    assert_eq!(rig.said(), [puback(4), puback(3)].concat());
}

#[test]
fn a_message_is_only_known_again_by_id_mark_and_content_in_the_same_session() {
    let sent_again: [(&[u8], Vec<u8>); 4] = [
        (&ACCEPTED, again(message(1, "a"))),
        (&RESUMED, message(1, "a")),
        (&RESUMED, again(message(1, "b"))),
        (&RESUMED, again(message(2, "a"))),
    ];
    for (connack, packet) in sent_again {
        let mut rig = Rig::source();
        rig.hear(&message(1, "a")).unwrap();
        let (old, _) = rig.taken();
        rig.session.lost();
        rig.connect(connack);
        rig.hear(&packet).unwrap();
        let (new, texts) = rig.taken();
        assert_eq!(texts.len(), 1, "it is handed out");
        rig.session.acknowledge(old.unwrap());
        assert_eq!(rig.said(), NOTHING, "and not confirmed before its time");
        rig.session.acknowledge(new.unwrap());
        assert_eq!(rig.said().len(), 4);
    }
}

#[test]
fn a_resumed_session_of_an_earlier_process_is_subscribed_anew() {
    let mut rig = Rig::new(MqttVersion::V311, subscribing(&["a", "b"], 1));
    let said = rig.connect(&RESUMED);
    let Ok(v4::Packet::Subscribe(subscribe)) = v4::Packet::read(&mut BytesMut::from(&said[..]), 1000) else {
        panic!("no SUBSCRIBE");
    };
    let filters: Vec<_> = subscribe.filters.iter().map(|filter| filter.path.as_str()).collect();
    assert_eq!((subscribe.pkid, filters), (SUBSCRIBE_ID, vec!["a", "b"]));
}

#[test]
fn a_subscription_that_was_never_confirmed_is_asked_for_again() {
    let mut rig = Rig::source();
    rig.session.lost();
    assert_eq!(rig.connect(&ACCEPTED)[0], 0x82, "the session is gone");
    rig.session.lost();
    assert_eq!(rig.connect(&RESUMED)[0], 0x82, "the session is there, the answer was not");
    rig.hear(&SUBACK).unwrap();
    rig.session.lost();
    assert_eq!(rig.connect(&RESUMED), NOTHING);
}

#[test]
fn a_refused_filter_is_named_once_and_asked_for_again() {
    let mut rig = Rig::new(MqttVersion::V311, subscribing(&["a", "b"], 1));
    rig.connect(&ACCEPTED);
    rig.session.events();
    rig.hear(&[0x90, 4, 0xff, 0xff, 0, 0x80]).unwrap();
    let events = rig.session.events();
    assert_eq!(events[0], Event::Lowered { filter: "a".into(), qos: 0 });
    assert_eq!(events[1], Event::Refused { filter: "b".into(), why: "unspecified error".into() });
    for code in [0x80, 1] {
        for _ in 0..30 {
            rig.pass(1).unwrap();
            rig.hear(&[0xd0, 0]).unwrap();
            let said = rig.said();
            assert!(!said.windows(3).any(|bytes| bytes == [0, 1, b'a']), "only the refused one");
            if said.windows(3).any(|bytes| bytes == [0, 1, b'b']) {
                break;
            }
        }
        rig.hear(&[0x90, 3, 0xff, 0xff, code]).unwrap();
    }
    assert_eq!(rig.session.events(), [Event::Subscribed { filter: "b".into() }]);
}

#[test]
fn packets_may_come_split_at_every_byte_or_all_at_once() {
    let stream = [message(1, "a"), vec![0xd0, 0], message(2, &"b".repeat(300)), message(0, "")].concat();
    for at in 0..stream.len() {
        let mut rig = Rig::source();
        rig.hear(&stream[..at]).unwrap();
        rig.hear(&stream[at..]).unwrap();
        assert_eq!(rig.taken().1, ["a".to_owned(), "b".repeat(300), String::new()]);
    }
    let mut rig = Rig::source();
    for byte in &stream {
        rig.hear(&[*byte]).unwrap();
    }
    assert_eq!(rig.taken().1.len(), 3);
}

#[test]
fn of_an_oversized_message_the_beginning_is_handed_out_as_a_fault_and_the_rest_read_past() {
    let stream = [message(1, "a"), message(2, &"x".repeat(5000)), message(3, "b")].concat();
    for at in 0..stream.len() {
        let mut rig = Rig::source();
        rig.session.events();
        rig.hear(&stream[..at]).unwrap();
        rig.hear(&stream[at..]).unwrap();
        assert_eq!(rig.session.events(), [Event::Oversized { topic: "t/1".into(), bytes: 5010, count: 1 }]);
        let mut batch = PayloadBatch::new();
        let checkpoint = rig.session.take(&mut batch).unwrap();
        let lengths: Vec<_> = batch.iter().map(|payload| payload.bytes().len()).collect();
        assert_eq!(lengths, [1, 1024, 1]);
        let faults: Vec<_> = batch.iter().filter_map(Payload::fault).map(ToString::to_string).collect();
        let said = "the message of 5010 bytes is larger than `max_packet_size` = 1000; \
                    its payload's first 1024 bytes are kept";
        assert_eq!(faults, [said]);
        assert_eq!(batch.get(1).unwrap().metadata().topic, Some("t/1"));
        assert_eq!(rig.said(), NOTHING, "it is acknowledged when it is settled");
        rig.session.acknowledge(checkpoint);
        assert_eq!(rig.said(), [puback(1), puback(2), puback(3)].concat());
    }
}

#[test]
fn a_full_inbox_stalls_reading_but_not_the_keep_alive() {
    let mut rig = Rig::source();
    let flood: Vec<u8> = (1..=1100).flat_map(|id| message(id, "x")).collect();
    rig.hear(&flood).unwrap();
    assert!(rig.session.is_stalled());
    let mut pings = 0;
    for _ in 0..60 {
        rig.pass(1).unwrap();
        pings += rig.said().chunks(2).filter(|packet| *packet == [0xc0, 0]).count();
    }
    assert!((5..=7).contains(&pings), "{pings} pings in six keep-alives");
    assert_eq!(rig.taken().1.len(), 1024);
    rig.pass(1).unwrap();
    assert!(!rig.session.is_stalled());
    rig.hear(&[]).unwrap();
    assert_eq!(rig.taken().1.len(), 76);
}

#[test]
fn silence_is_excused_while_the_broker_waits_for_acknowledgements() {
    let mut rig = Rig::source();
    rig.hear(&message(1, "a")).unwrap();
    let (checkpoint, _) = rig.taken();
    let mut pings = 0;
    for _ in 0..60 {
        rig.pass(1).unwrap();
        pings += usize::from(rig.said() == [0xc0, 0]);
    }
    assert!((5..=6).contains(&pings), "{pings} pings in six keep-alives");
    rig.session.acknowledge(checkpoint.unwrap());
    rig.said();
    rig.session.tick(rig.now).unwrap();
    rig.pass(14).unwrap();
    assert!(rig.pass(1).unwrap_err().contains("silent"));
}

#[test]
fn good_bye_comes_after_everything_else() {
    let mut rig = Rig::source();
    rig.said();
    rig.hear(&message(1, "a")).unwrap();
    let (checkpoint, _) = rig.taken();
    rig.session.acknowledge(checkpoint.unwrap());
    rig.session.close();
    assert_eq!(rig.said(), [&puback(1)[..], &[0xe0, 0]].concat());
    assert!(rig.session.is_leaving());
}
