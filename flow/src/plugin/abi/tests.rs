//! Both sides of the border in one process, without a library: for Miri, which cannot load any.
#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use serde_json::{Value, json};

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::component::{BuildContext, Claims, Component, ConfigFault, NoConfig, Step, role};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{DecodeError, EncodeError, Error, ErrorKind, Reason, RecordError};
use crate::plugin::abi::offers::{Table, offers};
use crate::plugin::abi::types::{Failure, Registry, Status};
use crate::plugin::abi::{exported, register};
use crate::plugin::host::{PluginDecoder, PluginEncoder, PluginSink, PluginSource};
use crate::record::payload::Metadata;
use crate::record::{
    Checkpoint, Collect, CollectBatch, Collection, Field, PayloadBatch, Records, Schema, Template, Type,
    TypedRecords,
};

macro_rules! component {
    ($name:ident $role:ident $id:literal) => {
        impl Component for $name {
            const ID: &'static str = $id;
            type Role = role::$role;
            type Config = NoConfig;

            fn build(_: NoConfig, context: &BuildContext) -> Result<Self, Error> {
                assert!(["here", "there"].contains(&context.label()));
                context.claim($id, concat!("the ", $id))?;
                Ok(Self::default())
            }
        }
    };
}

component! { Counter Source "counter" }
component! { Keeper Sink "keeper" }
component! { Words Decoder "words" }
component! { Lines Encoder "lines" }

/// Hands out a payload at every second poll.
#[derive(Default)]
struct Counter {
    handed_out: u64,
    polled: bool,
}

