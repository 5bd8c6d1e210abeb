//! Checks that what was written can be meant, and reports everything that cannot at once.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{DeriveInput, Error, Ident, LitStr, Path, Type, parse_quote};

use crate::parse::Written;

/// A component that can be written out.
pub(crate) struct Component<'a> {
    pub(crate) input: &'a DeriveInput,
    /// The path of the `flow` crate.
    pub(crate) flow: Path,
    /// The name in `flow::role`.
    pub(crate) role: Ident,
    pub(crate) id: LitStr,
    pub(crate) config: Type,
    pub(crate) description: String,
}

pub(crate) fn check(written: Written<'_>) -> syn::Result<Component<'_>> {
    let Written { input, span, roles, ids, configs, descriptions, crates, doc, mut errors } = written;
    let unread = !errors.is_empty();

    let role = one(roles, "a component fills one role; give the other to a type of its own", &mut errors);
    let id = one(ids, "`id` stands here a second time", &mut errors);
    let config = one(configs, "`config` stands here a second time", &mut errors);
    let description = one(descriptions, "`description` stands here a second time", &mut errors);
    let flow = one(crates, "`crate` stands here a second time", &mut errors);

    if role.is_none() {
        let message = "the role is missing; add `source`, `sink`, `decoder`, `encoder` or `transform`";
        errors.push(Error::new(span, message));
    }
    // An `id` that could not be read is reported already.
    if id.is_none() && !unread {
        errors.push(Error::new(span, "the id is missing; add `id = \"…\"`, the name in pipeline files"));
    }
    if let Some(id) = id.as_ref().filter(|id| !is_id(&id.value())) {
        errors.push(Error::new(id.span(), "an id is made of `a-z`, `0-9` and `-`, and is not empty"));
    }
    let flow = flow.map_or_else(|| Ok(parse_quote!(::flow)), |path| path.parse::<Path>());
    let flow = flow.map_err(|error| errors.push(error)).ok();

    match (errors.into_iter().reduce(combine), role, id, flow) {
        (None, Some(role), Some(id), Some(flow)) => Ok(Component {
            input,
            config: config.unwrap_or_else(|| parse_quote!(#flow::NoConfig)),
            role: capital(&role),
            id,
            description: description.map_or(doc, |text| text.value()),
            flow,
        }),
        (error, ..) => Err(error.unwrap_or_else(|| Error::new(span, "`#[component(…)]` cannot be read"))),
    }
}

/// The first of them; every other is an error.
fn one<T: ToTokens>(all: Vec<T>, message: &str, errors: &mut Vec<Error>) -> Option<T> {
    let mut all = all.into_iter();
    let first = all.next();
    errors.extend(all.map(|again| Error::new_spanned(again, message)));
    first
}

fn combine(mut first: Error, next: Error) -> Error {
    first.combine(next);
    first
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// `source` names the role `Source`.
fn capital(role: &Path) -> Ident {
    let name = role.to_token_stream().to_string();
    let (first, rest) = name.split_at(1);
    let span = role.get_ident().map_or_else(Span::call_site, Ident::span);
    Ident::new(&format!("{}{rest}", first.to_uppercase()), span)
}
