//! Drawing on the terminal and reading from it.

pub mod echo;
pub mod line;
pub mod markdown;
pub mod progress;
pub mod stream;
pub mod style;
pub mod view;
