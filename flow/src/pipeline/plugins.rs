//! The key `plugins` of a pipeline file: a directory of libraries for this pipeline.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pipeline::spec::Spec;
use crate::plugin::Policy;
use crate::registry::Runtime;

/// `plugins = "/opt/flow/plugins"`, or a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugins {
    directory: String,
    #[serde(default)]
    strict: bool,
    sha256: Option<Vec<String>>,
}

/// `runtime` with what the file's plugin directory adds; `None` where the file names none.
pub(super) fn load(spec: &mut Spec, runtime: &Runtime) -> Option<Runtime> {
    let node = spec.plugins.clone()?;
    let value = match node.to_value(&[]) {
        Value::String(directory) => json!({ "directory": directory }),
        value => value,
    };
    let mut runtime = runtime.clone();
    let loaded = serde_json::from_value(value)
        .map_err(|error| format!("a directory, or a table with `directory`, is expected: {error}"))
        .and_then(|Plugins { directory, strict, sha256 }| {
            let mut policy = Policy::default();
            if strict {
                policy = policy.strict();
            }
            if let Some(sums) = sha256 {
                policy = policy.only(sums);
            }
            runtime.load_from_dir(directory, &policy).map_err(|error| error.to_string())
        });
    if let Err(message) = loaded {
        let problem = spec.tree.problem(&node, "plugins", &message);
        spec.problems.push(problem);
    }
    Some(runtime)
}

/// What an editor should know of the key.
pub(super) fn schema() -> Value {
    let directory =
        json!({ "description": "An absolute path; every library in it is loaded", "type": "string" });
    json!({
        "description": "Where this pipeline's plugins are",
        "anyOf": [
            directory,
            {
                "type": "object",
                "properties": {
                    "directory": directory,
                    "strict": { "description": "Is a library that is refused an error?", "type": "boolean", "default": false },
                    "sha256": {
                        "description": "The SHA-256 sums, in hex, of the only libraries that are loaded",
                        "type": "array",
                        "items": { "type": "string" },
                    },
                },
                "required": ["directory"],
                "additionalProperties": false,
            },
        ],
    })
}
