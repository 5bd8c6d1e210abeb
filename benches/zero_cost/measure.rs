//! How a job is measured: counted exactly under valgrind, timed in turns.

use std::io;
use std::process::Command;
use std::time::Instant;

use crate::Failure;
use crate::job::Job;

/// How many times each job is timed. Odd, so that there is a middle one.
const ROUNDS: usize = 15;

/// What one record costs, once buffers have grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

/// Runs the job in valgrind at two lengths; the difference between them is what the records cost, without start-up
/// and first growth. `None` where there is no valgrind.
pub(crate) fn count(job: Job) -> Result<Option<Counts>, Failure> {
    let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let memcheck = ["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"];
    let Some(instructions) = per_record(job, &callgrind, "Collected :", [2_048, 8_192])? else {
        return Ok(None);
    };
    let Some(allocations) = per_record(job, &memcheck, "total heap usage:", [1_024, 3_072])? else {
        return Ok(None);
    };
    Ok(Some(Counts { instructions, allocations }))
}

fn per_record(job: Job, tool: &[&str], label: &str, records: [usize; 2]) -> Result<Option<f64>, Failure> {
    let [few, many] = records;
    let Some(less) = under_valgrind(job, tool, label, few)? else { return Ok(None) };
    let Some(more) = under_valgrind(job, tool, label, many)? else { return Ok(None) };
    Ok(Some((more as f64 - less as f64) / (many - few) as f64))
}

/// Runs this program once more, as a child under valgrind, and reads the number after `label`.
fn under_valgrind(job: Job, tool: &[&str], label: &str, records: usize) -> Result<Option<u64>, Failure> {
    let program = std::env::current_exe()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(tool).arg(program).args(["run", &job.to_string(), &records.to_string()]);
    let output = match valgrind.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("`{job}` failed under valgrind ({}): {said}", output.status).into());
    }
    let number = said.split_once(label).map(|(_, rest)| rest.trim_start());
    let number = number.and_then(|rest| rest.split_whitespace().next()).map(|number| number.replace(',', ""));
    match number.and_then(|number| number.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("valgrind says nothing after `{label}`: {said}").into()),
    }
}

/// Times the jobs in turns, so that a busy moment hits all of them, and gives the nanoseconds a record of each job
/// and round.
pub(crate) fn time(jobs: &[Job], records: usize) -> Result<Vec<Vec<f64>>, Failure> {
    let mut times = vec![Vec::with_capacity(ROUNDS); jobs.len()];
    for _ in 0..ROUNDS {
        for (job, times) in jobs.iter().zip(&mut times) {
            let began = Instant::now();
            job.run(records)?;
            times.push(began.elapsed().as_nanos() as f64 / records as f64);
        }
    }
    Ok(times)
}

/// The middle one.
///
/// # Panics
/// Where there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
