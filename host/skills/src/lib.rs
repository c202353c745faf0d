//! What a skill is before it runs.
