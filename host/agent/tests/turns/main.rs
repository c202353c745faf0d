//! Whole turns: a scripted model, a real store, and real components in the real sandbox.
#![cfg(test)]

mod house;

mod calls;
mod commands;
mod conversation;
mod memory;
mod reach;
mod recall;
mod resume;
mod rounds;
mod sessions;
mod skills;
mod undo;
