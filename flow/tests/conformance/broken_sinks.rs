//! A sink in memory that keeps every promise, or all but one.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use flow::testkit::{SinkFixture, SinkKit, sink};
use flow::{Checkpoint, Error, ErrorKind, PayloadBatch, SinkConnector, Status};
use tokio::sync::watch;

use crate::{SOON, broken};

/// Payloads that wait for the other side before `write` does.
const ROOM: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    Loses,
    ConfirmsWhatIsQueued,
    ConfirmsTheFuture,
    RepeatsConfirmations,
    LosesConfirmations,
    WaitsForConfirmed,
    NeverWaits,
    TakesAndFails,
    TriesTheImpossible,
    RefusesAnother,
    DropsInSilence,
    ForgetsEmptyCalls,
    EndsWithARefusal,
    LosesOnCut,
    ClosesTooEarly,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Vec<u8>, u64)>,
    arrived: Vec<Vec<u8>>,
    /// The newest checkpoint that has arrived whole.
    confirmed: u64,
    stalled: bool,
    failure: Option<Status>,
}

struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    fault: Fault,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.send_replace(());
        result
    }

    /// What is queued arrives, unless the other side is stalled.
    fn move_on(&self) {
        self.change(|state| {
            if state.stalled {
                return;
            }
            for (payload, checkpoint) in state.queue.drain(..) {
                state.arrived.push(payload);
                state.confirmed = state.confirmed.max(checkpoint);
            }
        });
    }

    async fn until<T>(&self, mut condition: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(result) = condition(&mut self.state()) {
                return result;
            }
            changes.changed().await.unwrap();
        }
    }
}

struct Memory(Arc<Shared>);

struct MemorySink {
    shared: Arc<Shared>,
    told: u64,
    asked: bool,
}

impl SinkFixture for Memory {
    type Sink = MemorySink;

    async fn sink(&mut self) -> MemorySink {
        MemorySink { shared: Arc::clone(&self.0), told: 0, asked: true }
    }

    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        Some(self.0.state().arrived.clone())
    }

    async fn stall(&mut self) -> bool {
        self.0.change(|state| state.stalled = true);
        true
    }

    async fn resume(&mut self) {
        self.0.change(|state| state.stalled = false);
        self.0.move_on();
    }

    async fn fail(&mut self, status: Status) -> bool {
        self.0.change(|state| state.failure = Some(status));
        true
    }

    fn refused(&self) -> Option<Vec<u8>> {
        Some(b"bad".to_vec())
    }

    async fn cut(&mut self) -> bool {
        if self.0.fault == Fault::LosesOnCut {
            // What follows goes into a connection that is gone.
            self.0.change(|state| state.failure = Some(Status::Temporary));
        }
        true
    }
}

impl MemorySink {
    fn failure(&self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        let fault = self.shared.fault;
        let Some(status) = self.shared.change(|state| state.failure.take()) else { return Ok(()) };
        if fault == Fault::TakesAndFails {
            let first = batch.get(0).unwrap().bytes().to_vec();
            self.shared.change(|state| state.queue.push_back((first, checkpoint.0 - 1)));
        }
        match status {
            Status::Permanent if fault != Fault::TriesTheImpossible => {
                Err(Error::permanent(ErrorKind::Refused, "told to fail"))
            }
            _ => Err(Error::temporary(ErrorKind::Connection, "told to fail")),
        }
    }
}

impl SinkConnector for MemorySink {
    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        let (shared, fault) = (Arc::clone(&self.shared), self.shared.fault);
        if fault == Fault::WaitsForConfirmed && !std::mem::take(&mut self.asked) {
            pending::<()>().await;
        }
        match self.failure(batch, checkpoint) {
            Err(_) if fault == Fault::LosesOnCut => {
                shared.change(|state| state.confirmed = checkpoint.0);
                return Ok(());
            }
            outcome => outcome?,
        }
        let whole = |index: usize| if index + 1 == batch.len() { checkpoint.0 } else { checkpoint.0 - 1 };
        for (index, payload) in batch.iter().enumerate() {
            if payload.bytes() == b"bad" && fault != Fault::DropsInSilence {
                if fault == Fault::EndsWithARefusal && index + 1 == batch.len() {
                    shared.change(|state| state.confirmed = checkpoint.0);
                }
                let named = if fault == Fault::RefusesAnother { index + 1 } else { index };
                return Err(Error::refused_payload(named, "it is bad"));
            }
            if fault != Fault::NeverWaits {
                shared.until(|state| (state.queue.len() < ROOM).then_some(())).await;
            }
            let lost = fault == Fault::Loses && checkpoint.0 == 2 && index == 0 || payload.bytes() == b"bad";
            if !lost {
                shared.change(|state| state.queue.push_back((payload.bytes().to_vec(), whole(index))));
            }
            if fault != Fault::ClosesTooEarly {
                shared.move_on();
            }
        }
        // What has arrived before is all of it.
        if batch.is_empty() && fault != Fault::ForgetsEmptyCalls {
            shared.until(|state| state.queue.is_empty().then_some(())).await;
            shared.change(|state| state.confirmed = checkpoint.0);
        }
        if fault == Fault::ConfirmsWhatIsQueued {
            shared.change(|state| state.confirmed = checkpoint.0);
        }
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        self.asked = true;
        let told = self.told;
        if self.shared.fault == Fault::ClosesTooEarly {
            self.shared.move_on();
        }
        let newest = self.shared.until(|state| Some(state.confirmed).filter(|newest| *newest > told)).await;
        match self.shared.fault {
            Fault::LosesConfirmations => {
                self.told = newest;
                // Taken, and only then waited for something: gone with the call.
                tokio::task::consume_budget().await;
            }
            Fault::RepeatsConfirmations => {}
            _ => self.told = newest,
        }
        let future = u64::from(self.shared.fault == Fault::ConfirmsTheFuture);
        Ok(Checkpoint(newest + future))
    }

    async fn close(self) -> Result<(), Error> {
        if self.shared.fault != Fault::ClosesTooEarly {
            self.shared.until(|state| state.queue.is_empty().then_some(())).await;
        }
        Ok(())
    }
}

