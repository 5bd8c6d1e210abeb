//! What stands around the pipeline: devices that publish, and a listener that prints the alerts.

use std::time::{Duration, SystemTime};

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::task::JoinHandle;

use crate::broker::PORT;

/// Prints every alert.
pub(crate) fn listen() -> JoinHandle<()> {
    let (client, mut events) = connect("quickstart-listener");
    tokio::spawn(async move {
        if let Err(error) = client.subscribe("alerts/#", QoS::AtLeastOnce).await {
            eprintln!("the listener cannot subscribe: {error}");
        }
        loop {
            if let Some(Packet::Publish(publish)) = poll(&mut events).await {
                println!("out       {:<16} {}", publish.topic, String::from_utf8_lossy(&publish.payload));
            }
        }
    })
}

/// Publishes a reading of one device after the other: three speak JSON, two the old text protocol,
/// and now and then one sends rubbish.
pub(crate) fn publish() -> JoinHandle<()> {
    let (client, mut events) = connect("quickstart-devices");
    tokio::spawn(async move {
        // The pipeline subscribes first: what is published before that nobody waits for.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let network = async {
            loop {
                poll(&mut events).await;
            }
        };
        tokio::select! {
            () = network => {}
            () = send(&client) => {}
        }
    })
}

async fn send(client: &AsyncClient) {
    for round in 0_u32.. {
        let device = round % 5;
        let (topic, payload) = reading(device, round);
        println!("in        {topic:<16} {payload}");
        if let Err(error) = client.publish(topic, QoS::AtLeastOnce, false, payload).await {
            eprintln!("a device cannot publish: {error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn reading(device: u32, round: u32) -> (String, String) {
    // Each device swings between 35 and 65 °C at its own pace.
    let celsius = 50.0 + 15.0 * (f64::from(round) * (0.1 + 0.05 * f64::from(device))).sin();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ts = since.as_millis();
    match device {
        _ if round % 13 == 12 => (
            format!("sensors/pump-{device}/reading"),
            format!("{{\"device_id\":\"pump-{device}\",\"temperature\":\"wet\"}}"),
        ),
        0..=2 => (
            format!("sensors/pump-{device}/reading"),
            format!(
                "{{\"device_id\":\"pump-{device}\",\"temperature\":{celsius:.1},\"ts\":{ts},\"firmware\":\"2.1.0\"}}"
            ),
        ),
        _ => (
            format!("legacy/fan-{device}"),
            format!("device_id=fan-{device};temperature={celsius:.1};ts={ts}"),
        ),
    }
}

fn connect(id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, "localhost", PORT);
    options.set_keep_alive(Duration::from_secs(5));
    AsyncClient::new(options, 100)
}

/// The next packet that comes in, if the next event is one. A broken connection is tried again after a moment.
async fn poll(events: &mut EventLoop) -> Option<Packet> {
    match events.poll().await {
        Ok(Event::Incoming(packet)) => Some(packet),
        Ok(Event::Outgoing(_)) => None,
        Err(error) => {
            eprintln!("connection: {error}");
            tokio::time::sleep(Duration::from_millis(500)).await;
            None
        }
    }
}
