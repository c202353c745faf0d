//! The one HTTP policy engine: match, resolve, pin, inject, send, re-check redirects, redact.
