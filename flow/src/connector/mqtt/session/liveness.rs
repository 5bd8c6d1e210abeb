//! When to probe a connection, and when it counts as dead.

use std::time::{Duration, Instant};

use super::Lost;

/// How long a write may stand still where there is no keep-alive to go by.
const WRITE: Duration = Duration::from_secs(60);

/// The keep-alive of one connection (MQTT 5, section 3.1.2.10).
pub(super) struct Liveness {
    /// Nothing where it is off.
    keep_alive: Option<Duration>,
    heard: Instant,
    wrote: Instant,
    /// When a PINGREQ was sent that no sign of life has followed.
    pinged: Option<Instant>,
    /// Output was taken and is not written.
    writing: bool,
}

impl Liveness {
    pub(super) fn new(seconds: u16, now: Instant) -> Self {
        let mut liveness = Self { keep_alive: None, heard: now, wrote: now, pinged: None, writing: false };
        liveness.set(seconds);
        liveness
    }

    /// Sets the keep-alive; 0 is off.
    pub(super) fn set(&mut self, seconds: u16) {
        self.keep_alive = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
    }

    /// The broker gave a sign of life, or cannot be heard.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// Output was taken that is to be written.
    pub(super) fn writing(&mut self, now: Instant) {
        if !self.writing {
            self.writing = true;
            self.wrote = now;
        }
    }

    /// A part of the output is written, or all of it.
    pub(super) fn wrote(&mut self, now: Instant, all: bool) {
        self.wrote = now;
        self.writing &= !all;
    }

    /// Is a PINGREQ due?
    pub(super) fn tick(&mut self, now: Instant) -> Result<bool, Lost> {
        let Some(keep_alive) = self.keep_alive else {
            return match self.writing && now >= self.wrote + WRITE {
                true => Err(Lost::new(format!("the broker has read nothing for {} s", WRITE.as_secs()))),
                false => Ok(false),
            };
        };
        if self.pinged.is_some_and(|at| now >= at + keep_alive / 2) {
            return Err(Lost::new("the broker has been silent for one and a half times the keep-alive"));
        }
        if self.writing && now >= self.wrote + keep_alive * 3 / 2 {
            return Err(Lost::new("the broker has read nothing for one and a half times the keep-alive"));
        }
        let idle = !self.writing && now >= self.wrote + keep_alive;
        let silent = self.pinged.is_none() && now >= self.heard + keep_alive;
        if idle {
            self.wrote = now;
        }
        if idle || silent {
            self.pinged.get_or_insert(now);
        }
        Ok(idle || silent)
    }

    /// When [`Liveness::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let Some(keep_alive) = self.keep_alive else { return self.writing.then(|| self.wrote + WRITE) };
        let write = self.wrote + if self.writing { keep_alive * 3 / 2 } else { keep_alive };
        let read = self.pinged.map_or(self.heard + keep_alive, |at| at + keep_alive / 2);
        Some(write.min(read))
    }
}
