//! The main job under faults: numbered messages through a file-driven pipeline in a process of its own, between real
//! brokers that go away, connections that are cut, and kills of the process itself. Nothing may be lost.
//!
//! `cargo test --release -p flow-tests --test it -- --ignored --nocapture --test-threads 1 the_long_form` runs what takes minutes.

mod killed_broker;
mod ledger;
mod outage;
mod process;
mod traffic;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use self::ledger::Ledger;
use self::process::Process;
use self::traffic::{PUBLISHER, Pace, listen, listener_at, publish, subscribe, until_seen};
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::Proxy;
use crate::support::{Broker, in_time, log, tail};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The pipeline's connections are cut.
    Cut,
    /// The pipeline's process is killed with SIGKILL and started again.
    Kill,
    /// The broker is stopped with SIGTERM and started again.
    Restart,
}

/// What goes through, and what happens meanwhile.
struct Ordeal {
    /// Messages that are sent.
    total: usize,
    /// How they are sent, so that every fault strikes in the middle of the traffic.
    pace: Pace,
    /// They strike in this order, at equal distances.
    faults: Vec<Fault>,
}

impl Ordeal {
    /// Runs it. Returns how many messages were doubled.
    async fn run(&self, broker: &mut impl Broker) -> usize {
        let Self { total, pace, faults } = self;
        let proxy = Proxy::start(broker.port()).await;
        let ledger = Arc::new(Mutex::new(Ledger::new(*total)));
        let listener = listen(subscribe(&broker.url()).await, Arc::clone(&ledger));
        let mut pipeline = Process::start(&proxy.url(), &proxy.url()).await;

        let start = Instant::now();
        let publisher = publish(&broker.url(), Arc::clone(&ledger), *total, *pace).await;
        for (index, fault) in faults.iter().enumerate() {
            until_seen(total * (index + 1) / (faults.len() + 1), &ledger, || logs(&pipeline, broker)).await;
            match fault {
                Fault::Cut => proxy.cut(),
                Fault::Kill => pipeline.kill_and_restart(),
                Fault::Restart => {
                    broker.stop();
                    broker.run();
                }
            }
        }
        until_seen(*total, &ledger, || logs(&pipeline, broker)).await;
        let rate = *total as f64 / start.elapsed().as_secs_f64();
        in_time("the publisher's end", publisher).await.expect("the publisher");
        listener.abort();

        let ledger = ledger.lock().expect("the ledger");
        let (lost, doubled, reordered) = (ledger.lost().len(), ledger.duplicates(), ledger.reordered());
        println!(
            "of {total}: {lost} lost, {doubled} doubled, {reordered} out of order at first arrival, \
             {rate:.0} a second with the time of {} faults",
            faults.len()
        );
        assert_eq!(ledger.lost(), Vec::<usize>::new());
        let connections = proxy.connections();
        assert!(
            connections >= 2 * (faults.len() - 1),
            "the faults did not strike: {connections} connections"
        );

        let (code, errors) = pipeline.stop();
        assert_eq!(code, Some(0), "{errors}");
        assert!(errors.contains("ledger: in "), "no summary:\n{errors}");
        doubled
    }
}

fn logs(pipeline: &Process, broker: &impl Broker) -> String {
    let ends = [listener_at(&broker.url()), PUBLISHER.to_owned()].map(|label| log::lines(&label).join("\n"));
    let [pipeline, broker, listener, publisher] =
        [&pipeline.log(), &broker.log(), &ends[0], &ends[1]].map(|log| tail(log));
    format!(
        "the pipeline:\n{pipeline}\nthe broker:\n{broker}\nthe listener:\n{listener}\nthe publisher:\n{publisher}"
    )
}

/// Messages in flight in the short form.
const AHEAD: usize = 500;

/// Ten cuts, three kills and three restarts, taking turns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_through_restarts_cuts_and_kills() {
    use Fault::{Cut, Kill, Restart};
    let Some(mut broker) = Mosquitto::start_quiet() else { return };
    let faults =
        vec![Cut, Kill, Cut, Restart, Cut, Cut, Kill, Cut, Restart, Cut, Cut, Kill, Cut, Restart, Cut, Cut];
    let ordeal = Ordeal { total: 20_000, pace: Pace::Ahead(AHEAD), faults };
    let doubled = ordeal.run(&mut broker).await;
    // What one fault may double at most: all that is in flight, on each of the four hops from publisher to listener.
    assert!(doubled <= ordeal.faults.len() * 4 * AHEAD, "{doubled} doubled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_long_form_twenty_kills_of_the_pipeline() {
    let Some(mut broker) = Mosquitto::start_quiet() else { return };
    let ordeal = Ordeal { total: 1_000_000, pace: Pace::Ahead(1_000), faults: vec![Fault::Kill; 20] };
    let doubled = ordeal.run(&mut broker).await;
    assert!(doubled <= ordeal.total / 50, "{doubled} doubled: more than 2 %");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_long_form_twelve_restarts_and_fifty_cuts() {
    let Some(mut broker) = Mosquitto::start_quiet() else { return };
    let fault = |number: usize| if number % 5 == 4 && number < 60 { Fault::Restart } else { Fault::Cut };
    // So that connections live for longer than the 2 s after which the pauses between attempts start anew.
    let pace = Pace::PerSecond(6_000);
    let ordeal = Ordeal { total: 1_000_000, pace, faults: (0..62).map(fault).collect() };
    ordeal.run(&mut broker).await;
}
