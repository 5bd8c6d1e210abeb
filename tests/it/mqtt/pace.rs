//! How soon a connection reads and confirms, against a broker that waits for it.

use std::time::{Duration, Instant};

use flow::SourceConnector;
use serde_json::json;

use super::{open_sink, options, publish, subscribed, take};
use crate::support::mosquitto::Mosquitto;
use crate::support::{Broker, in_time};

/// What one round sends, and waits for.
const ROUND: usize = 100;

const ROUNDS: u64 = 500;

/// Mosquitto writes without TCP_NODELAY, unless it is told otherwise: it holds back what follows a small packet until TCP has
/// confirmed that, and the operating system's own confirmation can take 40 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_waits_for_tcp_is_not_held_up() {
    let Some(plain) = Mosquitto::start() else { return };
    let Some(prompt) = Mosquitto::start_with("allow_anonymous true\nset_tcp_nodelay true\n", &[]) else {
        return;
    };
    let prompt = rounds(&prompt.url()).await;
    let plain = rounds(&plain.url()).await;
    assert!(
        plain < 3 * prompt + Duration::from_secs(1),
        "{ROUNDS} rounds took {plain:?}, and {prompt:?} with TCP_NODELAY"
    );
}

/// How long the rounds take, from publishing until the last message of each is acknowledged.
async fn rounds(url: &str) -> Duration {
    let extra = json!({ "qos": 1 });
    let mut source = subscribed(&format!("pace at {url}"), options(url, "pace/#", &extra)).await;
    let mut sink = open_sink("pace", options(url, "pace/a", &extra)).await;
    let texts: Vec<String> = (0..ROUND).map(|number| number.to_string()).collect();
    let start = Instant::now();
    for round in 1..=ROUNDS {
        publish(&mut sink, round * ROUND as u64, texts.iter().map(String::as_str)).await;
        let (_, checkpoint) = take(&mut source, ROUND).await;
        in_time("an acknowledgement", source.acknowledge(checkpoint)).await.expect("it is taken");
    }
    start.elapsed()
}
