//! The conformance kit on `stdin` and `stdout`, each check in a process of its own, whose standard input is a pipe that
//! the check fills and whose standard output is a file that it reads.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("skipped: only Linux opens a pipe a second time, through /proc");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [role, check, file] if role == "stdin" || role == "stdout" => linux::child(role, check, file),
        // Whatever cargo or nextest asks for: there is one test.
        _ => linux::parent(),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{Write, pipe};
    use std::process::{Command, ExitCode};

    use flow::connector::stdio::{StdinSource, StdoutSink};
    use flow::testkit::{SinkFixture, SourceFixture, Verdict, sink, source};
    use flow::{BuildContext, Component};
    use serde_json::json;

    /// All but `it_closes_in_the_middle_of_work`: it opens two sources, and a process has one standard input.
    const SOURCE: [&str; 5] = ["order", "capacity", "waits", "dropped", "end"];
    const SINK: [&str; 5] = ["order", "confirmed", "dropped", "progress", "close"];

    pub(super) fn parent() -> ExitCode {
        let checks =
            SOURCE.map(|check| ("stdin", check)).into_iter().chain(SINK.map(|check| ("stdout", check)));
        let mut failed = 0;
        for (role, check) in checks {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("stdout");
            let (reader, writer) = pipe().unwrap();
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args([role, check]).arg(&file).stdin(reader).stdout(File::create(&file).unwrap());
            let mut child = child.spawn().unwrap();
            // The child opens an end of its own to write to; it has both, so an end that stays open here is one too many.
            drop(writer);
            let status = child.wait().unwrap();
            println!("test {role}::{check} ... {}", if status.success() { "ok" } else { "FAILED" });
            failed += usize::from(!status.success());
        }
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    pub(super) fn child(role: &str, check: &str, file: &str) -> ExitCode {
        let verdict = match role {
            "stdin" => source_check(check),
            _ => sink_check(check, file),
        };
        match verdict {
            Ok(()) => ExitCode::SUCCESS,
            Err(violation) => {
                eprintln!("{role}: {violation}");
                ExitCode::FAILURE
            }
        }
    }

    fn source_check(check: &str) -> Verdict {
        let kit = source(|| Pipe(Some(File::options().write(true).open("/proc/self/fd/0").unwrap())));
        match check {
            "order" => kit.every_payload_comes_once_in_order(),
            "capacity" => kit.a_batch_holds_no_more_than_its_capacity(),
            "waits" => kit.next_waits_for_a_payload(),
            "dropped" => kit.dropped_futures_lose_nothing(),
            _ => kit.the_end_stays_the_end(),
        }
    }

    fn sink_check(check: &str, file: &str) -> Verdict {
        let file = file.to_owned();
        let kit = sink(move || Output(file.clone()));
        match check {
            "order" => kit.every_payload_arrives_once_in_order(),
            "confirmed" => kit.nothing_is_confirmed_before_it_has_arrived(),
            "dropped" => kit.dropped_confirmations_come_again(),
            "progress" => kit.write_needs_no_call_of_confirmed(),
            _ => kit.close_brings_out_what_was_taken(),
        }
    }

    /// The end of standard input that is written to.
    struct Pipe(Option<File>);

    impl SourceFixture for Pipe {
        type Source = StdinSource;

        async fn source(&mut self) -> StdinSource {
            StdinSource::build(serde_json::from_value(json!({})).unwrap(), &BuildContext::default()).unwrap()
        }

        async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
            let pipe = self.0.as_mut().unwrap();
            for mut payload in payloads {
                payload.push(b'\n');
                pipe.write_all(&payload).unwrap();
            }
        }

        async fn end(&mut self) -> bool {
            self.0.take().is_some()
        }
    }

    /// The file that standard output goes to.
    struct Output(String);

    impl SinkFixture for Output {
        type Sink = StdoutSink;

        async fn sink(&mut self) -> StdoutSink {
            StdoutSink::build(flow::NoConfig {}, &BuildContext::default()).unwrap()
        }

        async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
            let text = std::fs::read_to_string(&self.0).unwrap();
            Some(text.lines().map(|line| line.as_bytes().to_vec()).collect())
        }
    }
}
