//! Sends messages to chats, as a WASI component.
