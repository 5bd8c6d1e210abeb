//! A tree from TOML.

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::pipeline::spec::tree::{Node, NodeValue};

/// All syntax errors, each with its place in bytes.
pub(crate) fn parse(text: &str) -> Result<Node, Vec<(usize, String)>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut errors: Vec<(usize, String)> = errors
        .iter()
        .map(|error| (error.span().map_or(0, |span| span.start), error.message().trim_end().to_owned()))
        .collect();
    let span = table.span();
    let root = node(span, DeValue::Table(table.into_inner()), &mut errors);
    if errors.is_empty() { Ok(root) } else { Err(errors) }
}

fn node(span: std::ops::Range<usize>, value: DeValue<'_>, errors: &mut Vec<(usize, String)>) -> Node {
    let start = span.start;
    let mut number = |value: Option<Number>, text: &str| {
        value.map(Value::Number).unwrap_or_else(|| {
            errors.push((start, format!("the number `{text}` cannot be represented")));
            Value::Null
        })
    };
    let value = match value {
        DeValue::String(text) => NodeValue::Scalar(Value::String(text.into_owned())),
        DeValue::Boolean(value) => NodeValue::Scalar(Value::Bool(value)),
        DeValue::Integer(integer) => {
            let parsed = i64::from_str_radix(integer.as_str(), integer.radix()).map(Number::from).ok();
            let parsed = parsed
                .or_else(|| u64::from_str_radix(integer.as_str(), integer.radix()).map(Number::from).ok());
            NodeValue::Scalar(number(parsed, integer.as_str()))
        }
        DeValue::Float(float) => {
            let parsed = float.as_str().parse().ok().and_then(Number::from_f64);
            NodeValue::Scalar(number(parsed, float.as_str()))
        }
        DeValue::Datetime(time) => NodeValue::Scalar(Value::String(time.to_string())),
        DeValue::Array(array) => NodeValue::Array(
            array.into_iter().map(|item| node(item.span(), item.into_inner(), errors)).collect(),
        ),
        DeValue::Table(table) => {
            NodeValue::Table(table.into_iter().map(|entry| named(entry, errors)).collect())
        }
    };
    Node::new(span, value)
}

fn named<'i>(
    (key, value): (Spanned<std::borrow::Cow<'i, str>>, Spanned<DeValue<'i>>),
    errors: &mut Vec<(usize, String)>,
) -> (String, Node) {
    let span = key.span().start.min(value.span().start)..value.span().end.max(key.span().end);
    (key.into_inner().into_owned(), node(span, value.into_inner(), errors))
}
