//! The narrow waist between wire formats and records: serde on both sides.

use std::sync::Arc;

use serde::{Deserializer, Serializer};

use crate::error::{Reason, RecordError};
use crate::record::fields::{FieldError, Fields, TakeField};
use crate::record::offer;
use crate::record::payload::Payload;
use crate::record::records::Value;
use crate::record::template::Template;

/// Takes records out of any serde [`Deserializer`]. Decoders are generic over it.
///
/// [`TypedRecords`](crate::TypedRecords) collects the application's own structs, [`Records`](crate::Records) columns.
///
/// A record is taken whole or not at all: after an error, [`Collect::len`] is what it was before.
pub trait Collect {
    /// Takes one record.
    ///
    /// # Errors
    /// The deserializer's error. Where the record and not the wire format was at fault,
    /// [`Collect::fault`] has the field and the reason.
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;

    /// Takes one record of these fields, for a format without a deserializer of its own.
    ///
    /// ```
    /// use flow::{Collect, Field, Records, Schema, Type, Value};
    ///
    /// let schema = Schema::new(vec![Field::new("device", Type::String), Field::new("celsius", Type::Float64)]);
    /// let mut records = Records::new(&schema);
    /// records.collect_fields([("device", Value::from("pump-7")), ("celsius", 51.5.into())])?;
    /// assert_eq!(records.value(0, 1), Value::Float(51.5));
    /// # Ok::<(), flow::RecordError>(())
    /// ```
    ///
    /// # Errors
    /// Why the collection refuses the record. Nothing of it is taken.
    fn collect_fields<'de>(
        &mut self,
        fields: impl IntoIterator<Item = (&'de str, Value<'de>)>,
    ) -> Result<(), RecordError>
    where
        Self: Sized,
    {
        offer::collect(self, fields.into_iter())
    }

    /// Why the last [`Collect::collect`] failed, where the collection itself refused the record.
    /// Taken: a second call gives `None`.
    fn fault(&mut self) -> Option<RecordError> {
        None
    }

    /// The keys of a record that this collection reads, where it passes over all others unseen; None where that is not
    /// known beforehand. A decoder that has to do something for each key can leave the others out.
    fn keys(&self) -> Option<&Arc<[String]>> {
        None
    }

    /// One element of a payload is lost while the rest of the payload goes on.
    /// The pipeline counts it and treats it as `on_error` says.
    fn reject(&mut self, error: RecordError);

    /// How many records were taken.
    fn len(&self) -> usize;

    /// Was none taken?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all records from `len` on, and rejections that came after them. Where none is left of the payload that
    /// was begun last, its rejections are forgotten too: a decoder only truncates before it rejects.
    fn truncate(&mut self, len: usize);
}

/// Offers records to any serde [`Serializer`]. Encoders are generic over it.
pub trait Collection {
    /// How many records there are.
    fn len(&self) -> usize;

    /// Is there none?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands the record at `index` to `serializer`.
    ///
    /// # Errors
    /// The serializer's.
    ///
    /// # Panics
    /// Where `index` is not below [`Collection::len`].
    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error>;

    /// Hands the fields of the record at `index` to `take`, in order, for a format without a serializer of its own.
    /// A list or a struct comes as [`Value::Nested`].
    ///
    /// # Errors
    /// What `take` returns, or why the record has no fields.
    ///
    /// # Panics
    /// Where `index` is not below [`Collection::len`].
    fn fields(
        &self,
        index: usize,
        take: impl FnMut(&str, Value<'_>) -> Result<(), RecordError>,
    ) -> Result<(), RecordError>
    where
        Self: Sized,
    {
        self.serialize(index, Fields::new(&mut Named(take))).map_err(FieldError::into_inner)
    }

    /// Appends `template` with the values of the record at `index` to `out`.
    ///
    /// # Errors
    /// A placeholder names no field of the record, or its value cannot stand there
    /// ([`Reason::Route`]).
    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError>;
}

/// A [`Collect`] that knows which payload each record came from, and is used again for batch after batch.
pub trait CollectBatch: Collect {
    /// Forgets records and rejections and keeps the memory.
    fn clear(&mut self);

    /// The records and rejections that follow come from this payload, which stands at `index` of its batch.
    fn begin_payload(&mut self, index: usize, payload: Payload<'_>);

    /// What was rejected, each with the index of its payload, in order.
    fn rejected(&self) -> &[(usize, RecordError)];
}

/// Some records of a collection, by position and in the order given.
#[derive(Debug)]
pub struct Subset<'a, C> {
    records: &'a C,
    positions: &'a [u32],
}

impl<'a, C: Collection> Subset<'a, C> {
    /// The records of `records` at `positions`, each of which must be below its length.
    pub fn new(records: &'a C, positions: &'a [u32]) -> Self {
        Self { records, positions }
    }
}

impl<C: Collection> Collection for Subset<'_, C> {
    fn len(&self) -> usize {
        self.positions.len()
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(self.positions[index] as usize, serializer)
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        self.records.render(self.positions[index] as usize, template, out)
    }
}

/// The fields of [`Collection::fields`].
struct Named<T>(T);

impl<T: FnMut(&str, Value<'_>) -> Result<(), RecordError>> TakeField for Named<T> {
    fn take(&mut self, name: Option<&str>, value: Value<'_>) -> Result<(), RecordError> {
        match name {
            Some(name) => (self.0)(name, value),
            None => Err(RecordError::new(Reason::Encode, "the record is one value and has no fields")),
        }
    }
}
