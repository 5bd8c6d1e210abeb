//! What a program registers at run time works as what its list holds, and no id is ever taken twice.
#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::sync::Arc;

use flow::codec::json::{JsonDecoder, JsonDecoderConfig, JsonEncoder, JsonEncoderConfig};
use flow::connector::mock::{MockSink, MockSource};
use flow::connector::mock::{MockSinkConfig, MockSourceConfig};
use flow::connector::nop::NopSink;
use flow::{
    BuildContext, Builtins, Checkpoint, CodecRegistry, Component, ConnectorRegistry, Cons, Error, Nil,
    NoConfig, PayloadBatch, Pipeline, Runtime, SinkConnector, role,
};

fn context() -> BuildContext {
    BuildContext::default()
}

fn register_custom_connectors(registry: &mut ConnectorRegistry) -> Result<(), Error> {
    registry.register_source(
        "my-source",
        Arc::new(|cfg| Ok(Box::new(<MockSource as Component>::build(cfg, &context())?))),
    )?;
    registry.register_sink(
        "my-sink",
        Arc::new(|cfg| Ok(Box::new(<MockSink as Component>::build(cfg, &context())?))),
    )
}

fn register_custom_codecs(registry: &mut CodecRegistry) -> Result<(), Error> {
    registry.register_decoder(
        "my-json",
        Arc::new(|cfg: JsonDecoderConfig| Ok(Box::new(JsonDecoder::new(cfg.framing)))),
    )?;
    registry.register_encoder(
        "my-json",
        Arc::new(|cfg: JsonEncoderConfig| Ok(Box::new(JsonEncoder::new(cfg.framing)))),
    )
}

fn runtime() -> Runtime {
    let mut runtime = Runtime::of::<Builtins>();
    register_custom_connectors(runtime.connectors()).unwrap();
    register_custom_codecs(runtime.codecs()).unwrap();
    runtime
}

const PAYLOADS: [&str; 6] = [
    r#"{"device":"a","celsius":1.5,"tags":["x"],"other":{"deep":[1,2,{"n":null}]}}"#,
    r#"[{"device":"b","celsius":2},{"device":"c","celsius":"wet"},{"device":"d"}]"#,
    r#"{"device":"e","celsius":"#,
    r#"{"device":"f","celsius":1e999}"#,
    "\u{1}",
    r#"{"celsius":3,"device":"g"}"#,
];

/// What comes out of a pipeline with these components, and what becomes of its bad payloads.
async fn outputs(run: &str, connector: [&str; 2], codec: &str) -> [Vec<String>; 2] {
    let name = |part: &str| format!("registered-{run}-{part}");
    let (source, sink, dead) = (name("source"), name("sink"), name("dead"));
    let [from, to] = connector;
    let text = format!(
        "name = \"registered\"\n\
         on_error = {{ dead_letter = {{ connector = \"{to}\", name = \"{dead}\", encoder = \"{codec}\" }} }}\n\
         [source]\nconnector = \"{from}\"\nname = \"{source}\"\ndecoder = \"{codec}\"\n\
         [source.schema]\ndevice = {{ type = \"string\", required = true }}\ncelsius = \"float64\"\ntags = {{ type = \"list\", items = \"string\" }}\n\
         [[sink]]\nconnector = \"{to}\"\nname = \"{sink}\"\nencoder = {{ codec = \"{codec}\", framing = \"array\" }}\n"
    );
    MockSource::handle(&source).payloads(PAYLOADS).end();
    let pipeline = Pipeline::<Builtins>::load().with(&runtime()).text("registered.toml", &text).unwrap();
    pipeline.run(std::future::pending()).await.unwrap();
    let texts = |name: &str| MockSink::handle(name).texts();
    [texts(&sink), texts(&dead)]
}

#[tokio::test]
async fn registered_components_do_what_listed_ones_do_to_the_byte() {
    let listed = outputs("listed", ["mock", "mock"], "json").await;
    let registered = outputs("run-time", ["my-source", "my-sink"], "my-json").await;
    assert_eq!(
        listed[0],
        [
            r#"[{"device":"a","celsius":1.5,"tags":["x"]},{"device":"b","celsius":2.0,"tags":null},{"device":"d","celsius":null,"tags":null},{"device":"g","celsius":3.0,"tags":null}]"#
        ]
    );
    assert_eq!(listed[1].len(), 4, "{:?}", listed[1]);
    assert_eq!(listed[0], registered[0]);
    // Text and place of what was rejected survive the way through `dyn`.
    let told = |letters: &[String]| -> Vec<(String, String)> {
        let parsed = letters.iter().map(|letter| serde_json::from_str::<serde_json::Value>(letter).unwrap());
        let told = parsed.map(|letter| {
            let message = letter["message"].as_str().unwrap();
            let message = message.strip_prefix("field `celsius`: ").unwrap_or(message);
            (letter["payload"].to_string(), message.to_owned())
        });
        told.collect()
    };
    assert_eq!(told(&listed[1]), told(&registered[1]));
    assert_eq!(told(&listed[1])[0].1, "expected float64, got \"wet\" at byte 56");
    assert_eq!(told(&listed[1])[3].1, "expected value at byte 0");
}

