use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::component::{BuildContext, Component};
use crate::connector::file::{FileSink, FileSource};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::Error;
use crate::record::payload::{Checkpoint, Payload, PayloadBatch};

/// A failing test ends here; a passing one never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn build<C: Component>(&self, config: Value) -> Result<C, Error> {
        C::build(serde_json::from_value(config).unwrap(), &BuildContext::new("p/file", self.0.path()))
    }

    async fn source(&self, config: Value) -> Source {
        let mut source: FileSource = self.build(config).unwrap();
        source.open().await.unwrap();
        Source { source, batch: PayloadBatch::new() }
    }

    async fn sink(&self, config: Value) -> FileSink {
        let mut sink: FileSink = self.build(config).unwrap();
        sink.open().await.unwrap();
        sink
    }

    async fn fails_to_open<C: Component + Opens>(&self, config: Value) -> String {
        let error = self.build::<C>(config).unwrap().opens().await.unwrap_err();
        assert!(!error.is_temporary());
        error.to_string().replace(&self.0.path().display().to_string(), "DIR")
    }
}

trait Opens {
    fn opens(&mut self) -> impl Future<Output = Result<(), Error>>;
}

impl Opens for FileSource {
    fn opens(&mut self) -> impl Future<Output = Result<(), Error>> {
        self.open()
    }
}

impl Opens for FileSink {
    fn opens(&mut self) -> impl Future<Output = Result<(), Error>> {
        self.open()
    }
}

struct Source {
    source: FileSource,
    batch: PayloadBatch,
}

impl Source {
    /// The next batch, or nothing at the end.
    async fn next(&mut self) -> Option<(Vec<String>, Checkpoint)> {
        self.batch.clear();
        let next = timeout(DEADLINE, self.source.next(&mut self.batch)).await;
        match next.expect("lines in time").unwrap() {
            Progress::End => None,
            Progress::Batch(checkpoint) => {
                let text = |payload: Payload<'_>| String::from_utf8(payload.bytes().to_vec()).unwrap();
                Some((self.batch.iter().map(text).collect(), checkpoint))
            }
        }
    }

    /// Exactly these lines next, in however many batches. Acknowledges them.
    async fn expect(&mut self, lines: &[&str]) {
        let mut got = Vec::new();
        while got.len() < lines.len() {
            let (more, checkpoint) = self.next().await.expect("more lines");
            got.extend(more);
            self.source.acknowledge(checkpoint).await.unwrap();
        }
        assert_eq!(got, lines);
    }

    async fn expect_end(&mut self) {
        assert_eq!(self.next().await, None);
    }
}

fn batch(lines: &[&str]) -> PayloadBatch {
    let mut batch = PayloadBatch::new();
    for line in lines {
        batch.push(line.as_bytes());
    }
    batch
}

#[tokio::test]
async fn a_file_is_read_to_its_end_and_its_last_line_needs_no_newline() {
    let folder = Folder::new();
    folder.append("a.log", "one\n\ntoo long for it\ntwo");
    let mut source = folder.source(json!({ "path": "a.log", "max_line": 5 })).await;
    let (lines, checkpoint) = source.next().await.unwrap();
    assert_eq!((lines, checkpoint), (vec!["one".into(), String::new()], Checkpoint(1)));
    assert_eq!(source.batch.get(0).unwrap().metadata().topic, Some("a.log"));
    source.expect(&["two"]).await;
    source.expect_end().await;
    source.source.close().await.unwrap();
}

#[tokio::test]
async fn a_batch_takes_what_is_ready_up_to_its_capacity() {
    let folder = Folder::new();
    folder.append("a.log", "1\n2\n3\n4\n5\n");
    let mut source = folder.source(json!({ "path": "a.log" })).await;
    source.batch = PayloadBatch::with_capacity(3);
    assert_eq!(source.next().await.unwrap().0, ["1", "2", "3"]);
    assert_eq!(source.next().await.unwrap(), (vec!["4".into(), "5".into()], Checkpoint(2)));
}

