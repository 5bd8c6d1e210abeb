//! One test for each promise.

/// Writes a test for each check of a kit: `source`, `sink`, `decoder` or `encoder`, a name for the module that holds the
/// tests, and the kit.
///
/// ```
/// use flow::testkit::{self, SinkFixture};
/// use flow::connector::nop::NopSink;
/// use flow::{BuildContext, Component, NoConfig};
///
/// struct Nowhere;
///
/// impl SinkFixture for Nowhere {
///     type Sink = NopSink;
///
///     async fn sink(&mut self) -> NopSink {
///         NopSink::build(NoConfig {}, &BuildContext::default()).unwrap()
///     }
///
///     async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
///         None
///     }
/// }
///
/// flow::conformance! {
///     sink nop => testkit::sink(|| Nowhere);
/// }
/// ```
///
/// The tests are `nop::every_payload_arrives_once_in_order` and so on; `cargo test nop::` runs them alone.
#[macro_export]
macro_rules! conformance {
    ($($(#[$attribute:meta])* $role:ident $name:ident => $kit:expr;)*) => {
        $( $crate::conformance! { @$role [$(#[$attribute])*] $name $kit } )*
    };
    (@source $attributes:tt $name:ident $kit:expr) => {
        $crate::conformance! { @tests $attributes $name $kit =>
            every_payload_comes_once_in_order
            a_batch_holds_no_more_than_its_capacity
            next_waits_for_a_payload
            dropped_futures_lose_nothing
            nothing_is_confirmed_before_it_is_acknowledged
            acknowledging_settles_what_came_before
            what_is_not_acknowledged_comes_again
            errors_say_whether_to_try_again
            a_lost_connection_is_no_error
            the_end_stays_the_end
            it_closes_in_the_middle_of_work
        }
    };
    (@sink $attributes:tt $name:ident $kit:expr) => {
        $crate::conformance! { @tests $attributes $name $kit =>
            every_payload_arrives_once_in_order
            nothing_is_confirmed_before_it_has_arrived
            dropped_confirmations_come_again
            write_needs_no_call_of_confirmed
            a_checkpoint_without_payloads_is_confirmed
            waiting_is_back_pressure
            temporary_errors_take_nothing
            permanent_errors_are_permanent
            a_refused_payload_is_named
            a_lost_connection_loses_nothing
            close_brings_out_what_was_taken
        }
    };
    (@decoder $attributes:tt $name:ident $kit:expr) => {
        $crate::conformance! { @tests $attributes $name $kit =>
            good_payloads_become_records
            random_bytes_do_no_harm
            truncated_payloads_do_no_harm
            adversarial_payloads_do_no_harm
            an_error_says_whether_the_stream_can_go_on
            a_refused_record_is_reported
        }
    };
    (@encoder $attributes:tt $name:ident $kit:expr) => {
        $crate::conformance! { @tests $attributes $name $kit =>
            the_framing_is_what_it_says
            earlier_payloads_stay_as_they_are
            a_record_that_cannot_be_written_is_named
            records_come_back_as_they_were
        }
    };
    (@tests [$(#[$attribute:meta])*] $name:ident $kit:expr => $($check:ident)*) => {
        $(#[$attribute])*
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports)]
            use super::*;

            $(
                #[test]
                fn $check() -> $crate::testkit::Verdict {
                    $kit.$check()
                }
            )*
        }
    };
    (@$role:ident $($rest:tt)*) => {
        compile_error!(concat!("`", stringify!($role), "` has no kit; there are `source`, `sink`, `decoder` and `encoder`"));
    };
}
