//! Sources and sinks that a program registers when it runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::component::Component;
use crate::component::role::{self, Kind};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::Error;
use crate::record::{Checkpoint, PayloadBatch, Template};
use crate::registry::info::{ComponentInfo, Link};
use crate::registry::runtime::table::Table;

/// Builds a source from its config.
pub type SourceFactory<C> = Arc<dyn Fn(C) -> Result<Box<dyn DynSource>, Error> + Send + Sync>;
/// Builds a sink from its config.
pub type SinkFactory<C> = Arc<dyn Fn(C) -> Result<Box<dyn DynSink>, Error> + Send + Sync>;

/// Sources and sinks that a program adds when it runs: part of a [`Runtime`](crate::Runtime).
///
/// What is registered implements the same traits as what is listed. The config type of a factory is read, checked and
/// described by `flow schema` just as that of a listed component.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use flow::{ConnectorRegistry, Error, Runtime};
/// # use flow::{Checkpoint, PayloadBatch, Progress, SinkConnector, SourceConnector};
/// # struct MySource;
/// # impl MySource { fn new(_: MyConfig) -> Result<Self, Error> { Ok(MySource) } }
/// # #[derive(serde::Deserialize, schemars::JsonSchema)] struct MyConfig {}
/// # impl SourceConnector for MySource {
/// #     async fn next(&mut self, _: &mut PayloadBatch) -> Result<Progress, Error> { Ok(Progress::End) }
/// #     async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> { Ok(()) }
/// #     async fn close(self) -> Result<(), Error> { Ok(()) }
/// # }
/// # struct MySink;
/// # impl MySink { fn new(_: MyConfig) -> Result<Self, Error> { Ok(MySink) } }
/// # impl SinkConnector for MySink {
/// #     async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> { Ok(()) }
/// #     async fn confirmed(&mut self) -> Result<Checkpoint, Error> { Ok(Checkpoint(0)) }
/// #     async fn close(self) -> Result<(), Error> { Ok(()) }
/// # }
///
/// pub fn register_custom_connectors(registry: &mut ConnectorRegistry) -> Result<(), Error> {
///     registry.register_source("my-source", Arc::new(|cfg| Ok(Box::new(MySource::new(cfg)?))))?;
///     registry.register_sink("my-sink", Arc::new(|cfg| Ok(Box::new(MySink::new(cfg)?))))
/// }
///
/// let mut runtime = Runtime::of::<flow::Builtins>();
/// register_custom_connectors(runtime.connectors())?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct ConnectorRegistry {
    pub(super) sources: Table<RegisteredSource>,
    pub(super) sinks: Table<RegisteredSink>,
}

impl ConnectorRegistry {
    pub(super) fn new(first: Option<&'static Link>) -> Self {
        Self { sources: Table::new(Kind::Source, first), sinks: Table::new(Kind::Sink, first) }
    }

    /// Adds the source `id`, built by `factory`.
    ///
    /// # Errors
    /// The id is not made of `a-z`, `0-9` and `-`, or a source has it already, listed or registered.
    pub fn register_source<C: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        id: impl Into<String>,
        factory: SourceFactory<C>,
    ) -> Result<(), Error> {
        self.sources.add(id.into(), "", move |config: C, _| factory(config).map(RegisteredSource))
    }

    /// Adds the sink `id`, built by `factory`.
    ///
    /// # Errors
    /// The id is not made of `a-z`, `0-9` and `-`, or a sink has it already, listed or registered.
    pub fn register_sink<C: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        id: impl Into<String>,
        factory: SinkFactory<C>,
    ) -> Result<(), Error> {
        self.sinks.add(id.into(), "", move |config: C, _| factory(config).map(RegisteredSink))
    }

    /// Adds a connector that could as well stand in the list, under its own id.
    ///
    /// # Errors
    /// A component of its role has its id already.
    pub fn register<C: Component>(&mut self) -> Result<(), Error>
    where
        C::Role: ConnectorRole<C>,
    {
        C::Role::register(self)
    }

    pub(super) fn components(&self) -> impl Iterator<Item = ComponentInfo<'_>> {
        self.sources.components().into_iter().chain(self.sinks.components())
    }
}

/// A role of connectors, which [`ConnectorRegistry::register`] takes. Sealed, as [`role::Role`] is.
#[diagnostic::on_unimplemented(
    message = "`{C}` is neither a source nor a sink",
    note = "`CodecRegistry` takes decoders and encoders; transforms stand in the list"
)]
pub trait ConnectorRole<C>: role::Role {
    #[doc(hidden)]
    fn register(registry: &mut ConnectorRegistry) -> Result<(), Error>;
}

