//! What composition by type costs: the same job by hand, through the typed and the columnar door, in boxes, and with
//! trees of values.
//!
//! `cargo bench -p flow-benches --bench zero_cost` prints a table and writes `target/flow-benches/zero_cost.json`.
//! Instructions and allocations are exact and need valgrind; times are medians, and worth as much as the machine is
//! idle. `… -- run flat/columnar/64 20000` does one job alone, for a profiler; `… -- check` holds the budgets, as
//! `benches/check` does.

mod budgets;
#[path = "../job/mod.rs"]
mod job;
#[path = "../measure/mod.rs"]
mod measure;
mod report;

use std::process::ExitCode;

use job::input::Input;
use job::{Job, Way};
use report::{Group, Row};

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Payloads a batch: under load, and in an idle stream.
const BATCHES: [usize; 2] = [64, 1];

/// Records of a run that is timed.
const TIMED: usize = 32_768;

fn main() -> ExitCode {
    measure::main("zero_cost", &[("measure", measure_all), ("check", budgets::check)], |job, records| {
        job.parse::<Job>()?.run(records).map(|_| ())
    })
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
    let jobs: Vec<_> = Way::whole(input).map(|way| Job { input, way, batch }).collect();
    let expected = jobs[0].run(TIMED)?;
    for job in &jobs {
        let outcome = job.run(TIMED)?;
        if outcome != expected {
            return Err(format!("`{job}` gives {outcome:?}, by hand it is {expected:?}").into());
        }
    }
    let times = measure::time(&jobs, TIMED, |job, records| job.run(records).map(|_| ()))?;
    let mut rows = Vec::new();
    for (job, nanoseconds) in jobs.iter().zip(&times) {
        let ratios = nanoseconds.iter().zip(&times[0]).map(|(this, by_hand)| this / by_hand).collect();
        rows.push(Row {
            way: job.way,
            instructions: measure::instructions(&job.to_string())?,
            allocations: measure::allocations(&job.to_string())?,
            nanoseconds: measure::median(nanoseconds.clone()),
            time_ratio: measure::median(ratios),
        });
    }
    Ok(Group { input, batch, rows })
}
