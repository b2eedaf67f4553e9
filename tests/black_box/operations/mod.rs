//! Operations: how they are answered, repeated, ordered and refused, and what they do to tasks and comments.

mod answers;
mod backlog;
mod batches;
mod comments;
mod idempotency;
mod keys;
mod order;
mod poison;

mod sets;
mod tasks;
mod versions;
