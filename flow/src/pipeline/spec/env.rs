//! `${VAR}` and `${VAR:-default}` in strings.

use serde_json::Value;

use crate::pipeline::problem::Problem;
use crate::pipeline::spec::tree::{Node, NodeValue, line_of};

/// Where variables come from: the process's environment, or a test's.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Shorter values are not looked for in log lines: they would turn up everywhere.
const SHORTEST_SECRET: usize = 3;

/// Puts the environment into every string below `root`. Returns the values that were put in,
/// each with what a log shows instead.
pub(crate) fn substitute(
    root: &mut Node,
    text: &str,
    environment: Environment<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(String, String)> {
    let mut secrets = Vec::new();
    walk(root, "", &mut |node, key| {
        let NodeValue::Scalar(Value::String(value)) = &mut node.value else { return };
        match expand(value, environment, &mut secrets) {
            Ok(None) => {}
            Ok(Some(expanded)) => {
                *value = expanded;
                node.substituted = true;
            }
            Err(message) => {
                problems.push(Problem { line: line_of(text, node.span.start), key: key.to_owned(), message });
                node.unset = true;
            }
        }
    });
    secrets
}

fn walk(node: &mut Node, key: &str, visit: &mut dyn FnMut(&mut Node, &str)) {
    match &mut node.value {
        NodeValue::Scalar(_) => visit(node, key),
        NodeValue::Array(nodes) => {
            for (index, node) in nodes.iter_mut().enumerate() {
                walk(node, &format!("{key}[{index}]"), visit);
            }
        }
        NodeValue::Table(entries) => {
            for (name, node) in entries {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                walk(node, &key, visit);
            }
        }
    }
}

/// `None` where there is nothing to expand. `$${` stands for `${`.
fn expand(
    text: &str,
    environment: Environment<'_>,
    secrets: &mut Vec<(String, String)>,
) -> Result<Option<String>, String> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let (inside, after) = rest[at + 2..]
            .split_once('}')
            .ok_or("`${` is never closed; write `$${` for a `${` that stays")?;
        if inside.contains("${") {
            return Err(format!("`${{{inside}}}` nests variables; a default is plain text"));
        }
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("`${{{inside}}}` names no environment variable"));
        }
        match (environment(name).filter(|value| !(value.is_empty() && default.is_some())), default) {
            (Some(value), _) => {
                out.push_str(&value);
                if value.len() >= SHORTEST_SECRET {
                    secrets.push((value, format!("${{{name}}}")));
                }
            }
            (None, Some(default)) => out.push_str(default),
            (None, None) => {
                return Err(format!(
                    "the environment variable `{name}` is not set; set it, or give a default: `${{{name}:-…}}`"
                ));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn run(text: &str) -> Result<Option<String>, String> {
        expand(text, &|name| (name == "HOST").then(|| "broker".to_owned()), &mut Vec::new())
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        assert_eq!(run("mqtt://${HOST}:${PORT:-1883}/x").unwrap().unwrap(), "mqtt://broker:1883/x");
        assert_eq!(run("${HOST:-other}").unwrap().unwrap(), "broker");
        assert_eq!(run("$share/g/t").unwrap(), None);
        assert_eq!(run("a$${HOST}").unwrap().unwrap(), "a${HOST}");
        assert_eq!(run("${PORT:-}").unwrap().unwrap(), "");
    }

    #[test]
    fn what_cannot_be_put_in_is_said() {
        assert!(run("${PORT}").unwrap_err().starts_with("the environment variable `PORT` is not set"));
        assert!(run("${HOST").unwrap_err().contains("never closed"));
        assert_eq!(run("${a b}").unwrap_err(), "`${a b}` names no environment variable");
        assert!(run("${A:-${HOST}}").unwrap_err().contains("nests variables"));
    }
}
