//! What was loaded, and the element of the list that stands for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use frunk::coproduct::Coproduct;
use schemars::Schema;
use serde_json::Value;

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::role::Kind;
use crate::component::{BuildContext, ConfigFault};
use crate::connector::{SinkConnector, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::plugin::Policy;
use crate::plugin::Refusal;
use crate::plugin::abi::offers::Table;
use crate::plugin::host::{PluginDecoder, PluginEncoder, PluginSink, PluginSource};
use crate::plugin::loader::{self, Plugin};
use crate::registry::entry::{Entry, sealed};
use crate::registry::info::{ComponentInfo, ConfigSchema, Origin};
use crate::registry::lookup::{Lookup, Resolve};
use crate::registry::runtime::Runtime;
use crate::registry::runtime::ids::check_id;
use crate::transform::RecordTransform;

/// Stands in a list for the components of loaded libraries: those of [`Runtime::load_from_dir`].
/// [`Builtins`](crate::Builtins) ends with it.
#[derive(Debug)]
pub enum Plugins {}

impl sealed::Entry for Plugins {}

impl Entry for Plugins {
    type Source<Tail: SourceConnector + Lookup> = Coproduct<PluginSource, Tail>;
    type Sink<Tail: SinkConnector + Lookup> = Coproduct<PluginSink, Tail>;
    type Decoder<Tail: RecordDecoder + Lookup> = Coproduct<PluginDecoder, Tail>;
    type Encoder<Tail: CollectionEncoder + Lookup> = Coproduct<PluginEncoder, Tail>;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
    const INFO: Option<ComponentInfo<'static>> = None;
}

/// A plugin of a [`LoadReport`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedPlugin {
    /// Its file.
    pub file: PathBuf,
    /// Its name and version, as it says.
    pub name: String,
    /// Its version, which nobody compares.
    pub version: String,
    /// What it was built by (`rustc 1.95.0 (…)`), as it says; empty where it does not. Nobody compares it.
    pub compiler: String,
    /// The roles and ids of its components.
    pub components: Vec<(Kind, String)>,
}

/// What became of the files of a plugin directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LoadReport {
    /// In the order of their names.
    pub loaded: Vec<LoadedPlugin>,
    /// In the order of their names.
    pub refused: Vec<Refusal>,
}

/// The components of loaded plugins.
#[derive(Clone, Default)]
pub(super) struct Loaded {
    plugins: Vec<[u8; 32]>,
    components: Vec<Component>,
    refused: Vec<Refusal>,
}

#[derive(Clone)]
struct Component {
    role: Kind,
    id: String,
    description: String,
    schema: Schema,
    file: Arc<Path>,
    table: Table,
}

impl Loaded {
    pub(super) fn components(&self) -> impl Iterator<Item = ComponentInfo<'_>> {
        self.components.iter().map(|component| {
            let Component { role, id, description, schema, file, .. } = component;
            ComponentInfo::at_run_time(
                *role,
                id,
                description,
                Origin::Library(file),
                ConfigSchema::Known(schema),
            )
        })
    }

    pub(super) fn refused(&self) -> &[Refusal] {
        &self.refused
    }
}

