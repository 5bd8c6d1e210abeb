//! What one element of the list adds to each role.

use std::marker::PhantomData;

use frunk::coproduct::{CNil, Coproduct};
use frunk::indices::{Here, There};
use frunk::{HCons, HNil};

use crate::codec::{CollectionEncoder, RecordDecoder};
use crate::component::{Component, role};
use crate::connector::{SinkConnector, SourceConnector};
use crate::registry::Registry;
use crate::registry::info::{ComponentInfo, Link};
use crate::registry::list::sealed::List;
use crate::registry::lookup::Lookup;
use crate::transform::RecordTransform;

/// An element of a registry list: what it puts on each role's enum, in front of the `Tail` that the rest of the list makes.
///
/// Every [`Component`] is an entry, and so is [`Override`]; others stand for components that are only known at run time.
/// Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a registry list",
    label = "not a component",
    note = "implement `flow::Component` for `{Self}`: an id, a role, a config type and `build`"
)]
pub trait Entry: sealed::Entry {
    /// The sources of the list that begins with this element.
    type Source<Tail: SourceConnector + Lookup>: SourceConnector + Lookup;
    /// The sinks of the list that begins with this element.
    type Sink<Tail: SinkConnector + Lookup>: SinkConnector + Lookup;
    /// The decoders of the list that begins with this element.
    type Decoder<Tail: RecordDecoder + Lookup>: RecordDecoder + Lookup;
    /// The encoders of the list that begins with this element.
    type Encoder<Tail: CollectionEncoder + Lookup>: CollectionEncoder + Lookup;
    /// The transforms of the list that begins with this element.
    type Transform<Tail: RecordTransform + Lookup>: RecordTransform + Lookup;
    /// What is known of this element without building it. `None` for one that stands for what is only known at run time.
    const INFO: Option<ComponentInfo<'static>>;
}

/// Puts the component `H` on the enum of one role and leaves the other four as they are.
///
/// Implemented for the types in [`role`]. Sealed.
pub trait Push<H>: role::Role + sealed::Push<H> {
    /// The sources, with `H` where it is one.
    type Source<Tail: SourceConnector + Lookup>: SourceConnector + Lookup;
    /// The sinks, with `H` where it is one.
    type Sink<Tail: SinkConnector + Lookup>: SinkConnector + Lookup;
    /// The decoders, with `H` where it is one.
    type Decoder<Tail: RecordDecoder + Lookup>: RecordDecoder + Lookup;
    /// The encoders, with `H` where it is one.
    type Encoder<Tail: CollectionEncoder + Lookup>: CollectionEncoder + Lookup;
    /// The transforms, with `H` where it is one.
    type Transform<Tail: RecordTransform + Lookup>: RecordTransform + Lookup;
}

impl<H: Component + SourceConnector> Push<H> for role::Source {
    type Source<Tail: SourceConnector + Lookup> = Coproduct<H, Tail>;
    type Sink<Tail: SinkConnector + Lookup> = Tail;
    type Decoder<Tail: RecordDecoder + Lookup> = Tail;
    type Encoder<Tail: CollectionEncoder + Lookup> = Tail;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
}

impl<H: Component + SinkConnector> Push<H> for role::Sink {
    type Source<Tail: SourceConnector + Lookup> = Tail;
    type Sink<Tail: SinkConnector + Lookup> = Coproduct<H, Tail>;
    type Decoder<Tail: RecordDecoder + Lookup> = Tail;
    type Encoder<Tail: CollectionEncoder + Lookup> = Tail;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
}

impl<H: Component + RecordDecoder> Push<H> for role::Decoder {
    type Source<Tail: SourceConnector + Lookup> = Tail;
    type Sink<Tail: SinkConnector + Lookup> = Tail;
    type Decoder<Tail: RecordDecoder + Lookup> = Coproduct<H, Tail>;
    type Encoder<Tail: CollectionEncoder + Lookup> = Tail;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
}

impl<H: Component + CollectionEncoder> Push<H> for role::Encoder {
    type Source<Tail: SourceConnector + Lookup> = Tail;
    type Sink<Tail: SinkConnector + Lookup> = Tail;
    type Decoder<Tail: RecordDecoder + Lookup> = Tail;
    type Encoder<Tail: CollectionEncoder + Lookup> = Coproduct<H, Tail>;
    type Transform<Tail: RecordTransform + Lookup> = Tail;
}

