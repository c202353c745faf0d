//! Sub-agents in the background, as a WASI component.
