//! What composition by type costs: the same job by hand, through the typed door and through the columnar door.
//!
//! `cargo bench -p flow-benches --bench zero_cost` prints a table and writes `target/flow-benches/zero_cost.json`.
//! Instructions and allocations are exact and need valgrind; times are medians, and worth as much as the machine is
//! idle. `… -- run flat/columnar/64 20000` does one job alone, for a profiler.

mod components;
mod input;
mod job;
mod measure;
mod report;

use std::process::ExitCode;

use input::Input;
use job::{Job, Way};
use report::{Group, Row};

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Payloads a batch: under load, and in an idle stream.
const BATCHES: [usize; 2] = [64, 1];

/// Records of a run that is timed.
const TIMED: usize = 32_768;

fn main() -> ExitCode {
    // cargo adds `--bench` to what the user has written.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure_all(),
        ["run", job, records] => run_one(job, records),
        _ => Err(format!("`{}` is not understood; write nothing, or `run JOB RECORDS`", arguments.join(" "))
            .into()),
    }
    .map_or_else(
        |error| {
            eprintln!("zero_cost: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run_one(job: &str, records: &str) -> Result<(), Failure> {
    let count = records.parse().map_err(|_| format!("`{records}` is no number of records"))?;
    job.parse::<Job>()?.run(count).map(|_| ())
}

fn measure_all() -> Result<(), Failure> {
    let mut groups = Vec::new();
    for input in Input::ALL {
        for batch in BATCHES {
            let group = measure(input, batch)?;
            print!("{group}");
            groups.push(group);
        }
    }
    report::finish(&groups)
}

/// Measures every way of one job.
fn measure(input: Input, batch: usize) -> Result<Group, Failure> {
    let jobs = Way::ALL.map(|way| Job { input, way, batch });
    let expected = jobs[0].run(TIMED)?;
    for job in jobs {
        let outcome = job.run(TIMED)?;
        if outcome != expected {
            return Err(format!("`{job}` gives {outcome:?}, by hand it is {expected:?}").into());
        }
    }
    let times = measure::time(&jobs, TIMED)?;
    let mut rows = Vec::new();
    for (job, nanoseconds) in jobs.iter().zip(&times) {
        let ratios = nanoseconds.iter().zip(&times[0]).map(|(this, by_hand)| this / by_hand).collect();
        rows.push(Row {
            way: job.way,
            counts: measure::count(*job)?,
            nanoseconds: measure::median(nanoseconds.clone()),
            time_ratio: measure::median(ratios),
        });
    }
    Ok(Group { input, batch, rows })
}
