//! What a source promises.

mod checks;
mod probe;

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use crate::connector::SourceConnector;
use crate::error::Status;
use crate::testkit::verdict::{PATIENCE, Verdict, isolated_async, require};
use probe::Probe;

/// The other side of a source under test: whatever it reads from, and what that sees of it.
///
/// Every check makes a fixture of its own, inside a tokio runtime. The abilities below `offer` are optional; the more of
/// them there are, the more is checked.
pub trait SourceFixture: 'static {
    /// The source under test.
    type Source: SourceConnector;

    /// A source of this other side: built, not opened. Called again where the check starts the source anew.
    fn source(&mut self) -> impl Future<Output = Self::Source>;

    /// Puts payloads up on the other side, in this order, after those that were put up before.
    /// The source is open; the payloads need not have reached it when this returns.
    fn offer(&mut self, payloads: Vec<Vec<u8>>) -> impl Future<Output = ()>;

    /// The payload of this number, different for every number. Override it where `payload-00042` cannot be sent.
    fn payload(&self, number: usize) -> Vec<u8> {
        format!("payload-{number:05}").into_bytes()
    }

    /// How many payloads were acknowledged to the other side so far, over all sources of this fixture.
    /// None where the other side does not know.
    fn acknowledged(&mut self) -> impl Future<Output = Option<usize>> {
        ready(None)
    }

    /// Does a new source get what an earlier one has not acknowledged?
    fn redelivers(&self) -> bool {
        false
    }

    /// Makes one of the next calls of `next` fail with an error of this status. False where that cannot be done.
    fn fail(&mut self, status: Status) -> impl Future<Output = bool> {
        let _ = status;
        ready(false)
    }

    /// Breaks the connection; the source can have a new one at once. False where there is none to break.
    fn cut(&mut self) -> impl Future<Output = bool> {
        ready(false)
    }

    /// Ends the stream after the payloads that were offered. False where the stream has no end.
    fn end(&mut self) -> impl Future<Output = bool> {
        ready(false)
    }
}

/// Checks the contract of [`SourceConnector`] on the sources of the fixtures that `make` makes.
///
/// `make` is called inside a tokio runtime, once for each check.
pub fn source<F: SourceFixture, M: Fn() -> F + Send + Sync + 'static>(make: M) -> SourceKit<M> {
    SourceKit { make: Arc::new(make), patience: PATIENCE }
}

/// What a source promises, a method each. `Err` says what the source did.
#[derive(Debug)]
pub struct SourceKit<M> {
    make: Arc<M>,
    patience: Duration,
}

impl<F: SourceFixture, M: Fn() -> F + Send + Sync + 'static> SourceKit<M> {
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
    /// With everything that the source does not keep.
    #[track_caller]
    pub fn run(&self) {
        require(
            "source",
            [
                self.every_payload_comes_once_in_order(),
                self.a_batch_holds_no_more_than_its_capacity(),
                self.next_waits_for_a_payload(),
                self.dropped_futures_lose_nothing(),
                self.nothing_is_confirmed_before_it_is_acknowledged(),
                self.acknowledging_settles_what_came_before(),
                self.what_is_not_acknowledged_comes_again(),
                self.errors_say_whether_to_try_again(),
                self.a_lost_connection_is_no_error(),
                self.the_end_stays_the_end(),
                self.it_closes_in_the_middle_of_work(),
            ],
        );
    }

    /// Payloads come as the other side offered them; batches are not empty; checkpoints grow.
    pub fn every_payload_comes_once_in_order(&self) -> Verdict {
        self.check("every_payload_comes_once_in_order", checks::order)
    }

    /// Back-pressure: what a batch has no room for stays where it is.
    pub fn a_batch_holds_no_more_than_its_capacity(&self) -> Verdict {
        self.check("a_batch_holds_no_more_than_its_capacity", checks::capacity)
    }

    /// `next` returns neither an empty batch nor the end while more may come.
    pub fn next_waits_for_a_payload(&self) -> Verdict {
        self.check("next_waits_for_a_payload", checks::waits)
    }

    /// A `next` that is dropped before it is ready has taken nothing, whatever it was waiting for.
    pub fn dropped_futures_lose_nothing(&self) -> Verdict {
        self.check("dropped_futures_lose_nothing", checks::cancel_safety)
    }

    /// What was handed out and not acknowledged is not acknowledged to the other side.
    /// Needs [`SourceFixture::acknowledged`].
    pub fn nothing_is_confirmed_before_it_is_acknowledged(&self) -> Verdict {
        self.check("nothing_is_confirmed_before_it_is_acknowledged", checks::confirms_in_order)
    }

    /// Acknowledging a checkpoint acknowledges all before it, also where an earlier call was dropped.
    /// Needs [`SourceFixture::acknowledged`].
    pub fn acknowledging_settles_what_came_before(&self) -> Verdict {
        self.check("acknowledging_settles_what_came_before", checks::settles_earlier)
    }

    /// A source that is started anew gets what the last one did not acknowledge, and nothing that `close` brought out.
    /// Needs [`SourceFixture::redelivers`].
    pub fn what_is_not_acknowledged_comes_again(&self) -> Verdict {
        self.check("what_is_not_acknowledged_comes_again", checks::redelivery)
    }

    /// After an error the batch is empty; after a temporary one, the same payloads come. Needs [`SourceFixture::fail`].
    pub fn errors_say_whether_to_try_again(&self) -> Verdict {
        self.check("errors_say_whether_to_try_again", checks::errors)
    }

    /// The connection is made again inside, and nothing is lost. Needs [`SourceFixture::cut`].
    pub fn a_lost_connection_is_no_error(&self) -> Verdict {
        self.check("a_lost_connection_is_no_error", checks::reconnects)
    }

    /// After the last payload `next` says so, as often as it is asked. Needs [`SourceFixture::end`].
    pub fn the_end_stays_the_end(&self) -> Verdict {
        self.check("the_end_stays_the_end", checks::end)
    }

    /// `close` ends in time with payloads unread and unacknowledged, and after a `next` that was dropped.
    pub fn it_closes_in_the_middle_of_work(&self) -> Verdict {
        self.check("it_closes_in_the_middle_of_work", checks::close)
    }
}
