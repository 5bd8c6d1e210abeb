//! Picks columns.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::component::{BuildContext, Component, role};
use crate::error::Error;
use crate::record::records::Records;
use crate::record::schema::Schema;
use crate::transform::contract::RecordTransform;

/// Picks columns, in the order in which they are named. Nothing is copied.
#[derive(Debug)]
pub struct Select {
    columns: Vec<String>,
    picked: Vec<usize>,
    output: Arc<Schema>,
}

/// The options of [`Select`].
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SelectConfig {
    /// The columns that stay, in their new order.
    pub columns: Vec<String>,
}

impl Component for Select {
    const ID: &'static str = "select";
    const DESCRIPTION: &'static str = "picks columns, in the order given";
    type Role = role::Transform;
    type Config = SelectConfig;

    fn build(config: SelectConfig, _: &BuildContext) -> Result<Self, Error> {
        let columns = config.columns;
        if columns.is_empty() {
            return Err(Error::config("columns", "name at least one column"));
        }
        if let Some(twice) = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)) {
            return Err(Error::config("columns", format!("the column `{}` is named twice", twice.1)));
        }
        Ok(Self { columns, picked: Vec::new(), output: Arc::default() })
    }
}

impl RecordTransform for Select {
    fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
        let picked = self.columns.iter().map(|name| input.require("columns", name));
        self.picked = picked.collect::<Result<_, _>>()?;
        self.output = Schema::new(self.picked.iter().map(|column| input.fields()[*column].clone()).collect());
        Ok(Arc::clone(&self.output))
    }

    fn apply(&mut self, records: &mut Records) {
        records.project(&self.output, &self.picked);
    }
}

#[cfg(test)]
mod tests;
