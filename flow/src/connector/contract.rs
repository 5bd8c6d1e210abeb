//! The contracts of sources and sinks.

use std::future::{Future, ready};

use crate::error::Error;
use crate::record::payload::{Checkpoint, PayloadBatch};
use crate::record::template::Template;

/// What [`SourceConnector::next`] came back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The batch holds at least one payload. Acknowledging the checkpoint acknowledges them
    /// and everything before them.
    Batch(Checkpoint),
    /// There is nothing more and never will be; the batch is empty.
    End,
}

/// Reads payloads from somewhere, and forgets them when they are settled.
///
/// # Life cycle
/// `build` → [`open`](SourceConnector::open) → any number of [`next`](SourceConnector::next) and
/// [`acknowledge`](SourceConnector::acknowledge) → [`close`](SourceConnector::close).
///
/// # What callers guarantee
/// - `open` comes first, once, inside a tokio runtime; nothing follows `close`.
/// - `next` gets an empty batch.
/// - Checkpoints are acknowledged in the order in which they were handed out, each at most once. One may be
///   skipped: acknowledging a checkpoint settles all before it.
///
/// # What implementors owe
/// - Checkpoints grow with every batch.
/// - Nothing is confirmed to the other side before it is acknowledged here.
/// - Background work (keep-alives, reconnects) goes on while nobody calls, for as long as the value lives.
/// - A lost connection is retried inside, with growing and jittered pauses, and logged; it is not an error of `next`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` fills the role of a source but is no `SourceConnector`",
    label = "this component's role trait is missing",
    note = "implement `flow::SourceConnector` for `{Self}`, or change its `type Role`"
)]
pub trait SourceConnector: Send + 'static {
    /// Starts work: files, sockets, tasks. A peer that cannot be reached yet is no error.
    ///
    /// # Cancel safety
    /// Not cancel safe; a value whose `open` was dropped is only good for dropping.
    ///
    /// # Errors
    /// What can never work, such as a file that does not exist.
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        ready(Ok(()))
    }

    /// Waits for at least one payload, then takes what is ready, until [`PayloadBatch::is_full`].
    ///
    /// # Cancel safety
    /// Cancel safe: a future that is dropped before it is ready has taken nothing.
    ///
    /// # Errors
    /// Temporary: the pipeline calls again after a pause. Permanent: the pipeline stops.
    /// After an error the batch is empty.
    fn next(&mut self, batch: &mut PayloadBatch) -> impl Future<Output = Result<Progress, Error>> + Send;

    /// Everything up to `checkpoint` is settled. Only now may the source forget it.
    ///
    /// Returns when the acknowledgement is on its way, not when the other side has it.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped before it is ready, the acknowledgement may or may not be sent.
    ///
    /// # Errors
    /// As for [`next`](SourceConnector::next). An acknowledgement that comes too late (the connection it belongs
    /// to is gone) is not an error: the other side will send again.
    fn acknowledge(&mut self, checkpoint: Checkpoint) -> impl Future<Output = Result<(), Error>> + Send;

    /// Sends the acknowledgements that are on their way, says good-bye and ends.
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, acknowledgements may be lost, which means duplicates later.
    ///
    /// # Errors
    /// What could not be brought to an end.
    fn close(self) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized;
}

/// Writes payloads to somewhere, and says when they have arrived.
///
/// # Life cycle
/// `build` → [`open`](SinkConnector::open) → any number of [`write`](SinkConnector::write) and
/// [`confirmed`](SinkConnector::confirmed) → [`close`](SinkConnector::close).
///
/// # What callers guarantee
/// - `open` comes first, once, inside a tokio runtime; nothing follows `close`.
/// - Checkpoints grow from call to call of `write`. After a refused payload or a temporary error, the same
///   checkpoint comes again with the payloads that were not taken, where need be with none: a checkpoint of which
///   something was taken ends with a call that comes back well. One of which nothing was taken may just be left out.
/// - `confirmed` is called only while something written is not confirmed.
///
/// # What implementors owe
/// - `write` makes progress by itself: it may wait for the other side, never for a call of `confirmed`.
/// - A payload is confirmed when the other side has it for good, never when it is queued. A checkpoint is
///   confirmed when its last call came back well and all payloads of it and before are confirmed.
/// - A lost connection is retried inside, with growing and jittered pauses, and logged; what was taken and
///   is not confirmed is sent again. Memory is bounded: when the bound is reached, `write` waits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` fills the role of a sink but is no `SinkConnector`",
    label = "this component's role trait is missing",
    note = "implement `flow::SinkConnector` for `{Self}`, or change its `type Role`"
)]
pub trait SinkConnector: Send + 'static {
    /// Starts work: files, sockets, tasks. A peer that cannot be reached yet is no error.
    ///
    /// # Cancel safety
    /// Not cancel safe; a value whose `open` was dropped is only good for dropping.
    ///
    /// # Errors
    /// What can never work, such as a directory that does not exist.
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        ready(Ok(()))
    }

    /// The template that the pipeline renders from each record into its payload's
    /// [`Metadata::topic`](crate::Metadata::topic). Asked once, after `build`.
    ///
    /// Where an encoder puts several records into one payload, records that render differently go into
    /// different payloads.
    fn route(&self) -> Option<&Template> {
        None
    }

    /// Takes a batch; waiting here is back-pressure. `checkpoint` names the batch in [`confirmed`](SinkConnector::confirmed).
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, it is unknown which payloads were taken. The pipeline drops it only
    /// when it gives up, and then acknowledges nothing of the batch.
    ///
    /// # Errors
    /// - [`Error::refused_payload`]: payloads before it were taken, this one never will be, those after it
    ///   were not looked at. The pipeline settles it as `on_error` says and calls again with what is left; the
    ///   records of a payload that held several may come back in smaller ones.
    /// - Temporary: nothing of the batch was taken; the pipeline calls again after a pause.
    /// - Permanent: the pipeline stops.
    fn write(
        &mut self,
        batch: &PayloadBatch,
        checkpoint: Checkpoint,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Waits until a newer checkpoint is confirmed than the last one returned here, and returns the newest.
    ///
    /// # Cancel safety
    /// Cancel safe: a confirmation that a dropped future would have returned, the next call returns.
    ///
    /// # Errors
    /// Permanent errors stop the pipeline; temporary ones are logged and asked again.
    fn confirmed(&mut self) -> impl Future<Output = Result<Checkpoint, Error>> + Send;

    /// Brings out what was taken, says good-bye and ends.
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, what was not confirmed may be lost; the source still has it.
    ///
    /// # Errors
    /// What could not be brought out.
    fn close(self) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized;
}
