//! A sink whose broker is down while the source goes on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::process::Process;
use super::traffic::{Pace, listen, publish, subscribe, until_seen};
use crate::support::mosquitto::Mosquitto;
use crate::support::{Broker, in_time, tail};

/// What the resident memory may grow by while the sink's broker is down: the window of messages, not the traffic.
const GROWTH: u64 = 32 << 20;

struct Outage {
    /// Messages a second.
    rate: usize,
    /// How long they come with both brokers up, on each side of the outage.
    calm: usize,
    /// How long the sink's broker is down, in seconds.
    down: usize,
}

impl Outage {
    /// Runs it. Returns how many messages a second came out while what had been held back was drained.
    async fn run(&self) -> Option<f64> {
        let Self { rate, calm, down } = *self;
        let (inlet, mut outlet) = (Mosquitto::start_quiet()?, Mosquitto::start_quiet()?);
        let total = rate * (calm + down);
        let ledger = Arc::new(Mutex::new(Ledger::new(total)));
        let listener = listen(subscribe(&outlet.url()).await, Arc::clone(&ledger));
        let pipeline = Process::start(&inlet.url(), &outlet.url()).await;
        let publisher = publish(&inlet.url(), Arc::clone(&ledger), total, Pace::PerSecond(rate)).await;

        until_seen(rate * calm, &ledger, || tail(&pipeline.log())).await;
        let before = pipeline.resident();
        outlet.stop();
        let (mut most, start) = (before, Instant::now());
        while start.elapsed() < Duration::from_secs(down as u64) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            most = most.max(pipeline.resident());
        }
        in_time("the publisher's end", publisher).await.expect("the publisher");
        let held = total - ledger.lock().expect("the ledger").distinct();
        outlet.run();
        // From the first message that comes out again: the wait for the next attempt to connect is no draining.
        until_seen(total - held + 1, &ledger, || tail(&pipeline.log())).await;
        let drain = Instant::now();
        until_seen(total, &ledger, || tail(&pipeline.log())).await;
        let drained = held as f64 / drain.elapsed().as_secs_f64();
        most = most.max(pipeline.resident());
        listener.abort();

        let ledger = ledger.lock().expect("the ledger");
        let mib = |bytes: Option<u64>| bytes.unwrap_or_default() as f64 / f64::from(1 << 20);
        println!(
            "of {total} at {rate} a second, sink down for {down} s: {} lost, {} doubled, {held} held back, \
             drained at {drained:.0} a second; resident {:.1} MiB before, {:.1} MiB at most",
            ledger.lost().len(),
            ledger.duplicates(),
            mib(before),
            mib(most)
        );
        assert_eq!(ledger.lost(), Vec::<usize>::new());
        assert!(most.unwrap_or_default() <= before.unwrap_or_default() + GROWTH, "memory grew");
        let (code, errors) = pipeline.stop();
        assert_eq!(code, Some(0), "{errors}");
        Some(drained)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_down_holds_messages_back_and_loses_none() {
    Outage { rate: 2_000, calm: 1, down: 3 }.run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_long_form_a_sink_down_for_a_minute() {
    let outage = Outage { rate: 10_000, calm: 5, down: 60 };
    let Some(drained) = outage.run().await else { return };
    assert!(drained >= 3.0 * outage.rate as f64, "drained at {drained:.0} a second only");
}
