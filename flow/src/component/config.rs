//! From the value of a config to its type, with every fault that can be told apart.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::error::Error;

/// One step of the way to a value in a config: a key of a table, or a position in an array.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The value under this key.
    Key(String),
    /// The element at this position.
    Index(usize),
}

/// One thing that is wrong with a component's config.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFault {
    /// The way to the value at fault, from the component's table. Empty: the table itself.
    pub path: Vec<Step>,
    /// What is wrong with it.
    pub message: String,
}

impl From<Error> for ConfigFault {
    /// What `build` says: its key, dotted from the component's table, and its text.
    fn from(error: Error) -> Self {
        let path = error.key().map(|key| key.split('.').map(|key| Step::Key(key.to_owned())).collect());
        Self { path: path.unwrap_or_default(), message: error.to_string() }
    }
}

/// Reads a config, and where that fails goes on without the value at fault, to find the others as well.
pub(crate) fn read_config<C: DeserializeOwned>(value: &Value) -> Result<C, Vec<ConfigFault>> {
    let mut read = |value: &Value| serde_path_to_error::deserialize::<_, C>(value).err();
    serde_path_to_error::deserialize(value).map_err(|first| collect_faults(value, first, &mut read))
}

type PathError = serde_path_to_error::Error<serde_json::Error>;

fn collect_faults(
    value: &Value,
    first: PathError,
    read: &mut dyn FnMut(&Value) -> Option<PathError>,
) -> Vec<ConfigFault> {
    /// More faults than this in one table are not worth another look.
    const ENOUGH: usize = 20;
    let mut value = value.clone();
    let mut faults: Vec<ConfigFault> = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    let mut error = Some(first);
    while let Some(fault) = error.take() {
        let mut path: Vec<Step> = fault.path().iter().filter_map(step).collect();
        let message = fault.inner().to_string();
        // serde reports an unknown key at the table that holds it or at the key, depending on the type.
        if let Some(key) = quoted_after(&message, "unknown field `")
            && path.last() != Some(&Step::Key(key.to_owned()))
        {
            path.push(Step::Key(key.to_owned()));
        }
        // What is missing only because it was taken out here is no fault of the file.
        let ours = quoted_after(&message, "missing field `")
            .is_some_and(|key| removed.iter().any(|gone| gone == key));
        if !ours {
            faults.push(ConfigFault { path: path.clone(), message });
        }
        if faults.len() >= ENOUGH || path.is_empty() || !remove(&mut value, &path) {
            break;
        }
        if let Some(Step::Key(key)) = path.last() {
            removed.push(key.clone());
        }
        error = read(&value);
    }
    faults
}

fn quoted_after<'a>(message: &'a str, lead: &str) -> Option<&'a str> {
    message.strip_prefix(lead).and_then(|rest| rest.split('`').next())
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Takes the value at `path` out. The element of an array takes the whole array with it: the others would move.
fn remove(value: &mut Value, path: &[Step]) -> bool {
    match path {
        [Step::Key(key)] | [Step::Key(key), Step::Index(_), ..] => {
            value.as_object_mut().is_some_and(|table| table.shift_remove(key).is_some())
        }
        [Step::Key(key), rest @ ..] => value.get_mut(key).is_some_and(|value| remove(value, rest)),
        _ => false,
    }
}
