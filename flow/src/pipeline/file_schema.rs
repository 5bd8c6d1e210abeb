//! The JSON Schema of pipeline files, with every listed component's config in it.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::component::role::Kind;
use crate::record::schema;
use crate::registry::{ComponentInfo, Runtime};

/// The JSON Schema (draft 2020-12) of the pipeline files that a program can run, for completion and checks in editors:
/// those with the components of its list, and what it knows at run time.
pub fn file_schema(runtime: &Runtime) -> Value {
    let components = runtime.components();
    let mut generator =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    let mut role = |role: Kind, id_key: &str, fixed: Vec<(&str, Value, bool)>| -> Value {
        let tables = components.iter().filter(|info| info.role == role);
        let tables: Vec<Value> = tables.map(|info| table(info, &mut generator, id_key, &fixed)).collect();
        json!({ "oneOf": tables })
    };
    let decoder = role(Kind::Decoder, "codec", vec![]);
    let encoder = role(Kind::Encoder, "codec", vec![]);
    let transform = role(Kind::Transform, "kind", vec![]);
    let codec =
        |role: &str| json!({ "anyOf": [{ "$ref": format!("#/$defs/{role}") }, { "type": "string" }] });
    let source = role(
        Kind::Source,
        "connector",
        vec![("decoder", codec("decoder"), true), ("schema", json!({ "$ref": "#/$defs/schema" }), false)],
    );
    let sink = role(Kind::Sink, "connector", vec![("encoder", codec("encoder"), true)]);
    let dead_letter = role(Kind::Sink, "connector", vec![("encoder", codec("encoder"), false)]);
    let limit = |description: &str, default: usize| json!({ "description": description, "type": "integer", "minimum": 1, "maximum": 1 << 20, "default": default });
    let one_or_more = |role: &str| {
        let item = json!({ "$ref": format!("#/$defs/{role}") });
        json!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
    };
    let batch = crate::pipeline::spec::Batch::default();
    let mut schema = schema::json_schema().to_value();
    // Recursive types cannot be inlined: what they refer to stands in the definitions of the root.
    let mut definitions = match schema.as_object_mut().and_then(|schema| schema.remove("$defs")) {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    definitions.extend(generator.take_definitions(true));
    let roles = [
        ("source", source),
        ("sink", sink),
        ("decoder", decoder),
        ("encoder", encoder),
        ("transform", transform),
        ("schema", schema),
    ];
    definitions.extend(roles.map(|(role, schema)| (role.to_owned(), schema)));
    #[cfg_attr(not(feature = "dynamic-connectors"), allow(unused_mut, reason = "only plugins add a key"))]
    let mut file = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flow pipeline",
        "type": "object",
        "properties": {
            "name": { "description": "The pipeline's name in logs; the file's name where it is absent", "type": "string" },
            "source": one_or_more("source"),
            "transform": one_or_more("transform"),
            "sink": one_or_more("sink"),
            "on_error": {
                "description": "What becomes of records that cannot go on; they are always logged and counted",
                "default": "skip",
                "oneOf": [
                    { "enum": ["fail", "skip"] },
                    {
                        "type": "object",
                        "properties": { "dead_letter": dead_letter },
                        "required": ["dead_letter"],
                        "additionalProperties": false,
                    },
                ],
            },
            "batch": {
                "type": "object",
                "properties": {
                    "max_records": limit("Payloads that a source hands out at once", batch.max_records),
                    "max_in_flight": limit("Payloads that may be read and not settled", batch.max_in_flight),
                },
                "additionalProperties": false,
            },
        },
        "required": ["source", "sink"],
        "additionalProperties": false,
        "$defs": definitions,
    });
    #[cfg(feature = "dynamic-connectors")]
    {
        file["properties"]["plugins"] = crate::pipeline::plugins::schema();
    }
    file
}

/// The table of one component: its own options, the key that names it, and the keys that are the pipeline's.
fn table(
    info: &ComponentInfo<'_>,
    generator: &mut SchemaGenerator,
    id_key: &str,
    fixed: &[(&str, Value, bool)],
) -> Value {
    let mut table = match info.config_schema(generator).to_value() {
        Value::Object(table) => table,
        _ => Map::new(),
    };
    let mut properties = Map::new();
    properties.insert(id_key.to_owned(), json!({ "const": info.id, "description": info.description }));
    let mut required = vec![json!(id_key)];
    for (key, schema, needed) in fixed {
        properties.insert((*key).to_owned(), schema.clone());
        if *needed {
            required.push(json!(key));
        }
    }
    if let Some(Value::Object(own)) = table.remove("properties") {
        properties.extend(own.into_iter().map(|(key, schema)| (key, or_variable(schema))));
    }
    if let Some(Value::Array(own)) = table.remove("required") {
        required.extend(own);
    }
    table.insert("title".to_owned(), json!(format!("{} {}", info.id, info.role)));
    table.insert("type".to_owned(), json!("object"));
    table.insert("properties".to_owned(), Value::Object(properties));
    table.insert("required".to_owned(), Value::Array(required));
    // A config whose options come from several types leaves the check of unknown keys to the program.
    if !["oneOf", "anyOf", "allOf"].iter().any(|key| table.contains_key(*key)) {
        table.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(table)
}

/// Where a number or a bool is wanted, the text `${VAR}` may stand as well: what it stands for is read as one.
fn or_variable(mut schema: Value) -> Value {
    let read = |kind: &Value| matches!(kind.as_str(), Some("integer" | "number" | "boolean"));
    let reads = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(read),
        Some(kind) => read(kind),
        None => false,
    };
    if !reads {
        return schema;
    }
    let mut either = Map::new();
    for key in ["description", "default"] {
        if let Some(said) = schema.as_object_mut().and_then(|schema| schema.remove(key)) {
            either.insert(key.to_owned(), said);
        }
    }
    either.insert("anyOf".to_owned(), json!([schema, { "type": "string", "pattern": "\\$\\{.+\\}" }]));
    Value::Object(either)
}
