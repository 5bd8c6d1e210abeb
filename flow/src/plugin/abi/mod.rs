//! The border between a program and a loaded library: the only place with `unsafe` code.
//!
//! Both sides of the border are in here, so that each raw call stands beside what it relies on. What is above works
//! on safe wrappers.
//!
//! - `types`: the C structs
//! - `manifest`, `failure`: two of them, to and from Rust
//! - `slices`: borrowed bytes and payloads, to and from Rust
//! - `waker`: the host's waker on its way, and back
//! - `export`, `export_connectors`, `export_codecs`: the library's side, generic over its components
//! - `offers`, `import`, `import_codecs`: the program's side
//! - `library`: from a file descriptor to its entry point

// Every block says what it relies on.
#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub(crate) mod export;
mod export_codecs;
mod export_connectors;
#[cfg_attr(not(feature = "dynamic-connectors"), allow(dead_code, reason = "half of it is the program's"))]
mod failure;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod import;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod import_codecs;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod library;
#[cfg_attr(not(feature = "dynamic-connectors"), allow(dead_code, reason = "half of it is the program's"))]
pub(crate) mod manifest;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod offers;
mod slices;
#[doc(hidden)]
pub mod types;
mod waker;

#[cfg(test)]
mod layout_tests;
#[cfg(all(test, feature = "dynamic-connectors"))]
mod tests;

pub use export::{ExportRole, Exported, exported, register};
pub use types::{Failure, Manifest, Registry, Status};

/// The first bytes of a [`Manifest`].
pub const MAGIC: [u8; 8] = *b"flowplug";
/// Another major is another border: tables have changed.
pub const MAJOR: u32 = 1;
/// A newer minor only appends to tables.
pub const MINOR: u32 = 1;
/// The section of the library that holds its manifest.
pub const SECTION: &str = ".flow_plugin";
/// The function that every plugin exports.
pub const ENTRY: &str = "register_connector_plugin";