#[tokio::test]
async fn typed_records_cross_dyn_as_well() {
    #[derive(serde::Deserialize)]
    struct Reading {
        device: String,
        celsius: Option<f64>,
        level: Level,
    }
    #[derive(serde::Deserialize, serde::Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        High,
        At { height: u8 },
    }
    #[derive(serde::Serialize)]
    struct Alert(String, Option<f64>, Level);

    MockSource::handle("registered-typed")
        .payloads([
            r#"{"device":"a","level":"high"}"#,
            r#"{"device":"b","celsius":1,"level":{"at":{"height":3}}}"#,
        ])
        .end();
    let text = "[source]\nconnector = \"my-source\"\nname = \"registered-typed\"\ndecoder = \"my-json\"\n\
                [sink]\nconnector = \"my-sink\"\nname = \"registered-typed\"\nencoder = \"my-json\"\n";
    let pipeline = Pipeline::<Builtins>::load().with(&runtime()).text("typed.toml", text).unwrap();
    let mapped = pipeline.map(|r: Reading| Alert(r.device, r.celsius, r.level));
    mapped.run(std::future::pending()).await.unwrap();
    let texts = MockSink::handle("registered-typed").texts();
    assert_eq!(texts, [r#"["a",null,"high"]"#, r#"["b",1.0,{"at":{"height":3}}]"#]);
}

struct Late;

impl Component for Late {
    const ID: &'static str = "late";
    const DESCRIPTION: &'static str = "comes at run time";
    type Role = role::Sink;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl SinkConnector for Late {
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

fn mock_sink(cfg: MockSinkConfig) -> Result<Box<dyn flow::registry::DynSink>, Error> {
    Ok(Box::new(<MockSink as Component>::build(cfg, &context())?))
}

#[test]
fn an_id_is_never_taken_twice() {
    let mut runtime = runtime();
    let connectors = runtime.connectors();
    let refused = connectors.register_sink("nop", Arc::new(mock_sink)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "duplicate id: the sink `nop` is there already (in the list, from the crate `flow`)"
    );
    let refused = connectors.register_sink("my-sink", Arc::new(mock_sink)).unwrap_err();
    assert_eq!(refused.to_string(), "duplicate id: the sink `my-sink` is there already (registered)");
    let refused = connectors.register_sink("My_Sink", Arc::new(mock_sink)).unwrap_err();
    assert_eq!(refused.to_string(), "the sink id `My_Sink` is not made of `a-z`, `0-9` and `-`");
    connectors.register::<Late>().unwrap();
    let refused = connectors.register::<Late>().unwrap_err();
    assert_eq!(refused.to_string(), "duplicate id: the sink `late` is there already (registered)");
    // The same id in another role is another component.
    connectors
        .register_source(
            "late",
            Arc::new(|cfg: MockSourceConfig| {
                Ok(Box::new(<MockSource as Component>::build(cfg, &context())?))
            }),
        )
        .unwrap();
    let refused = runtime.codecs().register::<JsonDecoder>().unwrap_err();
    assert!(refused.to_string().starts_with("duplicate id: the decoder `json`"), "{refused}");
}

#[test]
fn listings_schemas_and_messages_know_what_was_registered() {
    let mut runtime = runtime();
    runtime.connectors().register::<Late>().unwrap();
    let components = runtime.components();
    let late = components.iter().find(|info| info.id == "late").unwrap();
    assert_eq!((late.crate_name(), late.description), ("registered", "comes at run time"));
    let schema = flow::file_schema(&runtime).to_string();
    assert!(schema.contains(r#""const":"my-json""#), "{schema}");

    let text = "[source]\nconnector = \"my-sourc\"\ndecoder = { codec = \"my-json\", framin = \"lines\" }\n[source.schema]\na = \"string\"\n\
                [sink]\nconnector = \"my-sink\"\nname = 7\nencoder = \"json\"\n";
    let problems = Pipeline::<Builtins>::load().with(&runtime).text("x.toml", text).map(|_| ()).unwrap_err();
    let problems = problems.to_string();
    let lines: Vec<&str> = problems.lines().collect();
    assert!(lines[0].starts_with(
        "x.toml:2: source.connector: unknown source `my-sourc`: did you mean `my-source`? (known: "
    ));
    assert_eq!(lines[1], "x.toml:3: source.decoder.framin: unknown key; did you mean `framing`?");
    assert_eq!(lines[2], "x.toml:8: sink.name: invalid type: integer `7`, expected a string");
}

#[test]
fn a_runtime_belongs_to_its_list() {
    type Other = Cons<NopSink, Nil>;
    let text =
        "[source]\nconnector = \"mock\"\ndecoder = \"raw\"\n[sink]\nconnector = \"nop\"\nencoder = \"raw\"\n";
    let wrong = Pipeline::<Other>::load().with(&runtime()).text("x.toml", text).map(|_| ()).unwrap_err();
    assert!(wrong.to_string().contains("the `Runtime` was made for another list"), "{wrong}");
}

#[test]
fn a_dead_letter_sink_that_the_list_cannot_hold_is_a_problem_and_not_another_policy() {
    type Closed = Cons<MockSource, Cons<NopSink, Cons<JsonDecoder, Cons<JsonEncoder, Nil>>>>;
    let mut runtime = Runtime::of::<Closed>();
    register_custom_connectors(runtime.connectors()).unwrap();
    let text = "on_error = { dead_letter = { connector = \"my-sink\" } }\n\
         [source]\nconnector = \"mock\"\npayloads = [\"1\"]\ndecoder = \"json\"\nschema = { a = \"int64\" }\n\
         [[sink]]\nconnector = \"nop\"\nencoder = \"json\"\n";
    let problems = Pipeline::<Closed>::load().with(&runtime).text("x.toml", text).map(|_| ()).unwrap_err();
    assert!(problems.to_string().contains("could not be built"), "{problems}");
}
