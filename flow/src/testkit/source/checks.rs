//! Each promise of a source, called in the way that shows whether it is kept.

use std::pin::pin;
use std::time::Duration;

use crate::connector::{Progress, SourceConnector};
use crate::error::Status;
use crate::record::payload::{Checkpoint, PayloadBatch};
use crate::testkit::bytes::same;
use crate::testkit::polling::{poll_once, poll_within};
use crate::testkit::source::SourceFixture;
use crate::testkit::source::probe::{Probe, Taken, failed, missing};
use crate::testkit::verdict::not_checked;

/// A call that should wait is watched for this long.
const MOMENT: Duration = Duration::from_millis(50);

pub(super) async fn order<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for count in [1, 7, 33] {
        sent.extend(probe.offer(count).await);
        probe.read(&mut source, &sent, &mut received).await?;
    }
    same(&sent, &received)?;
    nothing_more(probe, &mut source).await?;
    probe.close(source).await
}

/// Nothing comes for a moment: nothing was handed out a second time.
async fn nothing_more<F: SourceFixture>(probe: &mut Probe<F>, source: &mut F::Source) -> Result<(), String> {
    let mut batch = PayloadBatch::new();
    match tokio::time::timeout(MOMENT, source.next(&mut batch)).await {
        Err(_) | Ok(Ok(Progress::End)) => Ok(()),
        Ok(outcome) => {
            let (_, payloads) = probe.understand(outcome, &batch)?;
            same(&[], &payloads)
        }
    }
}

pub(super) async fn capacity<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    const CAPACITY: usize = 3;
    let mut source = probe.open().await?;
    let sent = probe.offer(10).await;
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let (_, payloads) = probe.take(&mut source, CAPACITY).await?;
        if payloads.len() > CAPACITY {
            return Err(format!(
                "`next` put {} payloads into a batch with room for {CAPACITY}",
                payloads.len()
            ));
        }
        received.extend(payloads);
    }
    same(&sent, &received)
}

pub(super) async fn waits<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let mut batch = PayloadBatch::new();
    let (outcome, sent) = {
        let mut next = pin!(source.next(&mut batch));
        match tokio::time::timeout(MOMENT, next.as_mut()).await {
            Err(_) => {}
            Ok(Ok(progress)) => {
                return Err(format!(
                    "`next` returned {progress:?} before anything was offered; it must wait"
                ));
            }
            Ok(Err(error)) => return Err(failed("`next`, with nothing to read,")(error)),
        }
        let sent = probe.offer(1).await;
        (probe.in_time("`next`, which waited when a payload was offered,", next).await?, sent)
    };
    let (_, received) = probe.understand(outcome, &batch)?;
    same(&sent, &received)
}

pub(super) async fn cancel_safety<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    /// Each drops a call at another of its waits.
    const ROUNDS: usize = 72;
    let mut source = probe.open().await?;
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut batch = PayloadBatch::new();
        let mut outcome = None;
        {
            let mut next = pin!(source.next(&mut batch));
            // A payload comes before the call waits, or while it waits.
            for poll in 0..3 {
                if poll == round % 3 {
                    sent.extend(probe.offer(1).await);
                    // Time for the payload to come, by a network or a task.
                    tokio::time::sleep(Duration::from_millis((round % 2) as u64)).await;
                }
                // The fewer steps a call may take, the sooner it has to wait, in the middle of what it does.
                if let Some(ready) = poll_within(next.as_mut(), round / 3 % 12).await {
                    outcome = Some(ready);
                    break;
                }
            }
        }
        match outcome {
            Some(outcome) => {
                let (checkpoint, payloads) = probe.understand(outcome, &batch)?;
                received.extend(payloads);
                probe.acknowledge(&mut source, checkpoint).await?;
            }
            None if !batch.is_empty() => {
                return Err(format!(
                    "a call of `next` that was dropped had put {} payloads into the batch",
                    batch.len()
                ));
            }
            None => {}
        }
        // Rounds that ended before the payload was offered.
        while sent.len() <= round {
            sent.extend(probe.offer(1).await);
        }
    }
    probe.read(&mut source, &sent, &mut received).await.map_err(dropped)?;
    same(&sent, &received).map_err(dropped)
}

