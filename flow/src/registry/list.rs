//! The list itself: what every registry type has.

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::role::Kind;
use crate::connector::{SinkConnector, SourceConnector};
use crate::registry::info::{self, ComponentInfo, Link};
use crate::registry::lookup::Lookup;
use crate::transform::RecordTransform;

/// A list of components, as a type.
///
/// [`Cons`](crate::Cons) and [`Nil`](crate::Nil) are the lists. Sealed.
///
/// ```
/// use flow::{Builtins, Registry, role};
///
/// let ids = Builtins::ids(role::Kind::Sink);
/// assert!(ids.contains(&"nop"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no registry",
    label = "not a list of components",
    note = "a registry is a list type such as `flow::Cons<MySource, flow::Builtins>`; its tail is `flow::Builtins`, `flow::Nil` or another such list"
)]
pub trait Registry: sealed::List + 'static {
    /// Every listed source, as one enum.
    type Source: SourceConnector + Lookup;
    /// Every listed sink, as one enum.
    type Sink: SinkConnector + Lookup;
    /// Every listed decoder, as one enum.
    type Decoder: RecordDecoder + Lookup;
    /// Every listed encoder, as one enum.
    type Encoder: CollectionEncoder + Lookup;
    /// Every listed transform, as one enum.
    type Transform: RecordTransform + Lookup;

    /// The first element of the list, with a link to the next.
    #[doc(hidden)]
    const FIRST: Option<&'static Link>;

    /// Evaluated wherever the registry is used: two components of one role with the same id do not compile.
    const UNIQUE: () = info::check_unique(Self::FIRST);

    /// Every component, in the order of the list, without those that an [`Override`](crate::Override) before them replaces.
    fn components() -> Vec<ComponentInfo<'static>> {
        info::visible(Self::FIRST)
    }

    /// The ids of one role, in the order of the list.
    fn ids(role: Kind) -> Vec<&'static str> {
        Self::components().into_iter().filter(|info| info.role == role).map(|info| info.id).collect()
    }
}

pub(crate) mod sealed {
    /// What is a list, whatever stands in it: an element that is no component gets a message of its own.
    pub trait List {}
    impl<H, T> List for frunk::HCons<H, T> {}
    impl List for frunk::HNil {}
}
