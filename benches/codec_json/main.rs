//! Decode and encode alone: `flow`'s JSON codec beside serde_json, sonic-rs, simd-json and arrow-json.
//!
//! `cargo bench -p flow-benches --bench codec_json` prints a table and writes `target/flow-benches/codec_json.json`.
//! Every engine reads the same payloads one by one, as a pipeline gets them, into records that are kept for a batch of
//! 64; encoding takes such a batch and writes a payload a record. Instructions are exact and need valgrind; times are
//! medians of turns.

mod engine;
#[path = "../job/input.rs"]
#[allow(dead_code, reason = "the filter belongs to another benchmark")]
mod input;
#[path = "../measure/mod.rs"]
#[allow(dead_code, reason = "allocations are not counted here")]
mod measure;

use std::process::ExitCode;

use engine::{Engine, Job, Task};
use input::Input;
use measure::report;
use serde_json::json;

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Records of a run that is timed.
const TIMED: usize = 16_384;

fn main() -> ExitCode {
    measure::main("codec_json", &[("measure", measure_all)], |job, records| {
        job.parse::<Job>()?.run(records).map(|_| ())
    })
}

fn measure_all() -> Result<(), Failure> {
    let mut all = Vec::new();
    for input in [Input::Flat, Input::Nested] {
        for task in [Task::Decode, Task::Encode] {
            let jobs: Vec<_> = Engine::ALL.into_iter().map(|engine| Job { engine, input, task }).collect();
            let times = measure::time(&jobs, TIMED, |job, records| job.run(records).map(|_| ()))?;
            println!("{input}, {}", task.as_str());
            println!("  {:<22}{:>14}{:>10}{:>11}", "", "instr/record", "MB/s", "ns/record");
            for (job, nanoseconds) in jobs.iter().zip(times) {
                let instructions = measure::instructions(&job.to_string())?;
                let nanoseconds = measure::median(nanoseconds);
                let bytes = job.run(TIMED)? as f64 / TIMED as f64;
                let rate = bytes * 1e3 / nanoseconds;
                println!(
                    "  {:<22}{:>14}{rate:>10.0}{nanoseconds:>11.0}",
                    job.engine.as_str(),
                    report::Figure(instructions, 0),
                );
                all.push(json!({
                    "engine": job.engine.as_str(), "input": input.as_str(), "task": task.as_str(),
                    "instructions_per_record": instructions, "megabytes_per_second": rate,
                    "nanoseconds_per_record": nanoseconds, "bytes_per_record": bytes,
                }));
            }
            println!();
        }
    }
    report::write("codec_json", &json!(all))
}
