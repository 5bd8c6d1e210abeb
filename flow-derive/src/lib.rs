//! Derive macros for `flow`. Use them through `flow` itself, which re-exports them beside the traits.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

/// Implements `flow::Component`: id, role, config type and description come from `#[component(…)]`,
/// and `build` calls the type's own `fn new(config: Config, context: &flow::BuildContext) -> Result<Self, flow::Error>`.
///
/// | `#[component(…)]` | |
/// |---|---|
/// | `source`, `sink`, `decoder`, `encoder` or `transform` | the role; exactly one |
/// | `id = "my-source"` | the logical id of pipeline files, of `a-z`, `0-9` and `-` |
/// | `config = MyConfig` | the config type; without it `flow::NoConfig`, a table without keys |
/// | `description = "…"` | one line for `flow list`; without it the first line of the type's doc comment |
/// | `crate = "path"` | where `flow` is, in a crate that knows it by another name |
///
/// # Examples
/// ```
/// use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct LampConfig {
///     /// The port that the lamp hangs on.
///     port: u8,
/// }
///
/// /// Lights a lamp for every payload.
/// #[derive(Component)]
/// #[component(sink, id = "lamp", config = LampConfig)]
/// struct Lamp {
///     port: u8,
/// }
///
/// impl Lamp {
///     fn new(config: LampConfig, _: &BuildContext) -> Result<Self, Error> {
///         Ok(Self { port: config.port })
///     }
/// }
///
/// impl SinkConnector for Lamp {
///     // …
/// #   async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> { Ok(()) }
/// #   async fn confirmed(&mut self) -> Result<Checkpoint, Error> { std::future::pending().await }
/// #   async fn close(self) -> Result<(), Error> { Ok(()) }
/// }
///
/// assert_eq!((Lamp::ID, Lamp::DESCRIPTION), ("lamp", "Lights a lamp for every payload."));
/// let lamp = Lamp::build(LampConfig { port: 3 }, &BuildContext::default())?;
/// assert_eq!(lamp.port, 3);
/// # Ok::<(), Error>(())
/// ```
#[proc_macro_derive(Component, attributes(component))]
pub fn derive_component(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    component(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn component(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    Ok(expand::expand(&check::check(parse::parse(input)?)?))
}
