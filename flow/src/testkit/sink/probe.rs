//! A fixture with what the checks have written so far.

use std::time::Duration;

use crate::connector::SinkConnector;
use crate::error::Error;
use crate::record::payload::{Checkpoint, Metadata, PayloadBatch};
use crate::testkit::sink::SinkFixture;

pub(super) struct Probe<F> {
    pub(super) world: F,
    pub(super) patience: Duration,
    numbers: usize,
    /// The last checkpoint that was written.
    written: u64,
    /// The last one that was confirmed.
    confirmed: u64,
}

impl<F: SinkFixture> Probe<F> {
    pub(super) fn new(world: F, patience: Duration) -> Self {
        Self { world, patience, numbers: 0, written: 0, confirmed: 0 }
    }

    /// A sink that is open.
    pub(super) async fn open(&mut self) -> Result<F::Sink, String> {
        let mut sink = self.world.sink().await;
        self.in_time("`open`", sink.open()).await?.map_err(failed("`open`"))?;
        Ok(sink)
    }

    pub(super) async fn in_time<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, String> {
        let late = |_| format!("{what} did not return within {:?}", self.patience);
        tokio::time::timeout(self.patience, future).await.map_err(late)
    }

    /// The next `count` payloads.
    pub(super) fn payloads(&mut self, count: usize) -> Vec<Vec<u8>> {
        self.numbers += count;
        (self.numbers - count..self.numbers).map(|number| self.world.payload(number)).collect()
    }

    pub(super) fn batch(&self, payloads: &[Vec<u8>]) -> PayloadBatch {
        let (mut batch, topic) = (PayloadBatch::new(), self.world.topic());
        for payload in payloads {
            batch.push_with(payload, Metadata { topic: topic.as_deref(), ..Metadata::default() });
        }
        batch
    }

    /// The checkpoint of the next batch.
    pub(super) fn checkpoint(&mut self) -> Checkpoint {
        self.written += 1;
        Checkpoint(self.written)
    }

    /// Writes the next `count` payloads as one batch.
    pub(super) async fn write(&mut self, sink: &mut F::Sink, count: usize) -> Result<Vec<Vec<u8>>, String> {
        let payloads = self.payloads(count);
        let (batch, checkpoint) = (self.batch(&payloads), self.checkpoint());
        self.in_time("`write`", sink.write(&batch, checkpoint)).await?.map_err(failed("`write`"))?;
        Ok(payloads)
    }

    /// Checks what is promised of one result of `confirmed`.
    pub(super) fn understand(&mut self, outcome: Result<Checkpoint, Error>) -> Result<Checkpoint, String> {
        let Checkpoint(checkpoint) = outcome.map_err(failed("`confirmed`"))?;
        if checkpoint > self.written {
            return Err(format!(
                "checkpoint {checkpoint} was confirmed, and {} is the last that was written",
                self.written
            ));
        }
        if checkpoint <= self.confirmed {
            return Err(format!(
                "`confirmed` returned {checkpoint} after {}; it must wait for a newer one",
                self.confirmed
            ));
        }
        self.confirmed = checkpoint;
        Ok(Checkpoint(checkpoint))
    }

    /// Waits until everything that was written is confirmed.
    pub(super) async fn settle(&mut self, sink: &mut F::Sink) -> Result<(), String> {
        while self.confirmed < self.written {
            let what = format!(
                "`confirmed`, with checkpoint {} written and {} confirmed,",
                self.written, self.confirmed
            );
            let outcome = self.in_time(&what, sink.confirmed()).await?;
            self.understand(outcome)?;
        }
        Ok(())
    }

    pub(super) async fn close(&mut self, sink: F::Sink) -> Result<(), String> {
        self.in_time("`close`", sink.close()).await?.map_err(failed("`close`"))
    }
}

/// Says which call failed.
pub(super) fn failed(call: &str) -> impl Fn(Error) -> String {
    move |error| format!("{call} failed: {error}")
}
