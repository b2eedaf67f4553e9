//! `fairy up`: everything in this process, until a signal.

use std::process::ExitCode;

use super::run::print;
use crate::{
    Failure,
    config::{Config, SignUp, Transport},
    process::{files, signals::StopSignals},
    stack::{Parts, Stack, is_for_one_machine},
};

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    let signals = StopSignals::listen();
    let mut signals =
        signals.map_err(|error| Failure::new(format_args!("signals cannot be handled: {error}")))?;
    files::make_room(config.http.max_connections);
    let mut stack = tokio::select! {
        stack = Stack::start(&config, Parts::default()) => stack?,
        signal = signals.next() => {
            tracing::info!(signal, "stopped before the start was done");
            return Ok(ExitCode::SUCCESS);
        }
    };
    print(&welcome(&config, &stack))?;
    let broken = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, within = config.stop_within.as_secs(), "stopping; once more stops at once");
            None
        }
        failure = stack.broken() => {
            tracing::error!(%failure, "a part has broken; stopping");
            Some(failure)
        }
    };
    tokio::select! {
        stopped = stack.stop() => stopped?,
        signal = signals.next() => return Err(Failure::new(format_args!(
            "{signal} came again, so it stopped at once; nothing accepted is lost, the next start goes on with it"
        ))),
    }
    match broken {
        Some(failure) => Err(failure),
        None => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What a person reads first: where it is, where mail goes, how to begin.
fn welcome(config: &Config, stack: &Stack) -> String {
    let url = stack.public_url.as_str().trim_end_matches('/');
    let mail = match &config.mail.transport {
        Transport::Files(directory) if is_for_one_machine(config, &stack.public_url) => {
            format!("{} (read it at {url}/dev/mail)", directory.display())
        }
        Transport::Files(directory) => format!("{}, for nobody to receive", directory.display()),
        Transport::Smtp { url, .. } => format!("{}", Shown(url)),
    };
    let begin = match config.sign_up {
        SignUp::Open => format!(
            "curl -sS -c fairy.cookies {url}/v1/auth/sign-up -H 'Content-Type: application/json' \
             -d '{{\"email\":\"mina@example.com\",\"password\":\"four small green frogs\",\"name\":\"Mina\"}}'"
        ),
        SignUp::Invite => "only with an invitation (auth.sign_up is invite)".to_owned(),
    };
    format!("Fairy is at {url} · mail goes to {mail} · sign up with:\n{begin}\nCtrl-C stops it.")
}

/// A mail server without user and password.
struct Shown<'a>(&'a url::Url);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(out, ":{port}"),
            None => Ok(()),
        }
    }
}
