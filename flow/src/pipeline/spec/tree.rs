//! A tree of values, each with its place in the text.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::component::redact;
use crate::pipeline::problem::Problem;
use crate::registry::Step;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Bytes of the text; for a value in a table, from its key on.
    pub(crate) span: Range<usize>,
    pub(crate) value: NodeValue,
    /// Did a part of it come from the environment?
    pub(crate) substituted: bool,
    /// Could it not be put in? That has been reported, and what follows from it need not be.
    pub(crate) unset: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum NodeValue {
    /// Null, a bool, a number or a string.
    Scalar(Value),
    Array(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn new(span: Range<usize>, value: NodeValue) -> Self {
        Self { span, value, substituted: false, unset: false }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> Option<&[(String, Node)]> {
        match &self.value {
            NodeValue::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Scalar(Value::String(_)) => "a string",
            NodeValue::Scalar(Value::Bool(_)) => "a bool",
            NodeValue::Scalar(Value::Null) => "null",
            NodeValue::Scalar(_) => "a number",
            NodeValue::Array(_) => "an array",
            NodeValue::Table(_) => "a table",
        }
    }

    /// The value without places, and without the top-level keys `except`.
    pub(crate) fn to_value(&self, except: &[&str]) -> Value {
        match &self.value {
            NodeValue::Scalar(value) => value.clone(),
            NodeValue::Array(nodes) => nodes.iter().map(|node| node.to_value(&[])).collect(),
            NodeValue::Table(entries) => entries
                .iter()
                .filter(|(key, _)| !except.contains(&key.as_str()))
                .map(|(key, node)| (key.clone(), node.to_value(&[])))
                .collect(),
        }
    }

    /// The node at the end of `path`, or the last one on the way that exists.
    pub(crate) fn descend(&self, path: &[Step]) -> &Node {
        let next = match (path.first(), &self.value) {
            (Some(Step::Key(key)), NodeValue::Table(_)) => self.get(key),
            (Some(Step::Index(index)), NodeValue::Array(nodes)) => nodes.get(*index),
            _ => None,
        };
        next.map_or(self, |next| next.descend(&path[1..]))
    }
}

/// A whole file.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) file: PathBuf,
    pub(crate) root: Node,
    /// Values from the environment, each with what a log shows instead.
    pub(crate) secrets: Vec<(String, String)>,
    lines: Vec<usize>,
}

impl Tree {
    pub(crate) fn new(file: &Path, text: &str, root: Node, secrets: Vec<(String, String)>) -> Self {
        let lines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { file: file.to_owned(), root, secrets, lines }
    }

    /// A problem with `node`, which stands at `key`. Values from the environment are taken out of the message.
    pub(crate) fn problem(&self, node: &Node, key: impl Into<String>, message: &str) -> Problem {
        let line = self.lines.partition_point(|end| *end < node.span.start) + 1;
        Problem { line, key: key.into(), message: self.redact(node, message).into_owned() }
    }

    fn redact<'a>(&self, node: &Node, message: &'a str) -> Cow<'a, str> {
        match node.as_str() {
            Some(value) if node.substituted && !value.is_empty() && message.contains(value) => Cow::Owned(
                redact(&message.replace(value, "(from the environment)"), &self.secrets).into_owned(),
            ),
            _ => redact(message, &self.secrets),
        }
    }
}

/// `base` and the steps after it as a dotted key: `sink[1].tls.ca`.
pub(crate) fn dotted(base: &str, path: &[Step]) -> String {
    let mut key = base.to_owned();
    for step in path {
        match step {
            Step::Key(name) if key.is_empty() => key.push_str(name),
            Step::Key(name) => {
                key.push('.');
                key.push_str(name);
            }
            Step::Index(index) => key.push_str(&format!("[{index}]")),
        }
    }
    key
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
