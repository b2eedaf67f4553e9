//! Passwords, hashed with argon2id in a pool of its own.
//!
//! A hash takes 19 MiB and some hundredths of a second on purpose (OWASP: m = 19 MiB, t = 2, p = 1), so only as many run
//! as there are cores, and a crowd at the door is told to come back instead of taking all memory. Where there is no
//! account a hash is checked all the same, so that the time an answer takes tells nobody who has one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use fairy_jobs::{
    id::IdSource,
    problem::{Problem, ProblemKind},
};
use tokio::sync::Semaphore;

use crate::{
    Services,
    problem::{Refusal, internal},
};

/// The most that may wait for a turn.
const MOST_WAITING: usize = 256;
/// A hash of these parameters that no password is known to have.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyBpdA$q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k";

/// Hashes passwords, a few at a time.
pub(crate) struct PasswordPool {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    ids: Arc<dyn IdSource>,
}

impl PasswordPool {
    /// A pool as wide as the machine, at most four.
    pub fn new(services: &Services) -> Self {
        let width = available_parallelism().map_or(1, |n| n.get().min(4));
        Self {
            turns: Arc::new(Semaphore::new(width)),
            waiting: AtomicUsize::new(0),
            ids: Arc::clone(&services.ids),
        }
    }

    /// The hash of a password, as a PHC string with a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<String, Refusal> {
        let mut salt = [0; 16];
        self.ids.fill(&mut salt);
        let password = password.to_owned();
        let hashed = self.run(move || {
            hasher().and_then(|h| {
                h.hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string())
            })
        });
        hashed.await?.map_err(broken)
    }

    /// Whether the password has this hash; without one it takes as long and is not so.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Refusal> {
        let password = password.to_owned();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let verified = self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(argon2::password_hash::Error::from)?;
            hasher().map(|h| h.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(verified.await?.map_err(broken)? && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let place = Waiting::take(&self.waiting)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(broken)?;
        drop(place);
        // The turn goes along, so that it is given back when the hash is done, not when the caller hangs up.
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        task.await.map_err(broken)
    }
}

/// A place in the queue, given back however waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn take(count: &'a AtomicUsize) -> Result<Self, Refusal> {
        let place = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
            return Ok(place);
        }
        let detail = "Too many people sign in just now. Try again in a moment.";
        Err(Problem::new(ProblemKind::TooManyRequests, detail).retry_after(2).into())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hasher() -> argon2::password_hash::Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal { cause: Some(format!("a password could not be hashed: {error}")), ..internal().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;

    impl IdSource for Zero {
        fn ulid(&self, _: jiff::Timestamp) -> ulid::Ulid {
            ulid::Ulid::nil()
        }

        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn pool() -> PasswordPool {
        PasswordPool { turns: Arc::new(Semaphore::new(2)), waiting: AtomicUsize::new(0), ids: Arc::new(Zero) }
    }

    #[tokio::test]
    async fn knows_a_password_by_its_hash() {
        let pool = pool();
        let hash = pool.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(pool.verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!pool.verify("correct horse batterz", Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        assert!(!pool().verify("correct horse battery", None).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok(), "the stand-in must cost as much as a real hash");
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let pool = pool();
        pool.waiting.store(MOST_WAITING, Ordering::Relaxed);
        let refusal = pool.hash("correct horse battery").await.unwrap_err();
        assert_eq!(refusal.problem.kind, ProblemKind::TooManyRequests);
        assert_eq!(pool.waiting.load(Ordering::Relaxed), MOST_WAITING, "whoever was sent away waits no more");
    }
}
