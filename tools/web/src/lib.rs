//! web_fetch and web_search as a WASI component.
