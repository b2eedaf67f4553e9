//! What this process is called among all that share its servers.
//!
//! A name says on which machine to look and for which process. In containers every process may be number 1 of a machine that
//! is called like another, so a few random digits make it one that nobody has and nobody had.

use fairy_jobs::id::IdSource;

/// Longest part of the machine's name that is used.
const HOST: usize = 40;

/// `host-pid-random`.
pub fn identity(ids: &dyn IdSource) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let sound = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '.';
    let host: String = host.chars().filter(sound).take(HOST).collect();
    let mut random = [0; 4];
    ids.fill(&mut random);
    format!("{host}-{}-{:08x}", std::process::id(), u32::from_be_bytes(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ids::OsIds;

    #[test]
    fn no_two_starts_have_one_name() {
        let ids = OsIds::default();
        let (one, two) = (identity(&ids), identity(&ids));
        assert_ne!(one, two);
        assert!(one.contains(&format!("-{}-", std::process::id())), "{one}");
    }
}
