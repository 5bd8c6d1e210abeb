//! What a program written for this one job would do: one connection, rumqttc's packet codec, large reads, and one write
//! for all that came of them.

use std::collections::VecDeque;
use std::io::{Read, Write};

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::v4::{Packet, PubAck, Publish};
use rumqttc::mqttbytes::{self};

use crate::Failure;
use crate::input::Work;
use crate::wire;

const READ: usize = 64 << 10;

pub(super) fn run(work: Work, qos: u8, port: u16) -> Result<(), Failure> {
    let mut stream = wire::connect(port, "hand", Some(("in/#", qos)))?;
    let mut input = BytesMut::with_capacity(READ);
    let mut chunk = vec![0; READ];
    let mut out = BytesMut::with_capacity(READ);
    let mut converted = Vec::new();
    // Publishes without confirmation, in order: the id, and the message to acknowledge when it comes. They are as many as
    // the broker leaves unacknowledged.
    let mut in_flight: VecDeque<(u16, u16)> = VecDeque::new();
    let mut next_id = 0;
    loop {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        input.extend_from_slice(&chunk[..count]);
        loop {
            let packet = match Packet::read(&mut input, 1 << 20) {
                Err(mqttbytes::Error::InsufficientBytes(_)) => break,
                packet => packet?,
            };
            match packet {
                Packet::Publish(publish) => {
                    converted.clear();
                    let passes = work.by_hand(&publish.payload, &mut converted)?;
                    let mut message =
                        Publish::from_bytes("out/x", wire::quality(qos), Bytes::copy_from_slice(&converted));
                    if passes {
                        if qos > 0 {
                            next_id = next_id % 65_535 + 1;
                            message.pkid = next_id;
                            in_flight.push_back((next_id, publish.pkid));
                        }
                        message.write(&mut out)?;
                    } else if qos > 0 {
                        // Acknowledgements go out in order: behind those that wait.
                        match in_flight.back() {
                            Some(_) => in_flight.push_back((0, publish.pkid)),
                            None => drop(PubAck::new(publish.pkid).write(&mut out)?),
                        }
                    }
                }
                Packet::PubAck(ack) => {
                    if in_flight.front().is_none_or(|(id, _)| *id != ack.pkid) {
                        return Err("a confirmation out of order".into());
                    }
                    while let Some((_, message)) = in_flight.pop_front() {
                        PubAck::new(message).write(&mut out)?;
                        if in_flight.front().is_none_or(|(id, _)| *id != 0) {
                            break;
                        }
                    }
                }
                _ => {}
            }
        }
        stream.write_all(&out)?;
        out.clear();
    }
}
