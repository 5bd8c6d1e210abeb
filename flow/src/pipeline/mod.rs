//! A pipeline file, from text to a running pipeline: `spec` is what the user wrote, `plan` what it means, `run` does it.
//!
//! Nothing in here names a concrete component: they come out of the registry type.

mod dead_letter;
mod file_schema;
mod load;
mod log_limit;
pub(crate) mod metrics;
mod plan;
#[cfg(feature = "dynamic-connectors")]
mod plugins;
pub(crate) mod problem;
mod rejections;
mod run;
mod spec;
mod stage;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::pipeline::metrics::{Metrics, Report};
use crate::pipeline::plan::Plan;
use crate::pipeline::problem::Problems;
use crate::pipeline::run::Runner;
use crate::pipeline::stage::{Columnar, Typed};
#[cfg(feature = "dynamic-connectors")]
use crate::plugin::Refusal;
use crate::record::Records;
use crate::registry::Registry;

pub use file_schema::file_schema;
pub use load::Load;

/// How long a pipeline that is told to stop waits for what is in flight, where nothing else is said.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// A pipeline file whose every component is built and checked. Nothing has connected yet.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use flow::{Builtins, Pipeline};
///
/// let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
/// let report = Pipeline::<Builtins>::from_file("hot.toml")?.run(stop).await?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
pub struct Pipeline<R: Registry> {
    plan: Plan<R>,
    metrics: Metrics,
    drain: Duration,
    #[cfg(feature = "dynamic-connectors")]
    refused_plugins: Vec<Refusal>,
}

impl<R: Registry> Pipeline<R> {
    /// Reads a pipeline file, TOML or (with a name that ends in `.json`) JSON, and builds what it names.
    /// `${VAR}` comes from the process's environment; relative paths start at the file's directory.
    ///
    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn from_file(file: impl AsRef<Path>) -> Result<Self, Problems> {
        Self::load().file(file)
    }

    /// As [`Pipeline::from_file`], with the text at hand. `file` gives the name for messages, the language
    /// and the directory.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at once.
    pub fn from_text(file: impl AsRef<Path>, text: &str) -> Result<Self, Problems> {
        Self::load().text(file, text)
    }

    /// Reads a pipeline file as [`Pipeline::from_file`] does, with more to say about how.
    pub fn load<'r>() -> Load<'r, R> {
        Load::new()
    }

    /// The pipeline's name: `name` in the file, or the file's own.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// Live counters. They go on counting while the pipeline runs.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The plugins that could not be loaded, with the reasons: those of the `Runtime` and of the file's directory.
    #[cfg(feature = "dynamic-connectors")]
    pub fn refused_plugins(&self) -> &[Refusal] {
        &self.refused_plugins
    }

    /// Values from the environment that must not reach a log, each with what to print instead.
    pub fn secrets(&self) -> &[(String, String)] {
        &self.plan.secrets
    }

    /// How long to wait for what is in flight, once the pipeline is told to stop. Default: 10 s.
    #[must_use]
    pub fn drain_within(mut self, deadline: Duration) -> Self {
        self.drain = deadline;
        self
    }

    /// Decodes every record straight into an `In` and gives what `map` makes of it to the sinks.
    /// The file's schema is not used; its transforms are refused.
    pub fn map<In, Out, F>(
        self,
        mut map: F,
    ) -> TypedPipeline<R, In, Out, impl FnMut(In) -> Option<Out> + Send>
    where
        In: DeserializeOwned + Send,
        Out: Serialize + Send + Sync,
        F: FnMut(In) -> Out + Send,
    {
        self.filter_map(move |record| Some(map(record)))
    }

    /// As [`Pipeline::map`]; a record for which `map` gives `None` is filtered out.
    pub fn filter_map<In, Out, F>(self, map: F) -> TypedPipeline<R, In, Out, F>
    where
        In: DeserializeOwned + Send,
        Out: Serialize + Send + Sync,
        F: FnMut(In) -> Option<Out> + Send,
    {
        TypedPipeline { pipeline: self, map, records: PhantomData }
    }

    /// Runs until every source has ended, or `shutdown` is ready and what is in flight is settled.
    ///
    /// # Cancel safety
    /// Dropping the future stops the pipeline at once: what is not acknowledged yet, the sources will send again.
    ///
    /// # Errors
    /// A source without a schema; a connector's permanent error; a record that cannot go on, where the file says
    /// `on_error = "fail"`; what was not settled before the drain deadline.
    #[allow(clippy::manual_async_fn, reason = "`Send` is proven here once, and not for each long list anew")]
    pub fn run(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Report, RunError>> + Send {
        async move {
            self.plan.require_schemas()?;
            let Self { mut plan, metrics, drain, .. } = self;
            let lanes = plan.inlets.iter_mut().filter_map(|inlet| inlet.columns.take());
            let lanes = lanes.map(|columns| (Records::new(&columns.schema), columns.transforms)).collect();
            let runner = Runner::new(plan, Columnar::<R>::new(lanes), metrics.clone());
            runner.run(shutdown, drain).await?;
            Ok(metrics.report())
        }
    }
}

impl<R: Registry> fmt::Debug for Pipeline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("name", &self.plan.name).finish_non_exhaustive()
    }
}

/// A pipeline over the application's own structs: static from bytes to bytes.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use flow::{Builtins, Pipeline};
///
/// #[derive(serde::Deserialize)]
/// struct Reading {
///     device_id: String,
///     temperature: f64,
/// }
///
/// #[derive(serde::Serialize)]
/// struct Alert {
///     device_id: String,
///     celsius: f64,
/// }
///
/// let report = Pipeline::<Builtins>::from_file("hot.toml")?
///     .filter_map(|r: Reading| {
///         (r.temperature > 50.0).then(|| Alert { device_id: r.device_id, celsius: r.temperature })
///     })
///     .run(std::future::pending())
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct TypedPipeline<R: Registry, In, Out, F> {
    pipeline: Pipeline<R>,
    map: F,
    records: PhantomData<fn(In) -> Out>,
}

impl<R, In, Out, F> TypedPipeline<R, In, Out, F>
where
    R: Registry,
    In: DeserializeOwned + Send,
    Out: Serialize + Send + Sync,
    F: FnMut(In) -> Option<Out> + Send,
{
    /// Runs as [`Pipeline::run`] does.
    ///
    /// # Cancel safety
    /// Dropping the future stops the pipeline at once: what is not acknowledged yet, the sources will send again.
    ///
    /// # Errors
    /// As [`Pipeline::run`]; a missing schema is none, but transforms in the file are one.
    #[allow(clippy::manual_async_fn, reason = "`Send` is proven here once, and not for each long list anew")]
    pub fn run(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Report, RunError>> + Send {
        async move {
            let Pipeline { plan, metrics, drain, .. } = self.pipeline;
            plan.refuse_transforms()?;
            let runner = Runner::new(plan, Typed::new(self.map), metrics.clone());
            runner.run(shutdown, drain).await?;
            Ok(metrics.report())
        }
    }

    /// Live counters. They go on counting while the pipeline runs.
    pub fn metrics(&self) -> Metrics {
        self.pipeline.metrics()
    }
}

impl<R: Registry, In, Out, F> fmt::Debug for TypedPipeline<R, In, Out, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pipeline, f)
    }
}

/// Why a pipeline ended before its time.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file does not say what this door needs.
    #[error(transparent)]
    File(#[from] Problems),
    /// Something failed while it ran.
    #[error(transparent)]
    Run(#[from] Error),
}

/// As `Display`: this is what a `main` that returns it prints.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
