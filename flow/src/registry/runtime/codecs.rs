//! Decoders and encoders that a program registers when it runs.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::component::Component;
use crate::component::role::{self, Kind};
use crate::error::{DecodeError, EncodeError, Error};
use crate::record::{Collect, Collection, PayloadBatch, Schema};
use crate::registry::info::{ComponentInfo, Link};
use crate::registry::runtime::erased::{DynCollect, DynCollection, ErasedCollect, ErasedCollection};
use crate::registry::runtime::table::Table;

/// Builds a decoder from its config.
pub type DecoderFactory<C> = Arc<dyn Fn(C) -> Result<Box<dyn DynDecoder>, Error> + Send + Sync>;
/// Builds an encoder from its config.
pub type EncoderFactory<C> = Arc<dyn Fn(C) -> Result<Box<dyn DynEncoder>, Error> + Send + Sync>;

/// Decoders and encoders that a program adds when it runs: part of a [`Runtime`](crate::Runtime).
///
/// What is registered implements the same traits as what is listed. Its values cross a `dyn` each, where those of a
/// listed codec are compiled into one piece. Errors keep text and place; only a syntax error inside a record may be
/// counted under the reason `type`.
#[derive(Clone)]
pub struct CodecRegistry {
    pub(super) decoders: Table<RegisteredDecoder>,
    pub(super) encoders: Table<RegisteredEncoder>,
}

impl CodecRegistry {
    pub(super) fn new(first: Option<&'static Link>) -> Self {
        Self { decoders: Table::new(Kind::Decoder, first), encoders: Table::new(Kind::Encoder, first) }
    }

    /// Adds the decoder `id`, built by `factory`.
    ///
    /// # Errors
    /// The id is not made of `a-z`, `0-9` and `-`, or a decoder has it already, listed or registered.
    pub fn register_decoder<C: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        id: impl Into<String>,
        factory: DecoderFactory<C>,
    ) -> Result<(), Error> {
        self.decoders.add(id.into(), "", move |config: C, _| factory(config).map(RegisteredDecoder))
    }

    /// Adds the encoder `id`, built by `factory`.
    ///
    /// # Errors
    /// The id is not made of `a-z`, `0-9` and `-`, or an encoder has it already, listed or registered.
    pub fn register_encoder<C: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        id: impl Into<String>,
        factory: EncoderFactory<C>,
    ) -> Result<(), Error> {
        self.encoders.add(id.into(), "", move |config: C, _| factory(config).map(RegisteredEncoder))
    }

    /// Adds a codec that could as well stand in the list, under its own id.
    ///
    /// # Errors
    /// A component of its role has its id already.
    pub fn register<C: Component>(&mut self) -> Result<(), Error>
    where
        C::Role: CodecRole<C>,
    {
        C::Role::register(self)
    }

    pub(super) fn components(&self) -> impl Iterator<Item = ComponentInfo<'_>> {
        self.decoders.components().into_iter().chain(self.encoders.components())
    }
}

/// A role of codecs, which [`CodecRegistry::register`] takes. Sealed, as [`role::Role`] is.
#[diagnostic::on_unimplemented(
    message = "`{C}` is neither a decoder nor an encoder",
    note = "`ConnectorRegistry` takes sources and sinks; transforms stand in the list"
)]
pub trait CodecRole<C>: role::Role {
    #[doc(hidden)]
    fn register(registry: &mut CodecRegistry) -> Result<(), Error>;
}

impl<C: Component + RecordDecoder> CodecRole<C> for role::Decoder {
    fn register(registry: &mut CodecRegistry) -> Result<(), Error> {
        let build = |config, context: &_| Ok(RegisteredDecoder(Box::new(C::build(config, context)?)));
        registry.decoders.add(C::ID.to_owned(), C::DESCRIPTION, build)
    }
}

impl<C: Component + CollectionEncoder> CodecRole<C> for role::Encoder {
    fn register(registry: &mut CodecRegistry) -> Result<(), Error> {
        let build = |config, context: &_| Ok(RegisteredEncoder(Box::new(C::build(config, context)?)));
        registry.encoders.add(C::ID.to_owned(), C::DESCRIPTION, build)
    }
}

impl fmt::Debug for CodecRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.components().map(|info| (info.role, info.id))).finish()
    }
}

/// Any [`RecordDecoder`], boxed: every decoder is one. Sealed.
pub trait DynDecoder: sealed::Decoder + Send {
    #[doc(hidden)]
    fn decode_dyn(&mut self, payload: &[u8], out: &mut dyn DynCollect) -> Result<(), DecodeError>;
}

impl<D: RecordDecoder> DynDecoder for D {
    fn decode_dyn(&mut self, payload: &[u8], out: &mut dyn DynCollect) -> Result<(), DecodeError> {
        self.decode(payload, &mut ErasedCollect(out))
    }
}

/// Any [`CollectionEncoder`], boxed: every encoder is one. Sealed.
pub trait DynEncoder: sealed::Encoder + Send {
    #[doc(hidden)]
    fn framing_dyn(&self) -> Framing;
    #[doc(hidden)]
    fn check_dyn(&self, schema: &Schema) -> Result<(), Error>;
    #[doc(hidden)]
    fn encode_dyn(&mut self, records: &dyn DynCollection, out: &mut PayloadBatch) -> Result<(), EncodeError>;
}

impl<E: CollectionEncoder> DynEncoder for E {
    fn framing_dyn(&self) -> Framing {
        self.framing()
    }

    fn check_dyn(&self, schema: &Schema) -> Result<(), Error> {
        self.check(schema)
    }

    fn encode_dyn(&mut self, records: &dyn DynCollection, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        self.encode(&ErasedCollection(records), out)
    }
}

/// A registered decoder, as the list's enum holds it.
pub struct RegisteredDecoder(Box<dyn DynDecoder>);

impl RecordDecoder for RegisteredDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        self.0.decode_dyn(payload, out)
    }
}

/// A registered encoder, as the list's enum holds it.
pub struct RegisteredEncoder(Box<dyn DynEncoder>);

impl CollectionEncoder for RegisteredEncoder {
    fn framing(&self) -> Framing {
        self.0.framing_dyn()
    }

    fn check(&self, schema: &Schema) -> Result<(), Error> {
        self.0.check_dyn(schema)
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        self.0.encode_dyn(records, out)
    }
}

mod sealed {
    use super::{CollectionEncoder, RecordDecoder};

    pub trait Decoder {}
    impl<D: RecordDecoder> Decoder for D {}
    pub trait Encoder {}
    impl<E: CollectionEncoder> Encoder for E {}
}
