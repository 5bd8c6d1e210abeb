//! Ctrl-C, and SIGTERM where there is one: the first asks to stop, the second ends the process whatever it does.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::cli::ABORTED;

/// How long the rest of the program has to end by itself, once it is told to abort.
const GRACE: Duration = Duration::from_secs(1);

/// What the user has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// Drain, then end.
    Stop,
    /// End at once.
    Abort,
}

/// Listens in a thread of its own, which never prints: a terminal that takes no more output must not keep the program
/// alive.
///
/// # Errors
/// The operating system does not let signals be caught.
pub(super) fn listen() -> io::Result<watch::Receiver<Asked>> {
    let (tell, told) = watch::channel(Asked::Nothing);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(signals.next());
        // Whoever was told may have ended already.
        let _ = tell.send(Asked::Stop);
        runtime.block_on(signals.next());
        let _ = tell.send(Asked::Abort);
        thread::sleep(GRACE);
        std::process::exit(ABORTED.into());
    })?;
    Ok(told)
}

struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
