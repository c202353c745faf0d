//! What the black-box tests share.

pub mod fake_openai;
pub mod shell;
