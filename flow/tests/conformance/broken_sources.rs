//! A source in memory that keeps every promise, or all but one.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use flow::testkit::{SourceFixture, SourceKit, source};
use flow::{Checkpoint, Error, ErrorKind, PayloadBatch, Progress, SourceConnector, Status};
use tokio::sync::Notify;

use crate::{SOON, broken};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    LosesDropped,
    FillsTooEarly,
    DoesNotWait,
    IgnoresCapacity,
    RepeatsCheckpoints,
    Swaps,
    Doubles,
    ConfirmsEarly,
    ConfirmsOnlyTheNamed,
    ForgetsUnacknowledged,
    ForgetsAcknowledged,
    ConfusesErrors,
    LosesOnError,
    FailsOnCut,
    EndsOnce,
    NeverCloses,
    Panics,
    Blocks,
}

/// The other side.
#[derive(Default)]
struct Side {
    offered: Vec<Vec<u8>>,
    acknowledged: usize,
    handed_out: usize,
    failure: Option<Status>,
    cut: bool,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    side: Mutex<Side>,
    changed: Notify,
}

impl Shared {
    fn side(&self) -> MutexGuard<'_, Side> {
        self.side.lock().unwrap()
    }
}

struct Memory {
    shared: Arc<Shared>,
    fault: Fault,
}

struct MemorySource {
    shared: Arc<Shared>,
    fault: Fault,
    at: usize,
    checkpoint: u64,
    open: VecDeque<(u64, usize)>,
    told_end: bool,
}

impl SourceFixture for Memory {
    type Source = MemorySource;

    async fn source(&mut self) -> MemorySource {
        let side = self.shared.side();
        let at = match self.fault {
            Fault::ForgetsUnacknowledged => side.handed_out,
            Fault::ForgetsAcknowledged => 0,
            _ => side.acknowledged,
        };
        let shared = Arc::clone(&self.shared);
        MemorySource { shared, fault: self.fault, at, checkpoint: 0, open: VecDeque::new(), told_end: false }
    }

    async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
        self.shared.side().offered.extend(payloads);
        self.shared.changed.notify_one();
    }

    async fn acknowledged(&mut self) -> Option<usize> {
        let known = self.fault != Fault::ForgetsAcknowledged;
        known.then(|| self.shared.side().acknowledged)
    }

    fn redelivers(&self) -> bool {
        true
    }

    async fn fail(&mut self, status: Status) -> bool {
        self.shared.side().failure = Some(status);
        true
    }

    async fn cut(&mut self) -> bool {
        self.shared.side().cut = true;
        true
    }

    async fn end(&mut self) -> bool {
        self.shared.side().ended = true;
        self.shared.changed.notify_one();
        true
    }
}

impl MemorySource {
    fn failure(&mut self) -> Result<(), Error> {
        let mut side = self.shared.side();
        if std::mem::take(&mut side.cut) && self.fault == Fault::FailsOnCut {
            return Err(Error::temporary(ErrorKind::Connection, "the connection is gone"));
        }
        let Some(mut status) = side.failure.take() else { return Ok(()) };
        if self.fault == Fault::ConfusesErrors {
            status = Status::Permanent;
        }
        if self.fault == Fault::LosesOnError {
            self.at += 1;
        }
        Err(match status {
            Status::Temporary => Error::temporary(ErrorKind::Connection, "told to fail"),
            Status::Permanent => Error::permanent(ErrorKind::Refused, "told to fail"),
        })
    }

    /// What is there, as far as there is room; None where there is nothing yet.
    async fn fill(&mut self, batch: &mut PayloadBatch) -> Option<Progress> {
        if self.fault == Fault::LosesDropped && self.at < self.shared.side().offered.len() {
            // Taken, and only then waited for something: gone with the call.
            let taken = self.shared.side().offered[self.at].clone();
            self.at += 1;
            tokio::task::yield_now().await;
            batch.push(&taken);
        }
        let (offered, ended) = {
            let side = self.shared.side();
            (side.offered[self.at..].to_vec(), side.ended)
        };
        if offered.is_empty() && batch.is_empty() {
            return match (ended, self.fault) {
                (true, Fault::EndsOnce) if self.told_end => None,
                (true, _) => {
                    self.told_end = true;
                    Some(Progress::End)
                }
                (false, Fault::DoesNotWait) => Some(Progress::Batch(Checkpoint(self.checkpoint))),
                (false, _) => None,
            };
        }
        for payload in offered {
            if batch.is_full() && self.fault != Fault::IgnoresCapacity {
                break;
            }
            batch.push(&payload);
            self.at += 1;
        }
        if self.fault == Fault::FillsTooEarly {
            self.at -= batch.len();
            tokio::task::yield_now().await;
            self.at += batch.len();
        }
        if self.fault != Fault::RepeatsCheckpoints {
            self.checkpoint += 1;
        }
        self.open.push_back((self.checkpoint, self.at));
        let mut side = self.shared.side();
        side.handed_out = side.handed_out.max(self.at);
        if self.fault == Fault::ConfirmsEarly {
            side.acknowledged = self.at;
        }
        Some(Progress::Batch(Checkpoint(self.checkpoint)))
    }

