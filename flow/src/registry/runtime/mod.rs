//! What is only known at run time, and the two elements of the list that stand for it.
//!
//! Nothing in here is global: a [`Runtime`] is a value that a program fills at start-up and hands to its pipelines.
//! An id is looked up in the order of the list: its static elements first, then [`Registered`], then [`Plugins`].
//!
//! - `ids`: why an id cannot be taken
//! - `connectors`, `codecs`, `table`: what a program registers; `erased`: records behind `dyn`
//! - `registered`, `plugins`: the elements of the list

#[cfg(feature = "custom-codecs")]
mod codecs;
#[cfg(feature = "custom-connectors")]
mod connectors;
#[cfg(feature = "custom-codecs")]
mod erased;
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs", feature = "dynamic-connectors"))]
mod ids;
#[cfg(feature = "dynamic-connectors")]
mod plugins;
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
mod registered;
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
mod table;

use std::any::TypeId;
use std::fmt;

use crate::registry::Registry;
use crate::registry::info::{self, ComponentInfo, Link};

#[cfg(feature = "custom-codecs")]
pub use codecs::{CodecRegistry, CodecRole, DecoderFactory, DynDecoder, DynEncoder, EncoderFactory};
#[cfg(feature = "custom-connectors")]
pub use connectors::{ConnectorRegistry, ConnectorRole, DynSink, DynSource, SinkFactory, SourceFactory};
#[cfg(feature = "dynamic-connectors")]
pub use plugins::{LoadReport, LoadedPlugin, Plugins};
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
pub use registered::Registered;

/// What a program knows only when it runs, beside the list `R` that it was made of: components that were registered,
/// and those of loaded libraries. Empty where none of the features for it is on.
///
/// ```
/// use flow::{Builtins, Runtime, role};
///
/// let runtime = Runtime::of::<Builtins>();
/// assert!(runtime.components().iter().any(|info| info.role == role::Kind::Sink && info.id == "nop"));
/// ```
#[derive(Clone)]
pub struct Runtime {
    list: TypeId,
    first: Option<&'static Link>,
    #[cfg(feature = "custom-connectors")]
    connectors: ConnectorRegistry,
    #[cfg(feature = "custom-codecs")]
    codecs: CodecRegistry,
    #[cfg(feature = "dynamic-connectors")]
    loaded: plugins::Loaded,
}

impl Runtime {
    /// The list `R` and nothing else.
    pub fn of<R: Registry>() -> Self {
        Self {
            list: TypeId::of::<R>(),
            first: R::FIRST,
            #[cfg(feature = "custom-connectors")]
            connectors: ConnectorRegistry::new(R::FIRST),
            #[cfg(feature = "custom-codecs")]
            codecs: CodecRegistry::new(R::FIRST),
            #[cfg(feature = "dynamic-connectors")]
            loaded: plugins::Loaded::default(),
        }
    }

    /// Where to register connectors.
    #[cfg(feature = "custom-connectors")]
    pub fn connectors(&mut self) -> &mut ConnectorRegistry {
        &mut self.connectors
    }

    /// Where to register codecs.
    #[cfg(feature = "custom-codecs")]
    pub fn codecs(&mut self) -> &mut CodecRegistry {
        &mut self.codecs
    }

    /// Every component, in the order in which an id is looked up: those of the list, then those that were registered,
    /// then those that were loaded.
    pub fn components(&self) -> Vec<ComponentInfo<'_>> {
        #[allow(unused_mut, reason = "without features there is nothing to add")]
        let mut components: Vec<ComponentInfo<'_>> = info::visible(self.first);
        #[cfg(feature = "custom-connectors")]
        components.extend(self.connectors.components());
        #[cfg(feature = "custom-codecs")]
        components.extend(self.codecs.components());
        #[cfg(feature = "dynamic-connectors")]
        components.extend(self.loaded.components());
        components
    }

    /// Was it made for the list `R`? Its ids were checked against that one alone.
    pub(crate) fn is_of<R: Registry>(&self) -> bool {
        self.list == TypeId::of::<R>()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.components().iter().map(|info| (info.role, info.id))).finish()
    }
}
