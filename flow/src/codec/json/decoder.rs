//! Reads records from JSON.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::codec::contract::RecordDecoder;
use crate::codec::json::error::{Parsed, fault};
use crate::codec::json::reader::Reader;
use crate::component::{BuildContext, Component, role};
use crate::error::{DecodeError, Error, Reason, RecordError};
use crate::record::collection::Collect;

/// Reads records from JSON (RFC 8259), with serde_json.
///
/// - A payload is checked for UTF-8 once; a byte order mark at its beginning is skipped.
/// - Values nest up to 128 deep. What a schema does not name is skipped, at any depth, and only its syntax is checked.
/// - One bad element of an array, and one bad line, costs itself; a payload that is no JSON costs the payload.
/// - For records of the application's own types, serde decides what is an error.
#[derive(Debug)]
pub struct JsonDecoder {
    framing: JsonDecoderFraming,
    /// Where strings with escapes are put together.
    scratch: String,
}

/// The options of [`JsonDecoder`].
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct JsonDecoderConfig {
    /// How records lie in a payload.
    pub framing: JsonDecoderFraming,
}

/// How records lie in a payload that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JsonDecoderFraming {
    /// One object, or an array of objects: the first character tells.
    #[default]
    Auto,
    /// One object.
    Object,
    /// An array of objects.
    Array,
    /// One object a line; blank lines are skipped.
    Lines,
}

impl JsonDecoder {
    /// A decoder for payloads of this framing.
    pub fn new(framing: JsonDecoderFraming) -> Self {
        Self { framing, scratch: String::new() }
    }
}

impl Component for JsonDecoder {
    const ID: &'static str = "json";
    const DESCRIPTION: &'static str = "reads JSON: an object, an array of objects, or an object a line";
    type Role = role::Decoder;
    type Config = JsonDecoderConfig;

    fn build(config: JsonDecoderConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self::new(config.framing))
    }
}

impl RecordDecoder for JsonDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = text(payload)?;
        let first = text.trim_ascii_start();
        if first.is_empty() {
            return Err(RecordError::new(Reason::Syntax, "the payload is empty, expected JSON").into());
        }
        let framing = match self.framing {
            JsonDecoderFraming::Auto if first.starts_with('[') => JsonDecoderFraming::Array,
            JsonDecoderFraming::Auto => JsonDecoderFraming::Object,
            framing => framing,
        };
        let before = out.len();
        if take(text, framing, &mut self.scratch, out) {
            return Ok(());
        }
        out.truncate(before);
        let place = Place { payload, text };
        let decoded = match framing {
            JsonDecoderFraming::Lines => {
                place.lines(out);
                Ok(())
            }
            JsonDecoderFraming::Array => place.array(out),
            JsonDecoderFraming::Auto | JsonDecoderFraming::Object => place.object(out),
        };
        decoded.map_err(DecodeError::payload)
    }
}

/// Takes all records of a text the short way. Where that is declined, some may have been taken.
#[inline]
fn take<C: Collect>(text: &str, framing: JsonDecoderFraming, scratch: &mut String, out: &mut C) -> bool {
    match framing {
        JsonDecoderFraming::Lines => {
            lines(text).all(|line| take(line, JsonDecoderFraming::Object, scratch, out))
        }
        JsonDecoderFraming::Array => {
            let mut json = Reader::new(text, scratch);
            json.deserialize_seq(Elements { out }).is_ok() && json.taken()
        }
        JsonDecoderFraming::Auto | JsonDecoderFraming::Object => {
            let mut json = Reader::new(text, scratch);
            out.collect(&mut json).is_ok() && json.taken()
        }
    }
}

/// The lines that are not blank.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(str::trim_ascii).filter(|line| !line.is_empty())
}

