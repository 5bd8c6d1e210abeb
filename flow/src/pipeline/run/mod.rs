//! A running pipeline: one task that reads, decodes, transforms, encodes, writes, and acknowledges what is confirmed.
//!
//! Everything runs inline: a batch goes from its source to every sink before the next is read, so fan-out goes in step
//! and no hand-over between tasks is paid for. Connectors keep their own background tasks for the network.

mod backoff;
mod deliver;
mod delivery;
mod inlet;
mod outlet;

use std::future::{Future, pending};
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::{join, join_all, select_all};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::pipeline::log_limit::LogLimit;
use crate::pipeline::metrics::{Metrics, add};
use crate::pipeline::plan::{Plan, Policy};
use crate::pipeline::rejections::{Fate, Rejections};
use crate::pipeline::run::delivery::InFlight;
use crate::pipeline::run::inlet::{Inlet, any_next};
use crate::pipeline::run::outlet::{Outlet, Reject};
use crate::pipeline::spec::Batch;
use crate::pipeline::stage::Stage;
use crate::record::time::now_micros;
use crate::record::{Checkpoint, Collect, CollectBatch, Collection, PayloadBatch};
use crate::registry::Registry;

/// Bytes that may be read and not settled, over all sources.
const MAX_BYTES_IN_FLIGHT: usize = 64 * PayloadBatch::MAX_BYTES;

/// What closing may take at least, where nobody waits for the end.
const GOOD_BYE: Duration = Duration::from_secs(2);

pub(crate) struct Runner<R: Registry, G> {
    name: String,
    inlets: Vec<Inlet<R>>,
    /// The sinks of the file, then the dead-letter sink where there is one.
    outlets: Vec<Outlet<R>>,
    stage: G,
    limits: Batch,
    metrics: Metrics,
    rejections: Rejections,
    rejects: Vec<Reject>,
    lost_letters: LogLimit,
    sequence: u64,
    payloads_in_flight: usize,
    bytes_in_flight: usize,
}

enum Event {
    Stop,
    Confirmed(usize, Result<u64, Error>),
    Next(usize, Result<Progress, Error>),
}

impl<R: Registry, G: Stage> Runner<R, G> {
    pub(crate) fn new(plan: Plan<R>, stage: G, metrics: Metrics) -> Self {
        let mut outlets: Vec<Outlet<R>> = plan.outlets.into_iter().map(Outlet::new).collect();
        let fate = match plan.policy {
            Policy::Fail => Fate::Fail,
            Policy::Skip => Fate::Skip,
            Policy::DeadLetter(outlet) => {
                outlets.push(Outlet::new(outlet));
                Fate::DeadLetter
            }
        };
        let capacity = plan.batch.max_records;
        let inlets = plan.inlets.into_iter();
        Self {
            rejections: Rejections::new(&plan.name, fate, metrics.clone()),
            name: plan.name,
            inlets: inlets
                .map(|inlet| Inlet::new(inlet.label, inlet.source, inlet.decoder, capacity))
                .collect(),
            outlets,
            stage,
            limits: plan.batch,
            metrics,
            rejects: Vec::new(),
            lost_letters: LogLimit::default(),
            sequence: 0,
            payloads_in_flight: 0,
            bytes_in_flight: 0,
        }
    }

