//! What one element of the list adds to each role.

use std::marker::PhantomData;

use frunk::coproduct::{CNil, Coproduct};
use frunk::indices::{Here, There};
use frunk::{HCons, HNil};

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::{Component, role};
use crate::connector::{SinkConnector, SourceConnector};
use crate::registry::Registry;
use crate::registry::info::ComponentInfo;
use crate::registry::lookup::Lookup;
use crate::transform::RecordTransform;

/// An element of a registry list in front of the list `T`: what it makes of each role's enum.
///
/// Every [`Component`] is an entry; so is [`Override`]. Implementing it by hand is for elements that stand for
/// components which are only known at run time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a registry list",
    label = "not a component",
    note = "implement `flow::Component` for `{Self}`: an id, a role, a config type and `build`"
)]
pub trait Entry<T: Registry> {
    /// The sources of the list that begins with this element.
    type Source: SourceConnector + Lookup;
    /// The sinks.
    type Sink: SinkConnector + Lookup;
    /// The decoders.
    type Decoder: RecordDecoder + Lookup;
    /// The encoders.
    type Encoder: CollectionEncoder + Lookup;
    /// The transforms.
    type Transform: RecordTransform + Lookup;
    /// This element in front of `T`'s.
    const FIRST: Option<&'static ComponentInfo>;
}

/// Puts the component `H` on the enum of one role and leaves the other four as they are in `T`.
///
/// Implemented for the types in [`role`]; nothing else needs to implement it.
pub trait Push<H, T: Registry> {
    /// The sources with `H`, where it is one.
    type Source: SourceConnector + Lookup;
    /// The sinks with `H`, where it is one.
    type Sink: SinkConnector + Lookup;
    /// The decoders with `H`, where it is one.
    type Decoder: RecordDecoder + Lookup;
    /// The encoders with `H`, where it is one.
    type Encoder: CollectionEncoder + Lookup;
    /// The transforms with `H`, where it is one.
    type Transform: RecordTransform + Lookup;
}

impl<H: Component + SourceConnector, T: Registry> Push<H, T> for role::Source {
    type Source = Coproduct<H, T::Source>;
    type Sink = T::Sink;
    type Decoder = T::Decoder;
    type Encoder = T::Encoder;
    type Transform = T::Transform;
}

impl<H: Component + SinkConnector, T: Registry> Push<H, T> for role::Sink {
    type Source = T::Source;
    type Sink = Coproduct<H, T::Sink>;
    type Decoder = T::Decoder;
    type Encoder = T::Encoder;
    type Transform = T::Transform;
}

impl<H: Component + RecordDecoder, T: Registry> Push<H, T> for role::Decoder {
    type Source = T::Source;
    type Sink = T::Sink;
    type Decoder = Coproduct<H, T::Decoder>;
    type Encoder = T::Encoder;
    type Transform = T::Transform;
}

impl<H: Component + CollectionEncoder, T: Registry> Push<H, T> for role::Encoder {
    type Source = T::Source;
    type Sink = T::Sink;
    type Decoder = T::Decoder;
    type Encoder = Coproduct<H, T::Encoder>;
    type Transform = T::Transform;
}

impl<H: Component + RecordTransform, T: Registry> Push<H, T> for role::Transform {
    type Source = T::Source;
    type Sink = T::Sink;
    type Decoder = T::Decoder;
    type Encoder = T::Encoder;
    type Transform = Coproduct<H, T::Transform>;
}

impl<H, T> Entry<T> for H
where
    H: Component,
    H::Role: Push<H, T>,
    T: Registry,
{
    type Source = <H::Role as Push<H, T>>::Source;
    type Sink = <H::Role as Push<H, T>>::Sink;
    type Decoder = <H::Role as Push<H, T>>::Decoder;
    type Encoder = <H::Role as Push<H, T>>::Encoder;
    type Transform = <H::Role as Push<H, T>>::Transform;
    const FIRST: Option<&'static ComponentInfo> = Some(&ComponentInfo::of::<H>(false, T::FIRST));
}

/// A component that takes the place of the one with the same role and id further down the list.
///
/// ```
/// # use flow::{BuildContext, Checkpoint, Component, Error, NopSink, PayloadBatch, SinkConnector, role};
/// use flow::{Builtins, Cons, Override};
/// # struct MyNop;
/// # impl Component for MyNop {
/// #     const ID: &'static str = "nop";
/// #     type Role = role::Sink;
/// #     type Config = <NopSink as Component>::Config;
/// #     fn build(_: Self::Config, _: &BuildContext) -> Result<Self, Error> { Ok(MyNop) }
/// # }
/// # impl SinkConnector for MyNop {
/// #     async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> { Ok(()) }
/// #     async fn confirmed(&mut self) -> Result<Checkpoint, Error> { Ok(Checkpoint(0)) }
/// #     async fn close(self) -> Result<(), Error> { Ok(()) }
/// # }
///
/// type MyRegistry = Cons<Override<MyNop>, Builtins>;
/// const _: () = flow::assert_registry::<MyRegistry>();
/// ```
pub struct Override<C>(PhantomData<C>);

impl<H, T> Entry<T> for Override<H>
where
    H: Component,
    H::Role: Push<H, T>,
    T: Registry,
{
    type Source = <H::Role as Push<H, T>>::Source;
    type Sink = <H::Role as Push<H, T>>::Sink;
    type Decoder = <H::Role as Push<H, T>>::Decoder;
    type Encoder = <H::Role as Push<H, T>>::Encoder;
    type Transform = <H::Role as Push<H, T>>::Transform;
    const FIRST: Option<&'static ComponentInfo> = Some(&ComponentInfo::of::<H>(true, T::FIRST));
}

impl<H, T> Registry for HCons<H, T>
where
    H: Entry<T> + 'static,
    T: Registry,
{
    type Source = H::Source;
    type Sink = H::Sink;
    type Decoder = H::Decoder;
    type Encoder = H::Encoder;
    type Transform = H::Transform;
    const FIRST: Option<&'static ComponentInfo> = H::FIRST;
}

impl Registry for HNil {
    type Source = CNil;
    type Sink = CNil;
    type Decoder = CNil;
    type Encoder = CNil;
    type Transform = CNil;
    const FIRST: Option<&'static ComponentInfo> = None;
}

/// The registry lists the component `C`. The compiler infers `Index`, its place in the list.
///
/// ```
/// use flow::{Builtins, Has, NopSink};
///
/// fn needs_nop<R: Has<NopSink, Index>, Index>() {}
/// needs_nop::<Builtins, _>();
/// ```
#[diagnostic::on_unimplemented(
    message = "the registry does not list `{C}`",
    label = "`{C}` is missing",
    note = "put it in front: `flow::Cons<{C}, …>`"
)]
pub trait Has<C, Index> {}

impl<C, T> Has<C, Here> for HCons<C, T> {}

impl<C, H, T: Has<C, Index>, Index> Has<C, There<Index>> for HCons<H, T> {}
