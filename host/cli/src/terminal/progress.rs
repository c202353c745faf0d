//! Shows that something takes a while.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// What the first start in a home waits for.
pub const COMPILING: &str = "compiling the built-in tools, once";

/// What takes less is not worth a word.
const SOON: Duration = Duration::from_millis(150);

/// Waits for `work`; when it takes a while, says what is going on, if standard error is a terminal.
pub async fn while_slow<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(SOON, &mut work).await {
        return done;
    }
    let bar = spinner(what);
    let done = work.await;
    bar.finish_and_clear();
    done
}

/// A spinner with some words on standard error, where that is a terminal.
pub fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style());
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// How every spinner looks.
pub fn style() -> ProgressStyle {
    let plain = ProgressStyle::default_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or(plain);
    style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

/// A bar for bytes that come or go over the wire.
pub fn transfer(what: &str) -> ProgressBar {
    let plain = ProgressStyle::default_bar();
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}").unwrap_or(plain);
    ProgressBar::no_length().with_style(style).with_message(what.to_owned())
}

/// Shows how far a transfer is.
pub fn moved(bar: &ProgressBar, done: u64, total: Option<u64>) {
    if let Some(total) = total {
        bar.set_length(total);
    }
    bar.set_position(done);
}
