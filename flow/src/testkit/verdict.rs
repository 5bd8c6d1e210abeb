//! What a check comes to, and the thread that it runs on.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long a single call may take where nothing else is said.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Calls that a whole check may take before it counts as hanging.
const CALLS: u32 = 6;

/// What a check comes to.
pub type Verdict = Result<(), Violation>;

/// A promise of a contract that a component does not keep.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    check: &'static str,
    message: String,
}

impl Violation {
    /// The name of the check.
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// What the component did.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Adds where it did it.
    pub(super) fn with(mut self, place: &str) -> Self {
        self.message.push_str(place);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.message)
    }
}

/// As Display: a test that returns a [`Verdict`] prints it.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}

/// Runs a check on a thread of its own, so that one that never comes back is a violation, too.
pub(super) fn isolated(
    check: &'static str,
    patience: Duration,
    body: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Verdict {
    let (sender, outcome) = channel();
    let spawned = thread::Builder::new().name(check.to_owned()).spawn(move || {
        // Whoever waited has gone where this fails: the violation is reported already.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(body)));
    });
    let message = match spawned.map(|_| outcome.recv_timeout(patience * CALLS)) {
        Ok(Ok(Ok(Ok(())))) => return Ok(()),
        Ok(Ok(Ok(Err(message)))) => message,
        Ok(Ok(Err(panic))) => format!("a call panicked: {}", panic_text(panic.as_ref())),
        Ok(Err(RecvTimeoutError::Timeout)) => {
            "a call does not come back: it blocks its thread or loops".to_owned()
        }
        Ok(Err(RecvTimeoutError::Disconnected)) => "the thread of the check is gone".to_owned(),
        Err(error) => format!("no thread for the check: {error}"),
    };
    Err(Violation { check, message })
}

/// As [`isolated`], inside a tokio runtime.
pub(super) fn isolated_async<Check>(check: &'static str, patience: Duration, body: Check) -> Verdict
where
    Check: AsyncFnOnce() -> Result<(), String> + Send + 'static,
{
    isolated(check, patience, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| format!("the runtime cannot start: {error}"))?;
        let outcome = runtime.block_on(body());
        // A read that blocks, of a terminal for example, must not hold up the end.
        runtime.shutdown_background();
        outcome
    })
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

/// Says that a promise could not be checked.
pub(super) fn not_checked(why: &str) -> Result<(), String> {
    println!("not checked: {why}");
    Ok(())
}

/// Panics with everything that was found.
#[track_caller]
pub(super) fn require(role: &str, verdicts: impl IntoIterator<Item = Verdict>) {
    let (mut count, mut violations) = (0, Vec::new());
    for verdict in verdicts {
        count += 1;
        violations.extend(verdict.err().map(|violation| format!("\n  {violation}")));
    }
    assert!(
        violations.is_empty(),
        "{} of {count} promises of a {role} are broken:{}",
        violations.len(),
        violations.concat()
    );
}