fn kit(fault: Fault) -> SinkKit<impl Fn() -> Memory + Send + Sync + 'static> {
    let make = move || {
        let changed = watch::channel(()).0;
        Memory(Arc::new(Shared { state: Mutex::default(), changed, fault }))
    };
    sink(make).patience(SOON)
}

flow::conformance! {
    sink memory => kit(Fault::None);
}

#[test]
fn what_is_lost_or_brought_out_too_late_is_named() {
    let text = "`payload-00001` was lost; `payload-00002` came in its place";
    broken(kit(Fault::Loses).every_payload_arrives_once_in_order(), text);
    let text = "`payload-00000` was lost; nothing came in its place, after `close`";
    broken(kit(Fault::ClosesTooEarly).close_brings_out_what_was_taken(), text);
    let text = "`payload-00003` was lost; `payload-00006` came in its place, after the connection was lost";
    broken(kit(Fault::LosesOnCut).a_lost_connection_loses_nothing(), text);
}

#[test]
fn confirmations_that_are_wrong_are_noticed() {
    let text = "6 payloads are confirmed, and 3 have arrived";
    broken(kit(Fault::ConfirmsWhatIsQueued).nothing_is_confirmed_before_it_has_arrived(), text);
    let text = "checkpoint 2 was confirmed, and 1 is the last that was written";
    broken(kit(Fault::ConfirmsTheFuture).every_payload_arrives_once_in_order(), text);
    let text = "`confirmed` returned 1 after 1; it must wait for a newer one";
    broken(kit(Fault::RepeatsConfirmations).nothing_is_confirmed_before_it_has_arrived(), text);
    let verdict = kit(Fault::LosesConfirmations).dropped_confirmations_come_again();
    broken(verdict, "after calls of `confirmed` were dropped");
}

#[test]
fn writes_that_wait_for_the_wrong_thing_are_noticed() {
    let text = "`write` did not return within 400ms; nobody had called `confirmed`";
    broken(kit(Fault::WaitsForConfirmed).write_needs_no_call_of_confirmed(), text);
    let text = "with an other side that takes nothing; it must wait";
    broken(kit(Fault::NeverWaits).waiting_is_back_pressure(), text);
}

#[test]
fn errors_that_say_the_wrong_thing_are_noticed() {
    let text = "`payload-00002` came twice, after a temporary error";
    broken(kit(Fault::TakesAndFails).temporary_errors_take_nothing(), text);
    let text = "an error that is Permanent was reported as Temporary: told to fail";
    broken(kit(Fault::TriesTheImpossible).permanent_errors_are_permanent(), text);
}

#[test]
fn payloads_refused_in_the_wrong_way_are_noticed() {
    let text = "the payload at 1 cannot be taken, and `write` named the one at 2: it is bad";
    broken(kit(Fault::RefusesAnother).a_refused_payload_is_named(), text);
    let text = "the payload at 1 cannot be taken, and `write` did not refuse it";
    broken(kit(Fault::DropsInSilence).a_refused_payload_is_named(), text);
    let text = "checkpoint 2 was confirmed, and the call that ends it had not come";
    broken(kit(Fault::EndsWithARefusal).a_refused_payload_is_named(), text);
    let verdict = kit(Fault::ForgetsEmptyCalls).a_refused_payload_is_named();
    broken(verdict, "did not return within 400ms, where the last payload of a batch was refused");
    let verdict = kit(Fault::ForgetsEmptyCalls).a_checkpoint_without_payloads_is_confirmed();
    broken(verdict, "did not return within 400ms, where a checkpoint had no payloads");
}
