//! rumqttc as its documentation shows it: a client for the source and one for the sink, each polled in a task. At QoS 1
//! with manual acknowledgement, so that it promises what the others promise.

use std::collections::VecDeque;
use std::sync::Arc;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish};
use tokio::sync::Mutex;

use crate::Failure;
use crate::input::Work;
use crate::wire::quality;

/// How many publishes may be unconfirmed.
const WINDOW: u16 = 1_000;

/// How many requests may wait for an event loop: more than a broker leaves unacknowledged, so that neither task
/// waits for the other.
const REQUESTS: usize = 16_384;

/// Messages to acknowledge, in order, and whether a publish of theirs must be confirmed before.
type Waiting = Arc<Mutex<VecDeque<(Publish, bool)>>>;

pub(super) fn run(work: Work, qos: u8, port: u16) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let (source, incoming) = connect("rumqttc-source", port, qos > 0);
        let (sink, outgoing) = connect("rumqttc-sink", port, false);
        source.subscribe("in/#", quality(qos)).await?;
        let waiting = Waiting::default();
        let confirm = tokio::spawn(confirm(outgoing, source.clone(), Arc::clone(&waiting)));
        let forward = tokio::spawn(forward(incoming, source, sink, work, qos, waiting));
        tokio::select! {
            ended = confirm => ended?,
            ended = forward => ended?,
        }
    })
}

fn connect(client_id: &str, port: u16, manual_acks: bool) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20).set_inflight(WINDOW).set_manual_acks(manual_acks);
    AsyncClient::new(options, REQUESTS)
}

async fn forward(
    mut incoming: EventLoop,
    source: AsyncClient,
    sink: AsyncClient,
    work: Work,
    qos: u8,
    waiting: Waiting,
) -> Result<(), Failure> {
    loop {
        let Event::Incoming(Packet::Publish(publish)) = incoming.poll().await? else { continue };
        let mut converted = Vec::new();
        let passes = work.by_hand(&publish.payload, &mut converted)?;
        if qos > 0 {
            let mut waiting = waiting.lock().await;
            waiting.push_back((publish, passes));
            acknowledge(&source, &mut waiting).await?;
        }
        if passes {
            sink.publish("out/x", quality(qos), false, converted).await?;
        }
    }
}

async fn confirm(mut outgoing: EventLoop, source: AsyncClient, waiting: Waiting) -> Result<(), Failure> {
    loop {
        if let Event::Incoming(Packet::PubAck(_)) = outgoing.poll().await? {
            let mut waiting = waiting.lock().await;
            if let Some((_, waits)) = waiting.front_mut() {
                *waits = false;
            }
            acknowledge(&source, &mut waiting).await?;
        }
    }
}

/// Acknowledges what waits for nothing. It stays in order: rumqttd closes a connection that does otherwise.
async fn acknowledge(source: &AsyncClient, waiting: &mut VecDeque<(Publish, bool)>) -> Result<(), Failure> {
    while let Some((message, _)) = waiting.pop_front_if(|(_, waits)| !*waits) {
        source.ack(&message).await?;
    }
    Ok(())
}
