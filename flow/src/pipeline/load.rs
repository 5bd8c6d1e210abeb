//! How a pipeline file is read: from where, for which door, and with what beside the list.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use crate::component::Claims;
use crate::pipeline::metrics::Metrics;
use crate::pipeline::plan::{Door, Plan};
use crate::pipeline::problem::Problems;
use crate::pipeline::{DRAIN, Pipeline, spec};
use crate::registry::{Registry, Runtime};

/// Reads a pipeline file: [`Pipeline::load`] makes one, [`file`](Load::file) or [`text`](Load::text) ends it.
///
/// ```
/// use flow::{Builtins, Pipeline, Runtime};
///
/// let runtime = Runtime::of::<Builtins>();
/// let text = "source = { connector = 'stdin', decoder = 'raw' }\nsink = { connector = 'stdout', encoder = 'raw' }";
/// let problems = Pipeline::<Builtins>::load().with(&runtime).columnar().text("hot.toml", text).unwrap_err();
/// assert!(problems.to_string().contains("schema"), "{problems}");
/// ```
#[must_use = "nothing is read before `file` or `text`"]
pub struct Load<'r, R> {
    door: Door,
    claims: Claims,
    runtime: Option<&'r Runtime>,
    list: PhantomData<fn() -> R>,
}

impl<'r, R> Load<'r, R> {
    pub(super) fn new() -> Self {
        Self { door: Door::Any, claims: Claims::default(), runtime: None, list: PhantomData }
    }

    /// With what is only known at run time. It was made for the same list.
    pub fn with(mut self, runtime: &'r Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// For a pipeline that will [`run`](Pipeline::run) as it stands in the file: a source without a schema is one of
    /// the problems.
    pub fn columnar(mut self) -> Self {
        self.door = Door::Columnar;
        self
    }

    /// For a pipeline that runs beside others, whose claims these are.
    #[cfg(feature = "cli")]
    pub(crate) fn beside(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Reads `file`, TOML or (with a name that ends in `.json`) JSON, and builds what it names.
    /// `${VAR}` comes from the process's environment; relative paths start at the file's directory.
    ///
    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn file(self, file: impl AsRef<Path>) -> Result<Pipeline<R>, Problems>
    where
        R: Registry,
    {
        let file = file.as_ref();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Problems::of_file(file, format!("cannot be read: {error}")))?;
        self.open(file, &text)
    }

    /// As [`Load::file`], with the text at hand. `file` gives the name for messages, the language and the directory.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at once.
    pub fn text(self, file: impl AsRef<Path>, text: &str) -> Result<Pipeline<R>, Problems>
    where
        R: Registry,
    {
        self.open(file.as_ref(), text)
    }

    fn open(self, file: &Path, text: &str) -> Result<Pipeline<R>, Problems>
    where
        R: Registry,
    {
        #[cfg_attr(
            not(feature = "dynamic-connectors"),
            allow(unused_mut, reason = "only plugins add problems")
        )]
        let mut spec = spec::parse(file, text, &|name| std::env::var(name).ok())?;
        let bare;
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => {
                bare = Runtime::of::<R>();
                &bare
            }
        };
        #[cfg(feature = "dynamic-connectors")]
        let loaded = super::plugins::load(&mut spec, runtime);
        #[cfg(feature = "dynamic-connectors")]
        let runtime = loaded.as_ref().unwrap_or(runtime);
        Ok(Pipeline {
            #[cfg(feature = "dynamic-connectors")]
            refused_plugins: runtime.refused_plugins().to_vec(),
            plan: Plan::new(spec, self.door, self.claims, runtime)?,
            metrics: Metrics::default(),
            drain: DRAIN,
        })
    }
}

impl<R> fmt::Debug for Load<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("door", &self.door).finish_non_exhaustive()
    }
}
