//! A client as a process of its own: what the operating system says it has used.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Failure;
use crate::clients::Client;
use crate::input::Work;

/// This program once more, as a client.
pub(crate) struct Process {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(client: Client, work: Work, qos: u8, port: u16) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["client", client.as_str(), work.as_str(), &qos.to_string(), &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = child.stdin.take().ok_or("the client has no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("the client has no standard output")?);
        Ok(Self { child, ask, answers })
    }

    /// The CPU time that it has used, in all of its threads.
    pub(crate) fn cpu(&mut self) -> Result<Duration, Failure> {
        self.ask.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(Duration::from_nanos(line.trim().parse().map_err(|_| "the client has ended")?))
    }

    /// The memory that is resident, in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers [`Process::cpu`], in the client.
pub(crate) fn answer() {
    for _ in std::io::stdin().lines() {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        println!("{}", used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64);
    }
}
