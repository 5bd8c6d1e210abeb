//! Reads `#[component(…)]` as it was written: everything that was said, however often, in order.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, Type};

/// What was written, not yet checked.
pub(crate) struct Written<'a> {
    pub(crate) input: &'a DeriveInput,
    /// The attribute, or the type's name where there is none: what is missing is missing here.
    pub(crate) span: Span,
    pub(crate) roles: Vec<Path>,
    pub(crate) ids: Vec<LitStr>,
    pub(crate) configs: Vec<Type>,
    pub(crate) descriptions: Vec<LitStr>,
    pub(crate) crates: Vec<LitStr>,
    /// The first line of the type's doc comment.
    pub(crate) doc: String,
    /// What could be read and cannot be meant.
    pub(crate) errors: Vec<Error>,
}

/// # Errors
/// What does not even parse.
pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Written<'_>> {
    let mut written = Written {
        input,
        span: input.ident.span(),
        roles: Vec::new(),
        ids: Vec::new(),
        configs: Vec::new(),
        descriptions: Vec::new(),
        crates: Vec::new(),
        doc: first_line(&input.attrs),
        errors: Vec::new(),
    };
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("component")) {
        written.span = attribute.span();
        attribute.parse_nested_meta(|meta| written.read(&meta))?;
    }
    Ok(written)
}

impl Written<'_> {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "source" | "sink" | "decoder" | "encoder" | "transform" => self.roles.push(meta.path.clone()),
            "id" => self.ids.extend(text(meta, &mut self.errors)?),
            "config" => self.configs.push(meta.value()?.parse()?),
            "description" => self.descriptions.extend(text(meta, &mut self.errors)?),
            "crate" => self.crates.extend(text(meta, &mut self.errors)?),
            _ => {
                if meta.input.peek(Token![=]) {
                    meta.value()?.parse::<Expr>()?;
                } else if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
                    return Err(meta.error("unknown attribute"));
                }
                self.errors.push(meta.error(
                    "unknown attribute; known are a role (`source`, `sink`, `decoder`, `encoder`, `transform`), \
                     `id`, `config`, `description` and `crate`",
                ));
            }
        }
        Ok(())
    }
}

/// The string after `=`. Anything else there is an error that does not hide the next one.
fn text(meta: &ParseNestedMeta<'_>, errors: &mut Vec<Error>) -> syn::Result<Option<LitStr>> {
    match meta.value()?.parse()? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Some(text)),
        other => {
            errors.push(Error::new(other.span(), "expected text in quotes"));
            Ok(None)
        }
    }
}

/// The first line of a doc comment that says something.
fn first_line(attributes: &[Attribute]) -> String {
    let mut lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}
