//! The main job under faults: numbered messages through a file-driven pipeline in a process of its own, between a real
//! broker that restarts, connections that are cut, and kills of the process itself. Nothing may be lost.

mod ledger;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flow::connector::mqtt::{MqttSink, MqttSource};
use flow::{Checkpoint, Metadata, PayloadBatch, Progress, SinkConnector, SourceConnector};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use self::ledger::Ledger;
use crate::mqtt::build;
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::Proxy;
use crate::support::{PATIENCE, in_time, until};

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
    /// How far the publisher may be ahead of the listener, so that every fault strikes in the middle of the traffic.
    ahead: usize,
    /// They strike in this order, at equal distances.
    faults: Vec<Fault>,
}

impl Ordeal {
    /// Runs it. Returns how many messages were doubled.
    async fn run(&self, broker: &mut Mosquitto) -> usize {
        let Self { total, ahead, faults } = self;
        let proxy = Proxy::start(broker.port()).await;
        let ledger = Arc::new(Mutex::new(Ledger::new(*total)));
        let seen = || ledger.lock().expect("the ledger").distinct();

        let listener = listen(&broker.url(), Arc::clone(&ledger)).await;
        let mut pipeline = Process::start(&proxy.url());
        until("both subscriptions", || {
            let log = broker.log();
            log.contains("Sending SUBACK to ledger-listener")
                && log.contains("Sending SUBACK to ledger-pipeline")
        })
        .await;

        let publisher = publish(&broker.url(), Arc::clone(&ledger), *total, *ahead).await;
        for (index, fault) in faults.iter().enumerate() {
            let mark = total * (index + 1) / (faults.len() + 1);
            until_seen(mark, *total, seen).await;
            match fault {
                Fault::Cut => proxy.cut(),
                Fault::Kill => pipeline.kill_and_restart(),
                Fault::Restart => {
                    broker.stop();
                    broker.run();
                }
            }
        }
        until_seen(*total, *total, seen).await;
        in_time("the publisher's end", publisher).await.expect("the publisher");
        listener.abort();

        let ledger = ledger.lock().expect("the ledger");
        let (doubled, reordered) = (ledger.duplicates(), ledger.reordered());
        println!(
            "of {total}: 0 lost, {doubled} doubled, {reordered} out of order at first arrival; faults: {faults:?}"
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

/// Ten cuts, three kills and three restarts, taking turns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_through_restarts_cuts_and_kills() {
    use Fault::{Cut, Kill, Restart};
    let Some(mut broker) = Mosquitto::start() else { return };
    let faults =
        vec![Cut, Kill, Cut, Restart, Cut, Cut, Kill, Cut, Restart, Cut, Cut, Kill, Cut, Restart, Cut, Cut];
    let ordeal = Ordeal { total: 20_000, ahead: 500, faults };
    let doubled = ordeal.run(&mut broker).await;
    // What one fault may double at most: all that is in flight, on each of the four hops from publisher to listener.
    assert!(doubled <= ordeal.faults.len() * 4 * ordeal.ahead, "{doubled} doubled");
}

/// The long form: `cargo test --release -p flow-tests --test it -- --ignored --nocapture a_million`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_million_messages_survive_twenty_kills() {
    let Some(mut broker) = Mosquitto::start() else { return };
    let ordeal = Ordeal { total: 1_000_000, ahead: 2_000, faults: vec![Fault::Kill; 20] };
    let doubled = ordeal.run(&mut broker).await;
    assert!(doubled <= ordeal.total / 50, "{doubled} doubled: more than 2 %");
}

/// The long form: `cargo test --release -p flow-tests --test it -- --ignored --nocapture a_million`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_million_messages_survive_twelve_restarts_and_fifty_cuts() {
    let Some(mut broker) = Mosquitto::start() else { return };
    let fault = |number: usize| if number % 5 == 4 && number < 60 { Fault::Restart } else { Fault::Cut };
    let ordeal = Ordeal { total: 1_000_000, ahead: 2_000, faults: (0..62).map(fault).collect() };
    ordeal.run(&mut broker).await;
}

