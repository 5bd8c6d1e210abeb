//! The built-in connectors that need no broker.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use flow::connector::file::{FileSink, FileSource};
use flow::connector::mock::{MockSink, MockSource};
use flow::connector::mock::{MockSinkHandle, MockSourceHandle};
use flow::connector::nop::NopSink;
use flow::testkit::{SinkFixture, SourceFixture, sink, source};
use flow::{BuildContext, Component, Error, ErrorKind, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

flow::conformance! {
    source mock_source => source(Script::new);
    source file_source => source(Lines::new);
    sink mock_sink => sink(Recorder::new);
    sink file_sink => sink(Lines::new);
    sink nop_sink => sink(|| Nowhere);
}

fn build<C: Component>(config: Value) -> C {
    C::build(serde_json::from_value(config).unwrap(), &BuildContext::new("p/test", "")).unwrap()
}

/// A name that no other handle has.
fn name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("conformance-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn error(status: Status) -> Error {
    match status {
        Status::Temporary => Error::temporary(ErrorKind::Connection, "told to fail"),
        Status::Permanent => Error::permanent(ErrorKind::Refused, "told to fail"),
    }
}

struct Script {
    name: String,
    handle: MockSourceHandle,
}

impl Script {
    fn new() -> Self {
        let name = name();
        Self { handle: MockSource::handle(&name), name }
    }
}

impl SourceFixture for Script {
    type Source = MockSource;

    async fn source(&mut self) -> MockSource {
        build(json!({ "name": self.name }))
    }

    async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
        self.handle.payloads(payloads);
    }

    async fn fail(&mut self, status: Status) -> bool {
        self.handle.fail(error(status));
        true
    }

    async fn end(&mut self) -> bool {
        self.handle.end();
        true
    }
}

struct Recorder {
    name: String,
    handle: MockSinkHandle,
}

impl Recorder {
    fn new() -> Self {
        let name = name();
        let handle = MockSink::handle(&name);
        handle.refuse(|payload| (payload.bytes() == b"bad").then(|| "it is bad".to_owned()));
        Self { handle, name }
    }
}

impl SinkFixture for Recorder {
    type Sink = MockSink;

    async fn sink(&mut self) -> MockSink {
        build(json!({ "name": self.name }))
    }

    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        Some(self.handle.written().into_iter().map(|payload| payload.bytes).collect())
    }

    async fn stall(&mut self) -> bool {
        self.handle.stall();
        true
    }

    async fn resume(&mut self) {
        self.handle.resume();
    }

    async fn fail(&mut self, status: Status) -> bool {
        self.handle.fail(error(status));
        true
    }

    fn refused(&self) -> Option<Vec<u8>> {
        Some(b"bad".to_vec())
    }
}

/// A file, on the other side of the source that follows it and of the sink that appends to it.
struct Lines {
    directory: TempDir,
}

impl Lines {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> String {
        self.directory.path().join("lines").display().to_string()
    }
}

impl SourceFixture for Lines {
    type Source = FileSource;

    async fn source(&mut self) -> FileSource {
        let state = self.directory.path().join("state").display().to_string();
        build(json!({ "path": self.path(), "follow": true, "poll_ms": 1, "state": state }))
    }

    async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
        let mut file = std::fs::File::options().create(true).append(true).open(self.path()).unwrap();
        for payload in payloads {
            // A line comes in two pieces, as from a program that writes when its buffer is full.
            let (head, tail) = payload.split_at(payload.len() / 2);
            file.write_all(head).unwrap();
            tokio::task::yield_now().await;
            file.write_all(tail).unwrap();
            file.write_all(b"\n").unwrap();
        }
    }

    fn redelivers(&self) -> bool {
        true
    }
}

impl SinkFixture for Lines {
    type Sink = FileSink;

    async fn sink(&mut self) -> FileSink {
        build(json!({ "path": self.path() }))
    }

    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        let text = std::fs::read_to_string(self.path()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is not whole");
        Some(text.lines().map(|line| line.as_bytes().to_vec()).collect())
    }
}

struct Nowhere;

impl SinkFixture for Nowhere {
    type Sink = NopSink;

    async fn sink(&mut self) -> NopSink {
        build(json!({}))
    }

    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        None
    }
}