    fn reorder(&self, batch: &mut PayloadBatch) {
        let mut payloads: Vec<Vec<u8>> = batch.iter().map(|payload| payload.bytes().to_vec()).collect();
        match self.fault {
            Fault::Swaps if payloads.len() > 1 => payloads.swap(0, 1),
            Fault::Doubles => payloads.push(payloads[0].clone()),
            _ => return,
        }
        batch.clear();
        payloads.iter().for_each(|payload| batch.push(payload));
    }
}

impl SourceConnector for MemorySource {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        match self.fault {
            Fault::Panics => panic!("out of luck"),
            Fault::Blocks => std::thread::sleep(SOON * 8),
            _ => {}
        }
        self.failure()?;
        loop {
            if let Some(progress) = self.fill(batch).await {
                self.reorder(batch);
                return Ok(progress);
            }
            let shared = Arc::clone(&self.shared);
            shared.changed.notified().await;
        }
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        while let Some((handed_out, at)) = self.open.front().copied().filter(|open| open.0 <= checkpoint.0) {
            self.open.pop_front();
            if self.fault != Fault::ConfirmsOnlyTheNamed {
                self.shared.side().acknowledged = at;
            } else if handed_out == checkpoint.0 {
                self.shared.side().acknowledged += 2;
            }
        }
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        match self.fault {
            Fault::NeverCloses => pending().await,
            _ => Ok(()),
        }
    }
}

fn kit(fault: Fault) -> SourceKit<impl Fn() -> Memory + Send + Sync + 'static> {
    source(move || Memory { shared: Arc::default(), fault }).patience(SOON)
}

flow::conformance! {
    source memory => kit(Fault::None);
}

#[test]
fn what_is_lost_doubled_or_out_of_order_is_named() {
    broken(
        kit(Fault::Swaps).every_payload_comes_once_in_order(),
        "`payload-00002` came where `payload-00001` was due",
    );
    broken(kit(Fault::Doubles).every_payload_comes_once_in_order(), "`payload-00000` came twice");
    let text = "checkpoint 0 came after 0; checkpoints grow with every batch";
    broken(kit(Fault::RepeatsCheckpoints).every_payload_comes_once_in_order(), text);
}

#[test]
fn what_a_batch_has_no_room_for_is_noticed() {
    let text = "`next` put 10 payloads into a batch with room for 3";
    broken(kit(Fault::IgnoresCapacity).a_batch_holds_no_more_than_its_capacity(), text);
    let text = "`next` returned Batch(Checkpoint(0)) before anything was offered; it must wait";
    broken(kit(Fault::DoesNotWait).next_waits_for_a_payload(), text);
}

#[test]
fn calls_that_are_not_cancel_safe_are_noticed() {
    let verdict = kit(Fault::LosesDropped).dropped_futures_lose_nothing();
    broken(verdict.clone(), "was lost;");
    broken(verdict, "after calls of `next` were dropped");
    let text = "a call of `next` that was dropped had put 1 payloads into the batch";
    broken(kit(Fault::FillsTooEarly).dropped_futures_lose_nothing(), text);
}

#[test]
fn acknowledgements_that_come_too_early_or_never_are_noticed() {
    let text = "8 payloads were acknowledged to the other side where 0 were settled";
    broken(kit(Fault::ConfirmsEarly).nothing_is_confirmed_before_it_is_acknowledged(), text);
    let text = "6 payloads are acknowledged, and 4 acknowledgements reached the other side within";
    broken(kit(Fault::ConfirmsOnlyTheNamed).acknowledging_settles_what_came_before(), text);
    let text = "`payload-00002` was lost; nothing came in its place, in a source that was started anew";
    broken(kit(Fault::ForgetsUnacknowledged).what_is_not_acknowledged_comes_again(), text);
    let text = "a payload came again that was acknowledged before `close`";
    broken(kit(Fault::ForgetsAcknowledged).what_is_not_acknowledged_comes_again(), text);
}

#[test]
fn errors_that_say_the_wrong_thing_are_noticed() {
    let text = "an error that is Temporary was reported as Permanent: told to fail";
    broken(kit(Fault::ConfusesErrors).errors_say_whether_to_try_again(), text);
    let text = "`payload-00000` was lost; `payload-00001` came in its place, after an error";
    broken(kit(Fault::LosesOnError).errors_say_whether_to_try_again(), text);
    let text = "`next` failed: the connection is gone";
    broken(kit(Fault::FailsOnCut).a_lost_connection_is_no_error(), text);
}

#[test]
fn an_end_that_does_not_stay_and_a_close_that_does_not_come_are_noticed() {
    let text = "`next`, at the end of the stream, did not return within 400ms";
    broken(kit(Fault::EndsOnce).the_end_stays_the_end(), text);
    broken(kit(Fault::NeverCloses).it_closes_in_the_middle_of_work(), "`close` did not return within 400ms");
}

#[test]
fn a_panic_and_a_blocked_thread_fail_their_check_alone() {
    broken(kit(Fault::Panics).every_payload_comes_once_in_order(), "a call panicked: out of luck");
    let text = "a call does not come back: it blocks its thread or loops";
    broken(kit(Fault::Blocks).every_payload_comes_once_in_order(), text);
}

#[test]
#[should_panic(
    expected = "1 of 11 promises of a source are broken:\n  the_end_stays_the_end: `next`, at the end"
)]
fn all_checks_together_say_what_is_broken() {
    kit(Fault::EndsOnce).run();
}
