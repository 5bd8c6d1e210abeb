//! From an id and a config to a built component.

use frunk::coproduct::{CNil, Coproduct};
use serde_json::Value;

use crate::component::{BuildContext, Component, ConfigFault, read_config};
use crate::registry::runtime::Runtime;

/// A role's enum: builds the component that an id names. Sealed.
pub trait Lookup: sealed::Lookup + Sized {
    /// Builds the component `id` from `config`; `None` where neither the list nor `runtime` has that id.
    ///
    /// # Errors
    /// Every fault of the config that can be told apart.
    fn lookup(
        id: &str,
        config: &Value,
        context: &BuildContext,
        runtime: &Runtime,
    ) -> Option<Result<Self, Vec<ConfigFault>>>;
}

/// What an enum's variant does with an id: build itself, or pass.
pub trait Resolve: Sized {
    /// As [`Lookup::lookup`], for this variant alone.
    ///
    /// # Errors
    /// Every fault of the config that can be told apart.
    fn resolve(
        id: &str,
        config: &Value,
        context: &BuildContext,
        runtime: &Runtime,
    ) -> Option<Result<Self, Vec<ConfigFault>>>;
}

impl<C: Component> Resolve for C {
    fn resolve(
        id: &str,
        config: &Value,
        context: &BuildContext,
        _: &Runtime,
    ) -> Option<Result<Self, Vec<ConfigFault>>> {
        (id == C::ID)
            .then(|| C::build(read_config::<C::Config>(config)?, context).map_err(|error| vec![error.into()]))
    }
}

impl Lookup for CNil {
    fn lookup(_: &str, _: &Value, _: &BuildContext, _: &Runtime) -> Option<Result<Self, Vec<ConfigFault>>> {
        None
    }
}

impl<H: Resolve, T: Lookup> Lookup for Coproduct<H, T> {
    fn lookup(
        id: &str,
        config: &Value,
        context: &BuildContext,
        runtime: &Runtime,
    ) -> Option<Result<Self, Vec<ConfigFault>>> {
        match H::resolve(id, config, context, runtime) {
            Some(built) => Some(built.map(Coproduct::Inl)),
            None => T::lookup(id, config, context, runtime).map(|built| built.map(Coproduct::Inr)),
        }
    }
}

mod sealed {
    use frunk::coproduct::{CNil, Coproduct};

    pub trait Lookup {}
    impl Lookup for CNil {}
    impl<H, T> Lookup for Coproduct<H, T> {}
}
