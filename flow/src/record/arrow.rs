//! Columnar records to Arrow's `RecordBatch`.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, ListArray, PrimitiveArray, RecordBatch, RecordBatchOptions,
    StringArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
    types::{
        ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field as ArrowField, Fields, Schema as ArrowSchema, TimeUnit as ArrowUnit};

use crate::error::{Error, ErrorKind};
use crate::record::records::{Column, Native, Records, Value};
use crate::record::schema::{Field, Schema, TimeUnit, Type};

impl Records {
    /// The records as they stand, after all transforms, as Arrow's `RecordBatch`. Values are copied, since the buffers
    /// are used again for the next batch.
    ///
    /// # Errors
    /// Where Arrow refuses the batch, such as one with null in a `required` field.
    pub fn to_record_batch(&self) -> Result<RecordBatch, Error> {
        let rows: Vec<usize> = self.rows().collect();
        let fields = self.schema().fields();
        let columns = fields.iter().enumerate().map(|(at, field)| array(self.column(at), field, &rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::new(self.schema().to_arrow()), columns, &options)
            .map_err(refused)
    }
}

impl Schema {
    /// The same columns in Arrow's words. Timestamps are in UTC; a field is nullable where it is not `required`.
    pub fn to_arrow(&self) -> ArrowSchema {
        ArrowSchema::new(fields(self.fields()))
    }
}

fn refused(error: arrow_schema::ArrowError) -> Error {
    Error::permanent(ErrorKind::Record, "Arrow refuses the records").with_source(error)
}

fn fields(fields: &[Field]) -> Fields {
    fields.iter().map(field).collect()
}

fn field(field: &Field) -> ArrowField {
    ArrowField::new(field.name.as_str(), data_type(&field.kind), !field.required)
}

fn data_type(kind: &Type) -> DataType {
    match kind {
        Type::Bool => DataType::Boolean,
        Type::Int8 => DataType::Int8,
        Type::Int16 => DataType::Int16,
        Type::Int32 => DataType::Int32,
        Type::Int64 => DataType::Int64,
        Type::UInt8 => DataType::UInt8,
        Type::UInt16 => DataType::UInt16,
        Type::UInt32 => DataType::UInt32,
        Type::UInt64 => DataType::UInt64,
        Type::Float32 => DataType::Float32,
        Type::Float64 => DataType::Float64,
        Type::String => DataType::Utf8,
        Type::Binary => DataType::Binary,
        Type::Timestamp(unit, _) => {
            let unit = match unit {
                TimeUnit::Second => ArrowUnit::Second,
                TimeUnit::Millisecond => ArrowUnit::Millisecond,
                TimeUnit::Microsecond => ArrowUnit::Microsecond,
                TimeUnit::Nanosecond => ArrowUnit::Nanosecond,
            };
            DataType::Timestamp(unit, Some("UTC".into()))
        }
        Type::List(items) => DataType::List(Arc::new(field(items))),
        Type::Struct(inner) => DataType::Struct(fields(inner)),
    }
}

fn array(column: &Column, of: &Field, rows: &[usize]) -> Result<ArrayRef, Error> {
    Ok(match &of.kind {
        Type::Bool => {
            let values = column.values::<bool>().unwrap_or_default();
            let values: BooleanBuffer = rows.iter().map(|row| values[*row]).collect();
            Arc::new(BooleanArray::new(values, nulls(column, rows)))
        }
        Type::Int8 => numbers::<Int8Type>(column, rows),
        Type::Int16 => numbers::<Int16Type>(column, rows),
        Type::Int32 => numbers::<Int32Type>(column, rows),
        Type::Int64 => numbers::<Int64Type>(column, rows),
        Type::UInt8 => numbers::<UInt8Type>(column, rows),
        Type::UInt16 => numbers::<UInt16Type>(column, rows),
        Type::UInt32 => numbers::<UInt32Type>(column, rows),
        Type::UInt64 => numbers::<UInt64Type>(column, rows),
        Type::Float32 => numbers::<Float32Type>(column, rows),
        Type::Float64 => numbers::<Float64Type>(column, rows),
        Type::String => {
            let text = |row: &usize| match column.value(*row) {
                Value::Text(text) => Some(text),
                _ => None,
            };
            Arc::new(rows.iter().map(text).collect::<StringArray>())
        }
        Type::Binary => {
            let bytes = |row: &usize| match column.value(*row) {
                Value::Bytes(bytes) => Some(bytes),
                _ => None,
            };
            Arc::new(rows.iter().map(bytes).collect::<BinaryArray>())
        }
        Type::Timestamp(unit, _) => {
            let (values, nulls) = (picked::<i64>(column, rows).into(), nulls(column, rows));
            match unit {
                TimeUnit::Second => Arc::new(TimestampSecondArray::new(values, nulls).with_timezone("UTC")),
                TimeUnit::Millisecond => {
                    Arc::new(TimestampMillisecondArray::new(values, nulls).with_timezone("UTC"))
                }
                TimeUnit::Microsecond => {
                    Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC"))
                }
                TimeUnit::Nanosecond => {
                    Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone("UTC"))
                }
            }
        }
        Type::List(items) => {
            let lists = rows.iter().filter_map(|row| column.list(*row));
            let offsets = OffsetBuffer::from_lengths(lists.clone().map(|(_, rows)| rows.len()));
            let item_rows: Vec<usize> = lists.clone().flat_map(|(_, rows)| rows).collect();
            let inner = match lists.map(|(inner, _)| inner).next() {
                Some(inner) => array(inner, items, &item_rows)?,
                None => arrow_array::new_empty_array(&data_type(&items.kind)),
            };
            Arc::new(
                ListArray::try_new(Arc::new(field(items)), offsets, inner, nulls(column, rows))
                    .map_err(refused)?,
            )
        }
        Type::Struct(inner) => {
            let columns =
                inner.iter().filter_map(|field| column.field(&field.name).map(|column| (column, field)));
            let columns =
                columns.map(|(column, field)| array(column, field, rows)).collect::<Result<Vec<_>, _>>()?;
            let nulls = nulls(column, rows);
            Arc::new(StructArray::try_new(fields(inner), columns, nulls).map_err(refused)?)
        }
    })
}

