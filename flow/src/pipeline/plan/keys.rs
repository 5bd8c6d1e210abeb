//! Unknown and missing keys of a config, all at once, by the JSON Schema of its type.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::record::nearest::unknown_key;
use crate::registry::{ComponentInfo, ConfigFault, Step};

/// Checks the keys of `config` and takes the unknown ones out, so that the config's type does not meet them again.
/// `reserved` are the keys of the table that belong to the pipeline.
pub(super) fn check(info: &ComponentInfo<'_>, reserved: &[&str], config: &mut Value) -> Vec<ConfigFault> {
    let mut generator =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    let schema = info.config_schema(&mut generator);
    let mut faults = Vec::new();
    if let Some(table) = config.as_object_mut() {
        walk(schema.as_value(), table, &mut Vec::new(), reserved, &mut faults);
    }
    faults
}

fn walk(
    schema: &Value,
    table: &mut Map<String, Value>,
    path: &mut Vec<Step>,
    reserved: &[&str],
    faults: &mut Vec<ConfigFault>,
) {
    // A type that takes any key, or one of several shapes, is left to its own deserializer.
    let Some(properties) = closed_properties(schema) else { return };
    let keys: Vec<String> = table.keys().cloned().collect();
    for key in keys {
        path.push(Step::Key(key.clone()));
        match (properties.get(&key), table.get_mut(&key)) {
            (Some(schema), Some(Value::Object(inner))) => {
                if let Some(schema) = object_schema(schema) {
                    walk(schema, inner, path, &[], faults);
                }
            }
            (Some(_), _) | (None, None) => {}
            (None, Some(_)) => {
                table.shift_remove(&key);
                let known = properties.keys().map(String::as_str).chain(reserved.iter().copied());
                let message = unknown_key(&key, known);
                faults.push(ConfigFault { path: path.clone(), message });
            }
        }
        path.pop();
    }
}

fn closed_properties(schema: &Value) -> Option<&Map<String, Value>> {
    let open = match schema.get("additionalProperties") {
        None | Some(Value::Bool(false)) => false,
        Some(_) => true,
    };
    let several = ["oneOf", "anyOf", "allOf"].iter().any(|key| schema.get(key).is_some());
    match schema.get("properties") {
        Some(properties) if !open && !several => properties.as_object(),
        // A type without any field is an object with no properties.
        None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
            static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
            Some(&NONE)
        }
        _ => None,
    }
}

/// The schema of a nested table, also where it is optional (`anyOf: [table, null]`).
fn object_schema(schema: &Value) -> Option<&Value> {
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(variants) => {
            let mut tables = variants.iter().filter(|variant| variant.get("properties").is_some());
            tables.next().filter(|_| tables.next().is_none())
        }
        None => Some(schema),
    }
}
