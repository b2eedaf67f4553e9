//! Runs a subcommand of the binary to its end.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// What a finished command left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed for programs.
    pub stdout: String,
    /// What it printed for people.
    pub stderr: String,
}

impl Finished {
    /// It failed as the contract says: exit code 1 and one line that says what to do. Returns the line.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        let line = self.stderr.trim_end();
        assert!(!line.is_empty() && !line.contains('\n'), "not one line: {self:?}");
        assert!(!line.contains("panicked"), "{self:?}");
        line.to_owned()
    }

    /// It went well. Returns what it printed.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }
}

/// A command of the binary with nothing from our surroundings but `PATH`, in `dir`.
pub fn command(dir: &Path, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairy"));
    clean(&mut command, dir, settings);
    command
}

/// Takes away what a developer's shell may have set, so that only `settings` count.
pub fn clean(command: &mut Command, dir: &Path, settings: &[(String, String)]) {
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("RUST_BACKTRACE", "1")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
}

/// Runs `fairy ARGS` in `dir` to its end, which must come within a minute.
pub async fn fairy(dir: &Path, settings: &[(String, String)], args: &[&str]) -> Finished {
    let output = command(dir, settings).args(args).output();
    let output = timeout(Duration::from_secs(60), output).await;
    let output = output.unwrap_or_else(|_| panic!("fairy {args:?} did not end within a minute"));
    let output = output.expect("the binary can be started");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
