//! The list as data: a constant chain of ids, roles and descriptions, checked for duplicates when it is compiled.

use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::component::Component;
use crate::component::role::{Kind, Role};
use crate::registry::Registry;

/// What is known of a component without building it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ComponentInfo<'a> {
    /// Its logical id.
    pub id: &'a str,
    /// The role it fills.
    pub role: Kind,
    /// One line on what it does.
    pub description: &'a str,
    overrides: bool,
    origin: Origin<'a>,
    config_schema: ConfigSchema<'a>,
}

/// Where a component comes from.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "which of them there are is up to the features")]
pub(super) enum Origin<'a> {
    /// An element of the list: the full name of its type.
    Listed(fn() -> &'static str),
    /// Registered by the program at run time.
    Registered,
    /// Out of this library.
    Library(&'a Path),
}

/// The JSON Schema of a config.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "which of them there are is up to the features")]
pub(super) enum ConfigSchema<'a> {
    Of(fn(&mut SchemaGenerator) -> Schema),
    Known(&'a Schema),
}

/// One link of the chain that stands for a list. Elements that stand for what is only known at run time say nothing.
#[doc(hidden)]
#[derive(Debug)]
pub struct Link {
    pub(super) info: Option<ComponentInfo<'static>>,
    pub(super) next: Option<&'static Link>,
}

impl ComponentInfo<'static> {
    pub(super) const fn of<C: Component>(overrides: bool) -> Self {
        Self {
            id: C::ID,
            role: <C::Role as Role>::KIND,
            description: C::DESCRIPTION,
            overrides,
            origin: Origin::Listed(std::any::type_name::<C>),
            config_schema: ConfigSchema::Of(schema_of::<C::Config>),
        }
    }
}

pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl<'a> ComponentInfo<'a> {
    /// A component that is only known at run time.
    #[allow(dead_code, reason = "only with features there is one")]
    pub(super) fn at_run_time(
        role: Kind,
        id: &'a str,
        description: &'a str,
        origin: Origin<'a>,
        config_schema: ConfigSchema<'a>,
    ) -> Self {
        Self { id, role, description, overrides: false, origin, config_schema }
    }

    /// The crate that defines it; `registered` where the program registered it at run time, the file's name where it
    /// comes out of a library.
    pub fn crate_name(&self) -> &'a str {
        match self.origin {
            Origin::Listed(type_name) => {
                let path = type_name();
                path.split("::").next().unwrap_or(path)
            }
            Origin::Registered => "registered",
            Origin::Library(file) => file.file_name().and_then(|name| name.to_str()).unwrap_or("library"),
        }
    }

    /// Where it comes from, in words.
    #[allow(dead_code, reason = "only with features it is asked for")]
    pub(super) fn origin(&self) -> String {
        match self.origin {
            Origin::Listed(_) => format!("in the list, from the crate `{}`", self.crate_name()),
            Origin::Registered => "registered".to_owned(),
            Origin::Library(file) => format!("from the library `{}`", file.display()),
        }
    }

    /// The library that it was loaded from.
    pub fn library(&self) -> Option<&'a Path> {
        match self.origin {
            Origin::Library(file) => Some(file),
            _ => None,
        }
    }

    /// The JSON Schema of its config.
    pub fn config_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        match self.config_schema {
            ConfigSchema::Of(schema) => schema(generator),
            ConfigSchema::Known(schema) => schema.clone(),
        }
    }
}

/// Compiles where no two components of one role share an id; the error names the id otherwise.
///
/// Using a registry in a pipeline checks the same when the program is built. As a constant it is checked by
/// `cargo check` and by editors, too.
///
/// ```
/// const _: () = flow::assert_registry::<flow::Builtins>();
/// ```
pub const fn assert_registry<R: Registry>() {
    let () = R::UNIQUE;
}

pub(super) fn visible(first: Option<&'static Link>) -> Vec<ComponentInfo<'static>> {
    let mut seen: Vec<ComponentInfo<'static>> = Vec::new();
    let mut next = first;
    while let Some(Link { info, next: after }) = next {
        if let Some(info) = info
            && !seen.iter().any(|earlier| earlier.role == info.role && earlier.id == info.id)
        {
            seen.push(*info);
        }
        next = *after;
    }
    seen
}

pub(super) const fn check_unique(first: Option<&'static Link>) {
    let mut current = first;
    while let Some(Link { info, next }) = current {
        if let Some(info) = info {
            check_id(info.id);
            if !info.overrides {
                check_later(info, *next);
            }
        }
        current = *next;
    }
}

const fn check_later(info: &ComponentInfo<'static>, mut later: Option<&'static Link>) {
    while let Some(Link { info: other, next }) = later {
        if let Some(other) = other
            && info.role as u8 == other.role as u8
            && equal(info.id, other.id)
        {
            let message = Message::new()
                .push("duplicate id: two components of the role `")
                .push(info.role.as_str())
                .push("` are called `")
                .push(info.id)
                .push("`; rename one, or write `Override<…>` around the first to replace the second");
            panic!("{}", message.as_str());
        }
        later = *next;
    }
}

pub(super) const fn is_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    let mut good = !bytes.is_empty();
    let mut at = 0;
    while at < bytes.len() {
        good = good && matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-');
        at += 1;
    }
    good
}

const fn check_id(id: &str) {
    if !is_id(id) {
        let message =
            Message::new().push("the component id `").push(id).push("` is not made of `a-z`, `0-9` and `-`");
        panic!("{}", message.as_str());
    }
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Text put together while the program is compiled.
struct Message {
    text: [u8; 512],
    len: usize,
}

impl Message {
    const fn new() -> Self {
        Self { text: [0; 512], len: 0 }
    }

    const fn push(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        if self.len + bytes.len() <= self.text.len() {
            let mut at = 0;
            while at < bytes.len() {
                self.text[self.len] = bytes[at];
                self.len += 1;
                at += 1;
            }
        }
        self
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "duplicate or malformed component id",
        }
    }
}