impl Runtime {
    /// Loads the plugins of a directory: all files in it that end in `.so` or `.dylib`. Whether what was loaded before
    /// comes from the same file or from a copy, it is passed over.
    ///
    /// A file that is refused does not stop the others, unless `policy` is strict. A plugin comes with all of its
    /// components or with none.
    ///
    /// # Errors
    /// The directory cannot be used, or `policy` is strict and a file is refused.
    pub fn load_from_dir(
        &mut self,
        directory: impl AsRef<Path>,
        policy: &Policy,
    ) -> Result<LoadReport, Error> {
        let (plugins, mut refused) = loader::load(directory.as_ref(), policy)?;
        let mut report = LoadReport::default();
        for plugin in plugins {
            if self.loaded.plugins.contains(&plugin.digest) {
                continue;
            }
            match self.stage(&plugin) {
                Ok(components) => {
                    let ids =
                        components.iter().map(|component| (component.role, component.id.clone())).collect();
                    let Plugin { file, name, version, compiler, digest, .. } = plugin;
                    report.loaded.push(LoadedPlugin { file, name, version, compiler, components: ids });
                    self.loaded.plugins.push(digest);
                    components.iter().for_each(|component| self.reserve(component));
                    self.loaded.components.extend(components);
                }
                Err(reason) => refused.push(Refusal { file: plugin.file, reason }),
            }
        }
        refused.sort_by(|a, b| a.file.cmp(&b.file));
        if let (true, Some(first)) = (policy.strict, refused.first()) {
            return Err(Error::permanent(ErrorKind::Config, first.to_string()));
        }
        self.loaded.refused.extend(refused.iter().cloned());
        report.refused = refused;
        Ok(report)
    }

    /// The files that no [`Runtime::load_from_dir`] has loaded, and why.
    pub fn refused_plugins(&self) -> &[Refusal] {
        self.loaded.refused()
    }

    /// Keeps what is registered later from taking the id.
    #[cfg_attr(
        not(any(feature = "custom-connectors", feature = "custom-codecs")),
        allow(unused_variables, clippy::unused_self, reason = "nothing is registered later")
    )]
    fn reserve(&mut self, component: &Component) {
        let Component { role, id, file, .. } = component;
        match role {
            #[cfg(feature = "custom-connectors")]
            Kind::Source => self.connectors.sources.reserve(id, file),
            #[cfg(feature = "custom-connectors")]
            Kind::Sink => self.connectors.sinks.reserve(id, file),
            #[cfg(feature = "custom-codecs")]
            Kind::Decoder => self.codecs.decoders.reserve(id, file),
            #[cfg(feature = "custom-codecs")]
            Kind::Encoder => self.codecs.encoders.reserve(id, file),
            _ => {}
        }
    }

    /// The components of a plugin, if it can have all of them.
    fn stage(&self, plugin: &Plugin) -> Result<Vec<Component>, String> {
        let file: Arc<Path> = plugin.file.as_path().into();
        let mut staged = Loaded::default();
        for offer in &plugin.offers {
            let role = match offer.table {
                Table::Source(_) => Kind::Source,
                Table::Sink(_) => Kind::Sink,
                Table::Decoder(_) => Kind::Decoder,
                Table::Encoder(_) => Kind::Encoder,
            };
            let known = self.components();
            let own: Vec<ComponentInfo<'_>> = staged.components().collect();
            check_id(role, &offer.id, known.iter().chain(&own))
                .map_err(|why| format!("is refused: {why}"))?;
            let schema: Result<Value, _> = serde_json::from_str(&offer.config_schema);
            let schema = schema.ok().and_then(|schema| Schema::try_from(schema).ok());
            let schema =
                schema.ok_or_else(|| format!("gives no JSON Schema for the config of `{}`", offer.id))?;
            let (id, description, table) = (offer.id.clone(), offer.description.clone(), offer.table.clone());
            staged.components.push(Component {
                role,
                id,
                description,
                schema,
                file: Arc::clone(&file),
                table,
            });
        }
        if staged.components.is_empty() {
            return Err("registers no component".to_owned());
        }
        Ok(staged.components)
    }
}

macro_rules! resolve {
    ($($component:ident $kind:ident;)*) => { $(
        impl Resolve for $component {
            fn resolve(
                id: &str,
                config: &Value,
                context: &BuildContext,
                runtime: &Runtime,
            ) -> Option<Result<Self, Vec<ConfigFault>>> {
                runtime.loaded.components.iter().find_map(|component| match &component.table {
                    Table::$kind(table) if component.id == id => Some($component::build(table, config, context)),
                    _ => None,
                })
            }
        }
    )* };
}

resolve! {
    PluginSource Source;
    PluginSink Sink;
    PluginDecoder Decoder;
    PluginEncoder Encoder;
}
