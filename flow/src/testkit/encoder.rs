//! What an encoder promises.

use std::sync::Arc;
use std::time::Duration;

use serde::Serializer;
use serde::ser::Error as _;
use serde_json::Value;

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::error::RecordError;
use crate::record::collection::{Collection, Subset};
use crate::record::payload::{Metadata, Payload, PayloadBatch};
use crate::record::records::Records;
use crate::record::schema::Schema;
use crate::record::template::Template;
use crate::testkit::bytes::show;
use crate::testkit::rows::{Decoding, collect, generated, texts};
use crate::testkit::verdict::{PATIENCE, Verdict, isolated, not_checked, require};

/// Records that are made where the author brings none.
const GENERATED: usize = 64;

/// Checks the contract of [`CollectionEncoder`] on the encoders that `make` makes, each of them fresh.
///
/// [`EncoderKit::schema`] says what it writes; [`EncoderKit::decoder`] reads it back.
pub fn encoder<E: CollectionEncoder, M: Fn() -> E + Send + Sync + 'static>(make: M) -> EncoderKit<M> {
    EncoderKit {
        make: Arc::new(make),
        decoder: NoDecoder,
        schema: Schema::new(Vec::new()),
        records: Vec::new(),
        patience: PATIENCE,
    }
}

/// What an encoder promises, a method each. `Err` says what the encoder did.
#[derive(Debug)]
pub struct EncoderKit<M, N = NoDecoder> {
    make: Arc<M>,
    decoder: N,
    schema: Arc<Schema>,
    records: Vec<Value>,
    patience: Duration,
}

/// There is no decoder of the encoder's format.
#[derive(Debug, Clone, Copy)]
pub struct NoDecoder;

/// Reads what was encoded. Sealed: [`EncoderKit::decoder`] is the way to it.
pub trait ReadBack: sealed::Sealed + Clone + Send + 'static {
    /// The records of all payloads as text; None where there is no decoder.
    #[doc(hidden)]
    fn read_back(&self, payloads: &PayloadBatch, schema: &Arc<Schema>)
    -> Option<Result<Vec<String>, String>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::NoDecoder {}
    impl<N> Sealed for super::WithDecoder<N> {}
}

impl ReadBack for NoDecoder {
    fn read_back(&self, _: &PayloadBatch, _: &Arc<Schema>) -> Option<Result<Vec<String>, String>> {
        None
    }
}

/// Makes the decoder of the encoder's format.
#[derive(Debug)]
pub struct WithDecoder<N>(Arc<N>);

impl<N> Clone for WithDecoder<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: RecordDecoder, N: Fn() -> D + Send + Sync + 'static> ReadBack for WithDecoder<N> {
    fn read_back(
        &self,
        payloads: &PayloadBatch,
        schema: &Arc<Schema>,
    ) -> Option<Result<Vec<String>, String>> {
        let mut decoding = Decoding::new((self.0)(), schema);
        let mut rows = Vec::new();
        for payload in payloads.iter().map(Payload::bytes) {
            match decoding.decode(payload) {
                Ok(some) => rows.extend(some),
                Err(error) => {
                    return Some(Err(format!("the payload {} cannot be read back: {error}", show(payload))));
                }
            }
        }
        Some(Ok(rows))
    }
}

