//! Drawing on the terminal and reading from it.

pub mod line;
pub mod markdown;
pub mod progress;
pub mod secret;
pub mod stream;
pub mod style;
pub mod view;
