//! Components out of loaded libraries.
//!
#![doc = include_str!("../../docs/plugins.md")]
//!
//! # Layout
//! - `abi`: the border; the only `unsafe` code
//! - `rows`: records on their way over it
//! - `guest`, `drive`, `log`: the library's side, on safe terms
//! - `host`: the program's side, on safe terms
//! - `file`, `loader`: what is loaded, and what is refused

#[cfg(all(feature = "dynamic-connectors", not(target_os = "linux")))]
compile_error!(
    "`dynamic-connectors` works on Linux alone: what is loaded is a sealed copy in memory, which other systems do not have; \
     switch the feature off, and put the components into the registry list"
);

// What `export_plugin!` writes names it. The border itself is `flow_plugin.h`.
#[doc(hidden)]
pub mod abi;
mod drive;
#[cfg(feature = "dynamic-connectors")]
mod file;
#[cfg(all(fuzzing, feature = "dynamic-connectors"))]
pub mod fuzzing;
mod guest;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod host;
#[cfg(feature = "dynamic-connectors")]
pub(crate) mod loader;
mod log;
#[cfg_attr(
    not(feature = "dynamic-connectors"),
    allow(dead_code, unused_imports, reason = "half of it is the program's")
)]
mod rows;

#[cfg(feature = "dynamic-connectors")]
pub use loader::{Policy, Refusal};

/// Makes a plugin of a library crate: a `cdylib` that offers these components.
///
/// The components are those that could stand in a registry list; nothing in them knows of the plugin. Two such exports
/// linked into one binary clash, so it stands in a crate of its own, or behind a feature.
///
/// ```
/// # struct Tiny;
/// # impl flow::Component for Tiny {
/// #     const ID: &'static str = "tiny";
/// #     type Role = flow::role::Decoder;
/// #     type Config = flow::NoConfig;
/// #     fn build(_: flow::NoConfig, _: &flow::BuildContext) -> Result<Self, flow::Error> { Ok(Tiny) }
/// # }
/// # impl flow::RecordDecoder for Tiny {
/// #     fn decode<C: flow::Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), flow::DecodeError> { Ok(()) }
/// # }
/// flow::export_plugin!(Tiny);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($($component:ty),+ $(,)?) => {
        const _: () = {
            #[used]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".flow_plugin"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,flow_plugin"))]
            static MANIFEST: $crate::plugin::abi::Manifest =
                $crate::plugin::abi::Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));

            #[unsafe(no_mangle)]
            extern "C" fn register_connector_plugin(
                registry: Option<&$crate::plugin::abi::Registry>,
                failure: Option<&mut $crate::plugin::abi::Failure>,
            ) -> $crate::plugin::abi::Status {
                // Linkers drop what nobody mentions.
                ::core::hint::black_box(&MANIFEST);
                let components = [$($crate::plugin::abi::exported::<$component>()),+];
                $crate::plugin::abi::register(registry, failure, &components)
            }
        };
    };
}
