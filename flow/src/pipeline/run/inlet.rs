//! The upstream half: source and decoder, with what is in flight.

use std::future::pending;

use futures_util::future::select_all;

use crate::codec::RecordDecoder;
use crate::connector::{Progress, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::pipeline::log_limit::LogLimit;
use crate::pipeline::run::backoff::Backoff;
use crate::pipeline::run::delivery::Window;
use crate::record::{CollectBatch, PayloadBatch};
use crate::registry::Registry;

pub(super) struct Inlet<R: Registry> {
    pub(super) label: String,
    pub(super) source: R::Source,
    decoder: R::Decoder,
    pub(super) batch: PayloadBatch,
    pub(super) window: Window,
    pub(super) ended: bool,
    pub(super) lost_acknowledgements: LogLimit,
    trouble: Backoff,
}

impl<R: Registry> Inlet<R> {
    pub(super) fn new(label: String, source: R::Source, decoder: R::Decoder, capacity: usize) -> Self {
        let batch = PayloadBatch::with_capacity(capacity);
        Self {
            label,
            source,
            decoder,
            batch,
            window: Window::default(),
            ended: false,
            lost_acknowledgements: LogLimit::default(),
            trouble: Backoff::default(),
        }
    }

    /// Waits for the next batch. Cancel safe, as [`SourceConnector::next`].
    async fn next(&mut self) -> Result<Progress, Error> {
        self.trouble.wait().await;
        self.batch.clear();
        self.source.next(&mut self.batch).await
    }

    /// Takes in what `next` came back with: `None` where there is nothing to process.
    pub(super) fn progress(&mut self, progress: Result<Progress, Error>) -> Result<Option<u64>, Error> {
        match progress {
            Ok(Progress::Batch(checkpoint)) => {
                self.trouble.succeeded();
                Ok(Some(checkpoint.0))
            }
            Ok(Progress::End) => {
                self.ended = true;
                Ok(None)
            }
            Err(error) if error.is_temporary() => {
                self.trouble.failed(&self.label, &error);
                Ok(None)
            }
            Err(error) => Err(error.with("at", &self.label)),
        }
    }

    /// Decodes the batch into `out`. A payload that cannot be decoded becomes a rejection.
    ///
    /// # Errors
    /// The decoder has lost its place for good.
    pub(super) fn decode<C: CollectBatch>(&mut self, out: &mut C) -> Result<(), Error> {
        self.decoder.decode_batch(&self.batch, out).map_err(|error| {
            let message = format!("the decoder cannot go on: {error}");
            Error::permanent(ErrorKind::Record, message).with("at", &self.label)
        })
    }
}

/// The next batch of any source that has not ended, with its position. For ever, where all have.
///
/// `turn` goes round, so that a busy source does not starve the others. Cancel safe.
pub(super) async fn any_next<R: Registry>(
    inlets: &mut [Inlet<R>],
    turn: usize,
) -> (usize, Result<Progress, Error>) {
    if let [only] = inlets {
        return if only.ended { pending().await } else { (0, only.next().await) };
    }
    let open = inlets.iter_mut().enumerate().filter(|(_, inlet)| !inlet.ended);
    let mut waits: Vec<_> =
        open.map(|(index, inlet)| Box::pin(async move { (index, inlet.next().await) })).collect();
    if waits.is_empty() {
        return pending().await;
    }
    let turn = turn % waits.len();
    waits.rotate_left(turn);
    select_all(waits).await.0
}
