//! What happens to records between decoder and encoder: one trait, two doors.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RecordError;
use crate::record::{Collect, CollectBatch, Collection, Records, TypedRecords};
use crate::registry::Registry;
use crate::transform::RecordTransform;

/// The records of one batch on their way from the decoder to the encoders.
pub(crate) trait Stage: Send {
    type Input: CollectBatch + Send;
    type Output: Collection + Sync + Send;

    /// Where the decoder puts the records of the source at `inlet`. Cleared.
    fn begin(&mut self, inlet: usize) -> &mut Self::Input;
    /// Transforms what was decoded. Returns how many records were filtered out.
    fn process(&mut self) -> usize;
    /// What the encoders get.
    fn output(&self) -> &Self::Output;
    /// What decoder and transforms rejected, each with the index of its payload.
    fn rejected(&self) -> &[(usize, RecordError)];
    /// The index of the payload that the output record at `index` came from.
    fn origin(&self, index: usize) -> usize;
}

/// Columnar records and the transforms of the pipeline file, for each source its own.
pub(crate) struct Columnar<R: Registry> {
    lanes: Vec<(Records, Vec<R::Transform>)>,
    current: usize,
}

impl<R: Registry> Columnar<R> {
    pub(crate) fn new(lanes: Vec<(Records, Vec<R::Transform>)>) -> Self {
        Self { lanes, current: 0 }
    }

    fn records(&self) -> &Records {
        &self.lanes[self.current].0
    }
}

impl<R: Registry> Stage for Columnar<R> {
    type Input = Records;
    type Output = Records;

    fn begin(&mut self, inlet: usize) -> &mut Records {
        self.current = inlet;
        let records = &mut self.lanes[inlet].0;
        records.clear();
        records
    }

    fn process(&mut self) -> usize {
        let (records, transforms) = &mut self.lanes[self.current];
        for transform in transforms {
            transform.apply(records);
        }
        records.filtered()
    }

    fn output(&self) -> &Records {
        self.records()
    }

    fn rejected(&self) -> &[(usize, RecordError)] {
        self.records().rejected()
    }

    fn origin(&self, index: usize) -> usize {
        self.records().origin(index)
    }
}

/// The application's own structs and closure.
pub(crate) struct Typed<In, Out, F> {
    input: TypedRecords<In>,
    output: TypedRecords<Out>,
    map: F,
}

impl<In, Out, F> Typed<In, Out, F> {
    pub(crate) fn new(map: F) -> Self {
        Self { input: TypedRecords::new(), output: TypedRecords::new(), map }
    }
}

impl<In, Out, F> Stage for Typed<In, Out, F>
where
    In: DeserializeOwned + Send,
    Out: Serialize + Send + Sync,
    F: FnMut(In) -> Option<Out> + Send,
{
    type Input = TypedRecords<In>;
    type Output = TypedRecords<Out>;

    fn begin(&mut self, _: usize) -> &mut TypedRecords<In> {
        self.input.clear();
        self.output.empty();
        &mut self.input
    }

    fn process(&mut self) -> usize {
        let decoded = Collect::len(&self.input);
        for (origin, record) in self.input.drain() {
            if let Some(mapped) = (self.map)(record) {
                self.output.push(origin, mapped);
            }
        }
        decoded - Collection::len(&self.output)
    }

    fn output(&self) -> &TypedRecords<Out> {
        &self.output
    }

    fn rejected(&self) -> &[(usize, RecordError)] {
        self.input.rejected()
    }

    fn origin(&self, index: usize) -> usize {
        self.output.origin(index)
    }
}
