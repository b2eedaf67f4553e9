//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use fairy_jobs::id::WorkspaceId;

use crate::lanes::ALL;

/// Fairy: a team task system in which every write is accepted once, applied once and told once.
#[derive(Debug, Parser)]
#[command(name = "fairy", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    /// Read settings from this file instead of `fairy.toml` in the working directory.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The names of lanes, so that a mistyped one is wrong usage.
fn lanes() -> PossibleValuesParser {
    PossibleValuesParser::new(ALL.map(|lane| lane.name))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in this process: API, workers, database and queue as files in the data directory.
    ///
    /// Stops gracefully on Ctrl-C or SIGTERM: work in hand is finished, the rest stays in the queue for the next start.
    Up,
    /// Run only the API, as often as you like, on a database and a queue that are on servers.
    ///
    /// On SIGTERM `/health/ready` says no, and requests are answered for stop.drain_seconds more before it stops.
    Api,
    /// Run only workers, as often as you like, on a database and a queue that are on servers.
    Worker {
        /// Work only these lanes; without it, all.
        #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = lanes())]
        lanes: Vec<String>,
    },
    /// Bring the database to the schema of this version, and make the table of the activity log if one is named.
    ///
    /// `fairy up` does it too; `fairy api` and `fairy worker` need it.
    Migrate,
    /// Print the OpenAPI document of the API.
    Openapi,
    /// Check settings, directories, databases and mail, one line each; exit with 1 if something is wrong.
    Doctor,
    /// Ask the process that runs with the same settings whether it is ready; exit with 1 if it is not.
    ///
    /// For the health check of a container; others ask `/health/ready` at the admin address themselves.
    Health,
    /// Print all settings with their defaults, as a Markdown table.
    Config,
    /// Look at the lanes and act on them; may run beside `fairy up`.
    Lanes {
        /// What to do; without it, `list`.
        #[command(subcommand)]
        action: Option<LaneAction>,
    },
    /// Copy database, queue and secret into a new directory, consistently, also while `fairy up` runs.
    ///
    /// For files; servers are copied by their own tools.
    ///
    /// To restore, use the copy as data directory; its README says how.
    Backup {
        /// The directory to make; it must not exist yet.
        directory: PathBuf,
    },
    /// Look after accounts and the activity log; may run beside `fairy up`.
    Admin {
        /// What to do.
        #[command(subcommand)]
        action: AdminAction,
    },
}

/// What can be done with lanes.
#[derive(Debug, Subcommand)]
pub enum LaneAction {
    /// Show how many jobs each lane holds, and in which state.
    List,
    /// Show dead letters: jobs that were given up, oldest first.
    Dead {
        /// The lane.
        lane: String,
        /// Show at most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Start after this job.
        #[arg(long, value_name = "JOB")]
        after: Option<String>,
        /// Show the payloads too.
        #[arg(long)]
        payload: bool,
    },
    /// Put dead letters back into their lane, with all attempts before them.
    ///
    /// An operation that failed stays failed, for that was told: a new one is made that asks for the same, and its id is
    /// printed.
    Retry(Letters),
    /// Delete dead letters; of a lost operation, whose job the log names, end the alarm.
    Discard(Letters),
    /// Stop handing out jobs of a lane or of one of its groups; jobs are still accepted.
    Pause(Stretch),
    /// End a pause.
    Resume(Stretch),
    /// Show what operators did to the lanes, newest first.
    Audit {
        /// Show at most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct Letters {
    /// The lane.
    pub lane: String,
    /// The jobs, as `fairy lanes dead` shows them.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "JOB")]
    pub jobs: Vec<String>,
    /// All of the lane.
    #[arg(long)]
    pub all: bool,
    /// Who does it, for the audit; by default the system's user id.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// A lane or a group of it.
#[derive(Debug, Args)]
pub struct Stretch {
    /// The lane.
    pub lane: String,
    /// Only this group, for example a workspace's id.
    #[arg(long)]
    pub group: Option<String>,
    /// Who does it, for the audit; by default the system's user id.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// What can be looked after.
#[derive(Debug, Subcommand)]
pub enum AdminAction {
    /// Show an account and its workspaces.
    User {
        /// Its address.
        email: String,
    },
    /// Mark an account's address as verified.
    Verify {
        /// Its address.
        email: String,
    },
    /// Print a link that sets a new password, valid for an hour; it is mailed to the person too.
    ResetLink {
        /// The account's address.
        email: String,
    },
    /// End all sessions of an account.
    SignOut {
        /// The account's address.
        email: String,
    },
    /// Put all changes in the activity log again, for one that is new or was lost.
    ///
    /// May run beside whatever runs, and again: what is there stays as it is. It prints how far it has come.
    RebuildActivity {
        /// Go on after this workspace, as a run that was stopped has printed it.
        #[arg(long, value_name = "WORKSPACE")]
        after: Option<WorkspaceId>,
    },
}
