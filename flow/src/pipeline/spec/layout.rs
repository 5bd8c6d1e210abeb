//! The fixed part of a pipeline file: which tables there are and which component each names.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::pipeline::problem::Problem;
use crate::pipeline::spec::tree::{Node, NodeValue, Tree};
use crate::record::nearest::{nearest, unknown_key};

/// A pipeline file, read.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) tree: Tree,
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) transforms: Vec<Part>,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) on_error: OnError,
    pub(crate) batch: Batch,
    #[cfg(feature = "dynamic-connectors")]
    pub(crate) plugins: Option<Node>,
    /// What was wrong with the layout. A plan is made all the same, to find what else is wrong.
    pub(crate) problems: Vec<Problem>,
}

/// A table that names a component and holds its config.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// From the file's root: `sink[1].encoder`.
    pub(crate) key: String,
    pub(crate) id: String,
    /// The key under which the id stands: `connector`, `codec`, `kind`.
    pub(crate) id_key: &'static str,
    pub(crate) node: Node,
    /// The keys of the table that are not the component's.
    pub(crate) reserved: &'static [&'static str],
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) connector: Part,
    pub(crate) decoder: Part,
    pub(crate) schema: Option<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub(crate) connector: Part,
    pub(crate) encoder: Part,
}

/// What becomes of a record that cannot go on.
#[derive(Debug)]
pub(crate) enum OnError {
    Fail,
    Skip,
    DeadLetter(Box<Sink>),
}

/// Limits of a batch and of what is in flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    /// Payloads a source may hand out at once.
    pub(crate) max_records: usize,
    /// Payloads that may be read and not settled, over all sources.
    pub(crate) max_in_flight: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_records: 1024, max_in_flight: 65_536 }
    }
}

/// The runner keeps a bit for each sink in a word, and one for dead letters.
const MAX_SINKS: usize = 63;

#[cfg(feature = "dynamic-connectors")]
const KEYS: &[&str] = &["name", "source", "transform", "sink", "on_error", "batch", "plugins"];
#[cfg(not(feature = "dynamic-connectors"))]
const KEYS: &[&str] = &["name", "source", "transform", "sink", "on_error", "batch"];
const SOURCE_KEYS: &[&str] = &["connector", "decoder", "schema"];
const SINK_KEYS: &[&str] = &["connector", "encoder"];
const CODEC_KEYS: &[&str] = &["codec"];
const TRANSFORM_KEYS: &[&str] = &["kind"];

pub(crate) fn read(tree: &Tree, problems: &mut Vec<Problem>) -> Option<Spec> {
    let mut reader = Reader { tree, problems };
    let root = &tree.root;
    reader.known_keys(root, "", KEYS);
    let name = match root.get("name") {
        Some(node) => reader.string(node, "name").unwrap_or_default().to_owned(),
        None => stem(&tree.file),
    };
    let sources = reader.tables(root, "source").into_iter().filter_map(|(key, node)| {
        let connector = reader.part(node, &key, "connector", SOURCE_KEYS)?;
        let decoder = reader.codec(node, &key, "decoder")?;
        Some(Source { connector, decoder, schema: node.get("schema").cloned() })
    });
    let sources: Vec<Source> = sources.collect();
    let sinks =
        reader.tables(root, "sink").into_iter().filter_map(|(key, node)| reader.sink(node, &key, None));
    let sinks: Vec<Sink> = sinks.collect();
    for (key, example) in [("source", "connector = \"mqtt\""), ("sink", "connector = \"stdout\"")] {
        if root.get(key).is_none() {
            let message = format!(
                "no `[{key}]` table: a pipeline has at least one, such as `[{key}]` with `{example}`"
            );
            reader.problems.push(Problem { line: 0, key: String::new(), message });
        }
    }
    if sinks.len() > MAX_SINKS {
        let message = format!(
            "{} sinks; a pipeline has {MAX_SINKS} at most, put the others into a second file",
            sinks.len()
        );
        reader.problems.push(Problem { line: 0, key: "sink".to_owned(), message });
    }
    let transforms = match root.get("transform") {
        Some(_) => {
            let tables = reader.tables(root, "transform");
            tables
                .into_iter()
                .filter_map(|(key, node)| reader.part(node, &key, "kind", TRANSFORM_KEYS))
                .collect()
        }
        None => Vec::new(),
    };
    let on_error = root
        .get("on_error")
        .map_or(Some(OnError::Skip), |node| reader.on_error(node))
        .unwrap_or(OnError::Skip);
    let batch = root.get("batch").map(|node| reader.batch(node)).unwrap_or_default();
    Some(Spec {
        tree: tree.clone(),
        name,
        sources,
        transforms,
        sinks,
        on_error,
        batch,
        #[cfg(feature = "dynamic-connectors")]
        plugins: root.get("plugins").cloned(),
        problems: Vec::new(),
    })
}

