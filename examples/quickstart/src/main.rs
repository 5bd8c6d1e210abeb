//! Everything at once: an MQTT broker, five devices, a pipeline from `hot.toml`, and a listener on its alerts.
//!
//! `cargo run --release -p quickstart` needs nothing but Rust.

mod broker;
mod devices;
mod legacy;

use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use flow::{Builtins, Cons, Pipeline};

use legacy::KeyValueDecoder;

/// The components of this program: a private decoder in front of everything that ships with `flow`.
type MyRegistry = Cons<KeyValueDecoder, Builtins>;

/// How long the example runs.
const SHOW: Duration = Duration::from_secs(6);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let color = std::io::stdout().is_terminal();
    tracing_subscriber::fmt().with_env_filter("flow=info").with_target(false).with_ansi(color).init();
    broker::start()?;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("hot.toml");
    let pipeline = Pipeline::<MyRegistry>::from_file(&file)?;
    println!("pipeline  {} from {}", pipeline.name(), file.display());

    let listener = devices::listen();
    let devices = devices::publish();
    let report = pipeline.run(tokio::time::sleep(SHOW)).await?;
    devices.abort();
    listener.abort();

    println!("summary   {report}");
    println!("next      change `value` in hot.toml, and run it again");
    Ok(())
}
