//! A sink whose broker is killed again and again, and has in a file what it confirmed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flow::SourceConnector;

use super::ledger::Ledger;
use super::process::Process;
use super::traffic::{Pace, listen, publish, subscribe, until_seen};
use crate::support::mosquitto::Mosquitto;
use crate::support::nats::Nats;
use crate::support::{Broker, in_time, tail};

struct Kills {
    total: usize,
    /// Messages a second.
    rate: usize,
    kills: usize,
}

impl Kills {
    /// Runs it. Returns how many messages were doubled and how many came in a second, where the brokers are installed.
    async fn run(&self) -> Option<(usize, f64)> {
        let Self { total, rate, kills } = *self;
        let (inlet, mut outlet) = (Mosquitto::start_quiet()?, Nats::start()?);
        let ledger = Arc::new(Mutex::new(Ledger::new(total)));
        // The broker keeps for it whatever comes while it is away.
        in_time("a good-bye", subscribe(&outlet.url()).await.close()).await.expect("it closes");
        let pipeline = Process::start(&inlet.url(), &outlet.url()).await;

        let start = Instant::now();
        let publisher = publish(&inlet.url(), Arc::clone(&ledger), total, Pace::PerSecond(rate)).await;
        let between = Duration::from_secs_f64(total as f64 / rate as f64 / (kills + 1) as f64);
        for kill in 1..=kills {
            tokio::time::sleep_until((start + between * u32::try_from(kill).expect("a few")).into()).await;
            outlet.stop();
            outlet.run();
        }
        in_time("the publisher's end", publisher).await.expect("the publisher");
        let came = total as f64 / start.elapsed().as_secs_f64();

        let listener = listen(subscribe(&outlet.url()).await, Arc::clone(&ledger));
        until_seen(total, &ledger, || tail(&pipeline.log())).await;
        let (code, errors) = pipeline.stop();
        assert_eq!(code, Some(0), "{errors}");
        listener.abort();

        let ledger = ledger.lock().expect("the ledger");
        let doubled = ledger.duplicates();
        println!(
            "of {total} at {came:.0} a second, sink's broker killed {kills} times: {} lost, {doubled} doubled, \
             {} out of order at first arrival",
            ledger.lost().len(),
            ledger.reordered()
        );
        assert_eq!(ledger.lost(), Vec::<usize>::new());
        let lost = errors.matches("connection lost").count();
        assert!(lost >= kills / 2, "the kills did not strike: {lost} connections lost");
        Some((doubled, came))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_killed_broker_has_confirmed_or_not_is_lost() {
    Kills { total: 9_000, rate: 3_000, kills: 3 }.run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_long_form_twenty_kills_of_the_sinks_broker() {
    let ordeal = Kills { total: 1_000_000, rate: 20_500, kills: 20 };
    let Some((doubled, came)) = ordeal.run().await else { return };
    assert!(doubled <= ordeal.total / 20, "{doubled} doubled: more than 5 %");
    assert!(came >= 0.95 * ordeal.rate as f64, "only {came:.0} messages a second came in");
}