impl<E: CollectionEncoder, M: Fn() -> E + Send + Sync + 'static, N: ReadBack> EncoderKit<M, N> {
    /// The columns to encode, as a pipeline file would state them.
    #[must_use]
    pub fn schema(mut self, schema: Arc<Schema>) -> Self {
        self.schema = schema;
        self
    }

    /// Records as JSON objects. Without any, the kit makes records of the schema: extremes, nulls, text of all kinds.
    #[must_use]
    pub fn records(mut self, records: impl IntoIterator<Item = Value>) -> Self {
        self.records.extend(records);
        self
    }

    /// A decoder of the same format: what was encoded must come back as it was.
    #[must_use]
    pub fn decoder<D, Decoder>(self, make: Decoder) -> EncoderKit<M, WithDecoder<Decoder>>
    where
        D: RecordDecoder,
        Decoder: Fn() -> D + Send + Sync + 'static,
    {
        let Self { make: encoder, schema, records, patience, .. } = self;
        EncoderKit { make: encoder, decoder: WithDecoder(Arc::new(make)), schema, records, patience }
    }

    /// The sixth part of the time that a check may take. Default: 10 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn check(
        &self,
        name: &'static str,
        check: impl FnOnce(&mut E, &Records, &N) -> Result<(), String> + Send + 'static,
    ) -> Verdict {
        let (make, decoder, schema) =
            (Arc::clone(&self.make), self.decoder.clone(), Arc::clone(&self.schema));
        let given = self.records.clone();
        isolated(name, self.patience, move || {
            if schema.fields().is_empty() {
                return Err("the kit has no columns; add them with `.schema(…)`".to_owned());
            }
            let records = match given.as_slice() {
                [] => collect(&schema, &generated(&schema, GENERATED))?,
                given => collect(&schema, given)?,
            };
            check(&mut make(), &records, &decoder)
        })
    }

    /// Runs every check.
    ///
    /// # Panics
    /// With everything that the encoder does not keep.
    #[track_caller]
    pub fn run(&self) {
        require(
            "encoder",
            [
                self.the_framing_is_what_it_says(),
                self.earlier_payloads_stay_as_they_are(),
                self.a_record_that_cannot_be_written_is_named(),
                self.records_come_back_as_they_were(),
            ],
        );
    }

    /// The schema is accepted; a call makes as many payloads as [`CollectionEncoder::framing`] says, each of them closed.
    pub fn the_framing_is_what_it_says(&self) -> Verdict {
        self.check("the_framing_is_what_it_says", |encoder, records, _| {
            let checked = encoder.check(records.schema());
            checked.map_err(|error| format!("`check` refuses the schema of the kit: {error}"))?;
            encode_all(encoder, records).map(drop)
        })
    }

    /// What stands in the batch already is not touched, whether or not the call fails.
    pub fn earlier_payloads_stay_as_they_are(&self) -> Verdict {
        self.check("earlier_payloads_stay_as_they_are", |encoder, records, _| {
            for bad in [None, Some(0), Some(Collection::len(records) - 1)] {
                let mut out = PayloadBatch::new();
                out.push_with(b"first", Metadata { topic: Some("t"), key: Some("k"), time: Some(7) });
                out.push(b"second");
                let _ = encoder.encode(&Failing { records, bad }, &mut out);
                let intact = match (out.get(0), out.get(1)) {
                    (Some(first), Some(second)) => {
                        let metadata = first.metadata();
                        (first.bytes(), second.bytes()) == (&b"first"[..], &b"second"[..])
                            && (metadata.topic, metadata.key, metadata.time)
                                == (Some("t"), Some("k"), Some(7))
                    }
                    _ => false,
                };
                if !intact {
                    return Err(
                        "a payload that stood in the batch before the call is not what it was".to_owned()
                    );
                }
            }
            Ok(())
        })
    }

    /// The error says which record; where each record is a payload of its own, those before it stand in the batch.
    pub fn a_record_that_cannot_be_written_is_named(&self) -> Verdict {
        self.check("a_record_that_cannot_be_written_is_named", |encoder, records, _| {
            // Only records that can be written otherwise.
            let good = encode_all(encoder, records)?.rows;
            let records = &Subset::new(records, &good);
            for bad in [0, good.len() / 2, good.len() - 1] {
                let mut out = PayloadBatch::new();
                let outcome = encoder.encode(&Failing { records, bad: Some(bad) }, &mut out);
                out.discard_open();
                match outcome {
                    Ok(()) => {
                        return Err(format!(
                            "the record at {bad} cannot be serialized, and `encode` did not fail"
                        ));
                    }
                    Err(error) if error.index() != bad => {
                        return Err(format!(
                            "the record at {bad} cannot be serialized, and the error names {}",
                            error.index()
                        ));
                    }
                    Err(_) if encoder.framing() == Framing::PerRecord && out.len() != bad => {
                        return Err(format!(
                            "{bad} records come before the one that failed, and {} payloads stand",
                            out.len()
                        ));
                    }
                    Err(_) => {}
                }
            }
            Ok(())
        })
    }

    /// Encoded and decoded again, a record is what it was. Needs [`EncoderKit::decoder`].
    pub fn records_come_back_as_they_were(&self) -> Verdict {
        self.check("records_come_back_as_they_were", |encoder, records, decoder| {
            let Encoded { payloads, rows } = encode_all(encoder, records)?;
            let Some(read) = decoder.read_back(&payloads, records.schema()) else {
                return not_checked("there is no decoder of the same format");
            };
            let (read, written) = (read?, texts(records));
            let written: Vec<&String> = rows.iter().map(|row| &written[*row as usize]).collect();
            if read.len() != written.len() {
                return Err(format!("{} records were written and {} came back", written.len(), read.len()));
            }
            match written.iter().zip(&read).find(|(written, read)| *written != read) {
                Some((written, read)) => Err(format!("{written} came back as {read}")),
                None => Ok(()),
            }
        })
    }
}

/// What an encoder made of records.
struct Encoded {
    payloads: PayloadBatch,
    /// The positions of the records that could be written.
    rows: Vec<u32>,
}

/// Encodes all records that can be encoded, as a pipeline does: around those that cannot.
fn encode_all<E: CollectionEncoder>(encoder: &mut E, records: &Records) -> Result<Encoded, String> {
    let mut out = PayloadBatch::new();
    let mut rows: Vec<u32> = (0..).take(Collection::len(records)).collect();
    let (mut from, mut why) = (0, None);
    while from < rows.len() {
        let (before, count) = (out.len(), rows.len() - from);
        let outcome = encoder.encode(&Subset::new(records, &rows[from..]), &mut out);
        let made = out.len() - before;
        let Err(error) = outcome else {
            let due = if encoder.framing() == Framing::PerBatch { 1 } else { count };
            if made != due {
                return Err(format!(
                    "{count} records became {made} payloads where {:?} means {due}",
                    encoder.framing()
                ));
            }
            out.finish();
            if out.get(before + made).is_some_and(|open| !open.bytes().is_empty()) {
                return Err("`encode` left bytes behind that belong to no payload; call `finish`".to_owned());
            }
            out.truncate(before + made);
            break;
        };
        let index = error.index();
        if index >= count {
            return Err(format!("an error names the record at {index} of {count}: {error}"));
        }
        if encoder.framing() == Framing::PerRecord {
            out.discard_open();
            if made != index {
                return Err(format!(
                    "the record at {index} failed, and {made} payloads stand before it: {error}"
                ));
            }
            from += index;
            rows.remove(from);
        } else {
            out.truncate(before);
            rows.remove(index);
        }
        why = Some(error);
    }
    match why {
        Some(error) if rows.is_empty() => Err(format!("none of the records can be written: {error}")),
        _ => Ok(Encoded { payloads: out, rows }),
    }
}

/// Records of which one cannot be serialized.
struct Failing<'a, C> {
    records: &'a C,
    bad: Option<usize>,
}

impl<C: Collection> Collection for Failing<'_, C> {
    fn len(&self) -> usize {
        self.records.len()
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        if self.bad == Some(index) {
            return Err(S::Error::custom("this record cannot be serialized"));
        }
        self.records.serialize(index, serializer)
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        self.records.render(index, template, out)
    }
}
