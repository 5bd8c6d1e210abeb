//! Where pushed values could go at least cost.

use flow::{Schema, Type, Value};
use serde_json::json;

use crate::pushed::Take;

/// Bare columns, with no more than what the flat record needs.
pub(super) struct Columns {
    names: Vec<String>,
    columns: Vec<Bare>,
    likely: usize,
    rows: usize,
}

enum Bare {
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<usize>, String),
}

impl Columns {
    pub(super) fn of(schema: &Schema) -> Self {
        let bare = |kind: &Type| match kind {
            Type::String => Bare::Text(vec![0], String::new()),
            Type::Float64 => Bare::Float(Vec::new()),
            _ => Bare::Int(Vec::new()),
        };
        let names = schema.fields().iter().map(|field| field.name.clone()).collect();
        let columns = schema.fields().iter().map(|field| bare(&field.kind)).collect();
        Self { names, columns, likely: 0, rows: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.rows = 0;
        for column in &mut self.columns {
            match column {
                Bare::Int(values) => values.clear(),
                Bare::Float(values) => values.clear(),
                Bare::Text(ends, text) => {
                    ends.truncate(1);
                    text.clear();
                }
            }
        }
    }

    pub(super) fn written(&self) -> String {
        let value = |column: &Bare, row: usize| match column {
            Bare::Int(values) => json!(values[row]),
            Bare::Float(values) => json!(values[row]),
            Bare::Text(ends, text) => json!(text[ends[row]..ends[row + 1]]),
        };
        let record = |row| {
            let fields = self.names.iter().zip(&self.columns);
            let fields = fields.map(|(name, column)| (name.clone(), value(column, row)));
            serde_json::Value::Object(fields.collect()).to_string()
        };
        (0..self.rows).map(record).collect()
    }
}

impl Take for Columns {
    fn begin(&mut self) -> bool {
        self.likely = usize::MAX;
        true
    }

    fn key(&mut self, key: &str) -> bool {
        let likely = self.likely.wrapping_add(1);
        self.likely = match self.names.get(likely) {
            Some(name) if name == key => likely,
            _ => self.names.iter().position(|name| name == key).unwrap_or(usize::MAX),
        };
        self.likely != usize::MAX
    }

    fn value(&mut self, value: Value<'_>) -> bool {
        match (self.columns.get_mut(self.likely), value) {
            (Some(Bare::Int(values)), Value::Int(value)) => values.push(value),
            (Some(Bare::Int(values)), Value::UInt(value)) if i64::try_from(value).is_ok() => {
                values.push(value as i64);
            }
            (Some(Bare::Float(values)), Value::Float(value)) => values.push(value),
            (Some(Bare::Text(ends, text)), Value::Text(value)) => {
                text.push_str(value);
                ends.push(text.len());
            }
            _ => return false,
        }
        true
    }

    fn end(&mut self) -> bool {
        self.rows += 1;
        true
    }
}
