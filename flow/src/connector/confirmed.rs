//! The confirmations of a sink that knows at the end of each write that all of it has arrived.

use std::future::pending;

use crate::record::payload::Checkpoint;

/// The newest checkpoint that is confirmed and not yet told.
#[derive(Debug, Default)]
pub(super) struct Confirmed(Option<Checkpoint>);

impl Confirmed {
    /// Everything up to `checkpoint` has arrived for good.
    pub(super) fn confirm(&mut self, checkpoint: Checkpoint) {
        self.0 = Some(checkpoint);
    }

    /// What [`SinkConnector::confirmed`](crate::SinkConnector::confirmed) returns; waits for ever where there is no news.
    ///
    /// # Cancel safety
    /// Cancel safe: the checkpoint is taken in the poll that returns it.
    pub(super) async fn news(&mut self) -> Checkpoint {
        match self.0.take() {
            Some(checkpoint) => checkpoint,
            None => pending().await,
        }
    }
}
