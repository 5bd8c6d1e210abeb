//! The program's side of the five contracts: components of a library, as the list's enums hold them.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use serde_json::Value;

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::component::{BuildContext, ConfigFault, Step};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{DecodeError, EncodeError, Error, ErrorKind};
use crate::plugin::abi::import::{Built, Instance, Next};
use crate::plugin::abi::types::{DecoderTable, EncoderTable, SinkTable, SourceTable};
use crate::plugin::guest::ContextText;
use crate::plugin::rows::KeyRow;
use crate::record::{Checkpoint, Collect, Collection, PayloadBatch, Schema, Template};

fn build<T: Built>(
    table: &Arc<T>,
    config: &Value,
    context: &BuildContext,
) -> Result<Instance<T>, Vec<ConfigFault>> {
    let fault = |message: String| vec![ConfigFault { path: Vec::new(), message }];
    let directory = context.directory().to_str();
    let directory =
        directory.ok_or_else(|| fault("a plugin needs a directory whose name is UTF-8".to_owned()))?;
    let claim = |key: String, what, alone| context.use_of(key.into(), what, alone);
    let context_text = ContextText {
        label: context.label().to_owned(),
        directory: directory.to_owned(),
        secrets: context.secrets().to_vec(),
    };
    let context_text = serde_json::to_string(&context_text).map_err(|error| fault(error.to_string()))?;
    Instance::build(table, &config.to_string(), &context_text, &claim).map_err(|faults| {
        faults.into_iter().map(|(path, message)| ConfigFault { path: read_path(&path), message }).collect()
    })
}

/// A JSON array of keys and positions. What is none is the table itself.
fn read_path(text: &str) -> Vec<Step> {
    let Ok(Value::Array(steps)) = serde_json::from_str(text) else { return Vec::new() };
    let step = |step: &Value| match step {
        Value::String(key) => Some(Step::Key(key.clone())),
        Value::Number(index) => Some(Step::Index(usize::try_from(index.as_u64()?).ok()?)),
        _ => None,
    };
    steps.iter().map_while(step).collect()
}

/// A source of a library.
pub struct PluginSource(Instance<SourceTable>);

impl PluginSource {
    pub(crate) fn build(
        table: &Arc<SourceTable>,
        config: &Value,
        context: &BuildContext,
    ) -> Result<Self, Vec<ConfigFault>> {
        build(table, config, context).map(Self)
    }
}

// A future that is dropped leaves its call where it is, in the library: the next call of the same kind goes on with
// it, any other gives it up there.
impl SourceConnector for PluginSource {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        poll_fn(|context| self.0.open(context.waker()))
    }

    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        match poll_fn(|context| self.0.next(context.waker(), batch)).await? {
            Next::Batch(checkpoint) => Ok(Progress::Batch(Checkpoint(checkpoint))),
            Next::End => Ok(Progress::End),
        }
    }

    fn acknowledge(&mut self, checkpoint: Checkpoint) -> impl Future<Output = Result<(), Error>> + Send {
        poll_fn(move |context| self.0.acknowledge(context.waker(), checkpoint.0))
    }

    async fn close(mut self) -> Result<(), Error> {
        poll_fn(|context| self.0.close(context.waker())).await
    }
}

/// A sink of a library.
pub struct PluginSink {
    route: Option<Template>,
    instance: Instance<SinkTable>,
}

impl PluginSink {
    pub(crate) fn build(
        table: &Arc<SinkTable>,
        config: &Value,
        context: &BuildContext,
    ) -> Result<Self, Vec<ConfigFault>> {
        let instance: Instance<SinkTable> = build(table, config, context)?;
        let fault =
            |message: Cow<'_, str>| vec![ConfigFault { path: Vec::new(), message: message.into_owned() }];
        let route =
            instance.route().map(|text| Template::parse(&text, |_| Ok(()))).transpose().map_err(fault)?;
        let check = instance.route_check();
        let route = route.map(|route| route.with_check(move |value| check(value).map_err(Cow::Owned)));
        Ok(Self { route, instance })
    }
}

impl SinkConnector for PluginSink {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        poll_fn(|context| self.instance.open(context.waker()))
    }

    fn route(&self) -> Option<&Template> {
        self.route.as_ref()
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        poll_fn(|context| self.instance.write(context.waker(), batch, checkpoint.0)).await
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        poll_fn(|context| self.instance.confirmed(context.waker())).await.map(Checkpoint)
    }

    async fn close(mut self) -> Result<(), Error> {
        poll_fn(|context| self.instance.close(context.waker())).await
    }
}

/// A decoder of a library.
pub struct PluginDecoder {
    instance: Instance<DecoderTable>,
    keys: KeyRow,
}

impl PluginDecoder {
    pub(crate) fn build(
        table: &Arc<DecoderTable>,
        config: &Value,
        context: &BuildContext,
    ) -> Result<Self, Vec<ConfigFault>> {
        Ok(Self { instance: build(table, config, context)?, keys: KeyRow::default() })
    }
}

impl RecordDecoder for PluginDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let keys = self.keys.of(out.keys());
        self.instance.decode(payload, out, keys)
    }
}

/// An encoder of a library.
pub struct PluginEncoder {
    instance: Instance<EncoderTable>,
    framing: Framing,
    buffer: Vec<u8>,
}

impl PluginEncoder {
    pub(crate) fn build(
        table: &Arc<EncoderTable>,
        config: &Value,
        context: &BuildContext,
    ) -> Result<Self, Vec<ConfigFault>> {
        let instance: Instance<EncoderTable> = build(table, config, context)?;
        let framing = instance.framing();
        Ok(Self { instance, framing, buffer: Vec::new() })
    }
}

impl CollectionEncoder for PluginEncoder {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn check(&self, schema: &Schema) -> Result<(), Error> {
        // As pipeline files have it, in JSON.
        let table: Result<Value, _> = toml::from_str(&schema.to_toml());
        let table = table.map_err(|error| Error::permanent(ErrorKind::Config, error.to_string()))?;
        self.instance.check(&table.to_string())
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        self.instance.encode(records, &mut self.buffer, out)
    }
}
