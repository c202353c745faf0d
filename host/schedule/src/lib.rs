//! When jobs are due, and the durable queue that runs them.
