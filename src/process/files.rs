//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open besides connections: databases with their journals, listeners, mail, the log.
const BESIDES: u64 = 256;

/// Raises the soft limit of open files so that this many connections fit, as far as the hard limit allows; beyond it
/// connections would fail one by one instead of waiting.
pub fn make_room(connections: usize) {
    let wanted = connections as u64 + BESIDES;
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|soft| soft >= wanted) {
        return;
    }
    let soft = now.maximum.map_or(wanted, |hard| hard.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: now.maximum });
    if raised.is_err() || soft < wanted {
        tracing::warn!(
            limit = soft,
            wanted,
            "the system allows fewer open files than http.max_connections needs: raise its limit or lower the setting"
        );
    }
}
