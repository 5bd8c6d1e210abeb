//! The one error type: what failed, where, and whether trying again can help. And the errors of single records.

mod record;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

pub use record::{DecodeError, EncodeError, Reason, RecordError};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A pipeline file, an option or a schema says something that cannot be meant.
    Config,
    /// The other side could not be reached, or went away.
    Connection,
    /// The other side refused who we are or what we asked for.
    Refused,
    /// The other side broke the protocol.
    Protocol,
    /// A file or another local resource failed.
    Io,
    /// A record could not be decoded, transformed or encoded, and the pipeline says `on_error = "fail"`.
    Record,
    /// The component has ended and takes nothing more.
    Closed,
}

impl ErrorKind {
    /// The kind as one word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Config => "config",
            ErrorKind::Connection => "connection",
            ErrorKind::Refused => "refused",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Io => "io",
            ErrorKind::Record => "record",
            ErrorKind::Closed => "closed",
        }
    }
}

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Trying again later can succeed; the pipeline does so with jittered, growing pauses.
    Temporary,
    /// Trying again cannot succeed; the pipeline stops.
    Permanent,
}

/// An error of a component or a pipeline.
///
/// Display prints the message, the place and the chain of sources on one line.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    status: Status,
    message: Cow<'static, str>,
    key: Option<Cow<'static, str>>,
    payload: Option<usize>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error that trying again can mend.
    pub fn temporary(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(kind, Status::Temporary, message.into())
    }

    /// An error that trying again cannot mend.
    pub fn permanent(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(kind, Status::Permanent, message.into())
    }

    /// The value of the option `key` cannot be used. The pipeline adds file and line.
    pub fn config(key: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::permanent(ErrorKind::Config, message);
        error.0.key = Some(key.into());
        error
    }

    /// A sink refuses the payload at `index` of the batch for good (see [`SinkConnector::write`]).
    ///
    /// [`SinkConnector::write`]: crate::SinkConnector::write
    pub fn refused_payload(index: usize, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::permanent(ErrorKind::Record, message);
        error.0.payload = Some(index);
        error
    }

    fn new(kind: ErrorKind, status: Status, message: Cow<'static, str>) -> Self {
        Self(Box::new(Inner {
            kind,
            status,
            message,
            key: None,
            payload: None,
            context: Vec::new(),
            source: None,
        }))
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds where it happened, as a name and a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again can help.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// Is it worth trying again?
    pub fn is_temporary(&self) -> bool {
        self.0.status == Status::Temporary
    }

    /// The message alone, without place and sources.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The option whose value is at fault.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The position in the batch of the payload that a sink refuses.
    pub fn payload(&self) -> Option<usize> {
        self.0.payload
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (name, value) in &self.0.context {
            write!(f, " ({name} {value})")?;
        }
        let mut source = self.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}: {self}", self.0.status, self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<std::io::Error> for Error {
    /// Temporary where the operating system may recover (interrupted, timed out, connection lost),
    /// permanent otherwise.
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let (kind, status) = match error.kind() {
            Io::ConnectionRefused
            | Io::ConnectionReset
            | Io::ConnectionAborted
            | Io::NotConnected
            | Io::BrokenPipe
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown
            | Io::UnexpectedEof => (ErrorKind::Connection, Status::Temporary),
            Io::TimedOut | Io::Interrupted | Io::WouldBlock | Io::StorageFull | Io::ResourceBusy => {
                (ErrorKind::Io, Status::Temporary)
            }
            _ => (ErrorKind::Io, Status::Permanent),
        };
        Self::new(kind, status, Cow::Borrowed("input/output failed")).with_source(error)
    }
}
