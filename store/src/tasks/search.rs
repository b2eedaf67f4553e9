//! Finding a text in titles and bodies.
//!
//! `LIKE '%…%'` costs text times pattern where both repeat themselves, and a statement that runs cannot be called off. So
//! rows are read in small parts and looked through here, in time that grows with the bytes alone, until the page is full
//! or a number of bytes has been looked at. Few searches run at a time, so most readers are always free for what is short.

use std::{sync::Arc, time::Duration};

use fairy_jobs::{
    ports::PortResult,
    problem::{Problem, ProblemKind},
    task::Task,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    conditions::{Conditions, Source},
    stream::{Found, Stream},
};
use crate::driver::Connection;

/// The bytes of titles and bodies that one page looks at; the suite looks at fewer, so that it meets the edge.
const MOST_BYTES: usize = if cfg!(test) { 200 } else { 4 << 20 };
/// Rows read at a time: at most 2.6 MB, for a body is at most 80 KB.
const PART: usize = if cfg!(test) { 3 } else { 32 };
/// Searches at a time, of the readers that there are.
const AT_ONCE: usize = 2;
/// How long a search waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// A text to be found, without regard to ASCII case.
#[derive(Debug, Clone)]
pub(super) struct Needle(String);

impl Needle {
    pub fn of(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// Whether the task's title or body has it. `str::contains` is linear, whatever the texts are.
    pub fn is_in(&self, task: &Task) -> bool {
        let has = |text: &str| text.to_ascii_lowercase().contains(&self.0);
        has(task.title.as_str()) || has(task.body.as_str())
    }
}

/// Whose turn it is to search.
#[derive(Debug, Clone)]
pub(crate) struct Searches(Arc<Semaphore>);

impl Default for Searches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Searches {
    /// Waits for a turn, which ends when what is returned is dropped.
    pub async fn turn(&self) -> PortResult<SemaphorePermit<'_>> {
        match timeout(PATIENCE, self.0.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => {
                let detail = "Too many searches run at this time.";
                Err(Problem::new(ProblemKind::TooManyRequests, detail).retry_after(2).into())
            }
        }
    }
}

impl Stream {
    /// At most `limit` tasks of the stream for which the conditions hold and that have the text, as far as the conditions'
    /// window and a share of the bytes reach.
    pub async fn search(
        mut self,
        c: &mut Connection<'_>,
        (source, conditions): (&Source, &Conditions),
        (needle, share): (&Needle, usize),
        limit: usize,
    ) -> PortResult<Found> {
        let edge = match conditions.window {
            Some(window) => self.edge(c, source, window).await?,
            None => None,
        };
        let mut left = MOST_BYTES / share;
        let mut tasks = Vec::new();
        loop {
            let part = self.read_part(c, (source, conditions), PART, edge).await?;
            let whole = part.tasks.len() < PART;
            for task in part.tasks {
                self.after = self.order.place(&task);
                left = left.saturating_sub(task.title.as_str().len() + task.body.as_str().len());
                if needle.is_in(&task) {
                    tasks.push(task);
                }
                if tasks.len() == limit || left == 0 {
                    return Ok(Found { tasks, known: Some(self.after) });
                }
            }
            if whole {
                return Ok(Found { tasks, known: edge });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::ports::PortError;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_turn_is_told_to_come_again() {
        let searches = Searches::default();
        let first = searches.turn().await.unwrap();
        let _second = searches.turn().await.unwrap();
        let Err(PortError::Refused(problem)) = searches.turn().await else { panic!("a third has its turn") };
        assert_eq!((problem.kind, problem.retry_after), (ProblemKind::TooManyRequests, Some(2)));
        drop(first);
        assert!(searches.turn().await.is_ok());
    }
}
