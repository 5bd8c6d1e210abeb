//! The log lines of this process, for tests that assert them.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts collecting. Tests run in one process: pick your lines by a label of your own.
pub(crate) fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_env_filter("flow=debug")
            .with_writer(|| Writer)
            .init();
    });
}

/// The lines of the component with this label.
pub(crate) fn lines(label: &str) -> Vec<String> {
    let component = format!("component={label:?}");
    let bytes = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter(|line| line.contains(&component))
        .map(str::to_owned)
        .collect()
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
