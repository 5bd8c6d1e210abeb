use quote::quote;
use syn::{DeriveInput, parse_quote};

use crate::component;

/// Every message for this input, in order.
fn errors(input: &DeriveInput) -> Vec<String> {
    component(input).unwrap_err().into_iter().map(|error| error.to_string()).collect()
}

#[test]
fn everything_that_is_said_stands_in_the_expansion() {
    let input: DeriveInput = parse_quote! {
        /// Not this.
        #[component(source, id = "my-source", config = crate::config::Mine<u8>)]
        #[component(description = "reads mine", crate = "my::flow")]
        struct MySource<T: Send>(T) where T: 'static;
    };
    let expected = quote! {
        const _: () = {
            impl<T: Send> my::flow::Component for MySource<T> where T: 'static {
                const ID: &'static str = "my-source";
                const DESCRIPTION: &'static str = "reads mine";
                type Role = my::flow::role::Source;
                type Config = crate::config::Mine<u8>;
                fn build(
                    config: Self::Config,
                    context: &my::flow::BuildContext,
                ) -> ::core::result::Result<Self, my::flow::Error> {
                    Self::new(config, context)
                }
            }
            fn fills_its_role<C: my::flow::SourceConnector>() {}
            #[allow(dead_code)]
            fn check<T: Send>() where T: 'static {
                fills_its_role::< MySource<T> >()
            }
        };
    };
    assert_eq!(component(&input).unwrap().to_string(), expected.to_string());
}

#[test]
fn what_is_not_said_has_a_default() {
    for (role, name, role_trait) in [
        (quote!(source), quote!(Source), quote!(SourceConnector)),
        (quote!(sink), quote!(Sink), quote!(SinkConnector)),
        (quote!(decoder), quote!(Decoder), quote!(RecordDecoder)),
        (quote!(encoder), quote!(Encoder), quote!(CollectionEncoder)),
        (quote!(transform), quote!(Transform), quote!(RecordTransform)),
    ] {
        let input: DeriveInput = parse_quote! {
            ///
            /// The first line.
            /// The second line.
            #[component(#role, id = "x-1")]
            enum Mine {}
        };
        let expected = quote! {
            const _: () = {
                impl ::flow::Component for Mine {
                    const ID: &'static str = "x-1";
                    const DESCRIPTION: &'static str = "The first line.";
                    type Role = ::flow::role::#name;
                    type Config = ::flow::NoConfig;
                    fn build(
                        config: Self::Config,
                        context: &::flow::BuildContext,
                    ) -> ::core::result::Result<Self, ::flow::Error> {
                        Self::new(config, context)
                    }
                }
                fn fills_its_role<C: ::flow::#role_trait>() {}
                #[allow(dead_code)]
                fn check() {
                    fills_its_role::<Mine>()
                }
            };
        };
        assert_eq!(component(&input).unwrap().to_string(), expected.to_string());
    }
}

#[test]
fn everything_that_is_missing_is_said_at_once() {
    let missing = [
        "the role is missing; add `source`, `sink`, `decoder`, `encoder` or `transform`",
        "the id is missing; add `id = \"…\"`, the name in pipeline files",
    ];
    assert_eq!(
        errors(&parse_quote!(
            struct Mine;
        )),
        missing
    );
    assert_eq!(
        errors(&parse_quote!(
            #[component(config = Config)]
            struct Mine;
        )),
        missing
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let input = parse_quote! {
        #[component(source, colour = "red", sink, id = "My Source", id = "again")]
        #[component(config = A, config = B, description = 5, loud)]
        struct Mine;
    };
    let unknown = "unknown attribute; known are a role (`source`, `sink`, `decoder`, `encoder`, `transform`), \
                   `id`, `config`, `description` and `crate`";
    assert_eq!(
        errors(&input),
        [
            unknown,
            "expected text in quotes",
            unknown,
            "a component fills one role; give the other to a type of its own",
            "`id` stands here a second time",
            "`config` stands here a second time",
            "an id is made of `a-z`, `0-9` and `-`, and is not empty",
        ]
    );
}

#[test]
fn an_id_holds_to_its_letters() {
    for id in ["", "My", "a_b", "a b", "ä"] {
        let input = parse_quote!(
            #[component(sink, id = #id)]
            struct Mine;
        );
        assert_eq!(errors(&input), ["an id is made of `a-z`, `0-9` and `-`, and is not empty"], "{id}");
    }
}

#[test]
fn what_does_not_parse_points_at_the_place() {
    assert_eq!(
        errors(&parse_quote!(
            #[component(sink, id)]
            struct Mine;
        )),
        ["expected `=`"]
    );
    assert_eq!(
        errors(&parse_quote!(
            #[component = "sink"]
            struct Mine;
        ))
        .len(),
        1
    );
    assert_eq!(
        errors(&parse_quote!(
            #[component(sink, id = "a", crate = "1+")]
            struct Mine;
        ))
        .len(),
        1
    );
}
