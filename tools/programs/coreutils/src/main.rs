//! The core utilities, as one program of many names.

fn main() {}
