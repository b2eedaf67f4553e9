//! The few things a test may take from its surroundings: the hour, a seed, and where the test parts are.

use std::path::PathBuf;

/// The hour, for tokens and dates that must lie in the future.
#[expect(clippy::disallowed_methods, reason = "a black-box test lives in the same time as its server")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// What the surroundings say under this name.
#[expect(
    clippy::disallowed_methods,
    reason = "`make test` says through the environment where it put the parts"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A seed for random choices: `FAIRY_TEST_SEED` replays an earlier run; it is printed, so that a failure can be.
pub fn seed() -> u64 {
    let given = setting("FAIRY_TEST_SEED").map(|text| text.parse().expect("FAIRY_TEST_SEED is a number"));
    let seed = given.unwrap_or_else(|| now().as_microsecond().unsigned_abs());
    eprintln!("seed: FAIRY_TEST_SEED={seed}");
    seed
}

/// Whether whoever runs the tests said that this part is missing on purpose (`FAIRY_TEST_WITHOUT=schemathesis,smtp`).
pub fn without(part: &str) -> bool {
    let told = setting("FAIRY_TEST_WITHOUT").is_some_and(|list| list.split(',').any(|p| p.trim() == part));
    if told {
        eprintln!("SKIPPED: FAIRY_TEST_WITHOUT names {part}");
    }
    told
}

/// A Python that has `aiosmtpd`, as `make test` installs it.
pub fn python() -> PathBuf {
    part("FAIRY_TEST_PYTHON", "a Python with aiosmtpd", "smtp")
}

/// The `schemathesis` program, as `make test` installs it.
pub fn schemathesis() -> PathBuf {
    part("FAIRY_TEST_SCHEMATHESIS", "the schemathesis program", "schemathesis")
}

/// A `redis-server`, as `make test` installs it.
pub fn redis_server() -> PathBuf {
    part("FAIRY_TEST_REDIS", "a redis-server", "redis")
}

/// A `mariadbd`, as `make test` installs it.
pub fn mariadb() -> PathBuf {
    part("FAIRY_TEST_MARIADB", "mariadbd", "mariadb")
}

/// The library that lets a process live in another time, as `make test` installs it.
pub fn faketime() -> PathBuf {
    part("FAIRY_TEST_FAKETIME", "libfaketimeMT.so.1", "faketime")
}

fn part(variable: &str, what: &str, name: &str) -> PathBuf {
    let path = setting(variable).map(PathBuf::from).filter(|path| path.exists());
    path.unwrap_or_else(|| {
        panic!("{variable} must name {what}; `make test` installs it, or set FAIRY_TEST_WITHOUT={name}")
    })
}
