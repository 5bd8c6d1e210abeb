//! Writes the implementation out.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;

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
///     fn fills_its_role<C: ::flow::SourceConnector>() {}
///     #[allow(dead_code)]
///     fn check() {
///         fills_its_role::<MySource>()
///     }
/// };
/// ```
pub(crate) fn expand(component: &Component<'_>) -> TokenStream {
    let Component { input, flow, role, id, config, description } = component;
    let name = &input.ident;
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    // At the type's name: a missing `new`, or one of another shape, is reported there.
    let new = quote_spanned!(name.span() => Self::new(config, context));
    // Here, too, a role trait that is missing is reported, and not first where the type is listed.
    let role_trait = role_trait(role);
    let fills_its_role = quote_spanned!(name.span() => fills_its_role::<#name #arguments>());
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
            fn fills_its_role<C: #flow::#role_trait>() {}
            #[allow(dead_code)]
            fn check #parameters () #bounds {
                #fills_its_role
            }
        };
    }
}

/// The trait of a role, which `check` has found to be one of the five.
fn role_trait(role: &Ident) -> Ident {
    let name = match role.to_string().as_str() {
        "Source" => "SourceConnector",
        "Sink" => "SinkConnector",
        "Decoder" => "RecordDecoder",
        "Encoder" => "CollectionEncoder",
        _ => "RecordTransform",
    };
    Ident::new(name, Span::call_site())
}
