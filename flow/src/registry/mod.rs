//! The type-level list of components, and what the compiler makes of it.
//!
//! A registry is a type: `Cons<MySource, Cons<MyDecoder, Builtins>>`. No value of it is ever made. The list is folded
//! into one coproduct (an enum) for each role; looking an id up at start-up gives a value of that enum, and every call
//! after that is a `match` into code that is compiled for the concrete component.
//!
//! - `entry`: what an element of the list adds to each role
//! - `coproduct`: the role traits for the enums
//! - `lookup`: from an id and a config to a built component, with every error of the config
//! - `info`: the list as data: ids, descriptions, config schemas; duplicate ids
//! - `runtime`: what is only known at run time, and the elements of the list that stand for it
//! - `builtins`: what ships with `flow`

mod builtins;
mod coproduct;
mod entry;
mod info;
mod lookup;
mod runtime;

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::role::Kind;
use crate::connector::{SinkConnector, SourceConnector};
use crate::transform::RecordTransform;

pub use crate::component::{ConfigFault, Step};
#[cfg(feature = "dynamic-connectors")]
pub use crate::plugin::{Policy, Refusal};
pub use builtins::Builtins;
pub(crate) use builtins::missing_feature;
pub use entry::{Entry, Has, Override, Push};
pub use frunk::{HCons as Cons, HNil as Nil};
pub use info::{ComponentInfo, Link, assert_registry};
pub use lookup::{Lookup, Resolve};
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
pub use runtime::Registered;
pub use runtime::Runtime;
#[cfg(feature = "custom-codecs")]
pub use runtime::{CodecRegistry, CodecRole, DecoderFactory, DynDecoder, DynEncoder, EncoderFactory};
#[cfg(feature = "custom-connectors")]
pub use runtime::{ConnectorRegistry, ConnectorRole, DynSink, DynSource, SinkFactory, SourceFactory};
#[cfg(feature = "dynamic-connectors")]
pub use runtime::{LoadReport, LoadedPlugin, Plugins};

/// A list of components, as a type.
///
/// Implemented for [`Cons`] and [`Nil`]; nothing else needs to implement it.
///
/// ```
/// use flow::{Builtins, Registry, role};
///
/// let ids = Builtins::ids(role::Kind::Sink);
/// assert!(ids.contains(&"nop"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no registry",
    label = "not a list of components",
    note = "a registry is a list type such as `flow::Cons<MySource, flow::Builtins>`; its tail is `flow::Builtins`, `flow::Nil` or another such list"
)]
pub trait Registry: 'static {
    /// Every listed source, as one enum.
    type Source: SourceConnector + Lookup;
    /// Every listed sink, as one enum.
    type Sink: SinkConnector + Lookup;
    /// Every listed decoder, as one enum.
    type Decoder: RecordDecoder + Lookup;
    /// Every listed encoder, as one enum.
    type Encoder: CollectionEncoder + Lookup;
    /// Every listed transform, as one enum.
    type Transform: RecordTransform + Lookup;

    /// The first element of the list, with a link to the next.
    #[doc(hidden)]
    const FIRST: Option<&'static Link>;

    /// Evaluated wherever the registry is used: two components of one role with the same id do not compile.
    const UNIQUE: () = info::check_unique(Self::FIRST);

    /// Every component, in the order of the list, without those that an [`Override`] before them replaces.
    fn components() -> Vec<ComponentInfo<'static>> {
        info::visible(Self::FIRST)
    }

    /// The ids of one role, in the order of the list.
    fn ids(role: Kind) -> Vec<&'static str> {
        Self::components().into_iter().filter(|info| info.role == role).map(|info| info.id).collect()
    }
}
