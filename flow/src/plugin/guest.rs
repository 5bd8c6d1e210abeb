//! The library's side of the five contracts, on safe terms: what its components do for each call of the host.

use serde::de::Deserializer;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::component::{BuildContext, Component, ConfigFault, Step, read_config};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{Error, ErrorKind, RecordError};
use crate::plugin::drive::{Call, Driver};
use crate::plugin::rows::{RowValue, RowVisitor};
use crate::record::{Checkpoint, Collect, Collection, PayloadBatch, Template, fields};

use std::sync::Arc;
use std::task::{Poll, Waker};

/// A context on its way over the border.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct ContextText {
    pub(crate) label: String,
    pub(crate) directory: String,
    pub(crate) secrets: Vec<(String, String)>,
}

/// What a component uses: the option that asks for it, what it is, whether it uses that alone.
pub(crate) type Used = (String, String, bool);

/// Builds a component from JSON text. What it uses, the program has to allow.
pub(crate) fn build<C: Component>(config: &[u8], context: &[u8]) -> Result<(C, Vec<Used>), Vec<ConfigFault>> {
    let fault = |error: serde_json::Error| vec![ConfigFault { path: Vec::new(), message: error.to_string() }];
    let config: Value = serde_json::from_slice(config).map_err(fault)?;
    let context: ContextText = serde_json::from_slice(context).map_err(fault)?;
    let context = BuildContext::new(context.label, context.directory).with_secrets(context.secrets);
    let built = C::build(read_config::<C::Config>(&config)?, &context);
    built.map(|component| (component, context.claimed())).map_err(|error| vec![error.into()])
}

/// The way to a fault as a JSON array: keys and positions.
pub(crate) fn path_text(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => Value::from(key.as_str()),
        Step::Index(index) => Value::from(*index),
    });
    Value::Array(steps.collect()).to_string()
}

/// What a call of a source came to.
pub(crate) enum SourceDone {
    Next(Result<Progress, Error>),
    Other(Result<(), Error>),
}

pub(crate) struct SourceGuest<S> {
    driver: Driver<(S, PayloadBatch), SourceDone>,
}

impl<S: SourceConnector> SourceGuest<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { driver: Driver::new((source, PayloadBatch::new())) }
    }

    pub(crate) fn open(&mut self, waker: &Waker) -> Result<Poll<()>, Error> {
        let done = self.driver.poll(Call::Open, waker, |(mut source, batch), cancel| {
            Box::pin(async move {
                let done = cancel.or(source.open()).await;
                (Some((source, batch)), done.map(SourceDone::Other))
            })
        })?;
        unit(done)
    }

    /// The batch is good until the next call.
    pub(crate) fn next(
        &mut self,
        waker: &Waker,
        capacity: usize,
    ) -> Result<Poll<(Progress, &PayloadBatch)>, Error> {
        let done = self.driver.poll(Call::Next, waker, |(mut source, mut batch), cancel| {
            if batch.capacity() != capacity {
                batch = PayloadBatch::with_capacity(capacity);
            }
            batch.clear();
            Box::pin(async move {
                let done = cancel.or(source.next(&mut batch)).await;
                (Some((source, batch)), done.map(SourceDone::Next))
            })
        })?;
        match done {
            Poll::Ready(SourceDone::Next(progress)) => {
                let progress = progress?;
                let Some((_, batch)) = self.driver.parts() else { return Ok(Poll::Pending) };
                // The border has no place for the reason, and without it the host would take the payload for a good one.
                if batch.iter().any(|payload| payload.fault().is_some()) {
                    let what = "a rejected payload (`PayloadBatch::reject`) cannot cross a plugin's border";
                    return Err(Error::permanent(ErrorKind::Protocol, what));
                }
                Ok(Poll::Ready((progress, batch)))
            }
            _ => Ok(Poll::Pending),
        }
    }

    pub(crate) fn acknowledge(&mut self, waker: &Waker, checkpoint: u64) -> Result<Poll<()>, Error> {
        let done =
            self.driver.poll(Call::Acknowledge(checkpoint), waker, |(mut source, batch), cancel| {
                Box::pin(async move {
                    let done = cancel.or(source.acknowledge(Checkpoint(checkpoint))).await;
                    (Some((source, batch)), done.map(SourceDone::Other))
                })
            })?;
        unit(done)
    }

    pub(crate) fn close(&mut self, waker: &Waker) -> Result<Poll<()>, Error> {
        let done = self.driver.poll(Call::Close, waker, |(source, _), cancel| {
            Box::pin(async move { (None, cancel.or(source.close()).await.map(SourceDone::Other)) })
        })?;
        unit(done)
    }
}

fn unit(done: Poll<SourceDone>) -> Result<Poll<()>, Error> {
    match done {
        Poll::Ready(SourceDone::Other(done)) => done.map(Poll::Ready),
        _ => Ok(Poll::Pending),
    }
}

/// What a call of a sink came to.
pub(crate) enum SinkDone {
    Confirmed(Result<Checkpoint, Error>),
    Other(Result<(), Error>),
}

pub(crate) struct SinkGuest<K> {
    /// Asked once: the host reads it as long as the component lives.
    route: Option<(String, Template)>,
    driver: Driver<(K, PayloadBatch), SinkDone>,
}