impl<H: Component + RecordTransform> Push<H> for role::Transform {
    type Source<Tail: SourceConnector + Lookup> = Tail;
    type Sink<Tail: SinkConnector + Lookup> = Tail;
    type Decoder<Tail: RecordDecoder + Lookup> = Tail;
    type Encoder<Tail: CollectionEncoder + Lookup> = Tail;
    type Transform<Tail: RecordTransform + Lookup> = Coproduct<H, Tail>;
}

impl<H> Entry for H
where
    H: Component,
    H::Role: Push<H>,
{
    type Source<Tail: SourceConnector + Lookup> = <H::Role as Push<H>>::Source<Tail>;
    type Sink<Tail: SinkConnector + Lookup> = <H::Role as Push<H>>::Sink<Tail>;
    type Decoder<Tail: RecordDecoder + Lookup> = <H::Role as Push<H>>::Decoder<Tail>;
    type Encoder<Tail: CollectionEncoder + Lookup> = <H::Role as Push<H>>::Encoder<Tail>;
    type Transform<Tail: RecordTransform + Lookup> = <H::Role as Push<H>>::Transform<Tail>;
    const INFO: Option<ComponentInfo<'static>> = Some(ComponentInfo::of::<H>(false));
}

/// A component that takes the place of the one with the same role and id further down the list.
///
/// ```
/// # use flow::connector::nop::NopSink;
/// # use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};
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

impl<H> Entry for Override<H>
where
    H: Component,
    H::Role: Push<H>,
{
    type Source<Tail: SourceConnector + Lookup> = <H::Role as Push<H>>::Source<Tail>;
    type Sink<Tail: SinkConnector + Lookup> = <H::Role as Push<H>>::Sink<Tail>;
    type Decoder<Tail: RecordDecoder + Lookup> = <H::Role as Push<H>>::Decoder<Tail>;
    type Encoder<Tail: CollectionEncoder + Lookup> = <H::Role as Push<H>>::Encoder<Tail>;
    type Transform<Tail: RecordTransform + Lookup> = <H::Role as Push<H>>::Transform<Tail>;
    const INFO: Option<ComponentInfo<'static>> = Some(ComponentInfo::of::<H>(true));
}

// `T: Registry` comes first: the compiler then walks down the list one level an element, and finds the answer waiting
// when the other bounds ask again. The other way round a long list exhausts its recursion limit.
impl<H, T> Registry for HCons<H, T>
where
    T: Registry,
    H: Entry + 'static,
{
    type Source = H::Source<T::Source>;
    type Sink = H::Sink<T::Sink>;
    type Decoder = H::Decoder<T::Decoder>;
    type Encoder = H::Encoder<T::Encoder>;
    type Transform = H::Transform<T::Transform>;
    const FIRST: Option<&'static Link> = Some(&Link { info: H::INFO, next: T::FIRST });
}

impl Registry for HNil {
    type Source = CNil;
    type Sink = CNil;
    type Decoder = CNil;
    type Encoder = CNil;
    type Transform = CNil;
    const FIRST: Option<&'static Link> = None;
}

/// The registry lists the component `C`. The compiler infers `Index`, its place in the list. Sealed.
///
/// ```
/// use flow::connector::nop::NopSink;
/// use flow::{Builtins, Has};
///
/// fn needs_nop<R: Has<NopSink, Index>, Index>() {}
/// needs_nop::<Builtins, _>();
/// ```
#[diagnostic::on_unimplemented(
    message = "the registry does not list `{C}`",
    label = "`{C}` is missing",
    note = "put it in front: `flow::Cons<{C}, …>`"
)]
pub trait Has<C, Index>: List {}

impl<C, T> Has<C, Here> for HCons<C, T> {}

impl<C, T> Has<C, Here> for HCons<Override<C>, T> {}

impl<C, H, T: Has<C, Index>, Index> Has<C, There<Index>> for HCons<H, T> {}

pub(super) mod sealed {
    use super::{
        CollectionEncoder, Component, Override, RecordDecoder, RecordTransform, SinkConnector,
        SourceConnector, role,
    };

    pub trait Entry {}
    impl<H: Component> Entry for H {}
    impl<H: Component> Entry for Override<H> {}

    pub trait Push<H> {}
    impl<H: Component + SourceConnector> Push<H> for role::Source {}
    impl<H: Component + SinkConnector> Push<H> for role::Sink {}
    impl<H: Component + RecordDecoder> Push<H> for role::Decoder {}
    impl<H: Component + CollectionEncoder> Push<H> for role::Encoder {}
    impl<H: Component + RecordTransform> Push<H> for role::Transform {}
}
