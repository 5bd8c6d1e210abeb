//! The other way not taken: the library pushes keys and values one by one through a table of functions. Both sides are in
//! this process, but each push is a call through a pointer that the compiler cannot see through, as over a border.
//!
//! `pushed` is what the program's `Records` can do with it: they pull a record out of a deserializer, so what is pushed is
//! kept until it ends. `pushed-columns` writes into bare columns at once and leaves out what `Records` do beside that
//! (duplicates, ranges, paths, taking half a record back): less it cannot cost.
#![allow(unsafe_code, reason = "a border is made of raw structs")]

mod columns;

use std::ffi::c_void;
use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use flow::codec::json::JsonDecoder;
use flow::{
    BuildContext, Collect, CollectBatch, Component, RecordDecoder, RecordError, Records, Schema, Value,
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::{Failure, written};

/// Text that is lent for a call.
#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    data: *const u8,
    len: usize,
}

impl Text {
    fn of(text: &str) -> Self {
        Self { data: text.as_ptr(), len: text.len() }
    }

    /// # Safety
    /// It comes from [`Text::of`], of a text that lives.
    unsafe fn get<'a>(self) -> Result<&'a str, std::str::Utf8Error> {
        // SAFETY: the caller's promise. A real border trusts no text: it is checked, as rows do.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.data, self.len) })
    }
}

/// 0 goes on; anything else refuses the record.
type Status = i32;

#[repr(C)]
struct ValueSink {
    size: usize,
    context: *mut c_void,
    begin: unsafe extern "C" fn(*mut c_void) -> Status,
    key: unsafe extern "C" fn(*mut c_void, Text) -> Status,
    null: unsafe extern "C" fn(*mut c_void) -> Status,
    int: unsafe extern "C" fn(*mut c_void, i64) -> Status,
    uint: unsafe extern "C" fn(*mut c_void, u64) -> Status,
    float: unsafe extern "C" fn(*mut c_void, f64) -> Status,
    text: unsafe extern "C" fn(*mut c_void, Text) -> Status,
    end: unsafe extern "C" fn(*mut c_void) -> Status,
}

/// What the program does with what is pushed.
trait Take {
    fn begin(&mut self) -> bool;
    fn key(&mut self, key: &str) -> bool;
    fn value(&mut self, value: Value<'_>) -> bool;
    fn end(&mut self) -> bool;
}

impl ValueSink {
    fn to<T: Take>(taker: &mut T) -> Self {
        unsafe extern "C" fn begin<T: Take>(context: *mut c_void) -> Status {
            // SAFETY: `to` has made the context of a `T` that outlives the sink; so in all of these.
            i32::from(!unsafe { &mut *context.cast::<T>() }.begin())
        }
        unsafe extern "C" fn key<T: Take>(context: *mut c_void, key: Text) -> Status {
            // SAFETY: as above; the text is lent for the call.
            let (taker, key) = unsafe { (&mut *context.cast::<T>(), key.get()) };
            i32::from(!key.is_ok_and(|key| taker.key(key)))
        }
        unsafe extern "C" fn null<T: Take>(context: *mut c_void) -> Status {
            // SAFETY: as above.
            i32::from(!unsafe { &mut *context.cast::<T>() }.value(Value::Null))
        }
        unsafe extern "C" fn int<T: Take>(context: *mut c_void, value: i64) -> Status {
            // SAFETY: as above.
            i32::from(!unsafe { &mut *context.cast::<T>() }.value(Value::Int(value)))
        }
        unsafe extern "C" fn uint<T: Take>(context: *mut c_void, value: u64) -> Status {
            // SAFETY: as above.
            i32::from(!unsafe { &mut *context.cast::<T>() }.value(Value::UInt(value)))
        }
        unsafe extern "C" fn float<T: Take>(context: *mut c_void, value: f64) -> Status {
            // SAFETY: as above.
            i32::from(!unsafe { &mut *context.cast::<T>() }.value(Value::Float(value)))
        }
        unsafe extern "C" fn text<T: Take>(context: *mut c_void, text: Text) -> Status {
            // SAFETY: as in `key`.
            let (taker, text) = unsafe { (&mut *context.cast::<T>(), text.get()) };
            i32::from(!text.is_ok_and(|text| taker.value(Value::Text(text))))
        }
        unsafe extern "C" fn end<T: Take>(context: *mut c_void) -> Status {
            // SAFETY: as above.
            i32::from(!unsafe { &mut *context.cast::<T>() }.end())
        }
        Self {
            size: size_of::<Self>(),
            context: (&raw mut *taker).cast(),
            begin: begin::<T>,
            key: key::<T>,
            null: null::<T>,
            int: int::<T>,
            uint: uint::<T>,
            float: float::<T>,
            text: text::<T>,
            end: end::<T>,
        }
    }
}

/// The library's side: pushes what a deserializer finds.
struct Push<'a>(&'a ValueSink);