impl<K: SinkConnector> SinkGuest<K> {
    pub(crate) fn new(sink: K) -> Self {
        let route = sink.route().map(|route| (route.to_string(), route.clone()));
        Self { route, driver: Driver::new((sink, PayloadBatch::new())) }
    }

    pub(crate) fn route(&self) -> Option<&str> {
        self.route.as_ref().map(|(text, _)| text.as_str())
    }

    pub(crate) fn check_route(&self, value: &str) -> Result<(), String> {
        match &self.route {
            Some((_, route)) => route.check_value(value).map_err(String::from),
            None => Ok(()),
        }
    }

    pub(crate) fn open(&mut self, waker: &Waker) -> Result<Poll<()>, Error> {
        let done = self.driver.poll(Call::Open, waker, |(mut sink, batch), cancel| {
            Box::pin(async move {
                let done = cancel.or(sink.open()).await;
                (Some((sink, batch)), done.map(SinkDone::Other))
            })
        })?;
        sink_unit(done)
    }

    /// `fill` copies the payloads: asked only where the call begins.
    pub(crate) fn write(
        &mut self,
        waker: &Waker,
        checkpoint: u64,
        fill: impl FnOnce(&mut PayloadBatch),
    ) -> Result<Poll<()>, Error> {
        let done = self.driver.poll(Call::Write(checkpoint), waker, |(mut sink, mut batch), cancel| {
            batch.clear();
            fill(&mut batch);
            Box::pin(async move {
                let done = cancel.or(sink.write(&batch, Checkpoint(checkpoint))).await;
                (Some((sink, batch)), done.map(SinkDone::Other))
            })
        })?;
        sink_unit(done)
    }

    pub(crate) fn confirmed(&mut self, waker: &Waker) -> Result<Poll<Checkpoint>, Error> {
        let done = self.driver.poll(Call::Confirmed, waker, |(mut sink, batch), cancel| {
            Box::pin(async move {
                let done = cancel.or(sink.confirmed()).await;
                (Some((sink, batch)), done.map(SinkDone::Confirmed))
            })
        })?;
        match done {
            Poll::Ready(SinkDone::Confirmed(checkpoint)) => checkpoint.map(Poll::Ready),
            _ => Ok(Poll::Pending),
        }
    }

    pub(crate) fn close(&mut self, waker: &Waker) -> Result<Poll<()>, Error> {
        let done = self.driver.poll(Call::Close, waker, |(sink, _), cancel| {
            Box::pin(async move { (None, cancel.or(sink.close()).await.map(SinkDone::Other)) })
        })?;
        sink_unit(done)
    }
}

fn sink_unit(done: Poll<SinkDone>) -> Result<Poll<()>, Error> {
    match done {
        Poll::Ready(SinkDone::Other(done)) => done.map(Poll::Ready),
        _ => Ok(Poll::Pending),
    }
}

/// Where records go: over the border.
pub(crate) trait RowTarget {
    /// Takes one record. `Err(None)`: the collection has no reason of its own, only this text.
    fn accept(&mut self, row: &[u8], for_people: bool) -> Result<(), (RecordError, bool)>;
    fn reject(&mut self, error: &RecordError);
    fn len(&self) -> usize;
    fn truncate(&mut self, len: usize);
}

/// What a decoder of the library collects into.
pub(crate) struct GuestRows<'a, T> {
    pub(crate) target: T,
    pub(crate) buffer: &'a mut Vec<u8>,
    pub(crate) fault: Option<RecordError>,
    /// The keys that are read; None: all.
    pub(crate) keys: Option<&'a Arc<[String]>>,
}

impl<T: RowTarget> Collect for GuestRows<'_, T> {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let Self { target, buffer, fault, keys } = self;
        *fault = None;
        buffer.clear();
        let for_people = deserializer.is_human_readable();
        let mut finish = |row: &[u8]| {
            target.accept(row, for_people).map_err(|(error, own)| {
                if own {
                    *fault = Some(error.clone());
                }
                error
            })
        };
        deserializer.deserialize_any(RowVisitor {
            out: buffer,
            finish: Some(&mut finish),
            keys: keys.map(|keys| &**keys),
        })
    }

    fn fault(&mut self) -> Option<RecordError> {
        self.fault.take()
    }

    fn keys(&self) -> Option<&Arc<[String]>> {
        self.keys
    }

    fn reject(&mut self, error: RecordError) {
        self.target.reject(&error);
    }

    fn len(&self) -> usize {
        self.target.len()
    }

    fn truncate(&mut self, len: usize) {
        self.target.truncate(len);
    }
}

/// Where records come from: over the border.
pub(crate) trait RowOrigin {
    fn len(&self) -> usize;
    /// The row at `index`, for `read` alone.
    fn row<T>(&self, index: usize, for_people: bool, read: impl FnOnce(&[u8]) -> T)
    -> Result<T, RecordError>;
}

/// What an encoder of the library writes.
pub(crate) struct GuestRecords<O>(pub(crate) O);

impl<O: RowOrigin> Collection for GuestRecords<O> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let for_people = serializer.is_human_readable();
        let written = self.0.row(index, for_people, |row| RowValue::new(row).serialize(serializer));
        written.unwrap_or_else(|error| Err(S::Error::custom(error)))
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        self.0.row(index, false, |row| {
            template.render(out, |name, out| fields::append(&RowValue::new(row), name, out))
        })?
    }
}
