//! Polling a future by hand, to drop it wherever it waits.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::task::coop::{consume_budget, has_budget_remaining};

/// Steps that tokio lets a task take in one poll (`tokio::task::coop`).
const BUDGET: usize = 128;

/// Polls once. None where the future waits.
pub(super) async fn poll_once<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_within(future, BUDGET).await
}

/// Polls once, with so much of tokio's budget used up that the future can take about `steps` steps: then every
/// resource of tokio's has it wait, although there is something to take. So a call can be dropped between
/// two steps that are otherwise always taken together.
pub(super) async fn poll_within<T>(mut future: Pin<&mut impl Future<Output = T>>, steps: usize) -> Option<T> {
    // A poll of its own, with the whole budget.
    tokio::task::yield_now().await;
    poll_fn(move |context| {
        for _ in steps..BUDGET {
            if !has_budget_remaining() {
                break;
            }
            let _ = pin!(consume_budget()).poll(context);
        }
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}
