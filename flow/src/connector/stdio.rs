//! Standard input and output, a line a payload.

use std::io::Read;
use std::thread;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncWrite, AsyncWriteExt, Stdout, stdout};
use tokio::sync::mpsc;

use crate::component::{BuildContext, Component, NoConfig, role};
use crate::connector::confirmed::Confirmed;
use crate::connector::lines::{self, CHUNK, CHUNKS, Event, LineFeed};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Checkpoint, PayloadBatch};

/// What a pipeline file may say about the `stdin` source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StdinSourceConfig {
    /// The longest line in bytes. Longer ones are skipped and counted. Default: 1048576.
    #[serde(default = "lines::default_max_line")]
    pub max_line: usize,
}

/// Standard input, a line a payload; it ends where the input ends.
///
/// What was read and not delivered is lost with the process: a pipe has no memory.
#[derive(Debug)]
pub struct StdinSource {
    label: String,
    max_line: usize,
    feed: Option<LineFeed<()>>,
    checkpoint: u64,
}

impl Component for StdinSource {
    const ID: &'static str = "stdin";
    const DESCRIPTION: &'static str = "lines of standard input";
    type Role = role::Source;
    type Config = StdinSourceConfig;

    fn build(config: StdinSourceConfig, context: &BuildContext) -> Result<Self, Error> {
        let max_line = lines::check_max_line(config.max_line)?;
        context.claim("connector", "standard input")?;
        Ok(Self { label: context.label().to_owned(), max_line, feed: None, checkpoint: 0 })
    }
}

impl StdinSource {
    fn read(&mut self, input: impl Read + Send + 'static) -> Result<(), Error> {
        let (sender, events) = mpsc::channel(CHUNKS);
        // A thread of its own, not one of the runtime's: a read of a terminal may never return, and a runtime
        // that ends waits for its threads.
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || read_all(input, &sender))
            .map_err(|error| Error::from(error).with("at", &self.label))?;
        self.feed = Some(LineFeed::new(self.label.clone(), self.max_line, events));
        Ok(())
    }
}

/// Hands everything on until the input or its reader ends.
fn read_all(mut input: impl Read, sender: &mpsc::Sender<Result<Event<()>, Error>>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let event = match input.read(&mut chunk) {
            Ok(0) => Ok(Event::End),
            Ok(length) => Ok(Event::Bytes(chunk[..length].to_vec())),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                Err(Error::permanent(ErrorKind::Io, "standard input cannot be read").with_source(error))
            }
        };
        let last = !matches!(event, Ok(Event::Bytes(_)));
        if sender.blocking_send(event).is_err() || last {
            return;
        }
    }
}

impl SourceConnector for StdinSource {
    async fn open(&mut self) -> Result<(), Error> {
        self.read(std::io::stdin())
    }

    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        let feed = self.feed.as_mut().ok_or_else(lines::not_open)?;
        if !feed.next(batch, None).await? {
            return Ok(Progress::End);
        }
        self.checkpoint += 1;
        Ok(Progress::Batch(Checkpoint(self.checkpoint)))
    }

    /// Nothing to do: a pipe cannot be asked again.
    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        if let Some(feed) = self.feed {
            feed.report();
        }
        Ok(())
    }
}

/// Standard output, a line a payload; confirmed when it is flushed.
#[derive(Debug)]
pub struct StdoutSink {
    output: Stdout,
    lines: Vec<u8>,
    confirmed: Confirmed,
}

impl Component for StdoutSink {
    const ID: &'static str = "stdout";
    const DESCRIPTION: &'static str = "lines on standard output";
    type Role = role::Sink;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { output: stdout(), lines: Vec::new(), confirmed: Confirmed::default() })
    }
}

