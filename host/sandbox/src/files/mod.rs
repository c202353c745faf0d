//! The guarding layer over `wasi:filesystem`.
