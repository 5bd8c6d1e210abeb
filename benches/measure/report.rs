//! Figures as text, and as JSON under `target/`.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::Failure;

/// A number with so many digits after its point, or a dash where there is none.
pub(crate) struct Figure(pub(crate) Option<f64>, pub(crate) usize);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.map_or_else(|| "-".to_owned(), |number| format!("{number:.*}", self.1)))
    }
}

/// Writes the figures of a benchmark to `target/flow-benches/NAME.json`.
pub(crate) fn write(name: &str, figures: &Value) -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("flow-benches");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.json"));
    let figures = Map::from_iter([(name.to_owned(), figures.clone())]);
    fs::write(&file, serde_json::to_string_pretty(&figures)?)?;
    println!("written to {}", file.display());
    Ok(())
}
