//! Reminders and recurring jobs as a WASI component.
