//! What every listed part is: an id, a role, a config, a way to build it.

mod config;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

pub(crate) use config::read_config;
pub use config::{ConfigFault, Step};

/// The five roles that a component can fill. Each is a type and never a value.
pub mod role {
    use std::fmt;

    /// A role as a value, for listings and messages.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[allow(missing_docs, reason = "each is the role of its name")]
    #[non_exhaustive]
    pub enum Kind {
        Source,
        Sink,
        Decoder,
        Encoder,
        Transform,
    }

    impl Kind {
        /// Every role, in the order of the data.
        pub const ALL: &'static [Kind] =
            &[Kind::Source, Kind::Decoder, Kind::Transform, Kind::Encoder, Kind::Sink];

        /// The role in one word, as pipeline files spell it.
        pub const fn as_str(self) -> &'static str {
            match self {
                Kind::Source => "source",
                Kind::Sink => "sink",
                Kind::Decoder => "decoder",
                Kind::Encoder => "encoder",
                Kind::Transform => "transform",
            }
        }
    }

    impl fmt::Display for Kind {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    /// One of the five types in this module. Sealed.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is no role",
        note = "`type Role` is one of `flow::role::{{Source, Sink, Decoder, Encoder, Transform}}`"
    )]
    pub trait Role: sealed::Sealed {
        /// The role as a value.
        const KIND: Kind;
    }

    impl Role for Source {
        const KIND: Kind = Kind::Source;
    }
    impl Role for Sink {
        const KIND: Kind = Kind::Sink;
    }
    impl Role for Decoder {
        const KIND: Kind = Kind::Decoder;
    }
    impl Role for Encoder {
        const KIND: Kind = Kind::Encoder;
    }
    impl Role for Transform {
        const KIND: Kind = Kind::Transform;
    }

    mod sealed {
        pub trait Sealed {}
        impl Sealed for super::Source {}
        impl Sealed for super::Sink {}
        impl Sealed for super::Decoder {}
        impl Sealed for super::Encoder {}
        impl Sealed for super::Transform {}
    }

    /// Reads payloads from somewhere: [`SourceConnector`](crate::SourceConnector).
    #[derive(Debug)]
    pub enum Source {}
    /// Writes payloads to somewhere: [`SinkConnector`](crate::SinkConnector).
    #[derive(Debug)]
    pub enum Sink {}
    /// Turns payloads into records: [`RecordDecoder`](crate::RecordDecoder).
    #[derive(Debug)]
    pub enum Decoder {}
    /// Turns records into payloads: [`CollectionEncoder`](crate::CollectionEncoder).
    #[derive(Debug)]
    pub enum Encoder {}
    /// Changes columnar records on their way: [`RecordTransform`](crate::RecordTransform).
    #[derive(Debug)]
    pub enum Transform {}
}

/// One part of a registry: a connector, a codec or a transform.
///
/// # Life cycle
/// A pipeline file names a component by role and [`Component::ID`]. At start-up the table that named it is read into
/// [`Component::Config`], then [`Component::build`] is called once for each place that names it. All of that happens
/// before anything connects, in `flow check` too.
///
/// # What implementors owe
/// - `ID` is made of `a-z`, `0-9` and `-`, and is unique among the listed components of the same role.
/// - The type also implements the trait of its role.
/// - `build` checks whatever can be checked without the outside world, and does not connect, open sockets or
///   write files.
///
/// # Examples
/// ```
/// use flow::{role, BuildContext, Component, Error};
///
/// struct Upper;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct UpperConfig {
///     /// Letters at the beginning that stay as they are.
///     #[serde(default)]
///     keep: usize,
/// }
///
/// impl Component for Upper {
///     const ID: &'static str = "upper";
///     const DESCRIPTION: &'static str = "writes text in capitals";
///     type Role = role::Encoder;
///     type Config = UpperConfig;
///
///     fn build(config: UpperConfig, _: &BuildContext) -> Result<Self, Error> {
///         if config.keep > 80 {
///             return Err(Error::config("keep", "more than a line (80)"));
///         }
///         Ok(Upper)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no component",
    label = "this element of the registry list is no component",
    note = "implement `flow::Component` for `{Self}`: an id, a role, a config type and `build`"
)]
pub trait Component: Sized + Send + 'static {
    /// The logical id that pipeline files use.
    const ID: &'static str;
    /// One line for `flow list`.
    const DESCRIPTION: &'static str = "";
    /// One of the types in [`role`].
    type Role: role::Role;
    /// What a pipeline file may say about it. Unknown keys are errors, whether or not the type denies them.
    type Config: DeserializeOwned + JsonSchema;

    /// Builds the component from its config.
    ///
    /// # Errors
    /// [`Error::config`] with the key at fault; the pipeline adds file and line.
    fn build(config: Self::Config, context: &BuildContext) -> Result<Self, Error>;
}

