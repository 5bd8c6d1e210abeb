//! `infer`: a schema block from sample JSON.

use std::io::Read;
use std::path::Path;

use serde_json::{Deserializer, Value};

use crate::cli::terminal::{complain, print};
use crate::cli::{DONE, FAILED};
use crate::record::infer as infer_schema;

pub(super) fn infer(sample: &Path) -> u8 {
    let name = sample.display();
    let text = match read(sample) {
        Ok(text) => text,
        Err(error) => {
            complain(format_args!("{name}: cannot be read: {error}"));
            return FAILED;
        }
    };
    // The decoder passes over a byte order mark, too.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let values: Result<Vec<Value>, _> = Deserializer::from_str(text).into_iter().collect();
    let records = match values {
        Ok(values) => values.into_iter().flat_map(elements),
        Err(error) => {
            complain(format_args!("{name}: not JSON: {error}"));
            return FAILED;
        }
    };
    match infer_schema(records) {
        Ok(schema) => {
            print(&format!("[source.schema]\n{}", schema.to_toml()));
            DONE
        }
        Err(errors) => {
            for error in errors {
                let key = error.key().filter(|key| !key.is_empty());
                let column = key.map(|key| format!("{key}: ")).unwrap_or_default();
                complain(format_args!("{name}: {column}{error}"));
            }
            FAILED
        }
    }
}

fn read(sample: &Path) -> std::io::Result<String> {
    if sample.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(sample)
}

/// The objects of an array, or the value itself.
fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        value => vec![value],
    }
}
