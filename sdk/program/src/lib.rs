//! Write a program that runs inside the sandbox in Rust.
