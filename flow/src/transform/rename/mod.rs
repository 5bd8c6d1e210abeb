//! Gives columns other names.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::component::{BuildContext, Component, role};
use crate::error::Error;
use crate::record::records::Records;
use crate::record::schema::Schema;
use crate::transform::contract::RecordTransform;

/// Gives columns other names; all are renamed at once, so that two can change places. Nothing is copied.
#[derive(Debug)]
pub struct Rename {
    columns: BTreeMap<String, String>,
    all: Vec<usize>,
    output: Arc<Schema>,
}

/// The options of [`Rename`].
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenameConfig {
    /// The new name for each old one: `{ old = "new" }`.
    pub columns: BTreeMap<String, String>,
}

impl Component for Rename {
    const ID: &'static str = "rename";
    const DESCRIPTION: &'static str = "gives columns other names";
    type Role = role::Transform;
    type Config = RenameConfig;

    fn build(config: RenameConfig, _: &BuildContext) -> Result<Self, Error> {
        if let Some((old, _)) = config.columns.iter().find(|(_, new)| new.is_empty()) {
            return Err(Error::config(format!("columns.{old}"), "the new name is empty"));
        }
        Ok(Self { columns: config.columns, all: Vec::new(), output: Arc::default() })
    }
}

impl RecordTransform for Rename {
    fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
        let mut fields = input.fields().to_vec();
        for (old, new) in &self.columns {
            let column = input.require(&format!("columns.{old}"), old)?;
            fields[column].name.clone_from(new);
        }
        for (old, new) in &self.columns {
            if fields.iter().filter(|field| field.name == *new).count() > 1 {
                let message = format!("there would be two columns `{new}`");
                return Err(Error::config(format!("columns.{old}"), message));
            }
        }
        self.all = (0..fields.len()).collect();
        self.output = Schema::new(fields);
        Ok(Arc::clone(&self.output))
    }

    fn apply(&mut self, records: &mut Records) {
        records.project(&self.output, &self.all);
    }
}

#[cfg(test)]
mod tests;
