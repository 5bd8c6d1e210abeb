//! Acme's private connectors and codecs, in a crate that depends on `flow`; `flow` knows nothing of it.
//!
//! The components are listed once, in front of whatever else there is, so that private crates stack. With another
//! company's list, `Acme<Other<Builtins>>`:
//!
//! ```
//! use flow::{Builtins, Registry, role};
//!
//! type MyRegistry = acme::Acme<Builtins>;
//! const _: () = flow::assert_registry::<MyRegistry>();
//!
//! assert!(MyRegistry::ids(role::Kind::Source).starts_with(&["acme"]));
//! ```
//!
//! - `frame`: the wire format: length-prefixed, checksummed
//! - `decoder`, `encoder`: between frames and records
//! - `link`: the connection to a gateway, made again when it is lost
//! - `source`, `sink`: frames from a gateway and to it
//! - [`gateway`]: the other side in memory, for tests

mod decoder;
mod encoder;
mod frame;
pub mod gateway;
mod link;
mod sink;
mod source;

use flow::Cons;

pub use decoder::AcmeDecoder;
pub use encoder::{AcmeEncoder, AcmeEncoderConfig};
pub use frame::Reading;
pub use sink::{AcmeSink, AcmeSinkConfig};
pub use source::{AcmeSource, AcmeSourceConfig};

/// Everything in this crate, in front of `Tail`.
pub type Acme<Tail> = Cons<AcmeSource, Cons<AcmeSink, Cons<AcmeDecoder, Cons<AcmeEncoder, Tail>>>>;
