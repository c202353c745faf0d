//! Runs programs of the machine that the owner allowed, by argv, behind Landlock, seccomp and namespaces.
//!
//! The owner allows an argv prefix ([`ProgramGrant`]). Approving it pins the file behind its name ([`Pinned`]).
//! [`Native::run`] checks the arguments, then starts a child of the host that builds the walls around itself and
//! executes the very file that was hashed. Whatever cannot be had is named, and is a refusal by default ([`Wall`]).
#![cfg(target_os = "linux")]

mod arguments;
mod child;
#[cfg(test)]
mod corpus;
mod directory;
mod error;
mod grant;
mod pin;
mod policy;
mod rules;
mod run;
mod wall;

pub use child::native_child;
pub use directory::Directory;
pub use error::{GrantError, NativeError};
pub use grant::ProgramGrant;
pub use pin::{Pinned, Search, select};
pub use policy::Limits;
pub use run::{Exit, Native, Options, Request};
pub use wall::{Wall, WallState, Walls};
