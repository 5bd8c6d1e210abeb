//! What a sink promises.

mod checks;
mod probe;

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use crate::connector::SinkConnector;
use crate::error::Status;
use crate::testkit::verdict::{PATIENCE, Verdict, isolated_async, require};
use probe::Probe;

/// The other side of a sink under test: whatever it writes to, and what has arrived there.
///
/// Every check makes a fixture of its own, inside a tokio runtime. The abilities below `received` are optional; the more
/// of them there are, the more is checked.
pub trait SinkFixture: 'static {
    /// The sink under test.
    type Sink: SinkConnector;

    /// A sink to this other side: built, not opened. Called once for each fixture.
    fn sink(&mut self) -> impl Future<Output = Self::Sink>;

    /// What has arrived for good, in order. None where nobody can know.
    fn received(&mut self) -> impl Future<Output = Option<Vec<Vec<u8>>>>;

    /// The payload of this number, different for every number. Override it where `payload-00042` cannot be sent.
    fn payload(&self, number: usize) -> Vec<u8> {
        format!("payload-{number:05}").into_bytes()
    }

    /// The topic of every payload, for a sink whose [`SinkConnector::route`] asks for one.
    fn topic(&self) -> Option<String> {
        None
    }

    /// From now on the other side takes nothing, and no connection breaks for it. False where that cannot be done.
    fn stall(&mut self) -> impl Future<Output = bool> {
        ready(false)
    }

    /// Ends what [`SinkFixture::stall`] began.
    fn resume(&mut self) -> impl Future<Output = ()> {
        ready(())
    }

    /// Makes the next call of `write` fail with an error of this status. False where that cannot be done.
    fn fail(&mut self, status: Status) -> impl Future<Output = bool> {
        let _ = status;
        ready(false)
    }

    /// A payload that the sink or its other side refuses for good. None where there is no such payload.
    fn refused(&self) -> Option<Vec<u8>> {
        None
    }

    /// Breaks the connection; the sink can have a new one at once. False where there is none to break.
    fn cut(&mut self) -> impl Future<Output = bool> {
        ready(false)
    }
}

/// Checks the contract of [`SinkConnector`] on the sinks of the fixtures that `make` makes.
///
/// `make` is called inside a tokio runtime, once for each check.
pub fn sink<F: SinkFixture, M: Fn() -> F + Send + Sync + 'static>(make: M) -> SinkKit<M> {
    SinkKit { make: Arc::new(make), patience: PATIENCE }
}

/// What a sink promises, a method each. `Err` says what the sink did.
#[derive(Debug)]
pub struct SinkKit<M> {
    make: Arc<M>,
    patience: Duration,
}

impl<F: SinkFixture, M: Fn() -> F + Send + Sync + 'static> SinkKit<M> {
    /// How long a single call may take before the check fails. Default: 10 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn check<Check>(&self, name: &'static str, check: Check) -> Verdict
    where
        Check: AsyncFnOnce(&mut Probe<F>) -> Result<(), String> + Send + 'static,
    {
        let (make, patience) = (Arc::clone(&self.make), self.patience);
        isolated_async(name, patience, async move || check(&mut Probe::new(make(), patience)).await)
    }

    /// Runs every check.
    ///
    /// # Panics
    /// With everything that the sink does not keep.
    #[track_caller]
    pub fn run(&self) {
        require(
            "sink",
            [
                self.every_payload_arrives_once_in_order(),
                self.nothing_is_confirmed_before_it_has_arrived(),
                self.dropped_confirmations_come_again(),
                self.write_needs_no_call_of_confirmed(),
                self.a_checkpoint_without_payloads_is_confirmed(),
                self.waiting_is_back_pressure(),
                self.temporary_errors_take_nothing(),
                self.permanent_errors_are_permanent(),
                self.a_refused_payload_is_named(),
                self.a_lost_connection_loses_nothing(),
                self.close_brings_out_what_was_taken(),
            ],
        );
    }

    /// Payloads arrive as they were written, and each checkpoint is confirmed.
    pub fn every_payload_arrives_once_in_order(&self) -> Verdict {
        self.check("every_payload_arrives_once_in_order", checks::order)
    }

    /// What is confirmed has arrived for good; what is only queued is not confirmed. Confirmed checkpoints grow and
    /// were written. The other side is stalled where it can be: [`SinkFixture::stall`].
    pub fn nothing_is_confirmed_before_it_has_arrived(&self) -> Verdict {
        self.check("nothing_is_confirmed_before_it_has_arrived", checks::confirms)
    }

    /// A confirmation that a dropped `confirmed` would have returned, the next call returns.
    pub fn dropped_confirmations_come_again(&self) -> Verdict {
        self.check("dropped_confirmations_come_again", checks::cancel_safety)
    }

    /// Many batches can be written before anybody asks what is confirmed.
    pub fn write_needs_no_call_of_confirmed(&self) -> Verdict {
        self.check("write_needs_no_call_of_confirmed", checks::progress)
    }

    /// A call without payloads ends its checkpoint, which is confirmed when all before it is.
    pub fn a_checkpoint_without_payloads_is_confirmed(&self) -> Verdict {
        self.check("a_checkpoint_without_payloads_is_confirmed", checks::empty)
    }

    /// With an other side that takes nothing, `write` waits before 64 MiB are held, and goes on after.
    /// Needs [`SinkFixture::stall`].
    pub fn waiting_is_back_pressure(&self) -> Verdict {
        self.check("waiting_is_back_pressure", checks::back_pressure)
    }

    /// After a temporary error the same batch is written again and arrives once. Needs [`SinkFixture::fail`].
    pub fn temporary_errors_take_nothing(&self) -> Verdict {
        self.check("temporary_errors_take_nothing", checks::temporary)
    }

    /// An error that trying again cannot mend says so. Needs [`SinkFixture::fail`].
    pub fn permanent_errors_are_permanent(&self) -> Verdict {
        self.check("permanent_errors_are_permanent", checks::permanent)
    }

    /// A payload that is refused is named by its position; those before it are taken, what is left comes again, and
    /// the checkpoint is confirmed when the last of it came back well. Needs [`SinkFixture::refused`].
    pub fn a_refused_payload_is_named(&self) -> Verdict {
        self.check("a_refused_payload_is_named", checks::refuses)
    }

    /// The connection is made again inside, and what was not confirmed is sent again. Needs [`SinkFixture::cut`].
    pub fn a_lost_connection_loses_nothing(&self) -> Verdict {
        self.check("a_lost_connection_loses_nothing", checks::reconnects)
    }

    /// `close` returns when everything that was taken has arrived.
    pub fn close_brings_out_what_was_taken(&self) -> Verdict {
        self.check("close_brings_out_what_was_taken", checks::close)
    }
}