#[tokio::test]
async fn following_holds_half_a_line_and_waits_for_the_file() {
    let folder = Folder::new();
    let mut source = folder.source(json!({ "path": "a.log", "follow": true, "poll_ms": 1 })).await;
    folder.append("a.log", "one\nha");
    source.expect(&["one"]).await;
    // Polled once and dropped, many times: nothing is lost of what comes meanwhile.
    folder.append("a.log", "lf");
    for _ in 0..50 {
        source.batch.clear();
        assert!(source.source.next(&mut source.batch).now_or_never().is_none(), "half a line is no line");
        tokio::task::yield_now().await;
    }
    folder.append("a.log", "\n");
    source.expect(&["half"]).await;
}

#[tokio::test]
async fn following_from_the_end_passes_over_what_is_there() {
    let folder = Folder::new();
    folder.append("a.log", "old\n");
    let mut source =
        folder.source(json!({ "path": "a.log", "follow": true, "start": "end", "poll_ms": 1 })).await;
    folder.append("a.log", "new\n");
    source.expect(&["new"]).await;
}

#[tokio::test]
async fn a_rotated_file_is_read_to_its_end_before_the_new_one() {
    let folder = Folder::new();
    folder.append("a.log", "1\n");
    let mut source = folder.source(json!({ "path": "a.log", "follow": true, "poll_ms": 1 })).await;
    source.expect(&["1"]).await;
    fs::rename(folder.path("a.log"), folder.path("a.log.1")).unwrap();
    folder.append("a.log.1", "2\nhalf");
    folder.append("a.log", "3\n");
    source.expect(&["2", "half", "3"]).await;
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", "4\n");
    source.expect(&["4"]).await;
}

#[tokio::test]
async fn a_truncated_file_is_read_from_its_beginning() {
    let folder = Folder::new();
    folder.append("a.log", "a longer line\n");
    let mut source = folder.source(json!({ "path": "a.log", "follow": true, "poll_ms": 1 })).await;
    source.expect(&["a longer line"]).await;
    fs::write(folder.path("a.log"), "new\n").unwrap();
    source.expect(&["new"]).await;
}

#[tokio::test]
async fn a_restart_goes_on_after_the_last_acknowledged_line() {
    let folder = Folder::new();
    folder.append("a.log", "1\n2\n3\n");
    let config = json!({ "path": "a.log", "state": "a.state" });
    let mut source = folder.source(config.clone()).await;
    source.batch = PayloadBatch::with_capacity(1);
    source.expect(&["1"]).await;
    assert_eq!(source.next().await.unwrap().0, ["2"]);
    // Killed: what was handed out and not acknowledged comes again.
    drop(source);
    let mut source = folder.source(config.clone()).await;
    source.batch = PayloadBatch::with_capacity(1);
    let (_, second) = source.next().await.unwrap();
    let (_, third) = source.next().await.unwrap();
    assert!(second < third);
    // The later one settles both.
    source.source.acknowledge(third).await.unwrap();
    source.expect_end().await;
    source.source.close().await.unwrap();
    folder.append("a.log", "4\n");
    let mut source = folder.source(config).await;
    source.expect(&["4"]).await;
    source.expect_end().await;
    let mut source = folder.source(json!({ "path": "a.log" })).await;
    source.expect(&["1", "2", "3", "4"]).await;
}

