//! The programs that are built.

use std::fmt::Write as _;
use std::path::Path;

/// The name of the generated crate.
pub(crate) const NAME: &str = "generated";

/// What a program does with its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// They stand in a registry type, and the program is the command line over it.
    Registry,
    /// The same command line without them, and each is configured, built and called by hand.
    Hand,
}

/// Without link-time optimization, so that the compiler's time is that of the generated crate and of what it
/// instantiates.
pub(crate) fn manifest(root: &Path) -> String {
    format!(
        r#"[package]
name = "{NAME}"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
flow = {{ path = "{root}/flow", default-features = false, features = ["cli", "json"] }}
schemars = "1.2.3"
serde = {{ version = "1", features = ["derive"] }}
serde_json = {{ version = "1", features = ["float_roundtrip", "preserve_order", "raw_value"] }}

[profile.release]
codegen-units = 1
"#,
        root = root.display(),
    )
}

/// Half of the components are sources, half are decoders; each has a config of its own.
pub(crate) fn program(size: usize, how: Use) -> String {
    let mut text = HEAD.to_owned();
    let mut list = "flow::Builtins".to_owned();
    let mut calls = String::new();
    for index in (0..size).rev() {
        let (component, kind) = if index % 2 == 0 { (SOURCE, "Source") } else { (DECODER, "Decoder") };
        text.push_str(&component.replace("$N", &index.to_string()));
        list = format!("Cons<{kind}{index}, {list}>");
        // Writing to a string cannot fail.
        let _ = writeln!(calls, "    {}::<{kind}{index}>();", kind.to_lowercase());
    }
    match how {
        Use::Registry => {
            let _ = write!(
                text,
                "type R = {list};\nfn main() -> std::process::ExitCode {{\n    flow::cli::main::<R>()\n}}\n"
            );
        }
        Use::Hand => {
            text.push_str(BY_HAND);
            let _ = write!(
                text,
                "fn main() -> std::process::ExitCode {{\n{calls}    flow::cli::main::<flow::Builtins>()\n}}\n"
            );
        }
    }
    text
}

const HEAD: &str = r#"#![allow(unused_imports)]
use flow::{
    BuildContext, Checkpoint, Collect, Component, Cons, DecodeError, Error, PayloadBatch, Progress, Reason,
    RecordDecoder, RecordError, Records, Schema, SourceConnector, role,
};
use serde::Deserialize;
use serde::de::value::{Error as ValueError, MapDeserializer};

"#;

const SOURCE: &str = r#"
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceConfig$N { count: u64, text$N: String }
struct Source$N { config: SourceConfig$N, next: u64 }
impl Component for Source$N {
    const ID: &'static str = "component-$N";
    type Role = role::Source;
    type Config = SourceConfig$N;
    fn build(config: SourceConfig$N, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { config, next: $N })
    }
}
impl SourceConnector for Source$N {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        if self.next >= self.config.count {
            return Ok(Progress::End);
        }
        while !batch.is_full() && self.next < self.config.count {
            batch.push(self.config.text$N.as_bytes());
            self.next += 1 + $N;
        }
        Ok(Progress::Batch(Checkpoint(self.next)))
    }
    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }
    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}
"#;

const DECODER: &str = r#"
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecoderConfig$N { scale: f64, name$N: String }
struct Decoder$N { config: DecoderConfig$N }
impl Component for Decoder$N {
    const ID: &'static str = "component-$N";
    type Role = role::Decoder;
    type Config = DecoderConfig$N;
    fn build(config: DecoderConfig$N, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { config })
    }
}
impl RecordDecoder for Decoder$N {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let Ok(bytes) = <[u8; 8]>::try_from(payload) else {
            return Err(RecordError::new(Reason::Size, "eight bytes are expected").into());
        };
        let value = f64::from_le_bytes(bytes) * self.config.scale + $N.0;
        let fields = [(self.config.name$N.as_str(), value)];
        let record = MapDeserializer::<_, ValueError>::new(fields.into_iter());
        out.collect(record).map_err(|error| {
            out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
        })
    }
}
"#;

const BY_HAND: &str = r#"
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

fn config<C: Component>() -> C {
    black_box(schemars::schema_for!(C::Config));
    let config = serde_json::from_value(black_box(serde_json::Value::Null)).unwrap();
    C::build(config, &BuildContext::default()).unwrap()
}

fn source<S: SourceConnector + Component>() {
    let mut source = config::<S>();
    let mut batch = black_box(PayloadBatch::new());
    let mut context = Context::from_waker(Waker::noop());
    let _ = black_box(pin!(source.open()).poll(&mut context).is_ready());
    let _ = black_box(pin!(source.next(&mut batch)).poll(&mut context).is_ready());
    let _ = black_box(pin!(source.acknowledge(Checkpoint(1))).poll(&mut context).is_ready());
    let _ = black_box(pin!(source.close()).poll(&mut context).is_ready());
}

fn decoder<D: RecordDecoder + Component>() {
    let mut decoder = config::<D>();
    let mut records = black_box(Records::new(&Schema::new(Vec::new())));
    let _ = black_box(decoder.decode(black_box(b"12345678"), &mut records).is_ok());
}
"#;
