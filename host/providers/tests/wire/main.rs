//! The providers against a server on loopback: every vendor, every recorded stream, and moves between vendors.

#![cfg(test)]

mod moving;
mod server;
mod streams;
mod vendors;