/// The payload as text, without a byte order mark.
fn text(payload: &[u8]) -> Result<&str, RecordError> {
    let text = std::str::from_utf8(payload).map_err(|error| {
        RecordError::new(Reason::Utf8, "the payload is not UTF-8 text").with_offset(error.valid_up_to())
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A part of a payload that is text.
#[derive(Clone, Copy)]
struct Place<'a> {
    payload: &'a [u8],
    text: &'a str,
}

impl<'a> Place<'a> {
    fn part(self, text: &'a str) -> Self {
        Self { payload: self.payload, text }
    }

    /// The part of the payload before this place, in bytes.
    fn start(self) -> usize {
        self.text.as_ptr().addr() - self.payload.as_ptr().addr()
    }

    fn object<C: Collect>(self, out: &mut C) -> Result<(), RecordError> {
        let mut json = serde_json::Deserializer::from_str(self.text);
        if let Err(error) = out.collect(&mut json) {
            let fault = self.fault(&error, out);
            return Err(if fault.field().is_none() && error.is_data() {
                self.with_path(fault, out)
            } else {
                fault
            });
        }
        json.end().map_err(|error| {
            let parsed = Parsed::new(&error, self.text);
            let message = match self.text.as_bytes().get(parsed.offset) {
                Some(b'{') => {
                    "another object follows the first; write `framing = \"lines\"` where there is one on each line"
                }
                _ => "characters follow the end of the JSON value",
            };
            RecordError::new(Reason::Syntax, message).with_offset(self.start() + parsed.offset)
        })
    }

    /// An array element by element, to lose the bad ones alone.
    fn array<C: Collect>(self, out: &mut C) -> Result<(), RecordError> {
        let mut json = serde_json::Deserializer::from_str(self.text);
        let elements = RawElements { place: self, out: &mut *out };
        json.deserialize_seq(elements).and_then(|()| json.end()).map_err(|error| self.fault(&error, out))
    }

    /// Each line for itself, to lose the bad ones alone.
    fn lines<C: Collect>(self, out: &mut C) {
        for place in lines(self.text).map(|line| self.part(line)) {
            // A record is only taken once it is sure that nothing follows it on its line.
            let taken = match serde_json::from_str::<&RawValue>(place.text) {
                Ok(_) => place.object(out),
                Err(_) => place.object(&mut SyntaxOnly),
            };
            if let Err(error) = taken {
                out.reject(error);
            }
        }
    }

    /// Reads an object that was refused once more, to learn the path of the field at fault: serde's own errors,
    /// those of the application's types, do not say it.
    fn with_path<C: Collect>(self, fault: RecordError, out: &mut C) -> RecordError {
        let mut json = serde_json::Deserializer::from_str(self.text);
        let mut track = serde_path_to_error::Track::new();
        let again = out.collect(serde_path_to_error::Deserializer::new(&mut json, &mut track));
        let path = track.path();
        match again {
            Err(_) if path.iter().next().is_some() => fault.with_field(path.to_string()),
            _ => fault,
        }
    }

    fn fault<C: Collect>(self, error: &serde_json::Error, out: &mut C) -> RecordError {
        fault(error, self.text, self.start(), out)
    }
}

/// Takes any record and keeps nothing.
struct SyntaxOnly;

impl Collect for SyntaxOnly {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| ())
    }

    fn reject(&mut self, _: RecordError) {}

    fn len(&self) -> usize {
        0
    }

    fn truncate(&mut self, _: usize) {}
}

/// Hands every element of an array to the collection.
struct Elements<'a, C> {
    out: &'a mut C,
}

impl<'de, C: Collect> Visitor<'de> for Elements<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Element { out: &mut *self.out })?.is_some() {}
        Ok(())
    }
}

struct Element<'a, C> {
    out: &'a mut C,
}

impl<'de, C: Collect> DeserializeSeed<'de> for Element<'_, C> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.out.collect(deserializer)
    }
}

/// Hands every element of an array that is a record to the collection, and rejects the others.
struct RawElements<'a, C> {
    place: Place<'a>,
    out: &'a mut C,
}

impl<'de: 'a, 'a, C: Collect> Visitor<'de> for RawElements<'a, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if let Err(error) = self.place.part(element.get()).object(&mut *self.out) {
                self.out.reject(error);
            }
        }
        Ok(())
    }
}
