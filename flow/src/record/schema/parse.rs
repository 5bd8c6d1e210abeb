//! Reads a schema table.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::record::nearest::known_names;
use crate::record::schema::{Field, TimeForm, TimeUnit, Type, path};

/// Reads the columns of a schema table, or says everything that is wrong with it.
pub(super) fn schema(value: &Value) -> Result<Vec<Field>, Vec<Error>> {
    let Value::Object(table) = value else {
        return Err(vec![Error::config("", format!("a schema is a table of columns, not {}", what(value)))]);
    };
    let mut reader = Reader { errors: Vec::new() };
    let fields = reader.fields(table, "");
    // Paths are looked at as well where a type is wrong, so that everything is reported at once.
    path::check(&fields, &mut reader.errors);
    if reader.errors.is_empty() { Ok(fields) } else { Err(reader.errors) }
}

struct Reader {
    errors: Vec<Error>,
}

impl Reader {
    fn fail(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.errors.push(Error::config(key.into(), message.into()));
    }

    fn fields(&mut self, table: &Map<String, Value>, prefix: &str) -> Vec<Field> {
        table.iter().map(|(name, value)| self.field(name, value, &format!("{prefix}{name}"))).collect()
    }

    /// A column whose type is wrong comes back as text: its error is noted, and the rest can still be looked at.
    fn field(&mut self, name: &str, value: &Value, key: &str) -> Field {
        let mut field = Field::new(name, Type::String);
        match value {
            Value::String(text) => field.kind = self.named(text, key),
            Value::Object(table) => self.column(table, &mut field, key),
            other => self.fail(
                key,
                format!(
                    "a column is a type such as `\"float64\"` or a table with `type`, not {}",
                    what(other)
                ),
            ),
        }
        field
    }

    fn column(&mut self, table: &Map<String, Value>, field: &mut Field, key: &str) {
        const KEYS: [&str; 5] = ["type", "required", "from", "items", "fields"];
        for (option, value) in table {
            match (option.as_str(), value) {
                ("type", Value::String(_)) | ("items" | "fields", _) => {}
                ("required", Value::Bool(required)) => field.required = *required,
                ("from", Value::String(path)) => field.from = Some(path.clone()),
                ("type" | "from", other) => {
                    self.fail(format!("{key}.{option}"), format!("expected text, not {}", what(other)));
                }
                ("required", other) => {
                    self.fail(
                        format!("{key}.required"),
                        format!("expected true or false, not {}", what(other)),
                    );
                }
                _ => self.fail(
                    format!("{key}.{option}"),
                    format!("a column has no option `{option}`; {}", known_names(option, KEYS)),
                ),
            }
        }
        let kind = match table.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(_) => return,
            None => return self.fail(key, "the column has no `type`; write `type = \"float64\"` or another"),
        };
        let (items, fields) = (table.get("items"), table.get("fields"));
        if items.is_some() && kind != "list" {
            self.fail(format!("{key}.items"), format!("`items` belongs to a `list`, not to `{kind}`"));
        }
        if fields.is_some() && kind != "struct" {
            self.fail(format!("{key}.fields"), format!("`fields` belongs to a `struct`, not to `{kind}`"));
        }
        field.kind = match (kind, items, fields) {
            ("list", Some(items), _) => {
                Type::List(Box::new(self.field("item", items, &format!("{key}.items"))))
            }
            ("list", None, _) => {
                return self
                    .fail(key, "a list needs the type of its items; write `items = \"float64\"` or another");
            }
            ("struct", _, Some(Value::Object(fields))) => {
                Type::Struct(self.fields(fields, &format!("{key}.fields.")))
            }
            ("struct", _, Some(other)) => {
                let message = format!("the fields of a struct are a table, not {}", what(other));
                return self.fail(format!("{key}.fields"), message);
            }
            ("struct", _, None) => {
                return self.fail(
                    key,
                    "a struct needs its fields; write `fields = { name = \"string\" }` or others",
                );
            }
            (kind, ..) => self.named(kind, &format!("{key}.type")),
        };
    }

    fn named(&mut self, text: &str, key: &str) -> Type {
        named(text).unwrap_or_else(|message| {
            self.fail(key, message);
            Type::String
        })
    }
}

/// How deep lists of lists may nest: what is deeper than any data could end the process by its recursion.
const MAX_DEPTH: usize = 32;

/// A type that is one word: `float64`, `timestamp(ms, rfc3339)`, `list(int8)`.
fn named(text: &str) -> Result<Type, String> {
    let text = text.trim();
    if text.matches('(').count() > MAX_DEPTH {
        return Err(format!("types nest up to {MAX_DEPTH} deep"));
    }
    if let Some((_, kind)) = Type::PLAIN.iter().find(|(name, _)| *name == text) {
        return Ok(kind.clone());
    }
    let (name, inside) = match text.split_once('(') {
        Some((name, rest)) => {
            let inside =
                rest.strip_suffix(')').ok_or_else(|| format!("`{text}` has a `(` that is never closed"))?;
            (name.trim_end(), Some(inside.trim()))
        }
        None => (text, None),
    };
    match (name, inside) {
        ("timestamp", Some(inside)) => timestamp(inside),
        ("timestamp", None) => {
            Err("a `timestamp` needs its unit; write `timestamp(ms)` (s, ms, us or ns) for a number, \
                 `timestamp(ms, rfc3339)` for text"
                .to_owned())
        }
        ("list", Some(inside)) => Ok(Type::List(Box::new(Field::new("item", named(inside)?)))),
        ("list", None) => {
            Err("a list needs the type of its items; write `list(float64)` or another".to_owned())
        }
        ("struct", _) => {
            Err("a struct needs its fields; write `{ type = \"struct\", fields = { name = \"string\" } }`"
                .to_owned())
        }
        _ => {
            let known: Vec<&str> = Type::PLAIN
                .iter()
                .map(|(name, _)| *name)
                .chain(["timestamp(ms)", "list", "struct"])
                .collect();
            Err(format!("there is no type `{text}`; {}", known_names(text, known.iter().copied())))
        }
    }
}

fn timestamp(inside: &str) -> Result<Type, String> {
    let (unit, form) = match inside.split_once(',') {
        Some((unit, form)) => (unit.trim(), Some(form.trim())),
        None => (inside, None),
    };
    let unit = match unit {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return Err(format!("a timestamp has no unit `{unit}`; write s, ms, us or ns")),
    };
    match form {
        None => Ok(Type::Timestamp(unit, TimeForm::Number)),
        Some("rfc3339") => Ok(Type::Timestamp(unit, TimeForm::Rfc3339)),
        Some(form) => {
            Err(format!("a timestamp has no form `{form}`; leave it out for a number, or write `rfc3339`"))
        }
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}
