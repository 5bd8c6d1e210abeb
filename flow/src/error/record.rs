//! Records that cannot go on: why, where in the record, where in the payload.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// Why a record or a payload was rejected: the label under which it is counted and rate-limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Not the wire format at all: truncated, trailing bytes, a stray character.
    Syntax,
    /// Text that is not UTF-8.
    Utf8,
    /// A value of another type than the schema's.
    Type,
    /// A number or a time outside the column's range.
    Range,
    /// A required field is absent or null.
    Missing,
    /// The same key twice in one object.
    Duplicate,
    /// Nested deeper than the limit.
    Depth,
    /// Larger than a limit.
    Size,
    /// A record that the encoder cannot write.
    Encode,
    /// A value that cannot stand in the sink's topic, path or key.
    Route,
    /// The sink's other side refused the payload.
    Refused,
}

impl Reason {
    /// Every reason, in the order in which they are reported.
    pub const ALL: &'static [Reason] = &[
        Reason::Syntax,
        Reason::Utf8,
        Reason::Type,
        Reason::Range,
        Reason::Missing,
        Reason::Duplicate,
        Reason::Depth,
        Reason::Size,
        Reason::Encode,
        Reason::Route,
        Reason::Refused,
    ];

    /// The reason as one word for logs, counters and dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Syntax => "syntax",
            Reason::Utf8 => "utf8",
            Reason::Type => "type",
            Reason::Range => "range",
            Reason::Missing => "missing",
            Reason::Duplicate => "duplicate",
            Reason::Depth => "depth",
            Reason::Size => "size",
            Reason::Encode => "encode",
            Reason::Route => "route",
            Reason::Refused => "refused",
        }
    }
}

/// One record, or one whole payload, that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    reason: Reason,
    message: Cow<'static, str>,
    field: Option<String>,
    offset: Option<usize>,
}

impl RecordError {
    /// A record error with the text that the log shows.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, message: message.into(), field: None, offset: None }
    }

    /// Names the field at fault, as a path from the record's root (`a.b[0]`).
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Where in the payload it stands, in bytes from its beginning.
    #[must_use]
    pub fn with_offset(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
        self
    }

    /// The label it is counted under.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The text without field and offset.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field at fault.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Where in the payload it stands, in bytes from its beginning.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "field `{field}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        Ok(())
    }
}

impl StdError for RecordError {}

/// A payload that a decoder could not take, and whether it can take the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    record: RecordError,
    fatal: bool,
}

impl DecodeError {
    /// This payload is lost; the next can be tried.
    pub fn payload(record: RecordError) -> Self {
        Self { record, fatal: false }
    }

    /// The decoder has lost its place in the stream and cannot go on.
    pub fn fatal(record: RecordError) -> Self {
        Self { record, fatal: true }
    }

    /// Why.
    pub fn record(&self) -> &RecordError {
        &self.record
    }

    /// Has the decoder lost its place for good?
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }
}

impl From<RecordError> for DecodeError {
    fn from(record: RecordError) -> Self {
        Self::payload(record)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}

impl StdError for DecodeError {}

/// A record that an encoder could not write, or why it can write no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    index: usize,
    record: RecordError,
    fatal: bool,
}

impl EncodeError {
    /// The record at `index` of the collection cannot be written.
    pub fn new(index: usize, record: RecordError) -> Self {
        Self { index, record, fatal: false }
    }

    /// The encoder cannot go on: the pipeline ends, and nothing of this collection is acknowledged.
    pub fn fatal(record: RecordError) -> Self {
        Self { index: 0, record, fatal: true }
    }

    /// Can the encoder not go on?
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Its position in the collection.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Why.
    pub fn record(&self) -> &RecordError {
        &self.record
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fatal {
            return self.record.fmt(f);
        }
        write!(f, "record {}: {}", self.index, self.record)
    }
}

impl StdError for EncodeError {}
