//! Records behind `dyn`: [`Collect`] and [`Collection`] without their generic methods, and back.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::error::RecordError;
use crate::record::{Collect, Collection, Template};

/// Any [`Collect`], without its generic method.
pub trait DynCollect {
    #[doc(hidden)]
    fn collect_dyn(
        &mut self,
        deserializer: &mut dyn erased_serde::Deserializer<'_>,
    ) -> erased_serde::Result<()>;
    #[doc(hidden)]
    fn fault_dyn(&mut self) -> Option<RecordError>;
    #[doc(hidden)]
    fn keys_dyn(&self) -> Option<&Arc<[String]>>;
    #[doc(hidden)]
    fn reject_dyn(&mut self, error: RecordError);
    #[doc(hidden)]
    fn len_dyn(&self) -> usize;
    #[doc(hidden)]
    fn truncate_dyn(&mut self, len: usize);
}

impl<C: Collect> DynCollect for C {
    fn collect_dyn(
        &mut self,
        deserializer: &mut dyn erased_serde::Deserializer<'_>,
    ) -> erased_serde::Result<()> {
        self.collect(deserializer)
    }

    fn fault_dyn(&mut self) -> Option<RecordError> {
        self.fault()
    }

    fn keys_dyn(&self) -> Option<&Arc<[String]>> {
        self.keys()
    }

    fn reject_dyn(&mut self, error: RecordError) {
        self.reject(error);
    }

    fn len_dyn(&self) -> usize {
        self.len()
    }

    fn truncate_dyn(&mut self, len: usize) {
        self.truncate(len);
    }
}

/// The way back: what a decoder gets.
pub(super) struct ErasedCollect<'a>(pub(super) &'a mut dyn DynCollect);

impl Collect for ErasedCollect<'_> {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let mut kept = None;
        let keep = Keep { inner: deserializer, kept: &mut kept };
        let taken = self.0.collect_dyn(&mut <dyn erased_serde::Deserializer<'_>>::erase(keep));
        // The format's own error knows more than its text: the decoder gets that one.
        taken.map_err(|error| kept.unwrap_or_else(|| D::Error::custom(error)))
    }

    fn fault(&mut self) -> Option<RecordError> {
        self.0.fault_dyn()
    }

    fn keys(&self) -> Option<&Arc<[String]>> {
        self.0.keys_dyn()
    }

    fn reject(&mut self, error: RecordError) {
        self.0.reject_dyn(error);
    }

    fn len(&self) -> usize {
        self.0.len_dyn()
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate_dyn(len);
    }
}

/// A deserializer that keeps its error, which would not survive the way through `dyn`.
struct Keep<'k, D, E> {
    inner: D,
    kept: &'k mut Option<E>,
}

/// Stands for the error that was kept.
#[derive(Debug)]
struct Kept(String);

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Kept {}

impl serde::de::Error for Kept {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! keep {
    ($($method:ident($($argument:ident: $type:ty),*))*) => { $(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Kept> {
            let Self { inner, kept } = self;
            inner.$method($($argument,)* visitor).map_err(|error| {
                let text = Kept(String::new());
                *kept = Some(error);
                text
            })
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Keep<'_, D, D::Error> {
    type Error = Kept;

    keep! {
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map() deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Any [`Collection`], without its generic method.
pub trait DynCollection {
    #[doc(hidden)]
    fn len_dyn(&self) -> usize;
    #[doc(hidden)]
    fn record_dyn(&self, index: usize, take: &mut dyn FnMut(&dyn erased_serde::Serialize));
    #[doc(hidden)]
    fn render_dyn(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError>;
}

impl<C: Collection> DynCollection for C {
    fn len_dyn(&self) -> usize {
        self.len()
    }

    fn record_dyn(&self, index: usize, take: &mut dyn FnMut(&dyn erased_serde::Serialize)) {
        take(&Record { records: self, index });
    }

    fn render_dyn(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        self.render(index, template, out)
    }
}

/// One record of a collection.
struct Record<'a, C> {
    records: &'a C,
    index: usize,
}

impl<C: Collection> Serialize for Record<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(self.index, serializer)
    }
}

/// The way back: what an encoder gets.
pub(super) struct ErasedCollection<'a>(pub(super) &'a dyn DynCollection);

impl Collection for ErasedCollection<'_> {
    fn len(&self) -> usize {
        self.0.len_dyn()
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        let (mut serializer, mut written) = (Some(serializer), None);
        self.0.record_dyn(index, &mut |record| {
            written = serializer.take().map(|serializer| erased_serde::serialize(record, serializer));
        });
        written.unwrap_or_else(|| Err(S::Error::custom("the collection offers no record")))
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        self.0.render_dyn(index, template, out)
    }
}
