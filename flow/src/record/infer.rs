//! A schema out of sample values.

use std::sync::Arc;

use serde_json::Value;

use crate::error::Error;
use crate::record::schema::{Field, Schema, TimeForm, TimeUnit, Type};
use crate::record::time;

/// The narrowest schema that takes all of `samples`, which are objects; nothing in it is `required`.
///
/// Whole numbers become `int64`, or `uint64` where one is too large for it; text becomes
/// `timestamp(us, rfc3339)` where all of it is RFC 3339. A key that was always null, or an array that was always
/// empty, holds no hint and becomes text.
///
/// # Errors
/// A sample is no object, there is none, or a key holds values that no type takes together: everything that is wrong,
/// each an [`Error::config`] whose key is the path.
pub fn infer(samples: impl IntoIterator<Item = Value>) -> Result<Arc<Schema>, Vec<Error>> {
    let guess = samples.into_iter().fold(Guess::Nothing, |guess, sample| guess.join(Guess::of(sample)));
    let Guess::Object(fields) = guess else {
        let message = match guess {
            Guess::Nothing => "there is no sample".to_owned(),
            other => format!("a sample is an object, not {}", other.name()),
        };
        return Err(vec![Error::config("", message)]);
    };
    let mut errors = Vec::new();
    let fields = columns(fields, "", &mut errors);
    if fields.is_empty() && errors.is_empty() {
        errors.push(Error::config("", "the samples have no keys with values"));
    }
    if errors.is_empty() { Ok(Schema::new(fields)) } else { Err(errors) }
}

/// What is known of a value so far.
#[derive(Debug, PartialEq)]
enum Guess {
    /// Never there, or null.
    Nothing,
    Bool,
    Int,
    UInt,
    Float,
    Time,
    Text,
    List(Box<Guess>),
    Object(Vec<(String, Guess)>),
    /// No type takes all of it; the names of two that were seen.
    Mixed(&'static str, &'static str),
}

impl Guess {
    fn of(value: Value) -> Self {
        match value {
            Value::Null => Guess::Nothing,
            Value::Bool(_) => Guess::Bool,
            Value::Number(number) if number.is_i64() => Guess::Int,
            Value::Number(number) if number.is_u64() => Guess::UInt,
            Value::Number(_) => Guess::Float,
            Value::String(text) => match time::parse(&text, TimeUnit::Microsecond) {
                Ok(_) => Guess::Time,
                Err(_) => Guess::Text,
            },
            Value::Array(items) => {
                let items = items.into_iter().map(Guess::of).fold(Guess::Nothing, Guess::join);
                Guess::List(Box::new(items))
            }
            Value::Object(fields) => {
                Guess::Object(fields.into_iter().map(|(name, value)| (name, Guess::of(value))).collect())
            }
        }
    }

