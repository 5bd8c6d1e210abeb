//! What ships with `flow`: the only place that names concrete components.

use crate::component::role::Kind;
use crate::registry::{Cons, Nil};

#[cfg(feature = "mqtt")]
type Mqtt<T> = Cons<crate::connector::mqtt::MqttSource, Cons<crate::connector::mqtt::MqttSink, T>>;
#[cfg(not(feature = "mqtt"))]
type Mqtt<T> = T;

#[cfg(feature = "json")]
type Json<T> = Cons<crate::codec::json::JsonDecoder, Cons<crate::codec::json::JsonEncoder, T>>;
#[cfg(not(feature = "json"))]
type Json<T> = T;

type Raw<T> = Cons<crate::codec::raw::RawDecoder, Cons<crate::codec::raw::RawEncoder, T>>;
type File<T> = Cons<crate::connector::file::FileSource, Cons<crate::connector::file::FileSink, T>>;
type Stdio<T> = Cons<crate::connector::stdio::StdinSource, Cons<crate::connector::stdio::StdoutSink, T>>;
type Mock<T> = Cons<crate::connector::mock::MockSource, Cons<crate::connector::mock::MockSink, T>>;
type Nop<T> = Cons<crate::connector::nop::NopSink, T>;
type Transforms<T> = Cons<
    crate::transform::select::Select,
    Cons<crate::transform::rename::Rename, Cons<crate::transform::filter::Filter, T>>,
>;

/// What is only known at run time: looked up last, and there only where its feature is on.
type RunTime<T> = Registered<Plugins<T>>;

#[cfg(any(feature = "custom-connectors", feature = "custom-codecs"))]
type Registered<T> = Cons<crate::registry::Registered, T>;
#[cfg(not(any(feature = "custom-connectors", feature = "custom-codecs")))]
type Registered<T> = T;

#[cfg(feature = "dynamic-connectors")]
type Plugins<T> = Cons<crate::registry::Plugins, T>;
#[cfg(not(feature = "dynamic-connectors"))]
type Plugins<T> = T;

/// Every component that ships with `flow` and whose feature is on: the tail of a registry list.
pub type Builtins = Mqtt<Json<Raw<File<Stdio<Mock<Nop<Transforms<RunTime<Nil>>>>>>>>>;

/// The feature that would bring a built-in component of this role and id, where it is off.
pub(crate) fn missing_feature(role: Kind, id: &str) -> Option<&'static str> {
    let off: &[(&str, &[Kind], bool)] = &[
        ("mqtt", &[Kind::Source, Kind::Sink], cfg!(feature = "mqtt")),
        ("json", &[Kind::Decoder, Kind::Encoder], cfg!(feature = "json")),
    ];
    off.iter()
        .find(|(feature, roles, on)| !on && *feature == id && roles.contains(&role))
        .map(|(feature, ..)| *feature)
}
