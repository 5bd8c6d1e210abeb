//! Each promise of a sink, called in the way that shows whether it is kept.

use std::pin::pin;
use std::time::Duration;

use crate::connector::SinkConnector;
use crate::error::{Error, Status};
use crate::record::payload::Checkpoint;
use crate::testkit::bytes::same;
use crate::testkit::polling::poll_within;
use crate::testkit::sink::SinkFixture;
use crate::testkit::sink::probe::{Probe, failed};
use crate::testkit::verdict::not_checked;

/// A call that should wait is watched for this long.
const MOMENT: Duration = Duration::from_millis(100);

/// Has exactly this arrived? Nothing is wrong where nobody can know.
async fn arrived<F: SinkFixture>(probe: &mut Probe<F>, sent: &[Vec<u8>]) -> Result<(), String> {
    match probe.world.received().await {
        Some(received) => same(sent, &received),
        None => Ok(()),
    }
}

/// As [`arrived`], where what was on its way may have come twice.
async fn arrived_at_least_once<F: SinkFixture>(probe: &mut Probe<F>, sent: &[Vec<u8>]) -> Result<(), String> {
    let Some(received) = probe.world.received().await else { return Ok(()) };
    let mut firsts: Vec<Vec<u8>> = Vec::new();
    for payload in received {
        if !firsts.contains(&payload) {
            firsts.push(payload);
        }
    }
    same(sent, &firsts)
}

pub(super) async fn order<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = Vec::new();
    for count in [1, 7, 32] {
        sent.extend(probe.write(&mut sink, count).await?);
        probe.settle(&mut sink).await?;
        arrived(probe, &sent).await?;
    }
    probe.close(sink).await?;
    arrived(probe, &sent).await
}

pub(super) async fn confirms<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    const BATCH: usize = 3;
    let mut sink = probe.open().await?;
    probe.write(&mut sink, BATCH).await?;
    probe.settle(&mut sink).await?;
    let stalls = probe.world.stall().await;
    let payloads = probe.payloads(BATCH);
    let (batch, checkpoint) = (probe.batch(&payloads), probe.checkpoint());
    {
        let mut write = pin!(sink.write(&batch, checkpoint));
        let written = match tokio::time::timeout(MOMENT, write.as_mut()).await {
            Ok(written) => written,
            // It waits for the other side, which is its right.
            Err(_) => {
                probe.world.resume().await;
                probe.in_time("`write`, with an other side that is slow,", write).await?
            }
        };
        written.map_err(failed("`write`"))?;
    }
    for batches in 1..=8 {
        if let Ok(outcome) = tokio::time::timeout(MOMENT, sink.confirmed()).await {
            let confirmed = probe.understand(outcome)?;
            let known = probe.world.received().await.map_or(usize::MAX, |received| received.len());
            let promised = usize::try_from(confirmed.0).unwrap_or(usize::MAX) * BATCH;
            if known < promised {
                return Err(format!("{promised} payloads are confirmed, and {known} have arrived"));
            }
        }
        if batches == 1 && stalls {
            probe.world.resume().await;
        }
        probe.write(&mut sink, BATCH).await?;
    }
    probe.settle(&mut sink).await
}

pub(super) async fn cancel_safety<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = Vec::new();
    for round in 0..36 {
        sent.extend(probe.write(&mut sink, 1).await?);
        for _ in 0..2 {
            // The fewer steps a call may take, the sooner it has to wait, in the middle of what it does.
            let outcome = {
                let mut confirmed = pin!(sink.confirmed());
                poll_within(confirmed.as_mut(), round % 12).await
            };
            if let Some(outcome) = outcome {
                probe.understand(outcome)?;
                break;
            }
        }
        // At once: a later confirmation would hide that this one was lost.
        let settled = probe.settle(&mut sink).await;
        settled.map_err(|late| format!("{late}, after calls of `confirmed` were dropped"))?;
    }
    arrived(probe, &sent).await
}

