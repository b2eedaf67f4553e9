//! The feed of changes as list and live stream, the activity log, and receipts.

mod activity;
mod changes;
mod events;
mod receipts;
mod stream;
