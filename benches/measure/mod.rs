//! How a job is measured: counted exactly under valgrind, timed in turns.

pub(crate) mod report;

use std::io;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::Failure;

/// How many times each job is timed. Odd, so that there is a middle one.
const ROUNDS: usize = 15;

/// Something that a benchmark does, by the word that asks for it.
pub(crate) type Verb = (&'static str, fn() -> Result<(), Failure>);

/// The `main` of a benchmark: without arguments its first verb, with one that verb; with `run JOB RECORDS` one job alone,
/// for valgrind and for a profiler.
pub(crate) fn main(
    name: &str,
    verbs: &[Verb],
    one: impl FnOnce(&str, usize) -> Result<(), Failure>,
) -> ExitCode {
    // cargo adds `--bench` to what the user has written.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let verb = |word: &str| verbs.iter().find(|(known, _)| *known == word).map(|(_, run)| *run);
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => verbs[0].1(),
        ["run", job, records] => match records.parse() {
            Ok(records) => one(job, records),
            Err(_) => Err(format!("`{records}` is no number of records").into()),
        },
        [word] if verb(word).is_some() => verb(word).map_or(Ok(()), |run| run()),
        _ => {
            let known: Vec<_> = verbs.iter().map(|(word, _)| format!("`{word}`")).collect();
            let known = known.join(", ");
            Err(format!("`{}` is not understood; write {known}, or `run JOB RECORDS`", arguments.join(" "))
                .into())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Instructions a record, once buffers have grown. `None` where there is no valgrind.
pub(crate) fn instructions(job: &str) -> Result<Option<f64>, Failure> {
    let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    per_record(job, &callgrind, "Collected :", [2_048, 8_192])
}

/// Allocations a record, once buffers have grown. `None` where there is no valgrind.
pub(crate) fn allocations(job: &str) -> Result<Option<f64>, Failure> {
    let memcheck = ["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"];
    per_record(job, &memcheck, "total heap usage:", [1_024, 3_072])
}

/// Runs the job in valgrind at two lengths; the difference between them is what the records cost, without start-up
/// and first growth.
fn per_record(job: &str, tool: &[&str], label: &str, records: [usize; 2]) -> Result<Option<f64>, Failure> {
    let [few, many] = records;
    let Some(less) = under_valgrind(job, tool, label, few)? else { return Ok(None) };
    let Some(more) = under_valgrind(job, tool, label, many)? else { return Ok(None) };
    Ok(Some((more as f64 - less as f64) / (many - few) as f64))
}

/// Runs this program once more, as a child under valgrind, and reads the number after `label`.
fn under_valgrind(job: &str, tool: &[&str], label: &str, records: usize) -> Result<Option<u64>, Failure> {
    let program = std::env::current_exe()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(tool).arg(program).args(["run", job, &records.to_string()]);
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
pub(crate) fn time<J: Copy>(
    jobs: &[J],
    records: usize,
    run: impl Fn(J, usize) -> Result<(), Failure>,
) -> Result<Vec<Vec<f64>>, Failure> {
    let mut times = vec![Vec::with_capacity(ROUNDS); jobs.len()];
    for _ in 0..ROUNDS {
        for (job, times) in jobs.iter().zip(&mut times) {
            let began = Instant::now();
            run(*job, records)?;
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
