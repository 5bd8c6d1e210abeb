//! Standard error, shared by log lines and the live line below them; and standard output that may be closed.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use crate::component::redact;

/// Standard error: log lines scroll, the live line stays at the bottom. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Terminal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    live: Mutex<String>,
    secrets: Vec<(String, String)>,
}

impl Terminal {
    /// `secrets` never get through: each is printed as what stands for it.
    pub(super) fn new(secrets: Vec<(String, String)>) -> Self {
        Self(Arc::new(Shared { live: Mutex::new(String::new()), secrets }))
    }

    pub(super) fn is_interactive() -> bool {
        io::stderr().is_terminal()
    }

    /// Shows `line` at the bottom, in place of the one before. An empty line takes it away.
    pub(super) fn live(&self, line: &str) {
        let mut live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        let line = redact(line, &self.0.secrets);
        let mut out = io::stderr().lock();
        let _ = write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush());
        *live = line.into_owned();
    }

    /// Writes whole lines above the live line.
    pub(super) fn lines(&self, text: &str) {
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        let text = redact(text, &self.0.secrets);
        let mut out = io::stderr().lock();
        let _ = match live.is_empty() {
            true => out.write_all(text.as_bytes()),
            false => write!(out, "\r\x1b[2K{text}{live}"),
        }
        .and_then(|()| out.flush());
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { terminal: self, text: Vec::new() }
    }
}

/// One event of the log, written when it is complete.
#[derive(Debug)]
pub(super) struct Line<'a> {
    terminal: &'a Terminal,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.terminal.lines(&String::from_utf8_lossy(&self.text));
    }
}

/// Writes to standard output. A reader that has gone away (`flow list | head`) is no error.
pub(super) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Writes a line to standard error. Nobody is left to tell where that fails.
pub(super) fn complain(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