pub(super) async fn progress<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = Vec::new();
    for _ in 0..300 {
        let written = probe.write(&mut sink, 8).await;
        sent.extend(written.map_err(|late| format!("{late}; nobody had called `confirmed`"))?);
    }
    probe.settle(&mut sink).await?;
    arrived(probe, &sent).await
}

pub(super) async fn back_pressure<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    /// Payloads and bytes that a sink may take from a pipeline without an other side.
    const MANY: usize = 200_000;
    const MUCH: usize = 64 << 20;
    const BATCH: usize = 256;
    let mut sink = probe.open().await?;
    if !probe.world.stall().await {
        return not_checked("the other side cannot be stalled");
    }
    let (mut sent, mut bytes) = (Vec::new(), 0);
    loop {
        let payloads = probe.payloads(BATCH);
        let (batch, checkpoint) = (probe.batch(&payloads), probe.checkpoint());
        let mut write = pin!(sink.write(&batch, checkpoint));
        bytes += batch.bytes();
        sent.extend(payloads);
        match tokio::time::timeout(MOMENT, write.as_mut()).await {
            Ok(written) => written.map_err(failed("`write`, with an other side that takes nothing,"))?,
            Err(_) => {
                probe.world.resume().await;
                let written =
                    probe.in_time("`write`, which waited until the other side went on,", write).await?;
                written.map_err(failed("`write`"))?;
                break;
            }
        }
        if sent.len() > MANY || bytes > MUCH {
            return Err(format!(
                "`write` took {} payloads ({bytes} bytes) with an other side that takes nothing; it must wait",
                sent.len()
            ));
        }
    }
    probe.settle(&mut sink).await?;
    arrived(probe, &sent).await
}

pub(super) async fn temporary<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    /// Calls of `write` that may fail before the sink must have got through.
    const TRIES: usize = 20;
    let mut sink = probe.open().await?;
    let mut sent = probe.write(&mut sink, 2).await?;
    if !probe.world.fail(Status::Temporary).await {
        return not_checked("the other side cannot make `write` fail");
    }
    let payloads = probe.payloads(3);
    let (batch, checkpoint) = (probe.batch(&payloads), probe.checkpoint());
    sent.extend(payloads);
    let mut failures = 0;
    loop {
        match probe.in_time("`write`", sink.write(&batch, checkpoint)).await? {
            Ok(()) => break,
            Err(error) if !error.is_temporary() => {
                return Err(format!(
                    "an error that is Temporary was reported as {:?}: {error}",
                    error.status()
                ));
            }
            Err(error) if failures == TRIES => return Err(format!("`write` failed {TRIES} times: {error}")),
            Err(_) => failures += 1,
        }
        // A pipeline pauses, too.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if failures == 0 {
        return Err("the other side failed, and no call of `write` said so".to_owned());
    }
    probe.settle(&mut sink).await?;
    arrived(probe, &sent).await.map_err(|wrong| format!("{wrong}, after a temporary error"))
}

pub(super) async fn permanent<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    if !probe.world.fail(Status::Permanent).await {
        return not_checked("the other side cannot make `write` fail for good");
    }
    let payloads = probe.payloads(1);
    let (batch, checkpoint) = (probe.batch(&payloads), probe.checkpoint());
    match probe.in_time("`write`", sink.write(&batch, checkpoint)).await? {
        Ok(()) => Err("the other side failed for good, and `write` did not say so".to_owned()),
        Err(error) if error.is_temporary() => {
            Err(format!("an error that is Permanent was reported as Temporary: {error}"))
        }
        Err(_) => Ok(()),
    }
}

/// The position that a sink names of the payload that it refuses.
fn refused(outcome: Result<(), Error>, bad: usize) -> Result<(), String> {
    match outcome {
        Ok(()) => Err(format!("the payload at {bad} cannot be taken, and `write` did not refuse it")),
        Err(error) if error.payload() == Some(bad) => Ok(()),
        Err(error) => Err(match error.payload() {
            Some(named) => {
                format!("the payload at {bad} cannot be taken, and `write` named the one at {named}: {error}")
            }
            None => format!("the payload at {bad} cannot be taken, and `write` named none: {error}"),
        }),
    }
}