impl SourceConnector for Counter {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        let polled = &mut self.polled;
        std::future::poll_fn(|context| {
            *polled = !*polled;
            context.waker().wake_by_ref();
            if *polled { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        self.handed_out += 1;
        match self.handed_out {
            1 => {
                batch.push_with(b"one", Metadata { topic: Some("t"), key: Some("k"), time: Some(-7) });
                batch.push_header("name", "value");
                batch.push(b"");
                Ok(Progress::Batch(Checkpoint(5)))
            }
            2 => Err(Error::temporary(ErrorKind::Connection, "away").with("peer", "x")),
            _ => Ok(Progress::End),
        }
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        if checkpoint == Checkpoint(5) { Ok(()) } else { Err(Error::config("a.b", "no such checkpoint")) }
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Default)]
struct Keeper {
    route: Option<Template>,
    confirmed: Option<Checkpoint>,
}

impl SinkConnector for Keeper {
    async fn open(&mut self) -> Result<(), Error> {
        Err(Error::permanent(ErrorKind::Io, "shut"))
    }

    fn route(&self) -> Option<&Template> {
        self.route.as_ref()
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.confirmed = Some(checkpoint);
        match batch.iter().position(|payload| payload.bytes() == b"bad") {
            Some(index) => Err(Error::refused_payload(index, "bad")),
            None => Ok(()),
        }
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        match self.confirmed.take() {
            Some(checkpoint) => Ok(checkpoint),
            None => std::future::pending().await,
        }
    }

    async fn close(self) -> Result<(), Error> {
        panic!("not closed today")
    }
}

/// A record for each word.
#[derive(Default)]
struct Words;

impl RecordDecoder for Words {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(payload)
            .map_err(|error| DecodeError::fatal(RecordError::new(Reason::Utf8, error.to_string())))?;
        for word in text.split(' ') {
            let before = out.len();
            let keys = out.keys().map(|keys| keys.join(" "));
            let record = json!({ "word": word, "len": word.len(), "at": before, "keys": keys });
            match out.collect(record) {
                Ok(()) if word == "twice" => out.truncate(before),
                Ok(()) => {}
                Err(error) => {
                    let fault =
                        out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string()));
                    out.reject(fault.with_offset(before));
                }
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Lines;

impl CollectionEncoder for Lines {
    fn framing(&self) -> Framing {
        Framing::PerBatch
    }

    fn check(&self, schema: &Schema) -> Result<(), Error> {
        schema.require("column", "word").map(drop)
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for index in 0..records.len() {
            let written = records.serialize(index, &mut serde_json::Serializer::new(out.buffer()));
            written.map_err(|error| {
                EncodeError::new(index, RecordError::new(Reason::Encode, error.to_string()))
            })?;
        }
        out.finish();
        Ok(())
    }
}

unsafe extern "C" fn entry(registry: *const Registry, failure: *mut Failure) -> Status {
    let components = [exported::<Counter>(), exported::<Keeper>(), exported::<Words>(), exported::<Lines>()];
    // SAFETY: both are lent for the call.
    unsafe { register(registry.as_ref(), failure.as_mut(), &components) }
}

fn table(id: &str) -> Table {
    // SAFETY: `entry` is of this very ABI.
    let offers = unsafe { offers(entry, false) }.unwrap();
    offers.into_iter().find(|offer| offer.id == id).unwrap().table
}

fn built<T, C>(
    table: &Arc<T>,
    build: impl Fn(&Arc<T>, &Value, &BuildContext) -> Result<C, Vec<ConfigFault>>,
) -> C {
    build(table, &json!({}), &BuildContext::new("here", "/")).map_err(|faults| panic!("{faults:?}")).unwrap()
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls to the end. Whoever is pending has woken.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut future = pin!(future);
    for polls in 1.. {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => assert_eq!(count.0.load(Ordering::Relaxed), polls, "pending and not woken"),
        }
    }
    unreachable!()
}

#[test]
fn a_source_crosses() {
    let Table::Source(table) = table("counter") else { panic!("no source") };
    let mut source = built(&table, PluginSource::build);
    let mut batch = PayloadBatch::with_capacity(7);
    wait(source.open()).unwrap();
    // Dropped half-way, the call goes on with the next one.
    assert!(pin!(source.next(&mut batch)).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(wait(source.next(&mut batch)).unwrap(), Progress::Batch(Checkpoint(5)));
    let first = batch.get(0).unwrap();
    assert_eq!((first.bytes(), first.header("name")), (&b"one"[..], Some("value")));
    assert_eq!(first.metadata(), Metadata { topic: Some("t"), key: Some("k"), time: Some(-7) });
    assert_eq!((batch.get(1).unwrap().bytes(), batch.len()), (&b""[..], 2));
    batch.clear();
    let away = wait(source.next(&mut batch)).unwrap_err();
    assert_eq!(
        (away.to_string().as_str(), away.is_temporary(), away.kind()),
        ("away (peer x)", true, ErrorKind::Connection)
    );
    // Another call gives the one that waits up.
    assert!(pin!(source.next(&mut batch)).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    wait(source.acknowledge(Checkpoint(5))).unwrap();
    let refused = wait(source.acknowledge(Checkpoint(6))).unwrap_err();
    assert_eq!((refused.key(), refused.to_string().as_str()), (Some("a.b"), "no such checkpoint"));
    assert_eq!(wait(source.next(&mut batch)).unwrap(), Progress::End);
    wait(source.close()).unwrap();
}

#[test]
fn a_sink_crosses() {
    let Table::Sink(table) = table("keeper") else { panic!("no sink") };
    let mut sink = built(&table, PluginSink::build);
    assert!(sink.route().is_none());
    let shut = wait(sink.open()).unwrap_err();
    assert_eq!((shut.to_string().as_str(), shut.kind(), shut.is_temporary()), ("shut", ErrorKind::Io, false));
    let mut batch = PayloadBatch::new();
    batch.push(b"good");
    batch.push(b"bad");
    let refused = wait(sink.write(&batch, Checkpoint(3))).unwrap_err();
    assert_eq!((refused.payload(), refused.to_string().as_str()), (Some(1), "bad"));
    assert_eq!(wait(sink.confirmed()).unwrap(), Checkpoint(3));
    let panicked = wait(sink.close()).unwrap_err();
    assert_eq!(panicked.to_string(), "the plugin panicked: not closed today");
}

#[test]
fn a_decoder_crosses() {
    let Table::Decoder(table) = table("words") else { panic!("no decoder") };
    let mut decoder = built(&table, PluginDecoder::build);
    let schema = Schema::new(vec![Field::new("word", Type::String), Field::new("len", Type::Int8)]);
    let mut records = Records::new(&schema);
    decoder.decode(b"a twice bcd", &mut records).unwrap();
    let mut out = Vec::new();
    for index in 0..Collection::len(&records) {
        Collection::serialize(&records, index, &mut serde_json::Serializer::new(&mut out)).unwrap();
    }
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"word":"a","len":1}{"word":"bcd","len":3}"#);
    // The columns refuse a record in the middle: the fault comes back, and the rest goes on.
    let long = "x".repeat(200);
    decoder.decode(format!("{long} y").as_bytes(), &mut records).unwrap();
    let rejected: Vec<String> = records.rejected().iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(rejected, ["field `len`: 200 is out of range for int8 (-128 to 127) at byte 2"]);
    assert_eq!(Collect::len(&records), 3);
    let fatal = decoder.decode(&[0xff], &mut records).unwrap_err();
    assert!(fatal.is_fatal() && fatal.record().reason() == Reason::Utf8, "{fatal}");

    // A panic of the program's own types goes around the library, and the decoder is good afterwards.
    #[derive(Debug)]
    struct Bomb;
    impl<'de> serde::Deserialize<'de> for Bomb {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("boom")
        }
    }
    let mut bombs = TypedRecords::<Bomb>::new();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decoder.decode(b"x", &mut bombs)));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"boom"));
    assert!(decoder.decode(b"z", &mut records).is_ok());

    // It hears which keys are read.
    let mut keys = |of: Vec<Field>| {
        let mut records = Records::new(&Schema::new(of));
        decoder.decode(b"a", &mut records).unwrap();
        format!("{:?}", records.value(0, 0))
    };
    let field = |name: &str, path: &str| Field::new(name, Type::String).from_path(path);
    let fields = || vec![field("k", "keys"), field("n", "other.x"), field("t", "meta.topic")];
    assert_eq!(
        (keys(fields()), keys(vec![field("k", "keys")])),
        (r#"Text("keys other")"#.to_owned(), r#"Text("keys")"#.to_owned())
    );
}