impl<C: Component + SourceConnector> ConnectorRole<C> for role::Source {
    fn register(registry: &mut ConnectorRegistry) -> Result<(), Error> {
        let build = |config, context: &_| Ok(RegisteredSource(Box::new(C::build(config, context)?)));
        registry.sources.add(C::ID.to_owned(), C::DESCRIPTION, build)
    }
}

impl<C: Component + SinkConnector> ConnectorRole<C> for role::Sink {
    fn register(registry: &mut ConnectorRegistry) -> Result<(), Error> {
        let build = |config, context: &_| Ok(RegisteredSink(Box::new(C::build(config, context)?)));
        registry.sinks.add(C::ID.to_owned(), C::DESCRIPTION, build)
    }
}

impl fmt::Debug for ConnectorRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.components().map(|info| (info.role, info.id))).finish()
    }
}

type Wait<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Any [`SourceConnector`], boxed: every source is one. Sealed.
pub trait DynSource: sealed::Source + Send {
    #[doc(hidden)]
    fn boxed_open(&mut self) -> Wait<'_, ()>;
    #[doc(hidden)]
    fn boxed_next<'a>(&'a mut self, batch: &'a mut PayloadBatch) -> Wait<'a, Progress>;
    #[doc(hidden)]
    fn boxed_acknowledge(&mut self, checkpoint: Checkpoint) -> Wait<'_, ()>;
    #[doc(hidden)]
    fn boxed_close(self: Box<Self>) -> Wait<'static, ()>;
}

impl<S: SourceConnector> DynSource for S {
    fn boxed_open(&mut self) -> Wait<'_, ()> {
        Box::pin(self.open())
    }

    fn boxed_next<'a>(&'a mut self, batch: &'a mut PayloadBatch) -> Wait<'a, Progress> {
        Box::pin(self.next(batch))
    }

    fn boxed_acknowledge(&mut self, checkpoint: Checkpoint) -> Wait<'_, ()> {
        Box::pin(self.acknowledge(checkpoint))
    }

    fn boxed_close(self: Box<Self>) -> Wait<'static, ()> {
        Box::pin((*self).close())
    }
}

/// Any [`SinkConnector`], boxed: every sink is one. Sealed.
pub trait DynSink: sealed::Sink + Send {
    #[doc(hidden)]
    fn boxed_open(&mut self) -> Wait<'_, ()>;
    #[doc(hidden)]
    fn boxed_route(&self) -> Option<&Template>;
    #[doc(hidden)]
    fn boxed_write<'a>(&'a mut self, batch: &'a PayloadBatch, checkpoint: Checkpoint) -> Wait<'a, ()>;
    #[doc(hidden)]
    fn boxed_confirmed(&mut self) -> Wait<'_, Checkpoint>;
    #[doc(hidden)]
    fn boxed_close(self: Box<Self>) -> Wait<'static, ()>;
}

impl<K: SinkConnector> DynSink for K {
    fn boxed_open(&mut self) -> Wait<'_, ()> {
        Box::pin(self.open())
    }

    fn boxed_route(&self) -> Option<&Template> {
        self.route()
    }

    fn boxed_write<'a>(&'a mut self, batch: &'a PayloadBatch, checkpoint: Checkpoint) -> Wait<'a, ()> {
        Box::pin(self.write(batch, checkpoint))
    }

    fn boxed_confirmed(&mut self) -> Wait<'_, Checkpoint> {
        Box::pin(self.confirmed())
    }

    fn boxed_close(self: Box<Self>) -> Wait<'static, ()> {
        Box::pin((*self).close())
    }
}

/// A registered source, as the list's enum holds it.
pub struct RegisteredSource(Box<dyn DynSource>);

impl SourceConnector for RegisteredSource {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        self.0.boxed_open()
    }

    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        self.0.boxed_next(batch).await
    }

    fn acknowledge(&mut self, checkpoint: Checkpoint) -> impl Future<Output = Result<(), Error>> + Send {
        self.0.boxed_acknowledge(checkpoint)
    }

    fn close(self) -> impl Future<Output = Result<(), Error>> + Send {
        self.0.boxed_close()
    }
}

/// A registered sink, as the list's enum holds it.
pub struct RegisteredSink(Box<dyn DynSink>);

impl SinkConnector for RegisteredSink {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        self.0.boxed_open()
    }

    fn route(&self) -> Option<&Template> {
        self.0.boxed_route()
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.0.boxed_write(batch, checkpoint).await
    }

    fn confirmed(&mut self) -> impl Future<Output = Result<Checkpoint, Error>> + Send {
        self.0.boxed_confirmed()
    }

    fn close(self) -> impl Future<Output = Result<(), Error>> + Send {
        self.0.boxed_close()
    }
}

mod sealed {
    use super::{SinkConnector, SourceConnector};

    pub trait Source {}
    impl<S: SourceConnector> Source for S {}
    pub trait Sink {}
    impl<K: SinkConnector> Sink for K {}
}