fn dropped(wrong: String) -> String {
    format!("{wrong}, after calls of `next` were dropped")
}

/// Batches of two until there are `count` payloads, none acknowledged.
async fn take_in_twos<F: SourceFixture>(
    probe: &mut Probe<F>,
    source: &mut F::Source,
    count: usize,
) -> Result<Vec<Taken>, String> {
    let (mut batches, mut read) = (Vec::new(), 0);
    while read < count {
        let (checkpoint, payloads) = probe.take(source, 2).await?;
        read += payloads.len();
        batches.push((checkpoint, payloads));
    }
    Ok(batches)
}

pub(super) async fn confirms_in_order<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    if probe.world.acknowledged().await.is_none() {
        return not_checked("the other side does not know what is acknowledged");
    }
    let mut source = probe.open().await?;
    probe.offer(8).await;
    let batches = take_in_twos(probe, &mut source, 8).await?;
    let mut settled = 0;
    for (checkpoint, payloads) in batches {
        // What is sent too early needs a moment to be seen.
        tokio::time::sleep(MOMENT / 5).await;
        let known = probe.world.acknowledged().await.unwrap_or_default();
        if known > settled {
            return Err(format!(
                "{known} payloads were acknowledged to the other side where {settled} were settled"
            ));
        }
        probe.acknowledge(&mut source, checkpoint).await?;
        settled += payloads.len();
        probe.until_acknowledged(settled).await?;
    }
    probe.close(source).await
}

pub(super) async fn settles_earlier<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    if probe.world.acknowledged().await.is_none() {
        return not_checked("the other side does not know what is acknowledged");
    }
    let mut source = probe.open().await?;
    probe.offer(10).await;
    let batches = take_in_twos(probe, &mut source, 10).await?;
    let checkpoint = |batch: usize| batches.get(batch).map_or(Checkpoint(0), |(checkpoint, _)| *checkpoint);
    // Sent or not, a call that was dropped does no harm to the next.
    let _ = poll_once(pin!(source.acknowledge(checkpoint(0)))).await;
    let third = 2.min(batches.len() - 1);
    probe.acknowledge(&mut source, checkpoint(third)).await?;
    let settled = batches[..=third].iter().map(|(_, payloads)| payloads.len()).sum();
    probe.until_acknowledged(settled).await?;
    probe.acknowledge(&mut source, checkpoint(batches.len() - 1)).await?;
    probe.until_acknowledged(batches.iter().map(|(_, payloads)| payloads.len()).sum()).await?;
    probe.close(source).await
}

pub(super) async fn redelivery<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    if !probe.world.redelivers() {
        return not_checked("the other side does not send again");
    }
    let mut source = probe.open().await?;
    let sent = probe.offer(6).await;
    let batches = take_in_twos(probe, &mut source, sent.len()).await?;
    probe.acknowledge(&mut source, batches[0].0).await?;
    let settled = batches[0].1.len();
    let known = probe.world.acknowledged().await.is_some();
    probe.until_acknowledged(settled).await?;
    // As if the process was killed.
    drop(source);

    let mut source = probe.open().await?;
    let (mut again, mut last) = (Vec::new(), Checkpoint(0));
    while again.last() != sent.last() {
        let taken = probe.take(&mut source, 2).await.map_err(|late| missing(&sent[settled..], &again, late));
        let (checkpoint, payloads) = taken.map_err(anew)?;
        again.extend(payloads);
        last = checkpoint;
    }
    // Where nobody can tell whether the acknowledgement arrived, it may come again, too.
    let from = if known { settled } else { sent.len() - again.len().clamp(sent.len() - settled, sent.len()) };
    same(&sent[from..], &again).map_err(anew)?;
    probe.acknowledge(&mut source, last).await?;
    probe.close(source).await?;

    let mut source = probe.open().await?;
    let more = probe.offer(1).await;
    let (_, fresh) = probe.take(&mut source, 1).await?;
    if sent.contains(&fresh[0]) {
        return Err("a payload came again that was acknowledged before `close`".to_owned());
    }
    same(&more, &fresh)
}

