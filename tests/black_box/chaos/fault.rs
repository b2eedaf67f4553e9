//! What may go wrong: one fault is data, so that a schedule can be printed and played again.

use std::{fmt, time::Duration};

use crate::harness::Way;

/// The commands of the processes; faults name them by their place here.
pub const PARTS: &[&str] = &["api", "api", "worker", "worker", "worker"];

/// A server that all processes share and that may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Redis,
    MariaDb,
}

/// A service outside that all processes reach over one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    DynamoDb,
    EventBridge,
    Mail,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; it is started again at the end.
    Kill(usize),
    /// SIGSTOP, longer than a lease; SIGCONT at the end.
    Suspend(usize),
    /// `kill -9`; it is started again at the end.
    Crash(Engine),
    /// The line of one process to a server does this.
    Line(usize, Engine, Way),
    /// Commits of a worker get lost, or their answers do; nothing else is amiss meanwhile, and it lasts until some were.
    Commits(usize),
    /// The line of all to a service does this.
    Outside(Service, Way),
    /// The clock of a worker is this many seconds off; at the end it is right again.
    Clock(usize, i64),
    /// A worker becomes one of the next version for good, then an API until the end, which asks for such workers.
    Upgrade(usize, usize),
}

impl Fault {
    /// Whether the two must not be at once, for they are about the same thing.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Upgrade(..) | Self::Commits(_), _) | (_, Self::Upgrade(..) | Self::Commits(_)) => true,
            (Self::Crash(a), Self::Crash(b)) => a == b,
            (Self::Outside(a, _), Self::Outside(b, _)) => a == b,
            (a, b) => a.process().is_some() && a.process() == b.process(),
        }
    }

    fn process(&self) -> Option<usize> {
        match self {
            Self::Kill(process)
            | Self::Suspend(process)
            | Self::Line(process, ..)
            | Self::Commits(process)
            | Self::Clock(process, _) => Some(*process),
            Self::Crash(_) | Self::Outside(..) | Self::Upgrade(..) => None,
        }
    }

    /// How many messages it may cause to be sent again: those whose sender did not learn, or could not write down, that
    /// they were sent. `in_hand` is how many one worker has in hand.
    pub fn repeats(&self, in_hand: usize) -> usize {
        let works = |process: usize| PARTS[process] == "worker";
        match self {
            Self::Kill(process) | Self::Suspend(process) if works(*process) => in_hand,
            Self::Line(process, Engine::MariaDb, _) if works(*process) => in_hand,
            Self::Clock(..) | Self::Commits(_) => in_hand,
            Self::Crash(Engine::MariaDb) | Self::Outside(Service::Mail, _) => {
                PARTS.iter().filter(|command| **command == "worker").count() * in_hand
            }
            _ => 0,
        }
    }

    /// Which kind it is, for counting.
    pub fn kind(&self) -> String {
        let name = |process: &usize| PARTS[*process];
        match self {
            Self::Kill(process) => format!("SIGKILL {}", name(process)),
            Self::Suspend(process) => format!("SIGSTOP {}", name(process)),
            Self::Crash(engine) => format!("kill -9 {engine:?}"),
            Self::Line(process, engine, _) => format!("line {} to {engine:?}", name(process)),
            Self::Commits(_) => "commits lost".to_owned(),
            Self::Outside(service, _) => format!("line to {service:?}"),
            Self::Clock(..) => "clock step".to_owned(),
            Self::Upgrade(..) => "upgrade".to_owned(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |process: &usize| format!("{} {process}", PARTS[*process]);
        match self {
            Self::Kill(process) => write!(f, "SIGKILL {}", name(process)),
            Self::Suspend(process) => write!(f, "SIGSTOP {}", name(process)),
            Self::Crash(engine) => write!(f, "kill -9 {engine:?}"),
            Self::Line(process, engine, way) => write!(f, "{} to {engine:?} {way:?}", name(process)),
            Self::Commits(process) => write!(f, "commits of {} lost", name(process)),
            Self::Outside(service, way) => write!(f, "all to {service:?} {way:?}"),
            Self::Clock(process, step) => write!(f, "clock of {} {step:+} s", name(process)),
            Self::Upgrade(worker, api) => write!(f, "upgrade of {} and {}", name(worker), name(api)),
        }
    }
}

/// A fault with its time: when it begins in its round, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub begins: Duration,
    pub lasts: Duration,
    pub fault: Fault,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:?} for {:?}: {}", self.begins, self.lasts, self.fault)
    }
}
