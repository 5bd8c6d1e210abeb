//! Records of what could not go on: the original bytes and the reason.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::error::RecordError;
use crate::record::schema::{TimeForm, TimeUnit};
use crate::record::{Field, Payload, Schema, Type};

/// One dead letter: a record like any other, for any encoder.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLetter {
    /// When it was given up, RFC 3339.
    time: String,
    pipeline: String,
    /// Where it came from: `source.mqtt`.
    source: String,
    /// The topic or file it came from.
    topic: Option<String>,
    /// One word: `syntax`, `type`, `range`, …
    reason: &'static str,
    /// The reason in words, with field and offset; the first, where several records of the payload were rejected.
    message: String,
    /// How many records of the payload were rejected.
    pub(crate) records: u64,
    /// The original bytes; base64 in JSON.
    #[serde(serialize_with = "bytes")]
    payload: Vec<u8>,
}

impl DeadLetter {
    pub(crate) fn new(
        pipeline: &str,
        source: &str,
        payload: Option<Payload<'_>>,
        error: &RecordError,
    ) -> Self {
        Self {
            time: DateTime::<Utc>::from(std::time::SystemTime::now())
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            pipeline: pipeline.to_owned(),
            source: source.to_owned(),
            topic: payload.and_then(|payload| payload.metadata().topic).map(str::to_owned),
            reason: error.reason().as_str(),
            message: error.to_string(),
            records: 1,
            payload: payload.map(|payload| payload.bytes().to_owned()).unwrap_or_default(),
        }
    }
}

/// The columns of a dead letter, for encoders and topics.
pub(crate) fn schema() -> Arc<Schema> {
    let field = |name: &str, kind: Type| Field { name: name.to_owned(), kind, required: false, from: None };
    Schema::new(vec![
        field("time", Type::Timestamp(TimeUnit::Millisecond, TimeForm::Rfc3339)),
        field("pipeline", Type::String),
        field("source", Type::String),
        field("topic", Type::String),
        field("reason", Type::String),
        field("message", Type::String),
        field("records", Type::UInt64),
        field("payload", Type::Binary),
    ])
}

fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&STANDARD.encode(bytes))
    } else {
        serializer.serialize_bytes(bytes)
    }
}