struct Reader<'a> {
    tree: &'a Tree,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, node: &Node, key: &str, message: &str) {
        let problem = self.tree.problem(node, key, message);
        self.problems.push(problem);
    }

    fn known_keys(&mut self, table: &Node, base: &str, known: &[&str]) {
        for (key, node) in table.entries().unwrap_or_default() {
            if !known.contains(&key.as_str()) {
                let message = unknown_key(key, known.iter().copied());
                let key = if base.is_empty() { key.clone() } else { format!("{base}.{key}") };
                self.problem(node, &key, &message);
            }
        }
    }

    fn string<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n str> {
        if node.as_str().is_none() {
            self.problem(node, key, &format!("a string is expected, not {}", node.kind()));
        }
        node.as_str()
    }

    /// The tables under `key`: one (`[source]`) or several (`[[source]]`), each with its own key.
    fn tables(&mut self, root: &'a Node, key: &str) -> Vec<(String, &'a Node)> {
        let Some(node) = root.get(key) else { return Vec::new() };
        let several = match &node.value {
            NodeValue::Table(_) => return vec![(key.to_owned(), node)],
            NodeValue::Array(nodes) if !nodes.is_empty() => nodes,
            _ => {
                self.problem(
                    node,
                    key,
                    &format!("a table `[{key}]` or several `[[{key}]]` are expected, not {}", node.kind()),
                );
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for (index, node) in several.iter().enumerate() {
            let key = if several.len() == 1 { key.to_owned() } else { format!("{key}[{index}]") };
            match &node.value {
                NodeValue::Table(_) => tables.push((key, node)),
                _ => self.problem(node, &key, &format!("a table is expected, not {}", node.kind())),
            }
        }
        tables
    }

    /// The key `name` is not in `table`: the place of the key that was probably meant for it, or the table's.
    fn missing(&mut self, table: &Node, base: &str, name: &str, hint: &str) {
        let entries = table.entries().unwrap_or_default();
        match nearest(name, entries.iter().map(|(key, _)| key.as_str())) {
            Some(slip) => {
                let place = table.get(slip).unwrap_or(table);
                self.problem(
                    place,
                    &format!("{base}.{slip}"),
                    &format!("unknown key; did you mean `{name}`?"),
                );
            }
            None => self.problem(table, base, &format!("the key `{name}` is missing{hint}")),
        }
    }

    fn part(
        &mut self,
        node: &Node,
        key: &str,
        id_key: &'static str,
        reserved: &'static [&'static str],
    ) -> Option<Part> {
        let Some(id) = node.get(id_key) else {
            self.missing(node, key, id_key, ": it names the component");
            return None;
        };
        let id = self.string(id, &format!("{key}.{id_key}"))?.to_owned();
        Some(Part { key: key.to_owned(), id, id_key, node: node.clone(), reserved })
    }

    /// `decoder = { codec = "json" }`, or short: `decoder = "json"`.
    fn codec(&mut self, table: &Node, base: &str, name: &'static str) -> Option<Part> {
        let Some(node) = table.get(name) else {
            self.missing(table, base, name, &format!(", such as `{name} = {{ codec = \"json\" }}`"));
            return None;
        };
        let key = format!("{base}.{name}");
        match &node.value {
            NodeValue::Scalar(Value::String(id)) => {
                let table = Node {
                    value: NodeValue::Table(vec![("codec".to_owned(), node.clone())]),
                    ..node.clone()
                };
                Some(Part { key, id: id.clone(), id_key: "codec", node: table, reserved: CODEC_KEYS })
            }
            NodeValue::Table(_) => self.part(node, &key, "codec", CODEC_KEYS),
            _ => {
                self.problem(
                    node,
                    &key,
                    &format!("a table such as `{{ codec = \"json\" }}` is expected, not {}", node.kind()),
                );
                None
            }
        }
    }

    /// A sink's table; `encoder` is what it gets where it names none.
    fn sink(&mut self, node: &Node, key: &str, encoder: Option<&str>) -> Option<Sink> {
        let connector = self.part(node, key, "connector", SINK_KEYS)?;
        let encoder = match (node.get("encoder"), encoder) {
            (None, Some(id)) => Part {
                key: key.to_owned(),
                id: id.to_owned(),
                id_key: "encoder",
                node: Node::new(node.span.clone(), NodeValue::Table(Vec::new())),
                reserved: CODEC_KEYS,
            },
            _ => self.codec(node, key, "encoder")?,
        };
        Some(Sink { connector, encoder })
    }

    fn on_error(&mut self, node: &Node) -> Option<OnError> {
        match (&node.value, node.get("dead_letter")) {
            (NodeValue::Scalar(Value::String(word)), _) if word == "fail" => Some(OnError::Fail),
            (NodeValue::Scalar(Value::String(word)), _) if word == "skip" => Some(OnError::Skip),
            (NodeValue::Table(_), Some(sink)) => {
                self.known_keys(node, "on_error", &["dead_letter"]);
                self.sink(sink, "on_error.dead_letter", Some("json"))
                    .map(|sink| OnError::DeadLetter(Box::new(sink)))
            }
            _ => {
                let expected = "`\"fail\"`, `\"skip\"` or `{ dead_letter = { connector = … } }` is expected";
                self.problem(node, "on_error", expected);
                None
            }
        }
    }

    fn batch(&mut self, node: &Node) -> Batch {
        self.known_keys(node, "batch", &["max_records", "max_in_flight"]);
        let mut batch = Batch::default();
        for (key, limit) in
            [("max_records", &mut batch.max_records), ("max_in_flight", &mut batch.max_in_flight)]
        {
            let Some(value) = node.get(key) else { continue };
            let number = match &value.value {
                NodeValue::Scalar(Value::Number(number)) => number.as_u64(),
                NodeValue::Scalar(Value::String(text)) if value.substituted => text.parse().ok(),
                _ => None,
            };
            match number
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=1 << 20).contains(number))
            {
                Some(number) => *limit = number,
                None => {
                    self.problem(
                        value,
                        &format!("batch.{key}"),
                        "a whole number from 1 to 1048576 is expected",
                    );
                }
            }
        }
        if node.entries().is_none() {
            self.problem(node, "batch", &format!("a table is expected, not {}", node.kind()));
        }
        batch
    }
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "pipeline".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

impl Spec {
    /// Where relative paths in the file start.
    pub(crate) fn directory(&self) -> PathBuf {
        self.tree.file.parent().map(Path::to_owned).unwrap_or_default()
    }
}
