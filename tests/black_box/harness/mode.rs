//! Which of the two modes the tests drive: everything in one process on files, or processes that share servers.
//!
//! `FAIRY_TEST_MODE=cluster` says the latter. Tests do not ask for it: what differs is below [`Launch`](super::Launch) and
//! [`Server`](super::Server). Only a test about something that one mode does not have says so, with a reason from the list.

use super::outside::setting;

/// What a test is about that only the embedded mode has.
#[derive(Debug, Clone, Copy)]
pub enum About {
    /// Locks beside files, and a second process that meets them.
    Locks,
    /// What is made in the data directory.
    DataDirectory,
    /// A disk that is full under the database and the queue.
    Disk,
    /// `fairy backup`.
    Backup,
    /// Leases that end at once because the one process that held them is gone.
    OneProcess,
}

impl About {
    const fn reason(self) -> &'static str {
        match self {
            Self::Locks => "servers are there to be shared, so nothing is locked",
            Self::DataDirectory => "rows, lanes and secret are not in the data directory",
            Self::Disk => "the disk is the servers', and each has its own tests for a full one",
            Self::Backup => "servers are copied by their own tools",
            Self::OneProcess => "others may hold what a process left, until its lease has passed",
        }
    }
}

/// Whether the processes share servers.
pub fn is_cluster() -> bool {
    match setting("FAIRY_TEST_MODE").as_deref() {
        None | Some("embedded") => false,
        Some("cluster") => true,
        Some(other) => panic!("FAIRY_TEST_MODE is {other:?}, but must be embedded or cluster"),
    }
}

/// Whether a test is to be left out because it needs several processes.
pub fn cluster_only() -> bool {
    let left_out = !is_cluster();
    if left_out {
        eprintln!("LEFT OUT of the embedded mode: there is one process, and nothing is shared");
    }
    left_out
}

/// Whether a test is to be left out because it is about something that only the embedded mode has.
pub fn embedded_only(about: About) -> bool {
    let left_out = is_cluster();
    if left_out {
        eprintln!("LEFT OUT of the cluster mode: {}", about.reason());
    }
    left_out
}