/// All of the batch, down to the other side.
async fn print(
    batch: &PayloadBatch,
    lines: &mut Vec<u8>,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Error> {
    lines.clear();
    lines::write_lines(batch, lines);
    let written = async {
        out.write_all(lines).await?;
        out.flush().await
    };
    // Always permanent: how much has come through is unknown, and trying again would print it twice.
    written.await.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => {
            Error::permanent(ErrorKind::Closed, "standard output was closed by the program that reads it")
        }
        _ => Error::permanent(ErrorKind::Io, "standard output cannot be written").with_source(error),
    })
}

impl SinkConnector for StdoutSink {
    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        print(batch, &mut self.lines, &mut self.output).await?;
        self.confirmed.confirm(checkpoint);
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(self.confirmed.news().await)
    }

    /// Every write has flushed already.
    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};

    use crate::component::{BuildContext, Component};
    use crate::connector::stdio::print;
    use crate::connector::stdio::{StdinSource, StdinSourceConfig};
    use crate::connector::{Progress, SourceConnector};
    use crate::error::ErrorKind;
    use crate::record::payload::{Checkpoint, Payload, PayloadBatch};

    fn source(max_line: usize) -> StdinSource {
        StdinSource::build(StdinSourceConfig { max_line }, &BuildContext::new("p/source.stdin", "")).unwrap()
    }

    async fn all(source: &mut StdinSource) -> Vec<Vec<u8>> {
        let (mut lines, mut batch) = (Vec::new(), PayloadBatch::with_capacity(2));
        while source.next(&mut batch).await.unwrap() != Progress::End {
            assert!((1..=2).contains(&batch.len()));
            lines.extend(batch.iter().map(|payload| payload.bytes().to_vec()));
            batch.clear();
        }
        assert!(batch.is_empty());
        lines
    }

    #[tokio::test]
    async fn every_line_is_a_payload_and_the_end_is_the_end() {
        let mut source = source(10);
        source.read(&b"one\ntwo\r\n\nlonger than ten bytes\nthree"[..]).unwrap();
        assert_eq!(all(&mut source).await, [&b"one"[..], b"two", b"", b"three"]);
        source.acknowledge(Checkpoint(1)).await.unwrap();
        source.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_line_comes_when_it_is_there_and_not_when_the_pipe_ends() {
        let (reader, mut writer) = pipe().unwrap();
        let mut source = source(100);
        source.read(reader).unwrap();
        let mut batch = PayloadBatch::new();
        writer.write_all(b"first\nhal").unwrap();
        assert_eq!(source.next(&mut batch).await.unwrap(), Progress::Batch(Checkpoint(1)));
        assert_eq!(batch.iter().map(Payload::bytes).collect::<Vec<_>>(), [b"first"]);
        assert!(batch.get(0).unwrap().metadata().time.is_some());
        batch.clear();
        writer.write_all(b"f\n").unwrap();
        drop(writer);
        assert_eq!(source.next(&mut batch).await.unwrap(), Progress::Batch(Checkpoint(2)));
        assert_eq!(batch.get(0).unwrap().bytes(), b"half");
        batch.clear();
        assert_eq!(source.next(&mut batch).await.unwrap(), Progress::End);
    }

    #[tokio::test]
    async fn a_reader_that_went_away_is_said_plainly() {
        let mut batch = PayloadBatch::new();
        batch.push(b"a");
        let (mut near, far) = tokio::io::duplex(64);
        print(&batch, &mut Vec::new(), &mut near).await.unwrap();
        drop(far);
        let error = print(&batch, &mut Vec::new(), &mut near).await.unwrap_err();
        assert_eq!(error.to_string(), "standard output was closed by the program that reads it");
        assert!(!error.is_temporary());
        assert_eq!(error.kind(), ErrorKind::Closed);
    }

    #[test]
    fn a_limit_that_takes_nothing_is_refused() {
        let error =
            StdinSource::build(StdinSourceConfig { max_line: 0 }, &BuildContext::default()).unwrap_err();
        assert_eq!((error.key(), error.kind()), (Some("max_line"), ErrorKind::Config));
    }
}
