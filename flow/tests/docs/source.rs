use std::path::PathBuf;
use std::time::Duration;

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, Progress, SourceConnector};
use tokio::time::{Interval, interval};

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorConfig {
    /// The file that the kernel shows the sensor in.
    path: PathBuf,
    /// Milliseconds between two readings.
    every_ms: u64,
}

/// Reads a sensor of the kernel again and again.
#[derive(Component)]
#[component(source, id = "sensor", config = SensorConfig)]
pub struct SensorSource {
    config: SensorConfig,
    clock: Option<Interval>,
    checkpoint: u64,
}

impl SensorSource {
    fn new(config: SensorConfig, _: &BuildContext) -> Result<Self, Error> {
        match config.every_ms {
            0 => Err(Error::config("every_ms", "0 would never rest; name at least 1")),
            _ => Ok(Self { config, clock: None, checkpoint: 0 }),
        }
    }
}

impl SourceConnector for SensorSource {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        let every = Duration::from_millis(self.config.every_ms);
        self.clock.get_or_insert_with(|| interval(every)).tick().await;
        batch.push(&std::fs::read(&self.config.path)?);
        self.checkpoint += 1;
        Ok(Progress::Batch(Checkpoint(self.checkpoint)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}