#[tokio::test]
async fn a_file_that_was_rotated_between_two_runs_is_read_to_its_end_first() {
    let folder = Folder::new();
    folder.append("a.log", "1\n2\n");
    let config = json!({ "path": "a.log", "state": "a.state" });
    let mut source = folder.source(config.clone()).await;
    source.batch = PayloadBatch::with_capacity(1);
    source.expect(&["1"]).await;
    source.source.close().await.unwrap();
    fs::rename(folder.path("a.log"), folder.path("a.log.1")).unwrap();
    folder.append("a.log", "33\n");
    let mut source = folder.source(config.clone()).await;
    source.expect(&["2", "33"]).await;
    source.expect_end().await;
    source.source.close().await.unwrap();
    fs::write(folder.path("a.log"), "4\n").unwrap();
    let mut source = folder.source(config.clone()).await;
    source.expect(&["4"]).await;
    drop(source);
    fs::rename(folder.path("a.log"), folder.path("kept")).unwrap();
    fs::write(folder.path("a.log"), "5\n").unwrap();
    fs::remove_file(folder.path("kept")).unwrap();
    let mut source = folder.source(config).await;
    source.expect(&["5"]).await;
}

#[tokio::test]
async fn with_a_state_half_a_line_is_left_for_the_next_run() {
    let folder = Folder::new();
    folder.append("a.log", "1\nha");
    for (more, lines) in [("lf\n", vec!["1"]), ("", vec!["half"])] {
        let mut source = folder.source(json!({ "path": "a.log", "state": "a.state" })).await;
        source.expect(&lines).await;
        source.expect_end().await;
        source.source.close().await.unwrap();
        folder.append("a.log", more);
    }
}

#[tokio::test]
async fn a_state_that_a_power_cut_emptied_means_reading_again_and_another_file_is_left_alone() {
    let folder = Folder::new();
    folder.append("a.log", "1\n");
    fs::write(folder.path("a.state"), [0; 16]).unwrap();
    let config = json!({ "path": "a.log", "state": "a.state" });
    folder.source(config.clone()).await.expect(&["1"]).await;
    fs::write(folder.path("a.state"), "precious").unwrap();
    let message = folder.fails_to_open::<FileSource>(config).await;
    let expected = "this is not the state of a `file` source; remove it to begin anew, or name another path (state DIR/a.state)";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(folder.text("a.state"), "precious");
}

#[tokio::test]
async fn a_source_that_cannot_work_says_why() {
    let folder = Folder::new();
    fs::create_dir(folder.path("sub")).unwrap();
    for (config, key) in [
        (json!({ "path": "" }), "path"),
        (json!({ "path": "a", "state": "a" }), "state"),
        (json!({ "path": "a", "start": "end" }), "start"),
        (json!({ "path": "a", "max_line": 0 }), "max_line"),
        (json!({ "path": "a", "poll_ms": 0 }), "poll_ms"),
    ] {
        assert_eq!(folder.build::<FileSource>(config).unwrap_err().key(), Some(key));
    }
    for (config, message) in [
        (
            json!({ "path": "a" }),
            "the file does not exist; create it, or wait for it with `follow = true` (path DIR/a)",
        ),
        (
            json!({ "path": "no/a", "follow": true }),
            "the directory of the file does not exist; create it first (path DIR/no/a)",
        ),
        (json!({ "path": "sub" }), "the path is a directory; name one file in it (path DIR/sub)"),
        (
            json!({ "path": "a", "state": "no/s" }),
            "the directory of the state does not exist; create it first (directory DIR/no)",
        ),
    ] {
        assert_eq!(folder.fails_to_open::<FileSource>(config).await, message);
    }
}

#[tokio::test]
async fn a_sink_appends_lines_and_confirms_what_is_written() {
    let folder = Folder::new();
    folder.append("out", "before\n");
    for sync in [false, true] {
        let mut sink = folder.sink(json!({ "path": "out", "sync": sync })).await;
        sink.write(&batch(&["a", ""]), Checkpoint(1)).await.unwrap();
        sink.write(&batch(&["b"]), Checkpoint(2)).await.unwrap();
        assert_eq!(sink.confirmed().await.unwrap(), Checkpoint(2));
        assert!(sink.confirmed().now_or_never().is_none());
        assert!(folder.text("out").ends_with("a\n\nb\n"), "before it is closed");
        sink.close().await.unwrap();
    }
    assert_eq!(folder.text("out"), "before\na\n\nb\na\n\nb\n");
}

