//! Keeps the records for which a comparison holds.

use std::cmp::Ordering;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::component::{BuildContext, Component, role};
use crate::error::Error;
use crate::record::records::{Records, Value};
use crate::record::schema::{Schema, Type};
use crate::record::time;
use crate::transform::contract::RecordTransform;

/// Keeps the records for which a comparison of a column with a value holds. Null holds to no comparison.
#[derive(Debug)]
pub struct Filter {
    config: FilterConfig,
    column: usize,
    operand: Operand,
}

/// The options of [`Filter`].
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FilterConfig {
    /// The column that is looked at.
    pub column: String,
    /// How it is compared.
    pub op: Comparison,
    /// What it is compared with, of the column's type. A timestamp is given as a number of its units, or as
    /// RFC 3339 text.
    #[serde(default)]
    pub value: Option<serde_json::Value>,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "each is written as it is meant")]
#[non_exhaustive]
pub enum Comparison {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "is_null")]
    IsNull,
    #[serde(rename = "is_not_null")]
    IsNotNull,
}

/// The value as the column's type has it.
#[derive(Debug)]
enum Operand {
    None,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
}

impl Component for Filter {
    const ID: &'static str = "filter";
    const DESCRIPTION: &'static str = "keeps the records for which a comparison of a column holds";
    type Role = role::Transform;
    type Config = FilterConfig;

    fn build(config: FilterConfig, _: &BuildContext) -> Result<Self, Error> {
        match (config.op, &config.value) {
            (Comparison::IsNull | Comparison::IsNotNull, Some(_)) => Err(Error::config(
                "value",
                "`is_null` and `is_not_null` compare with nothing; leave `value` out",
            )),
            (Comparison::IsNull | Comparison::IsNotNull, None) | (_, Some(_)) => {
                Ok(Self { config, column: 0, operand: Operand::None })
            }
            (_, None) => Err(Error::config("value", "the comparison needs a `value`")),
        }
    }
}

impl RecordTransform for Filter {
    fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
        self.column = input.require("column", &self.config.column)?;
        if let Some(value) = &self.config.value {
            let kind = &input.fields()[self.column].kind;
            self.operand = operand(kind, value)
                .map_err(|message| Error::config("value", message).with("column", &self.config.column))?;
            if matches!(self.operand, Operand::Bool(_))
                && !matches!(self.config.op, Comparison::Equal | Comparison::NotEqual)
            {
                return Err(Error::config("op", "true and false are only equal or not; write `==` or `!=`"));
            }
        }
        Ok(Arc::clone(input))
    }

    fn apply(&mut self, records: &mut Records) {
        let Self { config, column, operand } = self;
        records.retain(|records, index| holds(records.value(index, *column), config.op, operand));
    }
}

/// Reads the value of the config as the column's type has it, or says what is wrong with it.
fn operand(kind: &Type, value: &serde_json::Value) -> Result<Operand, String> {
    let mismatch = |wanted: &str| format!("a `{kind}` column is compared with {wanted}, not with {value}");
    // A value from the environment is text, whatever the column is.
    let read = value.as_str().filter(|_| !matches!(kind, Type::String | Type::Timestamp(..)));
    let read: Option<serde_json::Value> = read.and_then(|text| serde_json::from_str(text).ok());
    let value = read.as_ref().unwrap_or(value);
    match kind {
        Type::Bool => value.as_bool().map(Operand::Bool).ok_or_else(|| mismatch("true or false")),
        Type::String => {
            value.as_str().map(|text| Operand::Text(text.to_owned())).ok_or_else(|| mismatch("text"))
        }
        // Compared as the column has it: 0.1 is not the same number in both widths.
        Type::Float32 => value
            .as_f64()
            .map(|value| Operand::Float(f64::from(value as f32)))
            .ok_or_else(|| mismatch("a number")),
        Type::Float64 => value.as_f64().map(Operand::Float).ok_or_else(|| mismatch("a number")),
        Type::Timestamp(unit, _) => match value.as_str() {
            Some(text) => time::parse(text, *unit).ok().map(|time| Operand::Integer(time.into())),
            None => integer(value),
        }
        .ok_or_else(|| mismatch("a whole number of its units or RFC 3339 text")),
        Type::Binary | Type::List(_) | Type::Struct(_) => {
            Err(format!("a `{kind}` column is only compared by `is_null` and `is_not_null`"))
        }
        _ => integer(value).ok_or_else(|| mismatch("a whole number")),
    }
}

fn integer(value: &serde_json::Value) -> Option<Operand> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from)).map(Operand::Integer)
}

fn holds(value: Value<'_>, op: Comparison, operand: &Operand) -> bool {
    let ordering = match (value, operand) {
        (value, Operand::None) => return (value == Value::Null) == (op == Comparison::IsNull),
        (Value::Bool(value), Operand::Bool(operand)) => Some(value.cmp(operand)),
        (Value::Int(value), Operand::Integer(operand)) => Some(i128::from(value).cmp(operand)),
        (Value::UInt(value), Operand::Integer(operand)) => Some(i128::from(value).cmp(operand)),
        (Value::Float(value), Operand::Float(operand)) => value.partial_cmp(operand),
        (Value::Text(value), Operand::Text(operand)) => Some(value.cmp(operand.as_str())),
        _ => return false,
    };
    match op {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        Comparison::IsNull | Comparison::IsNotNull => false,
    }
}

#[cfg(test)]
mod tests;
