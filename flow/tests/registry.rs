//! What the type-level list promises to those who put their own types into it.

use flow::Reason;
use flow::connector::mock::MockSink;
use flow::connector::mock::MockSource;
use flow::connector::nop::NopSink;
use flow::{
    BuildContext, Builtins, Checkpoint, Collect, Component, Cons, DecodeError, Error, Has, NoConfig,
    Override, PayloadBatch, Pipeline, Progress, RecordDecoder, RecordError, Registry, SinkConnector,
    SourceConnector, assert_registry, role,
};

/// Takes the place of the built-in `nop`.
struct MyNop;

impl Component for MyNop {
    const ID: &'static str = "nop";
    const DESCRIPTION: &'static str = "mine";
    type Role = role::Sink;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Err(Error::config("connector", "this is mine"))
    }
}

impl SinkConnector for MyNop {
    async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(Checkpoint(0))
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

const IDS: [&str; 32] = [
    "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15",
    "c16", "c17", "c18", "c19", "c20", "c21", "c22", "c23", "c24", "c25", "c26", "c27", "c28", "c29", "c30",
    "c31",
];

/// One of many sources: hands out one payload with its own number, then ends.
struct Nth<const N: usize>(bool);

impl<const N: usize> Component for Nth<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Source;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self(false))
    }
}

impl<const N: usize> SourceConnector for Nth<N> {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        if std::mem::replace(&mut self.0, true) {
            return Ok(Progress::End);
        }
        batch.push(N.to_string().as_bytes());
        Ok(Progress::Batch(Checkpoint(1)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// One of many decoders: a number, plus its own.
struct Plus<const N: usize>;

impl<const N: usize> Component for Plus<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Decoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl<const N: usize> RecordDecoder for Plus<N> {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let number: Option<u64> = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| RecordError::new(Reason::Syntax, "no number"))?;
        let value = serde::de::value::U64Deserializer::<serde::de::value::Error>::new(number + N as u64);
        out.collect(value).map_err(|error| RecordError::new(Reason::Type, error.to_string()).into())
    }
}

macro_rules! list {
    ($tail:ty; $kind:ident) => { $tail };
    ($tail:ty; $kind:ident $first:literal $($rest:literal)*) => { Cons<$kind<$first>, list!($tail; $kind $($rest)*)> };
}

macro_rules! all {
    ($tail:ty; $kind:ident) => {
        list!($tail; $kind 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
}

/// 64 components in front of the built-in ones, at the default recursion limit.
type Large = all!(all!(Builtins; Plus); Nth);

const _: () = assert_registry::<Large>();

#[tokio::test]
async fn sixty_four_components_compile_and_the_last_of_them_runs() {
    let text = "[source]\nconnector = \"c31\"\ndecoder = \"c31\"\n[sink]\nconnector = \"mock\"\nname = \"large\"\nencoder = \"json\"";
    let pipeline = Pipeline::<Large>::from_text("large.toml", text).unwrap();
    // It can be spawned: the futures of such a list are `Send`.
    let running = tokio::spawn(pipeline.map(|number: u64| number).run(std::future::pending()));
    assert_eq!(running.await.unwrap().unwrap().delivered, 1);
    assert_eq!(MockSink::handle("large").texts(), ["62"]);
    assert_eq!(Large::ids(role::Kind::Decoder)[..32], IDS);
}

#[test]
fn an_override_takes_the_place_of_a_built_in() {
    type Mine = Cons<Override<MyNop>, Builtins>;
    const _: () = assert_registry::<Mine>();
    let nops: Vec<_> = Mine::components().into_iter().filter(|info| info.id == "nop").collect();
    assert_eq!(nops.len(), 1);
    assert_eq!((nops[0].description, nops[0].crate_name()), ("mine", "registry"));

    let text = "[source]\nconnector = \"mock\"\nname = \"override\"\ndecoder = \"json\"\n[sink]\nconnector = \"nop\"\nencoder = \"json\"";
    let refused = Pipeline::<Mine>::from_text("mine.toml", text).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "mine.toml:6: sink.connector: this is mine");
}

#[test]
fn a_listed_component_can_be_asked_for() {
    fn needs<R: Registry + Has<C, Index>, C, Index>() {}
    needs::<Builtins, NopSink, _>();
    needs::<Large, Nth<31>, _>();
    needs::<Large, MockSource, _>();
}