#[test]
fn claims_cross() {
    let Table::Source(table) = table("counter") else { panic!("no source") };
    let claims = Claims::default();
    let first = BuildContext::new("here", "/").with_claims(claims.clone());
    let build = |context: &BuildContext| PluginSource::build(&table, &json!({}), context).map(|_| ());
    build(&first).unwrap();
    // Of the same component again, but of no other.
    build(&first).unwrap();
    assert_eq!(first.claimed().first(), Some(&("counter".to_owned(), "the counter".to_owned(), true)));
    let second = BuildContext::new("there", "/").with_claims(claims);
    let faults = build(&second).unwrap_err();
    assert_eq!(faults[0].message, "the counter is used by `here` already");
    assert_eq!(faults[0].path, [Step::Key("counter".to_owned())]);
}

#[test]
fn an_encoder_crosses() {
    let Table::Encoder(table) = table("lines") else { panic!("no encoder") };
    let mut encoder = built(&table, PluginEncoder::build);
    assert_eq!(encoder.framing(), Framing::PerBatch);
    let schema = |name: &str| {
        Schema::new(vec![Field::new(name, Type::List(Box::new(Field::new("item", Type::Float64))))])
    };
    encoder.check(&schema("word")).unwrap();
    assert_eq!(encoder.check(&schema("other")).unwrap_err().key(), Some("column"));

    let mut records = TypedRecords::new();
    records.push(0, json!({ "a": [1, -2, 2.5, null, true] }));
    records.push(1, json!({ "b": { "c": "text" } }));
    let mut out = PayloadBatch::new();
    out.push(b"before");
    encoder.encode(&records, &mut out).unwrap();
    assert_eq!(out.len(), 2);
    assert_eq!(out.get(1).unwrap().bytes(), br#"{"a":[1,-2,2.5,null,true]}{"b":{"c":"text"}}"#);

    let mut records = TypedRecords::new();
    records.push(0, 1.0);
    records.push(1, f64::NAN);
    let schema = Schema::new(vec![Field::new("f", Type::Float64)]);
    let mut columns = Records::new(&schema);
    columns
        .collect(serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
            [("f", f64::NAN)].into_iter(),
        ))
        .unwrap();
    let refused = encoder.encode(&columns, &mut out).unwrap_err();
    assert_eq!(refused.index(), 0);
    assert!(refused.to_string().contains("`f`"), "{refused}");
    assert_eq!(out.len(), 2);
}
