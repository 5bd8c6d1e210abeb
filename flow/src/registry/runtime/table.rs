//! Components of one role by id.

use std::path::Path;
use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::component::role::Kind;
use crate::component::{BuildContext, ConfigFault, read_config};
use crate::error::Error;
use crate::registry::info::{self, ComponentInfo, ConfigSchema, Link, Origin};
use crate::registry::runtime::ids::check_id;

/// Builds a component from its config, as [`Component::build`](crate::Component::build) does.
pub(super) type Build<T> = Arc<dyn Fn(&Value, &BuildContext) -> Result<T, Vec<ConfigFault>> + Send + Sync>;

/// What was registered for one role, `T` once it is built.
pub(super) struct Table<T> {
    role: Kind,
    /// The static list, whose ids are taken.
    first: Option<&'static Link>,
    /// Ids of loaded libraries, which are taken as well.
    loaded: Vec<(String, Arc<Path>)>,
    rows: Vec<Row<T>>,
}

struct Row<T> {
    id: String,
    description: &'static str,
    schema: Schema,
    build: Build<T>,
}

impl<T> Table<T> {
    pub(super) fn new(role: Kind, first: Option<&'static Link>) -> Self {
        Self { role, first, loaded: Vec::new(), rows: Vec::new() }
    }

    /// Adds a component whose config is a `C`.
    ///
    /// # Errors
    /// The id is malformed or taken.
    pub(super) fn add<C: DeserializeOwned + JsonSchema>(
        &mut self,
        id: String,
        description: &'static str,
        build: impl Fn(C, &BuildContext) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let listed = info::visible(self.first);
        let registered = self.components();
        let nothing = Schema::default();
        let mut loaded = Vec::new();
        for (id, file) in &self.loaded {
            let (origin, schema) = (Origin::Library(file), ConfigSchema::Known(&nothing));
            loaded.push(ComponentInfo::at_run_time(self.role, id, "", origin, schema));
        }
        check_id(self.role, &id, listed.iter().chain(&registered).chain(&loaded))?;
        let mut generator = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let schema = info::schema_of::<C>(&mut generator);
        let build: Build<T> = Arc::new(move |config, context| {
            build(read_config::<C>(config)?, context).map_err(|error| vec![error.into()])
        });
        self.rows.push(Row { id, description, schema, build });
        Ok(())
    }

    /// The id belongs to a library now.
    #[cfg(feature = "dynamic-connectors")]
    pub(super) fn reserve(&mut self, id: &str, library: &Arc<Path>) {
        self.loaded.push((id.to_owned(), Arc::clone(library)));
    }

    pub(super) fn build(
        &self,
        id: &str,
        config: &Value,
        context: &BuildContext,
    ) -> Option<Result<T, Vec<ConfigFault>>> {
        let row = self.rows.iter().find(|row| row.id == id)?;
        Some((row.build)(config, context))
    }

    pub(super) fn components(&self) -> Vec<ComponentInfo<'_>> {
        let mut components = Vec::new();
        for Row { id, description, schema, .. } in &self.rows {
            let schema = ConfigSchema::Known(schema);
            components.push(ComponentInfo::at_run_time(
                self.role,
                id,
                description,
                Origin::Registered,
                schema,
            ));
        }
        components
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { role: self.role, first: self.first, loaded: self.loaded.clone(), rows: self.rows.clone() }
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            description: self.description,
            schema: self.schema.clone(),
            build: Arc::clone(&self.build),
        }
    }
}
