//! The adapters to AWS: against stand-ins that keep what they are given, and against answers that AWS gives on bad days.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dynamodb;
mod eventbridge;
mod faults;
mod rebuild;
mod servers;
mod ses;
mod stand_in;
mod world;
