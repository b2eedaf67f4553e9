//! A queue file in a directory of its own, for tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fairy_queue::Queue;
use fairy_queue::sqlite::{Knobs, Mode, OpenError, Options, open_with};
use fairy_queue::testing::Store;

/// A queue file that goes with its directory.
pub struct TempFile {
    dir: tempfile::TempDir,
    started: Instant,
}

impl TempFile {
    /// A file that is not there yet.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), started: Instant::now() }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("queue.db")
    }

    /// How to open it.
    pub fn options(&self, mode: Mode) -> Options {
        let started = self.started;
        let clock = move || 1_700_000_000_000 + i64::try_from(started.elapsed().as_millis()).unwrap();
        Options { path: self.path(), clock: Arc::new(clock), mode }
    }

    /// Serves it, when the handle before has let go.
    pub async fn serve(&self, knobs: Knobs) -> Queue {
        let opening = async {
            loop {
                match open_with(self.options(Mode::Serve), knobs.clone()).await {
                    Err(OpenError::Locked(_)) => tokio::time::sleep(Duration::from_millis(2)).await,
                    opened => return opened.unwrap(),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), opening).await.expect("the handle before lets go")
    }
}

#[async_trait]
impl Store for TempFile {
    async fn open(&self) -> Queue {
        self.serve(Knobs::default()).await
    }
}