macro_rules! push {
    ($sink:expr, $function:ident $(, $value:expr)?) => {{
        // SAFETY: the sink's context is its own, and what is lent lives until the function returns.
        match unsafe { ($sink.$function)($sink.context $(, $value)?) } {
            0 => Ok(()),
            _ => Err(Error::custom("refused")),
        }
    }};
}

impl Collect for Push<'_> {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(PushRecord(self.0))
    }

    fn reject(&mut self, _: RecordError) {}

    fn len(&self) -> usize {
        0
    }

    fn truncate(&mut self, _: usize) {}
}

struct PushRecord<'a>(&'a ValueSink);

impl<'de> Visitor<'de> for PushRecord<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flat record")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let sink = self.0;
        push!(sink, begin)?;
        while map.next_key_seed(PushKey(sink))?.is_some() {
            map.next_value_seed(PushValue(sink))?;
        }
        push!(sink, end)
    }
}

struct PushKey<'a>(&'a ValueSink);

impl<'de> DeserializeSeed<'de> for PushKey<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for PushKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        push!(self.0, key, Text::of(key))
    }
}

struct PushValue<'a>(&'a ValueSink);

impl<'de> DeserializeSeed<'de> for PushValue<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for PushValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        push!(self.0, null)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        push!(self.0, int, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        push!(self.0, uint, value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        push!(self.0, float, value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        push!(self.0, text, Text::of(text))
    }
}

/// Keeps a record until it ends, for `Records` to pull.
struct Kept {
    text: String,
    /// Where the key ends, and its value; for text, where that ends.
    fields: Vec<(usize, Plain)>,
    records: Records,
}

#[derive(Clone, Copy)]
enum Plain {
    Null,
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(usize),
}

impl Take for Kept {
    fn begin(&mut self) -> bool {
        self.text.clear();
        self.fields.clear();
        true
    }

    fn key(&mut self, key: &str) -> bool {
        self.text.push_str(key);
        self.fields.push((self.text.len(), Plain::Null));
        true
    }

    fn value(&mut self, value: Value<'_>) -> bool {
        let Some((_, plain)) = self.fields.last_mut() else { return false };
        *plain = match value {
            Value::Int(value) => Plain::Int(value),
            Value::UInt(value) => Plain::UInt(value),
            Value::Float(value) => Plain::Float(value),
            Value::Text(text) => {
                self.text.push_str(text);
                Plain::Text(self.text.len())
            }
            _ => Plain::Null,
        };
        true
    }

    fn end(&mut self) -> bool {
        let Self { text, fields, records } = self;
        let mut at = 0;
        let fields = fields.iter().map(|(key_end, plain)| {
            let key = &text[at..*key_end];
            at = *key_end;
            let value = match *plain {
                Plain::Null => Value::Null,
                Plain::Int(value) => Value::Int(value),
                Plain::UInt(value) => Value::UInt(value),
                Plain::Float(value) => Value::Float(value),
                Plain::Text(end) => {
                    at = end;
                    Value::Text(&text[*key_end..end])
                }
            };
            (key, value)
        });
        records.collect_fields(fields).is_ok()
    }
}

/// Decodes into `taker`, batch after batch.
fn push<T: Take>(
    payloads: &[String],
    batches: usize,
    taker: &mut T,
    mut clear: impl FnMut(&mut T),
) -> Result<(), Failure> {
    let mut decoder = JsonDecoder::build(Default::default(), &BuildContext::default())?;
    for _ in 0..batches {
        clear(taker);
        for payload in payloads {
            let sink = black_box(ValueSink::to(taker));
            assert_eq!(sink.size, size_of::<ValueSink>());
            decoder.decode(payload.as_bytes(), &mut Push(&sink))?;
        }
    }
    Ok(())
}

pub(crate) fn kept(payloads: &[String], schema: &Arc<Schema>, batches: usize) -> Result<String, Failure> {
    let mut kept = Kept { text: String::new(), fields: Vec::new(), records: Records::new(schema) };
    push(payloads, batches, &mut kept, |kept| kept.records.clear())?;
    written(&kept.records)
}

pub(crate) fn columns(payloads: &[String], schema: &Arc<Schema>, batches: usize) -> Result<String, Failure> {
    let mut columns = columns::Columns::of(schema);
    push(payloads, batches, &mut columns, columns::Columns::clear)?;
    Ok(columns.written())
}
