//! A fixture with what the checks have seen so far.

use std::time::Duration;

use crate::connector::{Progress, SourceConnector};
use crate::error::Error;
use crate::record::payload::{Checkpoint, Payload, PayloadBatch};
use crate::testkit::bytes::same;
use crate::testkit::source::SourceFixture;

const LATE: &str = "did not return within";

/// Payloads of one batch with its checkpoint.
pub(super) type Taken = (Checkpoint, Vec<Vec<u8>>);

pub(super) struct Probe<F> {
    pub(super) world: F,
    patience: Duration,
    offered: usize,
    /// The newest checkpoint of the source that is open.
    last: Option<Checkpoint>,
}

impl<F: SourceFixture> Probe<F> {
    pub(super) fn new(world: F, patience: Duration) -> Self {
        Self { world, patience, offered: 0, last: None }
    }

    /// A source that is open.
    pub(super) async fn open(&mut self) -> Result<F::Source, String> {
        self.last = None;
        let mut source = self.world.source().await;
        self.in_time("`open`", source.open()).await?.map_err(failed("`open`"))?;
        Ok(source)
    }

    pub(super) async fn in_time<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, String> {
        let late = |_| format!("{what} {LATE} {:?}", self.patience);
        tokio::time::timeout(self.patience, future).await.map_err(late)
    }

    /// Offers the next `count` payloads and returns them.
    pub(super) async fn offer(&mut self, count: usize) -> Vec<Vec<u8>> {
        let payloads: Vec<_> =
            (self.offered..self.offered + count).map(|number| self.world.payload(number)).collect();
        self.offered += count;
        self.world.offer(payloads.clone()).await;
        payloads
    }

    /// One call of `next` that must give payloads.
    pub(super) async fn take(&mut self, source: &mut F::Source, capacity: usize) -> Result<Taken, String> {
        let mut batch = PayloadBatch::with_capacity(capacity);
        let outcome = self.in_time("`next`, with payloads left to come,", source.next(&mut batch)).await?;
        self.understand(outcome, &batch)
    }

    /// Checks everything that is promised of one result of `next`.
    pub(super) fn understand(
        &mut self,
        outcome: Result<Progress, Error>,
        batch: &PayloadBatch,
    ) -> Result<Taken, String> {
        match outcome.map_err(failed("`next`"))? {
            Progress::End => {
                Err("`next` says that there is nothing more, and payloads are left to come".to_owned())
            }
            Progress::Batch(_) if batch.is_empty() => {
                Err("`next` returned a batch without payloads; it must wait for the first".to_owned())
            }
            Progress::Batch(checkpoint) if self.last.is_some_and(|last| last >= checkpoint) => Err(format!(
                "checkpoint {} came after {}; checkpoints grow with every batch",
                checkpoint.0,
                self.last.unwrap_or_default().0
            )),
            Progress::Batch(checkpoint) => {
                self.last = Some(checkpoint);
                Ok((checkpoint, batch.iter().map(|payload: Payload<'_>| payload.bytes().to_vec()).collect()))
            }
        }
    }

    /// Reads until all of `sent` was received, or as many others; acknowledges each batch at once.
    pub(super) async fn read(
        &mut self,
        source: &mut F::Source,
        sent: &[Vec<u8>],
        received: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        while received.len() < sent.len() {
            let taken = self.take(source, PayloadBatch::DEFAULT_CAPACITY).await;
            let (checkpoint, payloads) = taken.map_err(|late| missing(sent, received, late))?;
            received.extend(payloads);
            self.acknowledge(source, checkpoint).await?;
        }
        Ok(())
    }

    pub(super) async fn acknowledge(
        &mut self,
        source: &mut F::Source,
        checkpoint: Checkpoint,
    ) -> Result<(), String> {
        self.in_time("`acknowledge`", source.acknowledge(checkpoint)).await?.map_err(failed("`acknowledge`"))
    }

    pub(super) async fn close(&mut self, source: F::Source) -> Result<(), String> {
        self.in_time("`close`", source.close()).await?.map_err(failed("`close`"))
    }

    /// Waits until the other side knows of `count` acknowledged payloads.
    pub(super) async fn until_acknowledged(&mut self, count: usize) -> Result<(), String> {
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            let known = self.world.acknowledged().await.unwrap_or(count);
            if known == count {
                return Ok(());
            }
            if known > count {
                return Err(format!(
                    "the other side has acknowledgements for {known} payloads where {count} were acknowledged"
                ));
            }
            if tokio::time::Instant::now() > deadline {
                return Err(format!(
                    "{count} payloads are acknowledged, and {known} acknowledgements reached the other side within {:?}",
                    self.patience
                ));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Says which call failed.
pub(super) fn failed(call: &str) -> impl Fn(Error) -> String {
    move |error| format!("{call} failed: {error}")
}

/// What does not come was lost on the way, more likely than not. Other failures are what they are.
pub(super) fn missing(sent: &[Vec<u8>], received: &[Vec<u8>], error: String) -> String {
    if error.contains(LATE) { same(sent, received).err().unwrap_or(error) } else { error }
}
