//! Letting others run.

use std::future::poll_fn;
use std::task::Poll;

/// Gives every other task that is ready a turn.
///
/// Unlike the runtime's own, it is ready again at once, so that a read that pauses keeps its place among the reads of its
/// connection.
///
/// # Cancel safety
/// Safe; nothing happens.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