    /// What takes both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Guess::Nothing, guess) | (guess, Guess::Nothing) => guess,
            (mixed @ Guess::Mixed(..), _) | (_, mixed @ Guess::Mixed(..)) => mixed,
            (Guess::Int, Guess::UInt) | (Guess::UInt, Guess::Int) => Guess::UInt,
            (Guess::Float, Guess::Int | Guess::UInt) | (Guess::Int | Guess::UInt, Guess::Float) => {
                Guess::Float
            }
            (Guess::Text, Guess::Time) | (Guess::Time, Guess::Text) => Guess::Text,
            (Guess::List(a), Guess::List(b)) => Guess::List(Box::new(a.join(*b))),
            (Guess::Object(mut all), Guess::Object(more)) => {
                for (name, guess) in more {
                    match all.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = std::mem::replace(known, Guess::Nothing).join(guess),
                        None => all.push((name, guess)),
                    }
                }
                Guess::Object(all)
            }
            (a, b) if a == b => a,
            (a, b) => Guess::Mixed(a.name(), b.name()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Guess::Nothing => "null",
            Guess::Bool => "true or false",
            Guess::Int | Guess::UInt | Guess::Float => "a number",
            Guess::Time | Guess::Text => "text",
            Guess::List(_) => "an array",
            Guess::Object(_) => "an object",
            Guess::Mixed(first, _) => first,
        }
    }

    /// The type; what no type takes is noted in `errors` under `key`.
    fn kind(self, key: &str, errors: &mut Vec<Error>) -> Type {
        match self {
            Guess::Nothing | Guess::Text => Type::String,
            Guess::Bool => Type::Bool,
            Guess::Int => Type::Int64,
            Guess::UInt => Type::UInt64,
            Guess::Float => Type::Float64,
            Guess::Time => Type::Timestamp(TimeUnit::Microsecond, TimeForm::Rfc3339),
            Guess::List(items) => {
                Type::List(Box::new(Field::new("item", items.kind(&format!("{key}[]"), errors))))
            }
            Guess::Object(fields) => Type::Struct(columns(fields, &format!("{key}."), errors)),
            Guess::Mixed(a, b) => {
                errors.push(Error::config(key.to_owned(), format!("is {a} in one place and {b} in another")));
                Type::String
            }
        }
    }
}

fn columns(fields: Vec<(String, Guess)>, prefix: &str, errors: &mut Vec<Error>) -> Vec<Field> {
    // An object without keys cannot be a struct and is left out: nothing is read from it.
    let fields = fields.into_iter().filter(|(_, guess)| *guess != Guess::Object(Vec::new()));
    fields
        .map(|(name, guess)| {
            let key = format!("{prefix}{name}");
            Field::new(name, guess.kind(&key, errors))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::infer;
    use crate::record::schema::Schema;

    fn inferred(samples: &[Value]) -> String {
        infer(samples.to_vec()).unwrap().to_toml()
    }

    #[test]
    fn the_narrowest_type_that_takes_all_samples_wins() {
        let samples = [
            json!({ "id": "a", "n": 1, "f": 1, "big": 1, "ok": true, "at": "2026-11-23T10:15:00Z", "day": "2026-11-23" }),
            json!({ "id": "2026-11-23T10:15:00Z", "f": 0.5, "big": u64::MAX, "none": null, "l": [], "e": {},
                "o": { "x": [{ "y": 1 }, { "z": null }] } }),
            json!({ "n": -1, "l": [1, null, 2.5], "odd key": 1 }),
        ];
        let toml = inferred(&samples);
        assert_eq!(
            toml,
            "id = \"string\"\nn = \"int64\"\nf = \"float64\"\nbig = \"uint64\"\nok = \"bool\"\n\
             at = \"timestamp(us, rfc3339)\"\nday = \"string\"\nnone = \"string\"\nl = \"list(float64)\"\n\
             o = { type = \"struct\", fields = { x = { type = \"list\", items = { type = \"struct\", \
             fields = { y = \"int64\", z = \"string\" } } } } }\n\"odd key\" = \"int64\"\n"
        );
        let table: toml::Table = toml.parse().unwrap();
        assert!(Schema::from_value(&serde_json::to_value(table).unwrap()).is_ok());
    }

    #[test]
    fn what_no_type_takes_is_named() {
        let errors = |samples: &[Value]| -> Vec<String> {
            let errors = infer(samples.to_vec()).unwrap_err();
            errors.iter().map(|error| format!("{}: {error}", error.key().unwrap())).collect()
        };
        assert_eq!(
            errors(&[json!({ "a": { "b": [1, "x"] }, "c": 1 }), json!({ "c": true, "a": null })]),
            [
                "a.b[]: is a number in one place and text in another",
                "c: is a number in one place and true or false in another"
            ]
        );
        assert_eq!(errors(&[]), [": there is no sample"]);
        assert_eq!(errors(&[json!([1])]), [": a sample is an object, not an array"]);
        assert_eq!(errors(&[json!({})]), [": the samples have no keys with values"]);
    }
}