/// The config of a component that has nothing to set: an empty table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// What a component may know about where it stands.
#[derive(Clone, Default)]
pub struct BuildContext {
    label: String,
    directory: std::path::PathBuf,
    secrets: Vec<(String, String)>,
    claims: Claims,
}

/// What the components of the pipelines in one process use. Clones share it; each is the handle of one file.
#[derive(Clone, Default)]
pub(crate) struct Claims {
    file: usize,
    all: Arc<Mutex<Vec<Claim>>>,
}

struct Claim {
    /// The option that asks for it.
    #[cfg_attr(not(feature = "plugin"), allow(dead_code, reason = "libraries hand it on"))]
    key: Cow<'static, str>,
    what: String,
    /// Who uses it: the file and the place in it.
    owner: (usize, String),
    /// Nobody else may.
    alone: bool,
}

impl Claims {
    /// The handle of the next file.
    #[cfg(feature = "cli")]
    pub(crate) fn next_file(&mut self) -> Self {
        self.file += 1;
        self.clone()
    }
}

impl BuildContext {
    /// A context for a component that stands at `label` (`hot-devices/source.mqtt`).
    /// Relative paths in its config start at `directory`.
    pub fn new(label: impl Into<String>, directory: impl Into<std::path::PathBuf>) -> Self {
        Self { label: label.into(), directory: directory.into(), ..Self::default() }
    }

    /// Shares what is claimed with the other components of the file, and of those that run beside it.
    pub(crate) fn with_claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Adds values that must not reach a log, each with what to print instead.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Vec<(String, String)>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Pipeline, role and id, for log lines: `hot-devices/source.mqtt`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where relative paths start.
    #[cfg(feature = "dynamic-connectors")]
    pub(crate) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    #[cfg(feature = "dynamic-connectors")]
    pub(crate) fn secrets(&self) -> &[(String, String)] {
        &self.secrets
    }

    /// `path` as seen from the pipeline file's directory.
    pub fn resolve(&self, path: impl AsRef<std::path::Path>) -> std::path::PathBuf {
        self.directory.join(path)
    }

    /// Says that this component alone uses something, such as a client id or a file that it writes. `what` names it in
    /// messages; `key` is the option that asks for it.
    ///
    /// # Errors
    /// Another component uses it, of the same pipeline file or of one that runs beside it.
    pub fn claim(&self, key: &'static str, what: impl Into<String>) -> Result<(), Error> {
        self.use_of(key.into(), what.into(), true)
    }

    /// Says that this component uses something that others may use too, as long as none claims it for itself.
    ///
    /// # Errors
    /// Another component has claimed it, of the same pipeline file or of one that runs beside it.
    pub fn share(&self, key: &'static str, what: impl Into<String>) -> Result<(), Error> {
        self.use_of(key.into(), what.into(), false)
    }

    pub(crate) fn use_of(&self, key: Cow<'static, str>, what: String, alone: bool) -> Result<(), Error> {
        let mut claims = self.claims.all.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = (self.claims.file, self.label.clone());
        // A component may be built more than once, until its config can be read.
        let clash =
            claims.iter().find(|claim| claim.what == what && claim.owner != owner && (alone || claim.alone));
        if let Some(Claim { owner: (_, other), .. }) = clash {
            return Err(Error::config(key, format!("{what} is used by `{other}` already")));
        }
        claims.push(Claim { key, what, owner, alone });
        Ok(())
    }

    /// What has been claimed through this context, and whether alone: for those beyond a border to hear of it.
    #[cfg(feature = "plugin")]
    pub(crate) fn claimed(&self) -> Vec<(String, String, bool)> {
        let claims = self.claims.all.lock().unwrap_or_else(PoisonError::into_inner);
        claims.iter().map(|claim| (claim.key.to_string(), claim.what.clone(), claim.alone)).collect()
    }

    /// `text` without the values that came from the environment. Everything a component logs
    /// that may hold a part of its config goes through here.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        redact(text, &self.secrets)
    }
}

/// Without the secrets: whoever prints a component that keeps its context must not print them.
impl std::fmt::Debug for BuildContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildContext")
            .field("label", &self.label)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// `text` with every secret replaced by what stands for it.
pub(crate) fn redact<'a>(text: &'a str, secrets: &[(String, String)]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    // The longest first, since a secret may be a part of another.
    let mut secrets: Vec<&(String, String)> =
        secrets.iter().filter(|(secret, _)| !secret.is_empty()).collect();
    secrets.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
    for (secret, stand_in) in secrets {
        // Messages quote what they show, and quoting escapes.
        for form in [secret.clone(), secret.escape_debug().to_string()] {
            if text.contains(&form) {
                text = Cow::Owned(text.replace(&form, stand_in));
            }
        }
    }
    text
}
