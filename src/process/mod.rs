//! What a process needs of its operating system: time, ids, a name, a directory, a secret, listeners, signals, a log.

pub mod clock;
pub mod connection;
pub mod data_dir;
pub mod files;
pub mod identity;
pub mod ids;
pub mod listen;
pub mod lock;
pub mod secret;
pub mod shares;
pub mod signals;
pub mod telemetry;
