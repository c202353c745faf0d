//! Text of PDF and office files, and pictures scaled for a model.
