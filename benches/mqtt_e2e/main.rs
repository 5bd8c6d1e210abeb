//! What an MQTT → MQTT pipeline costs and how long it takes, against rumqttc's event loop and a loop by hand.
//!
//! `cargo bench -p flow-benches --bench mqtt_e2e` prints tables and writes `target/flow-benches/mqtt_e2e.json`; behind `--`,
//! any of `mock`, `brokers`, `latency` and `memory` does these parts alone. Clients take turns within each round; figures are
//! medians over the rounds. Where Mosquitto is not installed, its rows are missing and a line says so.

mod brokers;
mod clients;
mod input;
mod load;
mod mock;
mod parts;
mod process;
mod report;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use clients::Client;
use input::Work;

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long nothing may move.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    // cargo adds `--bench` to what the user has written.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", client, work, qos, port] => run_client(client, work, qos, port),
        ["rumqttd", port] => parse(port).and_then(brokers::be_rumqttd),
        ref parts => parts::measure(parts),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mqtt_e2e: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_client(client: &str, work: &str, qos: &str, port: &str) -> Result<(), Failure> {
    let work = Work::ALL.into_iter().find(|known| known.as_str() == work).ok_or("no such work")?;
    client.parse::<Client>()?.run(work, parse(qos)?, parse(port)?)
}

fn parse<T: std::str::FromStr>(number: &str) -> Result<T, Failure> {
    number.parse().map_err(|_| format!("`{number}` is not understood").into())
}