pub(super) async fn refuses<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let Some(bad) = probe.world.refused() else {
        return not_checked("the other side refuses nothing");
    };
    let mut sink = probe.open().await?;
    let good = probe.payloads(3);

    // In the middle: those after it come again.
    let checkpoint = probe.checkpoint();
    let mut batch = probe.batch(&[good[0].clone(), bad.clone(), good[1].clone()]);
    refused(probe.in_time("`write`", sink.write(&batch, checkpoint)).await?, 1)?;
    batch.drop_front(2);
    let rest = probe.in_time("`write`", sink.write(&batch, checkpoint)).await?;
    rest.map_err(failed("`write`, of what came after a refused payload,"))?;
    probe.settle(&mut sink).await?;
    arrived(probe, &good[..2]).await.map_err(|wrong| format!("{wrong}, around a refused payload"))?;

    // At the end: nothing is left, and a call with nothing ends the checkpoint. Before it, nothing is confirmed.
    let checkpoint = probe.checkpoint();
    let batch = probe.batch(&[good[2].clone(), bad]);
    refused(probe.in_time("`write`", sink.write(&batch, checkpoint)).await?, 1)?;
    if let Ok(outcome) = tokio::time::timeout(MOMENT, sink.confirmed()).await {
        let Checkpoint(early) = probe.understand(outcome)?;
        return Err(format!("checkpoint {early} was confirmed, and the call that ends it had not come"));
    }
    end(probe, &mut sink, checkpoint).await?;
    let settled = probe.settle(&mut sink).await;
    settled.map_err(|late| format!("{late}, where the last payload of a batch was refused"))?;
    arrived(probe, &good).await.map_err(|wrong| format!("{wrong}, before a refused payload"))
}

/// A call without payloads: nothing more comes for this checkpoint.
async fn end<F: SinkFixture>(
    probe: &mut Probe<F>,
    sink: &mut F::Sink,
    checkpoint: Checkpoint,
) -> Result<(), String> {
    let empty = probe.batch(&[]);
    let ended = probe.in_time("`write`, without payloads,", sink.write(&empty, checkpoint)).await?;
    ended.map_err(failed("`write`, without payloads,"))
}

pub(super) async fn empty<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = Vec::new();
    for _ in 0..2 {
        let checkpoint = probe.checkpoint();
        end(probe, &mut sink, checkpoint).await?;
        let settled = probe.settle(&mut sink).await;
        settled.map_err(|late| format!("{late}, where a checkpoint had no payloads"))?;
        sent.extend(probe.write(&mut sink, 2).await?);
    }
    let checkpoint = probe.checkpoint();
    end(probe, &mut sink, checkpoint).await?;
    probe.settle(&mut sink).await?;
    arrived(probe, &sent).await
}

pub(super) async fn reconnects<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = probe.write(&mut sink, 3).await?;
    for _ in 0..2 {
        if !probe.world.cut().await {
            return not_checked("the other side has no connection to break");
        }
        sent.extend(probe.write(&mut sink, 3).await?);
        sent.extend(probe.write(&mut sink, 3).await?);
        probe.settle(&mut sink).await?;
        let arrived = arrived_at_least_once(probe, &sent).await;
        arrived.map_err(|wrong| format!("{wrong}, after the connection was lost"))?;
    }
    probe.close(sink).await
}

pub(super) async fn close<F: SinkFixture>(probe: &mut Probe<F>) -> Result<(), String> {
    let mut sink = probe.open().await?;
    let mut sent = probe.write(&mut sink, 20).await?;
    sent.extend(probe.write(&mut sink, 20).await?);
    probe.close(sink).await?;
    arrived(probe, &sent).await.map_err(|wrong| format!("{wrong}, after `close`"))
}
