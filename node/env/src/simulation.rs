//! A paused runtime for tests: virtual time, one thread, tasks that need not be `Send`.
//!
//! Behind the feature `simulation`, because it switches tokio's virtual time on for the whole build.

use std::future::Future;

use tokio::runtime::{Builder, LocalOptions};

/// Runs a future on a paused local runtime: time passes only when everybody waits, and then at once.
///
/// # Panics
/// If the operating system gives no runtime, and with whatever the future panics with.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    #[expect(
        clippy::expect_used,
        reason = "a test cannot go on without its runtime"
    )]
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .expect("a runtime for a test");
    runtime.block_on(future)
}
