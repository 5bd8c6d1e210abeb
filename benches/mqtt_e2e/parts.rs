//! What is measured, part by part.

use std::thread;
use std::time::{Duration, Instant};

use crate::brokers::Broker;
use crate::clients::Client;
use crate::input::{POOL, Work};
use crate::mock::Mock;
use crate::process::Process;
use crate::report::{self, Table, median};
use crate::{Failure, load};

/// How many times each figure is measured. Odd, so that there is a middle one.
const ROUNDS: usize = 5;

/// Measures something, shows it, and adds its tables to the others.
type Part = fn(&mut Vec<Table>) -> Result<(), Failure>;

const PARTS: [(&str, Part); 4] =
    [("mock", mock), ("brokers", brokers), ("latency", latency), ("memory", memory)];

/// Measures the named parts, or all.
pub(crate) fn measure(names: &[&str]) -> Result<(), Failure> {
    for name in names {
        if PARTS.iter().all(|(part, _)| part != name) {
            return Err(format!("`{name}` is no part; write any of mock, brokers, latency, memory").into());
        }
    }
    let mut tables = Vec::new();
    for (name, part) in PARTS {
        if names.is_empty() || names.contains(&name) {
            part(&mut tables)?;
        }
    }
    report::write(&tables)
}

fn show(tables: &mut Vec<Table>, table: Table) {
    table.print();
    tables.push(table);
}

/// CPU time a message in, against a broker that costs nothing.
fn mock(tables: &mut Vec<Table>) -> Result<(), Failure> {
    for work in Work::ALL {
        for qos in [0, 1] {
            let mut figures = vec![[const { Vec::new() }; 2]; Client::ALL.len()];
            for _ in 0..ROUNDS {
                for (client, figures) in Client::ALL.into_iter().zip(&mut figures) {
                    let (cpu, rate) = against_mock(client, work, qos)?;
                    figures[0].push(cpu);
                    figures[1].push(rate);
                }
            }
            let title = format!("mock broker, {}, QoS {qos}", work.as_str());
            let mut table = Table::new(title, &["CPU µs/message", "x rumqttc", "messages/s"]);
            let medians: Vec<_> = figures.into_iter().map(|figures| figures.map(median)).collect();
            for (client, [cpu, rate]) in Client::ALL.into_iter().zip(&medians) {
                table.row(client.as_str(), &[*cpu, cpu / medians[1][0], *rate]);
            }
            show(tables, table);
        }
    }
    Ok(())
}

/// CPU µs and wall-clock rate.
fn against_mock(client: Client, work: Work, qos: u8) -> Result<(f64, f64), Failure> {
    let pools = if client == Client::Rumqttc { 500 } else { 4_000 };
    let per_pool = (0..POOL).filter(|index| work.passes(*index)).count() as u64;
    let mock = Mock::start(qos)?;
    let mut process = Process::start(client, work, qos, mock.port())?;
    mock.ready(client.connections())?;
    // Once through for buffers to grow, then the measured part.
    let warm = 100;
    mock.send(warm * POOL as u64);
    mock.wait_for(warm * per_pool)?;
    let before = process.cpu()?;
    let start = Instant::now();
    mock.send(pools * POOL as u64);
    mock.wait_for((warm + pools) * per_pool)?;
    let took = start.elapsed();
    let used = process.cpu()? - before;
    let messages = (pools * POOL as u64) as f64;
    Ok((used.as_secs_f64() * 1e6 / messages, messages / took.as_secs_f64()))
}

/// Starts a broker. Each measurement gets one of its own: rumqttd can fall over when a client goes away in mid-traffic.
type Start = fn() -> Result<Broker, Failure>;

