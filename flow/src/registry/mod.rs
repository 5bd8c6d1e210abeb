//! The type-level list of components, and what the compiler makes of it.
//!
//! A registry is a type: `Cons<MySource, Cons<MyDecoder, Builtins>>`. No value of it is ever made. The list is folded
//! into one coproduct (an enum) for each role; looking an id up at start-up gives a value of that enum, and every call
//! after that is a `match` into code that is compiled for the concrete component.
//!
//! - `list`: the trait of the lists
//! - `entry`: what an element of the list adds to each role
//! - `coproduct`: the role traits for the enums
//! - `lookup`: from an id and a config to a built component, with every error of the config
//! - `info`: the list as data: ids, descriptions, config schemas; duplicate ids
//! - `runtime`: what is only known at run time, and the elements of the list that stand for it
//! - `builtins`: what ships with `flow`

pub(crate) mod builtins;
mod coproduct;
pub(crate) mod entry;
pub(crate) mod info;
pub(crate) mod list;
mod lookup;
pub(crate) mod runtime;

pub use crate::component::{ConfigFault, Step};
pub(crate) use builtins::missing_feature;
pub use entry::{Entry, Push};
pub(crate) use frunk::{HCons as Cons, HNil as Nil};
pub use info::ComponentInfo;
pub(crate) use list::Registry;
pub use lookup::Lookup;
#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
pub use runtime::Registered;
pub(crate) use runtime::Runtime;
#[cfg(feature = "custom-codecs")]
pub use runtime::{CodecRole, DecoderFactory, DynDecoder, DynEncoder, EncoderFactory};
#[cfg(feature = "custom-connectors")]
pub use runtime::{ConnectorRole, DynSink, DynSource, SinkFactory, SourceFactory};
#[cfg(feature = "dynamic-connectors")]
pub use runtime::{LoadReport, LoadedPlugin, Plugins};
