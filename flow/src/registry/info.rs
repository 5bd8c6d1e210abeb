//! The list as data: a constant chain of ids, roles and descriptions, checked for duplicates when it is compiled.

use schemars::{Schema, SchemaGenerator};

use crate::component::Component;
use crate::component::role::{Kind, Role};
use crate::registry::Registry;

/// What is known of a listed component without building it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ComponentInfo {
    /// Its logical id.
    pub id: &'static str,
    /// The role it fills.
    pub role: Kind,
    /// One line on what it does.
    pub description: &'static str,
    overrides: bool,
    type_name: fn() -> &'static str,
    config_schema: fn(&mut SchemaGenerator) -> Schema,
}

/// One link of the chain that stands for a list.
#[doc(hidden)]
#[derive(Debug)]
pub struct Link {
    pub(super) info: ComponentInfo,
    pub(super) next: Option<&'static Link>,
}

impl ComponentInfo {
    pub(super) const fn of<C: Component>(overrides: bool) -> Self {
        Self {
            id: C::ID,
            role: <C::Role as Role>::KIND,
            description: C::DESCRIPTION,
            overrides,
            type_name: std::any::type_name::<C>,
            config_schema: |generator| generator.subschema_for::<C::Config>(),
        }
    }

    /// The crate that defines it.
    pub fn crate_name(&self) -> &'static str {
        let path = (self.type_name)();
        path.split("::").next().unwrap_or(path)
    }

    /// The JSON Schema of its config.
    pub fn config_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.config_schema)(generator)
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

pub(super) fn visible(first: Option<&'static Link>) -> Vec<&'static ComponentInfo> {
    let mut seen: Vec<&'static ComponentInfo> = Vec::new();
    let mut next = first;
    while let Some(Link { info, next: after }) = next {
        if !seen.iter().any(|earlier| earlier.role == info.role && earlier.id == info.id) {
            seen.push(info);
        }
        next = *after;
    }
    seen
}

pub(super) const fn check_unique(first: Option<&'static Link>) {
    let mut current = first;
    while let Some(Link { info, next }) = current {
        check_id(info.id);
        let mut later = if info.overrides { None } else { *next };
        while let Some(other) = later {
            if info.role as u8 == other.info.role as u8 && equal(info.id, other.info.id) {
                let message = Message::new()
                    .push("duplicate id: two components of the role `")
                    .push(info.role.as_str())
                    .push("` are called `")
                    .push(info.id)
                    .push("`; rename one, or write `Override<…>` around the first to replace the second");
                panic!("{}", message.as_str());
            }
            later = other.next;
        }
        current = *next;
    }
}

const fn check_id(id: &str) {
    let bytes = id.as_bytes();
    let mut good = !bytes.is_empty();
    let mut at = 0;
    while at < bytes.len() {
        good = good && matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-');
        at += 1;
    }
    if !good {
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
