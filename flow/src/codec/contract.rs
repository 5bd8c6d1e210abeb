//! The contracts of decoders and encoders.

use crate::error::{DecodeError, EncodeError, Error};
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::payload::PayloadBatch;
use crate::record::schema::Schema;

/// Turns a payload into records, through serde: any format into any record type, with no value tree between.
///
/// # What callers guarantee
/// Payloads come in the order in which the source handed them out.
///
/// # What implementors owe
/// - Every record in the payload is handed to `out`, in order.
/// - No input panics, loops or recurses without a bound.
/// - One bad element of a payload that holds several costs that element: [`Collect::reject`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` fills the role of a decoder but is no `RecordDecoder`",
    label = "this component's role trait is missing",
    note = "implement `flow::RecordDecoder` for `{Self}`, or change its `type Role`"
)]
pub trait RecordDecoder: Send + 'static {
    /// Hands every record in one payload to `out`.
    ///
    /// # Errors
    /// The payload as a whole is bad. The caller truncates `out` to what it was before, so nothing of it remains;
    /// [`DecodeError::is_fatal`] says whether the next payload can be tried.
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError>;

    /// Hands the records of every payload of a batch to `out`; a payload that is bad as a whole, or that its source has found
    /// at fault, becomes a rejection.
    ///
    /// This is what a pipeline calls. It is provided, and calls [`RecordDecoder::decode`] for each payload: the enum of a
    /// registry's decoders finds its variant once a batch, and the loop is compiled into the decoder.
    ///
    /// # Errors
    /// That of a payload after which the decoder cannot go on ([`DecodeError::is_fatal`]).
    fn decode_batch<C: CollectBatch>(
        &mut self,
        batch: &PayloadBatch,
        out: &mut C,
    ) -> Result<(), DecodeError> {
        for (index, payload) in batch.iter().enumerate() {
            out.begin_payload(index, payload);
            if let Some(fault) = payload.fault() {
                out.reject(fault.clone());
                continue;
            }
            let before = out.len();
            if let Err(error) = self.decode(payload.bytes(), out) {
                out.truncate(before);
                if error.is_fatal() {
                    return Err(error);
                }
                out.reject(error.record().clone());
            }
        }
        Ok(())
    }
}

/// How an encoder lays records out in payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// One payload for each record, in the same order.
    PerRecord,
    /// One payload for all records of a call.
    PerBatch,
}

/// Turns records into payloads, through serde.
///
/// # What callers guarantee
/// `records` is not empty.
///
/// # What implementors owe
/// - As many payloads as [`CollectionEncoder::framing`] says, each closed with [`PayloadBatch::finish`].
/// - Nothing that is in `out` already is changed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` fills the role of an encoder but is no `CollectionEncoder`",
    label = "this component's role trait is missing",
    note = "implement `flow::CollectionEncoder` for `{Self}`, or change its `type Role`"
)]
pub trait CollectionEncoder: Send + 'static {
    /// One payload a record, or one a batch. Constant for the life of the value.
    fn framing(&self) -> Framing {
        Framing::PerRecord
    }

    /// Can records of this schema be written? Asked at start-up, in `flow check` too, once for each source's schema;
    /// not for typed records, which have none.
    ///
    /// # Errors
    /// [`Error::config`] where the encoder's config names a column that is not there, or the columns cannot be written.
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        let _ = schema;
        Ok(())
    }

    /// Writes all of `records`.
    ///
    /// # Errors
    /// The record at [`EncodeError::index`] cannot be written. With [`Framing::PerRecord`], the payloads of the
    /// records before it stand in `out` and the caller goes on after it; with [`Framing::PerBatch`], the caller
    /// drops what this call wrote and calls again without the record. After a fatal one ([`EncodeError::is_fatal`]) the
    /// pipeline ends, and none of `records` is acknowledged.
    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError>;
}
