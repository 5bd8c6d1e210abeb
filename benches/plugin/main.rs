//! What the border costs: a batch of 64 flat JSON records, decoded by one and the same decoder that is listed,
//! registered, or loaded from a library; and through the ways not taken: Arrow's C Data Interface, and values pushed one by one.
//!
//! `cargo bench -p plugin-benches` prints a table. Instructions are exact and need valgrind; times are
//! medians of turns, and worth as much as the machine is idle.

mod arrow;
mod pushed;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use flow::codec::json::JsonDecoder;
use flow::plugin::Policy;
use flow::registry::{Lookup, Plugins, Registered};
use flow::{
    BuildContext, CollectBatch, Collection, Component, Cons, Nil, RecordDecoder, Records, Registry, Runtime,
    Schema,
};
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Records in a batch.
const BATCH: usize = 64;
/// Batches of a run that is timed, and how often it is.
const TIMED: usize = 400;
const ROUNDS: usize = 11;

const WAYS: [&str; 8] =
    ["listed", "registered", "loaded", "arrow", "pushed", "pushed-columns", "listed-two", "loaded-two"];

/// What a way is held against: what is listed, with as many columns.
fn base(way: &str) -> &'static str {
    if way.ends_with("-two") { "listed-two" } else { "listed" }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure(),
        ["run", way, batches] => {
            batches.parse().map_err(Into::into).and_then(|batches| run(way, batches).map(drop))
        }
        _ => Err("write nothing, or `run WAY BATCHES`".into()),
    };
    done.map_or_else(
        |error| {
            eprintln!("plugin: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn payloads() -> Vec<String> {
    let payload = |index: usize| {
        format!(
            r#"{{"device_id":"sensor-{:06}","site":"hall-{}","ts":{},"temperature":{}.{},"humidity":41.25,"pressure":1013.25,"voltage":3.31,"sequence":{}}}"#,
            index * 7919 % 1_000_000,
            index % 9,
            1_764_000_000_000_u64 + index as u64 * 250,
            11 + index % 80,
            1 + index % 9,
            index
        )
    };
    (0..BATCH).map(payload).collect()
}

fn schema(way: &str) -> Result<Arc<Schema>, Failure> {
    if way.ends_with("-two") {
        let columns = json!({ "device_id": "string", "temperature": "float64" });
        return Schema::from_value(&columns).map_err(|errors| errors[0].to_string().into());
    }
    let columns = json!({
        "device_id": "string", "site": "string", "ts": "timestamp(ms)", "temperature": "float64",
        "humidity": "float64", "pressure": "float64", "voltage": "float64", "sequence": "int64",
    });
    Schema::from_value(&columns).map_err(|errors| errors[0].to_string().into())
}

/// Decodes so many batches. Returns the last one, to compare.
fn run(way: &str, batches: usize) -> Result<String, Failure> {
    let (config, context) = (json!({}), BuildContext::default());
    let schema = schema(way)?;
    let not_there = || Failure::from("the decoder is not there");
    match way {
        "listed" | "listed-two" => {
            decode(&mut JsonDecoder::build(Default::default(), &context)?, &schema, batches)
        }
        "registered" => {
            type R = Cons<Registered, Nil>;
            let mut runtime = Runtime::of::<R>();
            runtime.codecs().register::<JsonDecoder>()?;
            let decoder = <R as Registry>::Decoder::lookup("json", &config, &context, &runtime);
            decode(&mut decoder.and_then(Result::ok).ok_or_else(not_there)?, &schema, batches)
        }
        "loaded" | "loaded-two" => {
            type R = Cons<Plugins, Nil>;
            let mut runtime = Runtime::of::<R>();
            load(&mut runtime)?;
            let decoder = <R as Registry>::Decoder::lookup("json", &config, &context, &runtime);
            decode(&mut decoder.and_then(Result::ok).ok_or_else(not_there)?, &schema, batches)
        }
        "arrow" => arrow::run(&payloads(), &schema, batches),
        "pushed" => pushed::kept(&payloads(), &schema, batches),
        "pushed-columns" => pushed::columns(&payloads(), &schema, batches),
        other => Err(format!("there is no way `{other}`").into()),
    }
}

/// Loads the library that was built beside this program, alone in a directory.
fn load(runtime: &mut Runtime) -> Result<(), Failure> {
    let built = std::env::current_exe()?.with_file_name("libbench_plugin.so");
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("libbench_plugin.so");
    fs::copy(built, &copy)?;
    fs::set_permissions(copy, fs::Permissions::from_mode(0o755))?;
    runtime.load_from_dir(directory.path(), &Policy::default().strict())?;
    Ok(())
}

fn decode<D: RecordDecoder>(
    decoder: &mut D,
    schema: &Arc<Schema>,
    batches: usize,
) -> Result<String, Failure> {
    let (payloads, mut records) = (payloads(), Records::new(schema));
    for _ in 0..batches {
        records.clear();
        for payload in &payloads {
            decoder.decode(payload.as_bytes(), &mut records)?;
        }
    }
    written(&records)
}

/// The records as text.
fn written(records: &Records) -> Result<String, Failure> {
    let mut text = Vec::new();
    for index in 0..Collection::len(records) {
        Collection::serialize(records, index, &mut serde_json::Serializer::new(&mut text))?;
    }
    Ok(String::from_utf8(text)?)
}

fn measure() -> Result<(), Failure> {
    let mut times = vec![Vec::new(); WAYS.len()];
    for round in 0..ROUNDS {
        for (way, times) in WAYS.iter().zip(&mut times) {
            // The first round warms up; building and loading take no part of what is timed.
            let began = Instant::now();
            let few = run(way, 1)?;
            let start = began.elapsed();
            if few != run(base(way), 1)? {
                return Err(format!("`{way}` decodes something else").into());
            }
            let began = Instant::now();
            run(way, TIMED + 1)?;
            if round > 0 {
                times.push(began.elapsed().saturating_sub(start).as_nanos() as f64 / TIMED as f64);
            }
        }
    }
    println!("a batch of {BATCH} flat JSON records     instructions   ratio        ns   ratio");
    let mut bases: HashMap<&str, (Option<f64>, Vec<f64>)> = HashMap::new();
    for (way, times) in WAYS.iter().zip(&times) {
        let counted = count(way)?;
        let (base, of_base) = bases.entry(base(way)).or_insert_with(|| (counted, times.clone()));
        let ratios = times.iter().zip(of_base).map(|(this, base)| this / *base).collect();
        let instructions = match (counted, *base) {
            (Some(this), Some(base)) => format!("{this:>12.0} {:>7.3}", this / base),
            _ => "no valgrind here    ".to_owned(),
        };
        println!("{way:<36} {instructions} {:>9.0} {:>7.3}", median(times.clone()), median(ratios));
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The instructions of a batch: the difference between two lengths, under valgrind. `None` where there is none.
fn count(way: &str) -> Result<Option<f64>, Failure> {
    let (few, many) = (32, 160);
    let (Some(less), Some(more)) = (callgrind(way, few)?, callgrind(way, many)?) else { return Ok(None) };
    Ok(Some((more - less) / (many - few) as f64))
}

fn callgrind(way: &str, batches: usize) -> Result<Option<f64>, Failure> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(std::env::current_exe()?);
    let output = match valgrind.args(["run", way, &batches.to_string()]).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let number = said.split_once("Collected :").and_then(|(_, rest)| rest.split_whitespace().next());
    match number.and_then(|number| number.parse().ok()) {
        Some(number) if output.status.success() => Ok(Some(number)),
        _ => Err(format!("`{way}` failed under valgrind: {said}").into()),
    }
}
