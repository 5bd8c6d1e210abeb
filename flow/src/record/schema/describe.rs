//! A schema as text: for editors (JSON Schema) and for people (TOML).

use std::borrow::Cow;
use std::fmt::Write as _;

use schemars::{JsonSchema, SchemaGenerator};

use crate::record::schema::{Field, Schema, TimeUnit, Type};

/// What may stand in a schema table, as JSON Schema.
pub fn json_schema() -> schemars::Schema {
    SchemaGenerator::default().into_root_schema_for::<Schema>()
}

impl JsonSchema for Schema {
    fn schema_name() -> Cow<'static, str> {
        "Schema".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The columns of the records: a name, and a type or a table.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": generator.subschema_for::<Column>(),
        })
    }
}

/// What may stand for one column: it exists for its JSON Schema alone.
enum Column {}

impl JsonSchema for Column {
    fn schema_name() -> Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> schemars::Schema {
        let mut names: Vec<String> = Type::PLAIN.iter().map(|(name, _)| (*name).to_owned()).collect();
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            names.push(format!("timestamp({})", unit.as_str()));
            names.push(format!("timestamp({}, rfc3339)", unit.as_str()));
        }
        let named = serde_json::json!({
            "anyOf": [
                { "enum": names },
                { "type": "string", "pattern": "^\\s*list\\s*\\(.+\\)\\s*$" },
            ],
        });
        let column = generator.subschema_for::<Column>();
        schemars::json_schema!({
            "anyOf": [
                named,
                {
                    "type": "object",
                    "required": ["type"],
                    "additionalProperties": false,
                    "properties": {
                        "type": { "anyOf": [named, { "enum": ["list", "struct"] }] },
                        "required": {
                            "description": "Is it an error when the field is absent or null?",
                            "type": "boolean",
                            "default": false,
                        },
                        "from": {
                            "description": "Where the value comes from: a path `a.b[0]` into the payload, \
                                            `meta.topic`, `meta.key`, `meta.time` or `meta.header.NAME`.",
                            "type": "string",
                        },
                        "items": column,
                        "fields": { "type": "object", "minProperties": 1, "additionalProperties": column },
                    },
                },
            ],
        })
    }
}

impl Schema {
    /// The schema as lines of a TOML table, which [`Schema::from_value`] reads back.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        for field in self.fields() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{} = {}", key(&field.name), column(field));
        }
        out
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn column(field: &Field) -> String {
    let (kind, more) = match &field.kind {
        Type::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} = {}", key(&field.name), column(field))).collect();
            ("struct".to_owned(), Some(format!("fields = {{ {} }}", fields.join(", "))))
        }
        Type::List(items) if nested(items) => ("list".to_owned(), Some(format!("items = {}", column(items)))),
        kind => (kind.to_string(), None),
    };
    let mut options = vec![format!("type = {}", quote(&kind))];
    options.extend(more);
    if field.required {
        options.push("required = true".to_owned());
    }
    if let Some(from) = &field.from {
        options.push(format!("from = {}", quote(from)));
    }
    if options.len() == 1 { quote(&kind) } else { format!("{{ {} }}", options.join(", ")) }
}

/// Do the items of a list need a table of their own?
fn nested(items: &Field) -> bool {
    items.required
        || match &items.kind {
            Type::Struct(_) => true,
            Type::List(items) => nested(items),
            _ => false,
        }
}
