//! A source: readings of some pumps, made up.

use std::time::Duration;

use flow::{BuildContext, Checkpoint, Component, Error, Metadata, PayloadBatch, Progress, SourceConnector};

/// Readings of pumps as `key=value` pairs, one every few milliseconds.
#[derive(Debug, Component)]
#[component(source, id = "pump", config = PumpConfig)]
pub struct PumpSource {
    config: PumpConfig,
    next: u64,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PumpConfig {
    /// How many readings there are; without end where nothing is said.
    count: Option<u64>,
    /// Milliseconds between two readings.
    #[serde(default)]
    every_ms: u64,
}

impl PumpSource {
    fn new(config: PumpConfig, _: &BuildContext) -> Result<Self, Error> {
        if config.every_ms > 60_000 {
            return Err(Error::config("every_ms", "more than a minute"));
        }
        Ok(Self { config, next: 0 })
    }
}

impl SourceConnector for PumpSource {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        if self.config.every_ms > 0 {
            // Nothing is taken before this has passed: the call may be dropped here.
            tokio::time::sleep(Duration::from_millis(self.config.every_ms)).await;
        }
        while !batch.is_full() && self.config.count.is_none_or(|count| self.next < count) {
            let pump = self.next % 3;
            let text = format!("device_id=pump-{pump};temperature={}.5", 20 + self.next % 60);
            let topic = format!("pumps/{pump}");
            batch.push_with(text.as_bytes(), Metadata { topic: Some(&topic), ..Metadata::default() });
            self.next += 1;
            if self.config.every_ms > 0 {
                break;
            }
        }
        if batch.is_empty() { Ok(Progress::End) } else { Ok(Progress::Batch(Checkpoint(self.next))) }
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}
