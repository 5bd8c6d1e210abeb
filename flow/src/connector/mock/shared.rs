//! What a mock component shares with those who watch it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A value that can be waited on until it fulfils a condition.
#[derive(Debug)]
pub(super) struct Shared<T>(Arc<(Mutex<T>, Notify)>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Shared<T> {
    pub(super) fn read<U>(&self, read: impl FnOnce(&T) -> U) -> U {
        read(&self.lock())
    }

    pub(super) fn change<U>(&self, change: impl FnOnce(&mut T) -> U) -> U {
        let result = change(&mut self.lock());
        self.0.1.notify_waiters();
        result
    }

    /// Waits until `condition` is some. What it changes is seen by others when it is.
    ///
    /// # Cancel safety
    /// Cancel safe: `condition` last runs in the poll that returns.
    pub(super) async fn until<U>(&self, mut condition: impl FnMut(&mut T) -> Option<U>) -> U {
        loop {
            let mut changed = pin!(self.0.1.notified());
            // A change between the look and the wait is not missed.
            changed.as_mut().enable();
            let met = condition(&mut self.lock());
            if let Some(result) = met {
                self.0.1.notify_waiters();
                return result;
            }
            changed.await;
        }
    }

    /// A panic elsewhere has failed its test already; this one need not hide it.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handles by name, for the whole process.
pub(super) type Named<T> = Mutex<HashMap<String, Shared<T>>>;

/// The handle `name`, made when it is first asked for.
pub(super) fn named<T: Default>(table: &Named<T>, name: &str) -> Shared<T> {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    table.entry(name.to_owned()).or_default().clone()
}