#[tokio::test]
async fn half_a_line_of_a_crash_does_not_glue_to_the_next() {
    let folder = Folder::new();
    folder.append("out", "whole\nhal");
    let mut sink = folder.sink(json!({ "path": "out" })).await;
    sink.write(&batch(&["next"]), Checkpoint(1)).await.unwrap();
    assert_eq!(folder.text("out"), "whole\nhal\nnext\n");
}

#[tokio::test]
async fn a_file_that_is_moved_away_gets_a_successor() {
    let folder = Folder::new();
    let mut sink = folder.sink(json!({ "path": "out" })).await;
    sink.write(&batch(&["1"]), Checkpoint(1)).await.unwrap();
    fs::rename(folder.path("out"), folder.path("out.1")).unwrap();
    sink.write(&batch(&["2"]), Checkpoint(2)).await.unwrap();
    fs::remove_file(folder.path("out")).unwrap();
    sink.write(&batch(&["3"]), Checkpoint(3)).await.unwrap();
    assert_eq!((folder.text("out.1").as_str(), folder.text("out").as_str()), ("1\n", "3\n"));
}

#[tokio::test]
async fn a_sink_that_cannot_work_says_why() {
    let folder = Folder::new();
    let _first = folder.sink(json!({ "path": "out" })).await;
    for (path, message) in [
        ("out", "another sink writes this file already; give each its own (path DIR/out)"),
        ("no/out", "the directory of the file does not exist; create it first (path DIR/no/out)"),
        (".", "the path is no regular file; name a file to append to (path DIR/.)"),
    ] {
        assert_eq!(folder.fails_to_open::<FileSink>(json!({ "path": path })).await, message);
    }
    assert_eq!(folder.build::<FileSink>(json!({ "path": "" })).unwrap_err().key(), Some("path"));
}

/// The variable that tells this test that it runs under a file size limit, and where.
const LIMITED: &str = "FLOW_TEST_LIMITED_FILE";

/// A full disk writes the first part of a batch and then fails, and so does a process at its file size limit.
#[cfg(unix)]
#[tokio::test]
async fn a_batch_that_does_not_fit_leaves_no_half_a_line() {
    if let Some(path) = std::env::var_os(LIMITED) {
        return write_beyond_the_limit(Path::new(&path)).await;
    }
    let folder = Folder::new();
    let module = module_path!().split_once("::").unwrap().1;
    let name = format!("{module}::a_batch_that_does_not_fit_leaves_no_half_a_line");
    // The signal that comes with the limit would end the process; ignored, it is an error of the write.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact \"$1\" --nocapture"])
        .args([std::env::current_exe().unwrap().as_os_str(), OsStr::new(&name)])
        .env(LIMITED, folder.path("out"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(folder.text("out"), "first\nlast\n", "{output:?}");
}

async fn write_beyond_the_limit(path: &Path) {
    let folder = path.parent().unwrap();
    let config = serde_json::from_value(json!({ "path": "out" })).unwrap();
    let mut sink = FileSink::build(config, &BuildContext::new("p/file", folder)).unwrap();
    sink.open().await.unwrap();
    sink.write(&batch(&["first"]), Checkpoint(1)).await.unwrap();
    let large = "x".repeat(100_000);
    let error = sink.write(&batch(&["small", &large]), Checkpoint(2)).await.unwrap_err();
    assert!(error.to_string().contains("out"), "{error}");
    assert_eq!(sink.confirmed().await.unwrap(), Checkpoint(1), "only what is written");
    assert_eq!(fs::read_to_string(path).unwrap(), "first\n");
    sink.write(&batch(&["last"]), Checkpoint(2)).await.unwrap();
    sink.close().await.unwrap();
}