/// Waits until the listener has seen `count` different numbers; fails where it sees no new one for a long time.
async fn until_seen(count: usize, total: usize, seen: impl Fn() -> usize) {
    let mut last = (seen(), tokio::time::Instant::now());
    while last.0 < count {
        assert!(
            last.1.elapsed() < PATIENCE,
            "{} of {total} have arrived, and no new one for {PATIENCE:?}",
            last.0
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
        if seen() != last.0 {
            last = (seen(), tokio::time::Instant::now());
        }
    }
}

/// Records every number that comes out of the pipeline.
async fn listen(url: &str, ledger: Arc<Mutex<Ledger>>) -> JoinHandle<()> {
    let options = json!({ "url": url, "client_id": "ledger-listener", "topic": "out/+", "qos": 1 });
    let mut source: MqttSource = build("listener", options);
    source.open().await.expect("it opens");
    tokio::spawn(async move {
        let mut batch = PayloadBatch::new();
        loop {
            batch.clear();
            let Progress::Batch(checkpoint) = source.next(&mut batch).await.expect("a batch") else { return };
            for payload in batch.iter() {
                let record: Value = serde_json::from_slice(payload.bytes()).expect("JSON");
                let number = record["number"].as_u64().expect("a number");
                ledger.lock().expect("the ledger").record(usize::try_from(number).expect("a small number"));
            }
            source.acknowledge(checkpoint).await.expect("an acknowledgement");
        }
    })
}

/// Sends every number once, and ends when the broker has confirmed them all.
async fn publish(url: &str, ledger: Arc<Mutex<Ledger>>, total: usize, ahead: usize) -> JoinHandle<()> {
    let mut sink: MqttSink = build("publisher", json!({ "url": url, "topic": "in/{device}", "qos": 1 }));
    sink.open().await.expect("it opens");
    tokio::spawn(async move {
        let mut batch = PayloadBatch::new();
        let mut sent = 0;
        while sent < total {
            if sent >= ledger.lock().expect("the ledger").distinct() + ahead {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            batch.clear();
            let until = (sent + 50).min(total);
            for number in sent..until {
                let payload = format!("{{\"n\":{number},\"device\":\"d{}\",\"noise\":[1,2,3]}}", number % 7);
                let topic = format!("in/d{}", number % 7);
                batch.push_with(payload.as_bytes(), Metadata { topic: Some(&topic), ..Metadata::default() });
            }
            sink.write(&batch, Checkpoint(until as u64)).await.expect("written");
            sent = until;
        }
        while sink.confirmed().await.expect("a confirmation") < Checkpoint(total as u64) {}
        sink.close().await.expect("good-bye");
    })
}

/// The pipeline in a process of its own.
struct Process {
    directory: tempfile::TempDir,
    child: Child,
}

impl Process {
    fn start(broker: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ledger.toml");
        let text = format!(
            r#"on_error = "fail"
[source]
connector = "mqtt"
url = "{broker}"
client_id = "ledger-pipeline"
topic = "in/+"
qos = 1
decoder = "json"
[source.schema]
n = {{ type = "int64", required = true }}
device = {{ type = "string", required = true }}
[[transform]]
kind = "rename"
columns = {{ n = "number" }}
[[sink]]
connector = "mqtt"
url = "{broker}"
topic = "out/{{device}}"
qos = 1
encoder = "json"
"#
        );
        std::fs::write(&file, text).expect("the pipeline file");
        let child = spawn(&file, &directory.path().join("stderr"));
        Self { directory, child }
    }

    fn kill_and_restart(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
        self.child = spawn(&self.directory.path().join("ledger.toml"), &self.errors());
    }

    /// Asks it to stop. Returns its exit code and what it wrote to standard error since its last start.
    fn stop(mut self) -> (Option<i32>, String) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(asked.expect("kill").success());
        let code = self.child.wait().expect("its end").code();
        (code, std::fs::read_to_string(self.errors()).expect("its standard error"))
    }

    fn errors(&self) -> PathBuf {
        self.directory.path().join("stderr")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(file: &Path, errors: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_private-flow"))
        .arg("run")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(File::create(errors).expect("a file for standard error"))
        .spawn()
        .expect("it starts")
}
