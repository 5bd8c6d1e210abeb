//! Frames from a gateway.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, Progress, SourceConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::frame;
use crate::link::{ACK, Link};

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmeSourceConfig {
    /// The gateway, as `host:port`.
    pub address: String,
}

/// Takes frames from a gateway, and answers them when they are settled.
#[derive(Debug, Component)]
#[component(source, id = "acme", config = AcmeSourceConfig)]
pub struct AcmeSource {
    link: Link,
    /// What has come and is no payload yet.
    received: BytesMut,
    checkpoint: u64,
    /// Batches of this connection that are not acknowledged, with their frames.
    handed_out: VecDeque<(Checkpoint, usize)>,
    /// Answers that are due.
    owed: usize,
}

impl AcmeSource {
    fn new(config: AcmeSourceConfig, context: &BuildContext) -> Result<Self, Error> {
        check_address(&config.address)?;
        Ok(Self {
            link: Link::new(context.label(), config.address),
            received: BytesMut::new(),
            checkpoint: 0,
            handed_out: VecDeque::new(),
            owed: 0,
        })
    }

    /// Whole frames become payloads.
    fn fill(&mut self, batch: &mut PayloadBatch) -> usize {
        while !batch.is_full() {
            match frame::length(&self.received) {
                Ok(Some(length)) if length <= self.received.len() => {
                    batch.push(&self.received[..length]);
                    self.received.advance(length);
                }
                Ok(_) => break,
                Err(error) => {
                    self.lose(error.message());
                    break;
                }
            }
        }
        batch.len()
    }

    /// The gateway sends again what was not answered, so answers to the old connection are void.
    fn lose(&mut self, why: &str) {
        self.link.lose(why);
        self.received.clear();
        self.handed_out.clear();
        self.owed = 0;
    }

    async fn answer(&mut self) {
        while self.owed > 0 {
            let Some(stream) = self.link.connected() else { return };
            let answers = [ACK; 256];
            // Dropped while it waits, it has written nothing.
            match stream.write(&answers[..self.owed.min(answers.len())]).await {
                Ok(written) => self.owed -= written,
                Err(error) => self.lose(&error.to_string()),
            }
        }
    }
}

pub(crate) fn check_address(address: &str) -> Result<(), Error> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err(Error::config("address", format!("`{address}` is no `host:port`"))),
    }
}

impl SourceConnector for AcmeSource {
    /// # Cancel safety
    /// Cancel safe: bytes that have come are kept here, and a batch is filled in the poll that returns it.
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        loop {
            let frames = self.fill(batch);
            if frames > 0 {
                self.checkpoint += 1;
                let checkpoint = Checkpoint(self.checkpoint);
                self.handed_out.push_back((checkpoint, frames));
                return Ok(Progress::Batch(checkpoint));
            }
            self.link.connect().await;
            let Some(stream) = self.link.connected() else { continue };
            match stream.read_buf(&mut self.received).await {
                Ok(0) => self.lose("the gateway has closed it"),
                Ok(_) => self.link.heard(),
                Err(error) => self.lose(&error.to_string()),
            }
        }
    }

    /// # Cancel safety
    /// Cancel safe: answers that were not sent are sent with the next.
    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        while let Some((_, frames)) =
            self.handed_out.pop_front_if(|(handed_out, _)| *handed_out <= checkpoint)
        {
            self.owed += frames;
        }
        self.answer().await;
        Ok(())
    }

    async fn close(mut self) -> Result<(), Error> {
        self.answer().await;
        Ok(self.link.close().await?)
    }
}
