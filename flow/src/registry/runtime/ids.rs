//! Why an id cannot be taken.

use crate::component::role::Kind;
use crate::error::{Error, ErrorKind};
use crate::registry::info::{self, ComponentInfo};

/// # Errors
/// `id` is malformed, or one of `taken` has it.
pub(super) fn check_id<'a>(
    role: Kind,
    id: &str,
    taken: impl IntoIterator<Item = &'a ComponentInfo<'a>>,
) -> Result<(), Error> {
    if !info::is_id(id) {
        let message = format!("the {role} id `{id}` is not made of `a-z`, `0-9` and `-`");
        return Err(Error::permanent(ErrorKind::Config, message));
    }
    match taken.into_iter().find(|info| info.role == role && info.id == id) {
        None => Ok(()),
        Some(info) => {
            let message = format!("duplicate id: the {role} `{id}` is there already ({})", info.origin());
            Err(Error::permanent(ErrorKind::Config, message))
        }
    }
}
