//! The library's side of waiting: futures that own their component, polled with the host's waker on a reactor of the
//! library's own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, ErrorKind};

/// The runtime of this library's connectors: one thread for timers, sockets and background tasks. It is entered around
/// every poll, and runs for ever, as the library is never unloaded.
fn reactor() -> Result<&'static Handle, Error> {
    static REACTOR: OnceLock<Result<Handle, String>> = OnceLock::new();
    let started = REACTOR.get_or_init(|| {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(std::future::pending::<()>());
        let thread = std::thread::Builder::new().name("flow-plugin".to_owned()).spawn(run);
        thread.map(|_| handle).map_err(|error| error.to_string())
    });
    let failed =
        |why: &String| Error::permanent(ErrorKind::Io, format!("the plugin's runtime cannot start: {why}"));
    started.as_ref().map_err(failed)
}

/// Which call a future belongs to: a poll with another one gives the future up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Next,
    Acknowledge(u64),
    Write(u64),
    Confirmed,
    Close,
}

/// Tells a future to give its component back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// What `future` comes to; `None` where it was dropped because of this.
    pub(crate) async fn or<F: Future>(self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.0.load(Ordering::Relaxed) {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// A component's parts and what a call came to; no parts after `close`.
pub(crate) type Running<P, T> = Pin<Box<dyn Future<Output = (Option<P>, Option<T>)> + Send>>;

/// A component that is polled call by call.
pub(crate) struct Driver<P, T> {
    parts: Option<P>,
    running: Option<(Call, Cancel, Running<P, T>)>,
}

impl<P, T> Driver<P, T> {
    pub(crate) fn new(parts: P) -> Self {
        Self { parts: Some(parts), running: None }
    }

    /// The parts, while no call runs.
    pub(crate) fn parts(&mut self) -> Option<&mut P> {
        self.stop_running();
        self.parts.as_mut()
    }

    /// Is this call on its way already?
    pub(crate) fn is_running(&self, call: Call) -> bool {
        self.running.as_ref().is_some_and(|(running, ..)| *running == call)
    }

    /// Goes on with `call`, or starts it. A future of another call that is still there was dropped by the host: it is
    /// dropped here, too.
    ///
    /// # Errors
    /// The component is gone: it was closed, or it has panicked.
    pub(crate) fn poll(
        &mut self,
        call: Call,
        waker: &Waker,
        start: impl FnOnce(P, Cancel) -> Running<P, T>,
    ) -> Result<Poll<T>, Error> {
        let _entered = reactor()?.enter();
        let mut context = Context::from_waker(waker);
        if !self.is_running(call) {
            self.stop_running();
            let gone = || Error::permanent(ErrorKind::Closed, "the plugin's component has ended or panicked");
            let parts = self.parts.take().ok_or_else(gone)?;
            let cancel = Cancel::default();
            self.running = Some((call, cancel.clone(), start(parts, cancel)));
        }
        // Taken out while it is polled: after a panic nothing is left to be polled again.
        let Some((call, cancel, mut future)) = self.running.take() else { return Ok(Poll::Pending) };
        match future.as_mut().poll(&mut context) {
            Poll::Ready((parts, done)) => {
                self.parts = parts;
                Ok(done.map_or(Poll::Pending, Poll::Ready))
            }
            Poll::Pending => {
                self.running = Some((call, cancel, future));
                Ok(Poll::Pending)
            }
        }
    }

    fn stop_running(&mut self) {
        if let Some((_, cancel, mut future)) = self.running.take() {
            cancel.0.store(true, Ordering::Relaxed);
            // The future sees it at once and hands its parts back.
            if let Poll::Ready((parts, _)) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.parts = parts;
            }
        }
    }
}
