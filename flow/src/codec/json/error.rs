//! serde_json's errors as record errors.

use serde_json::error::Category;

use crate::error::{Reason, RecordError};
use crate::record::collection::Collect;

/// What serde_json's message says, without the place at its end.
pub(super) struct Parsed {
    pub(super) message: String,
    /// Bytes from the beginning of the text.
    pub(super) offset: usize,
}

impl Parsed {
    pub(super) fn new(error: &serde_json::Error, text: &str) -> Self {
        let mut message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        if message.ends_with(&place) {
            message.truncate(message.len() - place.len());
        }
        Self { message, offset: offset(error, text) }
    }
}

/// Lines count from 1; a column is the number of bytes that were read of the line.
fn offset(error: &serde_json::Error, text: &str) -> usize {
    let line = match error.line() {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    (line + error.column().saturating_sub(1)).min(text.len())
}

/// Why `out` or serde_json refused a record; `text` begins at `start` in the payload.
pub(super) fn fault<C: Collect>(
    error: &serde_json::Error,
    text: &str,
    start: usize,
    out: &mut C,
) -> RecordError {
    let parsed = Parsed::new(error, text);
    let fault = out.fault().unwrap_or_else(|| classify(error.classify(), parsed.message));
    fault.with_offset(start + parsed.offset)
}

/// serde and serde_json have no codes for their errors, but their messages have not changed in years;
/// a test holds them.
fn classify(category: Category, message: String) -> RecordError {
    let begins = |start: &str| message.starts_with(start);
    let reason = match category {
        _ if begins("recursion limit exceeded") => Reason::Depth,
        _ if begins("number out of range") => Reason::Range,
        Category::Data if begins("duplicate field") => Reason::Duplicate,
        Category::Data if begins("missing field") => Reason::Missing,
        Category::Data if begins("invalid value: integer") || begins("invalid value: floating") => {
            Reason::Range
        }
        Category::Data => Reason::Type,
        _ => Reason::Syntax,
    };
    let message = match reason {
        Reason::Depth => "nested deeper than 128 levels".to_owned(),
        _ => message,
    };
    RecordError::new(reason, message)
}
