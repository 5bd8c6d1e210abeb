//! Derive macros for `flow`. Empty so far: components implement `flow::Component` by hand.
