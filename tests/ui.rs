//! What the compiler says about mistakes in a registry: each file in `ui/` is one mistake, and what it prints stands beside it.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test -p flow-tests --test ui`, then read the difference.

#[test]
fn mistakes_get_messages_in_the_users_words() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}
