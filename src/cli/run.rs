//! From the command line to the command, and from its end to the exit code.

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::Parser as _;
use tokio::runtime::Runtime;

use super::{
    admin,
    arguments::{Arguments, Command},
    backup, doctor, health, lanes, migrate, serve,
};
use crate::{
    config::{self, Config, Layers, Source},
    failure::Failure,
    observe::Traces,
    process::{data_dir, telemetry},
    stack::{Parts, Role},
};

/// Runs the command that the process was started with: 0, or 1 with one line on standard error. Wrong usage exits with
/// 2 before anything is done.
pub fn main() -> ExitCode {
    main_of(std::env::args_os(), Parts::default())
}

/// The same for these words, of which the first is the program, and for whoever plays a role with other parts.
pub fn main_of(words: impl IntoIterator<Item = OsString>, parts: Parts) -> ExitCode {
    match run(Arguments::parse_from(words), parts) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("fairy: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, parts: Parts) -> Result<ExitCode, Failure> {
    data_dir::keep_private();
    let source = Source::process(arguments.config);
    match arguments.command {
        Command::Openapi => print(&fairy_api::spec()),
        Command::Config => print(&config::reference()),
        Command::Doctor => block_on(async { Ok(doctor::run(config::load(source)).await) }),
        Command::Up => play(source, Role::Up, parts),
        Command::Api => play(source, Role::Api, parts),
        Command::Worker { lanes } => play(source, Role::Worker(lanes::named(&lanes)), parts),
        Command::Health => {
            let (config, _) = load(source)?;
            block_on(health::run(config))
        }
        Command::Migrate => {
            let (config, _) = load(source)?;
            block_on(migrate::run(config))
        }
        Command::Backup { directory } => {
            let (config, _) = load(source)?;
            block_on(backup::run(config, directory))
        }
        Command::Lanes { action } => {
            let (config, _) = load(source)?;
            block_on(lanes::run(config, action))
        }
        Command::Admin { action } => {
            let (config, _) = load(source)?;
            block_on(admin::run(config, action))
        }
    }
}

fn play(source: Source, role: Role, parts: Parts) -> Result<ExitCode, Failure> {
    let (config, _) = config::load(source)?;
    let runtime = runtime()?;
    let traces = Traces::begin(runtime.handle().clone(), role.command())?;
    telemetry::start(&config.log, traces.as_ref());
    let ended = runtime.block_on(serve::run(config, role, parts));
    if let Some(traces) = traces {
        traces.end();
    }
    runtime.shutdown_timeout(LINGER);
    ended
}

/// Reads the settings and begins to log as they say.
fn load(source: Source) -> Result<(Config, Layers), Failure> {
    let (config, layers) = config::load(source)?;
    telemetry::start(&config.log, None);
    Ok((config, layers))
}

/// How long the end waits for a thread that still computes, for example a password's hash.
const LINGER: Duration = Duration::from_millis(500);

fn block_on(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(LINGER);
    ended
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format_args!("the system gives no threads: {error}")))
}

/// Prints a text whole; a reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<ExitCode, Failure> {
    use std::io::{ErrorKind, Write as _};
    let mut out = std::io::stdout().lock();
    let text = text.strip_suffix('\n').unwrap_or(text);
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format_args!("standard output cannot be written: {error}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_explains_each_command() {
        let mut command = Arguments::command();
        command.build();
        let mut help = command.render_long_help().to_string();
        for name in ["api", "worker", "lanes", "admin"] {
            let found = command.find_subcommand_mut(name).unwrap();
            help += &format!("\n--- {name}\n{}", found.render_long_help());
        }
        insta::assert_snapshot!("help", help);
    }

    #[test]
    fn roles_that_share_their_work_say_what_they_need() {
        for role in ["api", "worker"] {
            let arguments = Arguments::try_parse_from(["fairy", role]).unwrap();
            let failure = run(arguments, Parts::default()).unwrap_err().to_string();
            assert!(failure.contains("SQLite serves `fairy up` only"), "{failure}");
            assert!(
                failure.contains("FAIRY__DATABASE__URL") && failure.contains("FAIRY__QUEUE__URL"),
                "{failure}"
            );
        }
    }
}
