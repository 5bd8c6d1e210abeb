//! Two private crates in one registry.

use acme::Acme;
use flow::{
    BuildContext, Builtins, Checkpoint, Component, Cons, Error, Has, NoConfig, PayloadBatch, Registry,
    SinkConnector, role,
};

/// The component of another company.
#[derive(Component)]
#[component(sink, id = "other")]
struct OtherSink;

impl OtherSink {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl SinkConnector for OtherSink {
    async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        std::future::pending().await
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

type Other<Tail> = Cons<OtherSink, Tail>;

const _: () = flow::assert_registry::<Acme<Other<Builtins>>>();
const _: () = flow::assert_registry::<Other<Acme<Builtins>>>();

fn lists<R: Registry + Has<OtherSink, A> + Has<acme::AcmeSink, B>, A, B>() -> Vec<&'static str> {
    R::ids(role::Kind::Sink)
}

#[test]
fn private_crates_stack_in_any_order() {
    assert!(lists::<Acme<Other<Builtins>>, _, _>().starts_with(&["acme", "other"]));
    assert!(lists::<Other<Acme<Builtins>>, _, _>().starts_with(&["other", "acme"]));
}
