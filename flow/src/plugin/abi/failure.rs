//! Errors in the caller's struct, to and from ours.

use crate::error::{DecodeError, EncodeError, Error, ErrorKind, Reason, RecordError};
use crate::plugin::abi::types::{Failure, flags};

/// Numbers never change; new kinds are appended.
const KINDS: [ErrorKind; 7] = [
    ErrorKind::Config,
    ErrorKind::Connection,
    ErrorKind::Refused,
    ErrorKind::Protocol,
    ErrorKind::Io,
    ErrorKind::Record,
    ErrorKind::Closed,
];

/// As [`KINDS`].
const REASONS: [Reason; 11] = [
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

const NONE: u64 = u64::MAX;

impl Failure {
    /// Nothing has failed yet.
    pub(crate) const fn new() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            kind: 0,
            reason: 0,
            flags: 0,
            index: NONE,
            offset: NONE,
            key_len: 0,
            message_len: 0,
            key: [0; 256],
            message: [0; 1024],
        }
    }

    /// Ready for another call. The texts stay: their lengths are what counts.
    pub(crate) fn clear(&mut self) {
        (self.kind, self.reason, self.flags) = (0, 0, 0);
        (self.index, self.offset) = (NONE, NONE);
        (self.key_len, self.message_len) = (0, 0);
    }

    pub(crate) fn set_message(&mut self, message: &str) {
        self.message_len = put(&mut self.message, message);
    }

    pub(crate) fn message(&self) -> String {
        take(&self.message, self.message_len)
    }

    fn key(&self) -> Option<String> {
        (self.key_len > 0).then(|| take(&self.key, self.key_len))
    }

    pub(crate) fn set_error(&mut self, error: &Error) {
        self.clear();
        self.kind = KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or(0) as u32;
        if error.is_temporary() {
            self.flags |= flags::TEMPORARY;
        }
        if let Some(payload) = error.payload() {
            self.flags |= flags::REFUSED;
            self.index = payload as u64;
        }
        self.key_len = put(&mut self.key, error.key().unwrap_or_default());
        self.set_message(&error.to_string());
    }

    pub(crate) fn error(&self) -> Error {
        let message = self.message();
        if self.flags & flags::REFUSED != 0 {
            return Error::refused_payload(self.index as usize, message);
        }
        if let Some(key) = self.key() {
            return Error::config(key, message);
        }
        let kind = KINDS.get(self.kind as usize).copied().unwrap_or(ErrorKind::Io);
        if self.flags & flags::TEMPORARY != 0 {
            Error::temporary(kind, message)
        } else {
            Error::permanent(kind, message)
        }
    }

    pub(crate) fn set_record(&mut self, error: &RecordError) {
        self.clear();
        self.reason = REASONS.iter().position(|reason| *reason == error.reason()).unwrap_or(0) as u32;
        self.offset = error.offset().map_or(NONE, |offset| offset as u64);
        self.key_len = put(&mut self.key, error.field().unwrap_or_default());
        self.set_message(error.message());
    }

    pub(crate) fn record(&self) -> RecordError {
        let reason = REASONS.get(self.reason as usize).copied().unwrap_or(Reason::Syntax);
        let mut error = RecordError::new(reason, self.message());
        if let Some(field) = self.key() {
            error = error.with_field(field);
        }
        match usize::try_from(self.offset) {
            Ok(offset) if self.offset != NONE => error.with_offset(offset),
            _ => error,
        }
    }

    pub(crate) fn set_decode(&mut self, error: &DecodeError) {
        self.set_record(error.record());
        if error.is_fatal() {
            self.flags |= flags::FATAL;
        }
    }

    pub(crate) fn decode(&self) -> DecodeError {
        if self.flags & flags::FATAL != 0 {
            DecodeError::fatal(self.record())
        } else {
            DecodeError::payload(self.record())
        }
    }

    pub(crate) fn set_encode(&mut self, error: &EncodeError) {
        self.set_record(error.record());
        self.index = error.index() as u64;
        if error.is_fatal() {
            self.flags |= flags::FATAL;
        }
    }

    /// Of a call that was given `records` records.
    pub(crate) fn encode(&self, records: usize) -> EncodeError {
        if self.flags & flags::FATAL != 0 {
            return EncodeError::fatal(self.record());
        }
        let index = usize::try_from(self.index).unwrap_or(0).min(records.saturating_sub(1));
        EncodeError::new(index, self.record())
    }
}

/// As much of `text` as there is room for, cut between characters.
fn put(room: &mut [u8], text: &str) -> u32 {
    let len = text.floor_char_boundary(room.len());
    room[..len].copy_from_slice(&text.as_bytes()[..len]);
    len as u32
}

fn take(room: &[u8], len: u32) -> String {
    let len = (len as usize).min(room.len());
    String::from_utf8_lossy(&room[..len]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::REASONS;
    use crate::error::Reason;

    #[test]
    fn every_reason_has_its_number_and_the_header_says_the_same() {
        let header = include_str!("../../../include/flow_plugin.h");
        for (number, reason) in REASONS.iter().enumerate() {
            let name = reason.as_str().to_uppercase();
            // `refused` has the longer name, since a flag has the short one.
            let said = [",", "\n"].iter().any(|end| {
                ["", "_PAYLOAD"]
                    .iter()
                    .any(|tail| header.contains(&format!("FLOW_{name}{tail} = {number}{end}")))
            });
            assert!(said, "flow_plugin.h does not say that {name} is {number}");
        }
        assert!(Reason::ALL.iter().all(|reason| REASONS.contains(reason)), "append the new reason");
    }
}