fn anew(wrong: String) -> String {
    format!("{wrong}, in a source that was started anew")
}

pub(super) async fn errors<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let mut checked = false;
    for status in [Status::Temporary, Status::Permanent] {
        if !probe.world.fail(status).await {
            continue;
        }
        checked = true;
        let sent = probe.offer(2).await;
        let (mut received, mut failures) = (Vec::new(), 0);
        while received.len() < sent.len() && (failures == 0 || status == Status::Temporary) {
            let mut batch = PayloadBatch::with_capacity(1);
            let outcome = probe.in_time("`next`, with payloads left to come,", source.next(&mut batch)).await;
            match outcome.map_err(|late| missing(&sent, &received, late)).map_err(after_error)? {
                Err(error) if error.status() != status => {
                    return Err(format!(
                        "an error that is {status:?} was reported as {:?}: {error}",
                        error.status()
                    ));
                }
                Err(error) if !batch.is_empty() => {
                    return Err(format!(
                        "`next` failed ({error}) and left {} payloads in the batch",
                        batch.len()
                    ));
                }
                Err(_) => failures += 1,
                outcome => received.extend(probe.understand(outcome, &batch)?.1),
            }
        }
        if failures == 0 {
            return Err(format!("the other side failed ({status:?}), and no call of `next` said so"));
        }
        if status == Status::Temporary {
            same(&sent, &received).map_err(after_error)?;
        }
    }
    if checked { Ok(()) } else { not_checked("the other side cannot make `next` fail") }
}

fn after_error(wrong: String) -> String {
    format!("{wrong}, after an error")
}

pub(super) async fn reconnects<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let (mut sent, mut received) = (probe.offer(3).await, Vec::new());
    probe.read(&mut source, &sent, &mut received).await?;
    for _ in 0..2 {
        if !probe.world.cut().await {
            return not_checked("the other side has no connection to break");
        }
        sent.extend(probe.offer(3).await);
        while !received.contains(&sent[sent.len() - 1]) {
            let taken = probe.take(&mut source, PayloadBatch::DEFAULT_CAPACITY).await;
            let (checkpoint, payloads) =
                taken.map_err(|late| missing(&sent, &received, late)).map_err(cut)?;
            // At least once: what was on its way may come again.
            for payload in payloads {
                if !received.contains(&payload) {
                    received.push(payload);
                }
            }
            probe.acknowledge(&mut source, checkpoint).await?;
        }
    }
    same(&sent, &received).map_err(cut)
}

fn cut(wrong: String) -> String {
    format!("{wrong}, after the connection was lost")
}

pub(super) async fn end<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let sent = probe.offer(3).await;
    if !probe.world.end().await {
        return not_checked("the stream has no end");
    }
    let mut received = Vec::new();
    probe.read(&mut source, &sent, &mut received).await?;
    same(&sent, &received)?;
    for call in ["the first call after the last payload", "a call after the end"] {
        let mut batch = PayloadBatch::new();
        let outcome = probe.in_time("`next`, at the end of the stream,", source.next(&mut batch)).await?;
        let progress = outcome.map_err(failed("`next`, at the end of the stream,"))?;
        if progress != Progress::End || !batch.is_empty() {
            return Err(format!("{call} of `next` returned {progress:?} with {} payloads", batch.len()));
        }
    }
    probe.close(source).await
}

pub(super) async fn close<F: SourceFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut source = probe.open().await?;
    let _ = poll_once(pin!(source.next(&mut PayloadBatch::new()))).await;
    probe.close(source).await?;

    let mut source = probe.open().await?;
    probe.offer(5).await;
    let _ = probe.take(&mut source, 1).await?;
    probe.close(source).await
}
