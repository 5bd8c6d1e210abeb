//! The figures as tables and as JSON.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Failure;

/// A table with a name, whose first column is text.
pub(crate) struct Table {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: impl Display, figures: &[f64]) {
        self.rows.push((name.to_string(), figures.to_vec()));
    }

    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        print!("  {:<26}", "");
        self.columns.iter().for_each(|column| print!("{column:>16}"));
        println!();
        for (name, figures) in &self.rows {
            print!("  {name:<26}");
            figures.iter().for_each(|figure| print!("{:>16}", shown(*figure)));
            println!();
        }
    }

    fn json(&self) -> Value {
        let row = |(name, figures): &(String, Vec<f64>)| {
            let figures: serde_json::Map<_, _> = self
                .columns
                .iter()
                .zip(figures)
                .map(|(column, figure)| ((*column).to_owned(), json!(figure)))
                .collect();
            json!({ "name": name, "figures": figures })
        };
        json!({ "title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

/// Three digits that count.
fn shown(figure: f64) -> String {
    match figure.abs() {
        _ if figure.is_nan() => "-".to_owned(),
        0.0..10.0 => format!("{figure:.3}"),
        10.0..1000.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// The middle one; not a number where there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Writes the tables beside the other benchmarks'.
pub(crate) fn write(tables: &[Table]) -> Result<(), Failure> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/flow-benches");
    fs::create_dir_all(&directory)?;
    let tables: Vec<Value> = tables.iter().map(Table::json).collect();
    fs::write(directory.join("mqtt_e2e.json"), serde_json::to_string_pretty(&tables)?)?;
    Ok(())
}