    /// Runs until every source has ended, `shutdown` is ready and all is drained, or something fails for good.
    pub(crate) async fn run(
        mut self,
        shutdown: impl Future<Output = ()> + Send,
        drain: Duration,
    ) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        let deadline = OnceLock::new();
        // A part of the time is left for closing.
        let reserve = GOOD_BYE.min(drain / 4);
        let patience = async {
            shutdown.await;
            let _ = tell.send(());
            deadline.get_or_init(|| Instant::now().checked_add(drain));
            tokio::time::sleep(drain - reserve).await;
        };
        let outcome = tokio::select! {
            // First, so that nothing more is read once the word to stop is there.
            biased;
            () = patience => None,
            outcome = self.open_and_drive(told, drain) => Some(outcome),
        };
        let outcome = outcome.unwrap_or_else(|| Err(self.abandoned(drain)));
        self.rejections.flush();
        self.lost_letters.flush(|left_out| {
            tracing::error!(
                pipeline = self.name,
                "{left_out} more dead letters were lost since the last line"
            );
        });
        // What is confirmed has been acknowledged by now. Where something has failed, closing is only politeness.
        let grace = if outcome.is_ok() { drain.max(GOOD_BYE) } else { GOOD_BYE };
        let left = deadline.get().copied().flatten().map(|deadline| deadline - Instant::now());
        let grace = left.map_or(grace, |left| grace.min(left.max(reserve)));
        self.close(grace).await;
        outcome
    }

    async fn open_and_drive(
        &mut self,
        mut stop: oneshot::Receiver<()>,
        drain: Duration,
    ) -> Result<(), Error> {
        for outlet in &mut self.outlets {
            outlet.sink.open().await.map_err(|error| error.with("at", &outlet.label))?;
        }
        for inlet in &mut self.inlets {
            inlet.source.open().await.map_err(|error| error.with("at", &inlet.label))?;
        }
        tracing::info!(pipeline = self.name, "running");
        let outcome = self.drive(&mut stop).await;
        if outcome.is_err() {
            // What went out before the failure is worth its acknowledgement. A sink that has failed ends this at once.
            let _ = tokio::time::timeout(drain, self.drain()).await;
        }
        outcome
    }

    async fn drive(&mut self, stop: &mut oneshot::Receiver<()>) -> Result<(), Error> {
        let mut turn = 0;
        loop {
            if self.inlets.iter().all(|inlet| inlet.ended) {
                return self.drain().await;
            }
            let room = self.payloads_in_flight < self.limits.max_in_flight
                && self.bytes_in_flight < MAX_BYTES_IN_FLIGHT;
            let event = tokio::select! {
                biased;
                _ = &mut *stop => Event::Stop,
                (outlet, sequence) = any_confirmed(&mut self.outlets) => Event::Confirmed(outlet, sequence),
                (inlet, progress) = any_next(&mut self.inlets, turn), if room => Event::Next(inlet, progress),
            };
            // Where source and sink never wait, nothing else would let the rest of the program run.
            tokio::task::consume_budget().await;
            match event {
                Event::Stop => {
                    tracing::info!(pipeline = self.name, "stopping: draining what is in flight");
                    return self.drain().await;
                }
                Event::Confirmed(outlet, sequence) => self.confirmed(outlet, sequence?).await?,
                Event::Next(index, progress) => {
                    turn = index + 1;
                    if progress.as_ref().is_err_and(Error::is_temporary) {
                        add(&self.metrics.counters().retries, 1);
                    }
                    if let Some(checkpoint) = self.inlets[index].progress(progress)? {
                        self.batch(index, Checkpoint(checkpoint)).await?;
                    }
                }
            }
        }
    }

    /// Waits until nothing is in flight.
    async fn drain(&mut self) -> Result<(), Error> {
        self.settle().await?;
        while self.inlets.iter().any(|inlet| !inlet.window.is_empty()) {
            let (outlet, sequence) = any_confirmed(&mut self.outlets).await;
            self.confirmed(outlet, sequence?).await?;
        }
        Ok(())
    }

    /// Takes one batch from decoder to sinks.
    async fn batch(&mut self, index: usize, checkpoint: Checkpoint) -> Result<(), Error> {
        self.sequence += 1;
        let inlet = &mut self.inlets[index];
        let (payloads, bytes) = (inlet.batch.len(), inlet.batch.bytes());
        let counters = self.metrics.counters();
        add(&counters.payloads_in, payloads);
        add(&counters.bytes_in, bytes);

        let input = self.stage.begin(index);
        inlet.decode(input)?;
        let records = input.len() + input.rejected().len();
        add(&counters.records_in, records);
        add(&counters.in_flight, records);
        let filtered = self.stage.process();
        counters.settled(filtered, &counters.filtered);
        self.rejections.begin();
        for (payload, error) in self.stage.rejected() {
            self.rejections.reject(&inlet.label, &inlet.batch, *payload, error)?;
        }

        let output = Collection::len(self.stage.output());
        let mut outlets = if output == 0 { 0 } else { self.deliver(index).await? };
        let rejected = self.rejections.count();
        let delivered = output - self.rejections.lost();
        let (dead, outlet) = self.dead_letters().await?;
        outlets |= outlet;

        let counters = self.metrics.counters();
        counters.settled(rejected - dead, &counters.skipped);
        self.payloads_in_flight += payloads;
        self.bytes_in_flight += bytes;
        let inlet = &mut self.inlets[index];
        let arrived = inlet.batch.get(0).and_then(|payload| payload.metadata().time);
        let sequence = self.sequence;
        inlet.window.push(InFlight {
            checkpoint,
            sequence,
            outlets,
            payloads,
            bytes,
            delivered,
            dead,
            arrived,
        });
        if outlets == 0 { self.settle().await } else { Ok(()) }
    }

    fn abandoned(&self, drain: Duration) -> Error {
        let count = self.metrics.report().in_flight;
        let message = format!(
            "stopped with {count} record(s) not confirmed within {} s; they were not acknowledged",
            drain.as_secs()
        );
        Error::temporary(ErrorKind::Closed, message).with("pipeline", &self.name)
    }

    async fn confirmed(&mut self, outlet: usize, sequence: u64) -> Result<(), Error> {
        self.outlets[outlet].confirmed = self.outlets[outlet].confirmed.max(sequence);
        self.settle().await
    }

    /// Acknowledges every batch that all its sinks have confirmed.
    async fn settle(&mut self) -> Result<(), Error> {
        for inlet in &mut self.inlets {
            let mut newest = None;
            while let Some(batch) =
                inlet.window.pop_settled(self.outlets.iter().map(|outlet| outlet.confirmed))
            {
                let counters = self.metrics.counters();
                counters.settled(batch.delivered, &counters.delivered);
                counters.settled(batch.dead, &counters.dead_lettered);
                self.payloads_in_flight -= batch.payloads;
                self.bytes_in_flight -= batch.bytes;
                if let Some(arrived) = batch.arrived {
                    counters.lag(now_micros().saturating_sub(arrived));
                }
                newest = Some(batch.checkpoint);
            }
            let Some(checkpoint) = newest else { continue };
            match inlet.source.acknowledge(checkpoint).await {
                Err(error) if error.is_temporary() => {
                    let at = &inlet.label;
                    let say = |left_out| {
                        tracing::warn!(at, "{left_out} more acknowledgements were lost since the last line");
                    };
                    if inlet.lost_acknowledgements.admit(say) {
                        tracing::warn!(at, "an acknowledgement is lost, the source will send again: {error}");
                    }
                }
                outcome => outcome.map_err(|error| error.with("at", &inlet.label))?,
            }
        }
        Ok(())
    }

    /// Closes everything at once: none waits for another's good-bye.
    async fn close(self, grace: Duration) {
        let sinks =
            self.outlets.into_iter().map(|outlet| async move { (outlet.label, outlet.sink.close().await) });
        let sources =
            self.inlets.into_iter().map(|inlet| async move { (inlet.label, inlet.source.close().await) });
        let say = |(label, outcome): (String, Result<(), Error>)| {
            if let Err(error) = outcome {
                tracing::warn!(at = label, "closing failed: {error}");
            }
        };
        let closing = async {
            let (sinks, sources) = join(join_all(sinks), join_all(sources)).await;
            sinks.into_iter().chain(sources).for_each(say);
        };
        if tokio::time::timeout(grace, closing).await.is_err() {
            tracing::warn!(
                pipeline = self.name,
                "closing took longer than {:.1} s and was cut short",
                grace.as_secs_f64()
            );
        }
    }
}

/// The next confirmation of any outlet that has something unconfirmed. Cancel safe.
async fn any_confirmed<R: Registry>(outlets: &mut [Outlet<R>]) -> (usize, Result<u64, Error>) {
    if let [only] = outlets {
        return (0, only.confirmed().await);
    }
    let open = outlets.iter_mut().enumerate().filter(|(_, outlet)| outlet.confirmed < outlet.written);
    let waits: Vec<_> =
        open.map(|(index, outlet)| Box::pin(async move { (index, outlet.confirmed().await) })).collect();
    if waits.is_empty() {
        return pending().await;
    }
    select_all(waits).await.0
}
