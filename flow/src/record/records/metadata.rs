//! Columns that are filled from what travels beside the payload.

use crate::error::{Reason, RecordError};
use crate::record::payload::{Payload, header};
use crate::record::records::column::{Column, Data};
use crate::record::schema::Field;
use crate::record::schema::path::{self, Meta, Origin};
use crate::record::time;

#[derive(Debug)]
pub(super) struct MetaColumn {
    column: usize,
    meta: Meta,
    /// Of the payload that is being decoded: is it there, and what is it?
    present: bool,
    text: String,
    time: i64,
}

impl MetaColumn {
    /// Those of `fields` that come from metadata.
    pub(super) fn of(fields: &[Field]) -> Vec<Self> {
        let column = |(column, field)| match path::origin(field) {
            Ok(Origin::Meta(meta)) => {
                Some(Self { column, meta, present: false, text: String::new(), time: 0 })
            }
            _ => None,
        };
        fields.iter().enumerate().filter_map(column).collect()
    }

    pub(super) fn begin_payload(&mut self, payload: Payload<'_>) {
        self.text.clear();
        let text = match &self.meta {
            Meta::Topic => payload.metadata().topic,
            Meta::Key => payload.metadata().key,
            Meta::Header(name) => payload.header(name),
            Meta::Protocol(name) => payload.header(name),
            Meta::Retained => {
                self.present = payload.header(header::RETAINED).is_some();
                return;
            }
            Meta::Time => {
                let time = payload.metadata().time;
                self.time = time.unwrap_or_default();
                self.present = time.is_some();
                return;
            }
        };
        self.text.push_str(text.unwrap_or_default());
        self.present = text.is_some();
    }

    /// Adds the value to a record that has just begun.
    pub(super) fn push(&self, columns: &mut [Column]) -> Result<(), RecordError> {
        let column = &mut columns[self.column];
        let pushed = match &self.meta {
            Meta::Retained => column.push_bool(self.present),
            _ if !self.present => column.push_missing(),
            Meta::Time => push_time(column, self.time),
            // Any bytes can stand there: text has them in base64, as JSON has.
            Meta::Protocol(header::CORRELATION_DATA) => column.push_str(&self.text, true),
            _ => column.push_str(&self.text, false),
        };
        pushed.map_err(|error| error.with_field(self.name()))
    }

    fn name(&self) -> String {
        match &self.meta {
            Meta::Topic => "meta.topic".to_owned(),
            Meta::Key => "meta.key".to_owned(),
            Meta::Time => "meta.time".to_owned(),
            Meta::Header(name) => format!("meta.header.{name}"),
            Meta::Protocol(name) => format!("meta.{}", &name[1..]),
            Meta::Retained => "meta.retained".to_owned(),
        }
    }
}

fn push_time(column: &mut Column, micros: i64) -> Result<(), RecordError> {
    let Data::Time(values, unit, _) = &mut column.data else {
        return Err(column.mismatch("a time"));
    };
    let Some(value) = time::from_micros(micros, *unit) else {
        return Err(RecordError::new(
            Reason::Range,
            format!("{micros} µs is out of range for {}", column.kind),
        ));
    };
    values.push(value);
    column.close_row();
    Ok(())
}
