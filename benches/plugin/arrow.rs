//! The way not taken: the library decodes into columns of its own, hands them over as Arrow arrays (C Data Interface),
//! and the program reads records out of them. Both sides are in this process, so the calls between them are missing.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{from_ffi, to_ffi};
use arrow_array::types::{Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch, StructArray};
use flow::codec::json::JsonDecoder;
use flow::{BuildContext, Collect, CollectBatch, Component, RecordDecoder, Records, Schema};
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{IntoDeserializer, Visitor};

use crate::{Failure, written};

pub(crate) fn run(payloads: &[String], schema: &Arc<Schema>, batches: usize) -> Result<String, Failure> {
    let mut decoder = JsonDecoder::build(Default::default(), &BuildContext::default())?;
    let (mut theirs, mut ours) = (Records::new(schema), Records::new(schema));
    for _ in 0..batches {
        theirs.clear();
        for payload in payloads {
            decoder.decode(payload.as_bytes(), &mut theirs)?;
        }
        let (array, described) = to_ffi(&StructArray::from(theirs.to_record_batch()?).into_data())?;
        ours.clear();
        take(array, &described, &mut ours)?;
    }
    written(&ours)
}

#[allow(unsafe_code, reason = "the interface is made of raw structs")]
fn take(
    array: arrow_array::ffi::FFI_ArrowArray,
    described: &arrow_array::ffi::FFI_ArrowSchema,
    out: &mut Records,
) -> Result<(), Failure> {
    // SAFETY: both come out of `to_ffi` just now.
    let batch = RecordBatch::from(StructArray::from(unsafe { from_ffi(array, described) }?));
    let fields = batch.schema_ref().fields();
    for row in 0..batch.num_rows() {
        let cells = fields
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| (field.name().as_str(), Cell { column, row }));
        out.collect(MapDeserializer::<_, ValueError>::new(cells))?;
    }
    Ok(())
}

struct Cell<'a> {
    column: &'a Arc<dyn Array>,
    row: usize,
}

impl<'de> IntoDeserializer<'de, ValueError> for Cell<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> serde::Deserializer<'de> for Cell<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let Self { column, row } = self;
        if column.is_null(row) {
            visitor.visit_none()
        } else if let Some(text) = column.as_string_opt::<i32>() {
            visitor.visit_borrowed_str(text.value(row))
        } else if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
            visitor.visit_f64(floats.value(row))
        } else if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
            visitor.visit_i64(integers.value(row))
        } else {
            visitor.visit_i64(column.as_primitive::<TimestampMillisecondType>().value(row))
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