fn numbers<T: ArrowPrimitiveType<Native: Native>>(column: &Column, rows: &[usize]) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(picked::<T::Native>(column, rows).into(), nulls(column, rows)))
}

fn picked<T: Native>(column: &Column, rows: &[usize]) -> Vec<T> {
    let values = column.values::<T>().unwrap_or_default();
    rows.iter().map(|row| values[*row]).collect()
}

fn nulls(column: &Column, rows: &[usize]) -> Option<NullBuffer> {
    rows.iter()
        .any(|row| column.is_null(*row))
        .then(|| NullBuffer::from_iter(rows.iter().map(|row| !column.is_null(*row))))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int16Type, TimestampMillisecondType, UInt8Type};
    use arrow_schema::{DataType, TimeUnit};
    use serde_json::json;

    use crate::record::collection::Collect;
    use crate::record::records::{Records, Value};
    use crate::record::schema::Schema;

    fn records() -> Records {
        let schema = Schema::from_value(&json!({
            "id": { "type": "string", "required": true },
            "on": "bool", "u": "uint8", "f": "float64", "at": "timestamp(ms, rfc3339)", "raw": "binary",
            "l": "list(int16)",
            "s": { "type": "struct", "fields": { "x": { "type": "int16", "required": true }, "y": "string" } },
        }))
        .unwrap();
        let mut records = Records::new(&schema);
        for record in [
            json!({ "id": "gone", "l": [9, 9] }),
            json!({ "id": "a", "on": true, "u": 255, "f": 0.1, "at": "1970-01-01T00:00:01Z", "raw": "aGk=",
                "l": [1, null], "s": { "x": -5, "y": "z" } }),
            json!({ "id": "b" }),
            json!({ "id": "c", "on": false, "u": 0, "l": [], "s": { "x": 7 } }),
        ] {
            records.collect(record).unwrap();
        }
        records.retain(|records, index| records.value(index, 0) != Value::Text("gone"));
        records
    }

    #[test]
    fn arrow_reads_the_values_that_are_left() {
        let batch = records().to_record_batch().unwrap();
        assert_eq!(batch.num_rows(), 3);
        let column = |name| batch.column_by_name(name).unwrap();
        assert_eq!(column("id").as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "b", "c"]);
        let on: Vec<_> = column("on").as_boolean().iter().collect();
        assert_eq!(on, [Some(true), None, Some(false)]);
        let u: Vec<_> = column("u").as_primitive::<UInt8Type>().iter().collect();
        assert_eq!(u, [Some(255), None, Some(0)]);
        assert_eq!(column("f").as_primitive::<Float64Type>().value(0), 0.1);
        let at = column("at").as_primitive::<TimestampMillisecondType>();
        assert_eq!((at.value(0), at.is_null(1)), (1000, true));
        assert_eq!(column("raw").as_binary::<i32>().value(0), b"hi");

        let lists = column("l").as_list::<i32>();
        let first: Vec<_> = lists.value(0).as_primitive::<Int16Type>().iter().collect();
        assert_eq!(first, [Some(1), None]);
        assert_eq!((lists.is_null(1), lists.is_null(2), lists.value(2).len()), (true, false, 0));

        let structs = column("s").as_struct();
        assert_eq!((structs.is_null(0), structs.is_null(1)), (false, true));
        assert_eq!(structs.column(0).as_primitive::<Int16Type>().value(2), 7);
        let y: Vec<_> = structs.column(1).as_string::<i32>().iter().collect();
        assert_eq!(y, [Some("z"), None, None]);
    }

    #[test]
    fn the_schema_says_the_same() {
        let records = records();
        let arrow = records.schema().to_arrow();
        assert_eq!(arrow, *records.to_record_batch().unwrap().schema());
        assert!(!arrow.field_with_name("id").unwrap().is_nullable());
        let at = arrow.field_with_name("at").unwrap().data_type();
        assert_eq!(*at, DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())));
    }

    #[test]
    fn no_records_are_a_batch_too() {
        let mut records = records();
        records.retain(|_, _| false);
        assert_eq!(records.to_record_batch().unwrap().num_rows(), 0);
    }
}
