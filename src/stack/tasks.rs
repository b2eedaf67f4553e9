//! The long-running tasks of the stack, by name; one that ends by itself is a reason to end the process.

use std::time::Duration;

use futures::future::select_all;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// One long-running task with the means to stop it.
pub struct Running {
    pub name: &'static str,
    pub stop: CancellationToken,
    handle: JoinHandle<Result<(), String>>,
    /// Whether its end was told already; a handle must not be asked twice.
    told: bool,
}

impl Running {
    /// Starts a task that is to end soon after its token is cancelled, and not before.
    pub fn spawn<F>(name: &'static str, task: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let handle = tokio::spawn(task(stop.clone()));
        Self { name, stop, handle, told: false }
    }

    /// Stops the task and waits for its end at most this long; then it is broken off.
    pub async fn stop(mut self, within: Duration) -> Result<(), String> {
        self.stop.cancel();
        self.end(within).await
    }

    /// Waits for the end at most this long; then the task is broken off.
    pub async fn end(&mut self, within: Duration) -> Result<(), String> {
        if std::mem::replace(&mut self.told, true) {
            return Ok(());
        }
        match tokio::time::timeout(within, &mut self.handle).await {
            Ok(Ok(result)) => result.map_err(|error| format!("{} ended with an error: {error}", self.name)),
            Ok(Err(panic)) => Err(format!("{} panicked: {panic}", self.name)),
            Err(_) => {
                self.handle.abort();
                Err(format!("{} did not end within {} s and was broken off", self.name, within.as_secs()))
            }
        }
    }

    /// Whether it ends within this time; it goes on if not.
    pub async fn ends_within(&mut self, time: Duration) -> bool {
        self.handle.is_finished() || tokio::time::timeout(time, wait(&mut self.handle)).await.is_ok()
    }
}

/// Waits until the task has ended, leaving its result where it is.
async fn wait(handle: &mut JoinHandle<Result<(), String>>) {
    let mut poll = tokio::time::interval(Duration::from_millis(5));
    while !handle.is_finished() {
        poll.tick().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// Ends with the first task that ends, and says which and how.
pub async fn first_end(mut tasks: Vec<&mut Running>) -> String {
    let (result, index, _) = select_all(tasks.iter_mut().map(|task| &mut task.handle)).await;
    tasks[index].told = true;
    let name = tasks[index].name;
    match result {
        Ok(Ok(())) => format!("{name} ended by itself"),
        Ok(Err(error)) => format!("{name} ended: {error}"),
        Err(panic) => format!("{name} panicked: {panic}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until_stopped(name: &'static str) -> Running {
        Running::spawn(name, |stop| async move {
            stop.cancelled().await;
            Ok(())
        })
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_named_with_its_reason() {
        let mut well = until_stopped("well");
        let mut broken = Running::spawn("broken", |_| async { Err("out of luck".to_owned()) });
        assert_eq!(first_end(vec![&mut well, &mut broken]).await, "broken ended: out of luck");
        assert_eq!(broken.stop(Duration::from_secs(5)).await, Ok(()), "it was told already");
        let mut gone = Running::spawn("gone", |_| async { Ok(()) });
        assert_eq!(first_end(vec![&mut well, &mut gone]).await, "gone ended by itself");
        assert_eq!(well.stop(Duration::from_secs(5)).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_does_not_stop_is_broken_off() {
        let stubborn = Running::spawn("stubborn", |_| std::future::pending());
        let error = stubborn.stop(Duration::from_secs(3)).await.unwrap_err();
        assert_eq!(error, "stubborn did not end within 3 s and was broken off");
    }
}
