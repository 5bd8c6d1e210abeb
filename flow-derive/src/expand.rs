//! Writes the implementation out.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::check::Component;

/// ```text
/// const _: () = {
///     impl ::flow::Component for MySource {
///         const ID: &'static str = "my-source";
///         const DESCRIPTION: &'static str = "…";
///         type Role = ::flow::role::Source;
///         type Config = MyConfig;
///         fn build(config: Self::Config, context: &::flow::BuildContext) -> Result<Self, ::flow::Error> {
///             Self::new(config, context)
///         }
///     }
/// };
/// ```
pub(crate) fn expand(component: &Component<'_>) -> TokenStream {
    let Component { input, flow, role, id, config, description } = component;
    let name = &input.ident;
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    // At the type's name: a missing `new`, or one of another shape, is reported there.
    let new = quote_spanned!(name.span() => Self::new(config, context));
    quote! {
        const _: () = {
            impl #parameters #flow::Component for #name #arguments #bounds {
                const ID: &'static str = #id;
                const DESCRIPTION: &'static str = #description;
                type Role = #flow::role::#role;
                type Config = #config;
                fn build(
                    config: Self::Config,
                    context: &#flow::BuildContext,
                ) -> ::core::result::Result<Self, #flow::Error> {
                    #new
                }
            }
        };
    }
}
