//! A sink that counts and drops: for benchmarks, and for pipelines that are only watched.

use crate::component::{BuildContext, Component, NoConfig, role};
use crate::connector::SinkConnector;
use crate::connector::confirmed::Confirmed;
use crate::error::Error;
use crate::record::payload::{Checkpoint, PayloadBatch};

/// Counts payloads and bytes, drops them, and confirms at once. The counts are logged at the end.
#[derive(Debug, Default)]
pub struct NopSink {
    label: String,
    payloads: u64,
    bytes: u64,
    confirmed: Confirmed,
}

impl NopSink {
    /// Payloads so far.
    pub fn payloads(&self) -> u64 {
        self.payloads
    }

    /// Bytes of all payloads so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Component for NopSink {
    const ID: &'static str = "nop";
    const DESCRIPTION: &'static str = "counts payloads and drops them";
    type Role = role::Sink;
    type Config = NoConfig;

    fn build(_: NoConfig, context: &BuildContext) -> Result<Self, Error> {
        Ok(Self { label: context.label().to_owned(), ..Self::default() })
    }
}

impl SinkConnector for NopSink {
    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.payloads += batch.len() as u64;
        self.bytes += batch.bytes() as u64;
        self.confirmed.confirm(checkpoint);
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(self.confirmed.news().await)
    }

    async fn close(self) -> Result<(), Error> {
        tracing::info!(at = self.label, payloads = self.payloads, bytes = self.bytes, "dropped on purpose");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use crate::component::{BuildContext, Component, NoConfig};
    use crate::connector::SinkConnector;
    use crate::connector::nop::NopSink;
    use crate::record::payload::{Checkpoint, PayloadBatch};

    #[tokio::test]
    async fn it_counts_and_confirms_what_it_drops() {
        let mut sink = NopSink::build(NoConfig {}, &BuildContext::default()).unwrap();
        sink.open().await.unwrap();
        let mut batch = PayloadBatch::new();
        batch.push(b"three");
        batch.push(b"four");
        assert!(sink.confirmed().now_or_never().is_none());
        sink.write(&batch, Checkpoint(1)).await.unwrap();
        sink.write(&batch, Checkpoint(2)).await.unwrap();
        assert_eq!(sink.confirmed().await.unwrap(), Checkpoint(2));
        assert!(sink.confirmed().now_or_never().is_none());
        assert_eq!((sink.payloads(), sink.bytes()), (4, 18));
        sink.close().await.unwrap();
    }
}
