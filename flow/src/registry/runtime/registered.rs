//! The element of the list that stands for what the program has registered.

use frunk::coproduct::Coproduct;
use serde_json::Value;

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::{BuildContext, ConfigFault};
use crate::connector::{SinkConnector, SourceConnector};
use crate::registry::entry::{Entry, sealed};
use crate::registry::info::ComponentInfo;
use crate::registry::lookup::{Lookup, Resolve};
use crate::registry::runtime::Runtime;
#[cfg(feature = "custom-codecs")]
use crate::registry::runtime::codecs::{RegisteredDecoder, RegisteredEncoder};
#[cfg(feature = "custom-connectors")]
use crate::registry::runtime::connectors::{RegisteredSink, RegisteredSource};
use crate::transform::RecordTransform;

/// Stands in a list for the components that the program registers when it runs: those of the
/// [`Runtime`]'s `connectors` and `codecs`. [`Builtins`](crate::Builtins) ends with it.
#[derive(Debug)]
pub enum Registered {}

impl sealed::Entry for Registered {}

impl Entry for Registered {
    #[cfg(feature = "custom-connectors")]
    type Source<Tail: SourceConnector + Lookup> = Coproduct<RegisteredSource, Tail>;
    #[cfg(not(feature = "custom-connectors"))]
    type Source<Tail: SourceConnector + Lookup> = Tail;
    #[cfg(feature = "custom-connectors")]
    type Sink<Tail: SinkConnector + Lookup> = Coproduct<RegisteredSink, Tail>;
    #[cfg(not(feature = "custom-connectors"))]
    type Sink<Tail: SinkConnector + Lookup> = Tail;
    #[cfg(feature = "custom-codecs")]
    type Decoder<Tail: RecordDecoder + Lookup> = Coproduct<RegisteredDecoder, Tail>;
    #[cfg(not(feature = "custom-codecs"))]
    type Decoder<Tail: RecordDecoder + Lookup> = Tail;
    #[cfg(feature = "custom-codecs")]
    type Encoder<Tail: CollectionEncoder + Lookup> = Coproduct<RegisteredEncoder, Tail>;
    #[cfg(not(feature = "custom-codecs"))]
    type Encoder<Tail: CollectionEncoder + Lookup> = Tail;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
    const INFO: Option<ComponentInfo<'static>> = None;
}

macro_rules! resolve {
    ($($feature:literal $variant:ident = $registry:ident . $table:ident;)*) => { $(
        #[cfg(feature = $feature)]
        impl Resolve for $variant {
            fn resolve(
                id: &str,
                config: &Value,
                context: &BuildContext,
                runtime: &Runtime,
            ) -> Option<Result<Self, Vec<ConfigFault>>> {
                runtime.$registry.$table.build(id, config, context)
            }
        }
    )* };
}

resolve! {
    "custom-connectors" RegisteredSource = connectors.sources;
    "custom-connectors" RegisteredSink = connectors.sinks;
    "custom-codecs" RegisteredDecoder = codecs.decoders;
    "custom-codecs" RegisteredEncoder = codecs.encoders;
}
