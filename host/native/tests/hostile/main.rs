//! A program with the habits of an attacker, one for each argument. It prints what it got, and never asserts.

fn main() {}
