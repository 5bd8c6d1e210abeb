//! This program in place of `rustc` (`RUSTC_WRAPPER`): runs it and notes what it took.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

/// Names the file that the notes go to. Where it is set, this program is the wrapper.
pub(crate) const LOG: &str = "FLOW_BUILDTIME_LOG";

/// Runs the compiler, where this program was started in its place.
pub(crate) fn wrapped() -> Option<ExitCode> {
    let log = std::env::var_os(LOG)?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (rustc, rest) = arguments.split_first()?;
    Some(run(rustc, rest, &log).unwrap_or_else(|error| {
        eprintln!("buildtime: {error}");
        ExitCode::FAILURE
    }))
}

fn run(rustc: &OsString, arguments: &[OsString], log: &OsString) -> std::io::Result<ExitCode> {
    let began = Instant::now();
    let mut child = Command::new(rustc).args(arguments).spawn()?;
    let mut peak = 0;
    let status = loop {
        // The system keeps the highest value; what is missed are the last milliseconds.
        peak = peak_kibibytes(child.id()).unwrap_or(peak);
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    if let Some(name) = name {
        let line = format!("{} {} {peak}\n", name.to_string_lossy(), began.elapsed().as_secs_f64());
        OpenOptions::new().append(true).open(log)?.write_all(line.as_bytes())?;
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn peak_kibibytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Seconds and MB of the compiler for the crate `name`, out of the notes.
pub(crate) fn cost_of(log: &str, name: &str) -> Option<(f64, f64)> {
    log.lines().rev().find_map(|line| {
        let [crate_name, seconds, kibibytes] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        let megabytes = kibibytes.parse::<f64>().ok()? * 1024.0 / 1e6;
        (crate_name == name).then_some((seconds.parse().ok()?, megabytes))
    })
}
