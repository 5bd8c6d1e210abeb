//! What a session has to say to whoever reads the log.

use std::borrow::Cow;

/// What whoever reads the log wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The broker accepted us; `resumed` says whether it still had the session.
    Connected { resumed: bool },
    /// The broker had a session with subscriptions, and has none any more.
    Forgotten,
    /// The broker keeps the session for `seconds` after the connection has ended, and not for as long as was asked.
    Shortened { seconds: u32 },
    /// A filter is subscribed to in a new session, or after it was refused.
    Subscribed { filter: String },
    /// The broker refuses a filter.
    Refused { filter: String, why: Cow<'static, str> },
    /// The broker grants a filter less than was asked for.
    Lowered { filter: String, qos: u8 },
    /// A message over the limit was read past; `count` is how many so far.
    Oversized { topic: String, bytes: usize, count: u64 },
    /// A message came that no subscription of ours asks for; `count` is how many so far.
    Unasked { topic: String, count: u64 },
}