fn real_brokers() -> Vec<(&'static str, Start)> {
    let mut brokers: Vec<(&'static str, Start)> = vec![("rumqttd", Broker::rumqttd)];
    if Broker::has_mosquitto() {
        brokers.insert(0, ("mosquitto", Broker::mosquitto));
    } else {
        println!("\nMosquitto is not installed: its rows are missing");
    }
    brokers
}

/// CPU µs and messages a second through a broker.
fn through(start: Start, client: Client, work: Work, qos: u8) -> Result<(f64, f64), Failure> {
    const MESSAGES: u64 = 100_000;
    let broker = start()?;
    let mut process = Process::start(client, work, qos, broker.port)?;
    let mut before = Duration::ZERO;
    let took = load::throughput(broker.port, work, qos, MESSAGES, &mut || {
        before = process.cpu()?;
        Ok(())
    })?;
    let used = process.cpu()? - before;
    Ok((used.as_secs_f64() * 1e6 / MESSAGES as f64, MESSAGES as f64 / took.as_secs_f64()))
}

/// Rate and CPU time through real brokers: the JSON job, and rumqttc without a codec for comparison.
fn brokers(tables: &mut Vec<Table>) -> Result<(), Failure> {
    let ways = [
        (Client::Flow, Work::Json),
        (Client::Rumqttc, Work::Json),
        (Client::Hand, Work::Json),
        (Client::Rumqttc, Work::Raw),
    ];
    for (name, start) in real_brokers() {
        for qos in [0, 1] {
            let mut figures = vec![[const { Vec::new() }; 2]; ways.len()];
            let mut left_out = Vec::new();
            for _ in 0..ROUNDS {
                for ((client, work), figures) in ways.into_iter().zip(&mut figures) {
                    if left_out.contains(&(client, work)) {
                        continue;
                    }
                    match through(start, client, work, qos) {
                        Ok((cpu, rate)) => {
                            figures[0].push(cpu);
                            figures[1].push(rate);
                        }
                        Err(error) => {
                            println!("{name}, QoS {qos}, {}: {error}; left out", client.as_str());
                            left_out.push((client, work));
                        }
                    }
                }
            }
            let title = format!("{name}, QoS {qos}");
            let mut table = Table::new(title, &["CPU µs/message", "x rumqttc json", "messages/s"]);
            let medians: Vec<_> = figures.into_iter().map(|figures| figures.map(median)).collect();
            for ((client, work), [cpu, rate]) in ways.into_iter().zip(&medians) {
                let way = format!("{}, {}", client.as_str(), work.as_str());
                table.row(way, &[*cpu, cpu / medians[1][0], *rate]);
            }
            show(tables, table);
        }
    }
    Ok(())
}

/// Delays at a thousand messages a second. A message through a client passes the broker twice.
fn latency(tables: &mut Vec<Table>) -> Result<(), Failure> {
    for (name, start) in real_brokers() {
        for qos in [0, 1] {
            let ways = [None, Some(Client::Flow), Some(Client::Rumqttc), Some(Client::Hand)];
            let mut figures = vec![[const { Vec::new() }; 2]; ways.len()];
            for _ in 0..ROUNDS {
                for (way, figures) in ways.into_iter().zip(&mut figures) {
                    match delays(start, way, qos) {
                        Ok(delays) => {
                            let at = |share: usize| delays[delays.len() * share / 100].as_secs_f64() * 1e3;
                            figures[0].push(at(50));
                            figures[1].push(at(99));
                        }
                        Err(error) => println!("{name}, QoS {qos}: {error}; left out"),
                    }
                }
            }
            let title = format!("{name}, 1,000 messages/s, QoS {qos}");
            let mut table = Table::new(title, &["p50 ms", "p99 ms", "p50 + ms", "p99 + ms"]);
            let medians: Vec<_> = figures.into_iter().map(|figures| figures.map(median)).collect();
            for (way, [p50, p99]) in ways.into_iter().zip(&medians) {
                let name = way.map_or("the broker's loop-back", Client::as_str);
                table.row(name, &[*p50, *p99, p50 - medians[0][0], p99 - medians[0][1]]);
            }
            show(tables, table);
        }
    }
    Ok(())
}

/// The delays through a client, or through the broker alone.
fn delays(start: Start, way: Option<Client>, qos: u8) -> Result<Vec<Duration>, Failure> {
    const MESSAGES: u64 = 3_000;
    let broker = start()?;
    let _process = way.map(|client| Process::start(client, Work::Json, qos, broker.port)).transpose()?;
    load::latency(broker.port, if way.is_some() { "out/#" } else { "in/#" }, qos, MESSAGES)
}

/// Resident memory over ten million messages, and while the sink's broker reads nothing.
fn memory(tables: &mut Vec<Table>) -> Result<(), Failure> {
    const STEPS: u64 = 10;
    const STEP: u64 = 1_000_192;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut table = Table::new("flow, resident MiB", &["at first", "most", "at the end"]);
    for qos in [0, 1] {
        let mock = Mock::start(qos)?;
        let process = Process::start(Client::Flow, Work::Raw, qos, mock.port())?;
        mock.ready(Client::Flow.connections())?;
        let mut seen = Vec::new();
        for step in 1..=STEPS {
            mock.send(STEP);
            mock.wait_for(step * STEP)?;
            seen.push(process.resident()?);
        }
        let most = seen.iter().copied().max().unwrap_or_default();
        let title = format!("{} messages, QoS {qos}", STEPS * STEP);
        table.row(title, &[mib(seen[0]), mib(most), mib(seen[seen.len() - 1])]);

        mock.stall(true);
        mock.send(STEP);
        let (mut seen, start) = (Vec::new(), Instant::now());
        while start.elapsed() < Duration::from_secs(5) {
            seen.push(process.resident()?);
            thread::sleep(Duration::from_millis(100));
        }
        let stalled = mock.received();
        mock.stall(false);
        mock.wait_for((STEPS + 1) * STEP)?;
        if stalled >= (STEPS + 1) * STEP {
            return Err("the stall came too late to show anything".into());
        }
        let most = seen.iter().copied().max().unwrap_or_default();
        table.row(
            format!("stalled sink, 5 s, QoS {qos}"),
            &[mib(seen[0]), mib(most), mib(process.resident()?)],
        );
    }
    show(tables, table);
    Ok(())
}
