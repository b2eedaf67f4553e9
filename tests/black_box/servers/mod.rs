//! What only a system on servers has: servers that are away, late, or set so that they lose what they accepted; workers that
//! share the lanes between them; lanes on several servers.

mod cluster;
mod commits;
mod doctor;
mod lanes;
mod start;
