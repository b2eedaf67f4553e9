//! A running system, of one process or several: started, watched, killed, started again.

use std::path::Path;

use super::{
    Launch, Version,
    process::{Log, Process},
    run, wait_until,
};

/// A system, running or between two runs.
pub struct Server {
    launch: Launch,
    prepared: bool,
    running: Vec<Process>,
    log: Log,
}

impl Server {
    /// A server with everything by default.
    pub async fn new() -> Self {
        Launch::new().start().await
    }

    /// One that is to be started so.
    pub fn of(launch: Launch) -> Self {
        Self { launch, prepared: false, running: Vec::new(), log: Log::default() }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        self.launch.url(0)
    }

    /// Where the process that answers tells how it is.
    pub fn admin_url(&self) -> String {
        self.launch.url(1)
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.launch.data()
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Runs another subcommand with the same settings beside it.
    pub async fn beside(&self, args: &[&str]) -> run::Finished {
        run::fairy(self.launch.home().path(), &self.launch.environment(), args).await
    }

    /// Where all of it answers that does.
    pub fn urls(&self) -> Vec<String> {
        let parts = self.launch.parts().iter().enumerate();
        parts
            .filter(|(_, command)| !command.starts_with("worker"))
            .map(|(part, _)| self.launch.url(2 * part))
            .collect()
    }

    /// The process that answers requests.
    pub fn pid(&self) -> u32 {
        self.running.first().expect("it runs").pid()
    }

    /// Waits until every operation that was accepted has been found in the database, as those tell who work the lanes, and
    /// checks that none is lost.
    pub async fn accounted(&self) {
        for (part, command) in self.launch.parts().iter().enumerate() {
            if *command == "api" {
                continue;
            }
            let page = format!("{}/metrics", self.launch.url(2 * part + 1));
            wait_until("every accepted operation is accounted for", || async {
                let figures = reqwest::get(&page).await.ok()?.text().await.ok()?;
                assert!(figures.contains("\nfairy_unaccounted_operations 0\n"), "{figures}");
                figures.contains("\nfairy_unconfirmed_operations 0\n").then_some(())
            })
            .await;
        }
    }

    /// How many of its processes work lanes.
    pub fn workers(&self) -> usize {
        self.launch.parts().iter().filter(|command| **command != "api").count()
    }

    /// What its processes printed lately.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) {
        if !std::mem::replace(&mut self.prepared, true) {
            self.launch.prepare().await;
        }
        self.spawn();
        self.ready().await;
    }

    /// Starts it without waiting.
    pub fn spawn(&mut self) {
        assert!(self.running.is_empty(), "it runs already");
        self.log = Log::default();
        for part in 0..self.launch.parts().len() {
            let process = self.process_of(part, Version::This);
            self.running.push(process);
        }
    }

    fn process_of(&self, part: usize, version: Version) -> Process {
        Process::start(self.launch.command(part, version), self.launch.url(2 * part + 1), &self.log)
    }

    /// One of its processes.
    pub fn process(&mut self, part: usize) -> &mut Process {
        &mut self.running[part]
    }

    /// Starts one of its processes that has ended, without waiting.
    pub fn spawn_one(&mut self, part: usize, version: Version) {
        self.running[part] = self.process_of(part, version);
    }

    /// Stops one of its processes in order and starts one of a version in its place, without waiting.
    pub async fn replace(&mut self, part: usize, version: Version) {
        let end = self.process(part).stop().await;
        assert!(end.success(), "process {part} was to stop in order, {end}:\n{}", self.log());
        self.spawn_one(part, version);
    }

    /// Waits until all of it says that it is ready.
    pub async fn ready(&mut self) {
        assert!(!self.running.is_empty(), "it was started");
        for process in &mut self.running {
            process.ready().await;
        }
    }

    /// SIGKILL to all of it, at once, and reaps it. Returns what it printed.
    pub async fn kill(&mut self) -> String {
        self.signal(rustix::process::Signal::KILL);
        self.ended().await;
        self.log()
    }

    /// SIGTERM to all of it, and waits for its end. Returns its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.ended().await
    }

    /// Sends a signal to all of it.
    pub fn signal(&self, signal: rustix::process::Signal) {
        assert!(!self.running.is_empty(), "it runs");
        for process in &self.running {
            process.signal(signal);
        }
    }

    /// SIGSTOP, and waits until it stands still.
    pub async fn suspend(&self) {
        for process in &self.running {
            process.suspend().await;
        }
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// Waits for the end of all of it. Returns the first exit code that is not 0, or 0.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut end = Some(0);
        for mut process in self.running.drain(..) {
            let code = process.ended().await.code();
            if end == Some(0) {
                end = code;
            }
        }
        end
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.running.is_empty() {
            let log = self.log();
            let from = log.len().saturating_sub(6_000);
            let from = (from..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            eprintln!("--- the end of the server's log ---\n{}\n---", &log[from..]);
        }
    }
}
