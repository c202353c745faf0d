//! Runs shell commands inside the sandbox: the tool exec.
