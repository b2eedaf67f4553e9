//! One process's part in what goes on between processes, over one connection that is made again for ever.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairy_jobs::operation::ReplyTo;
use fairy_queue::redis::{AddressError, Ear, Line, Options};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    feed::{self, Crier},
    limiter::{PATIENCE, SharedLimiter},
    outcomes::{self, Outcomes},
};
use crate::embedded::{self, Signals};

/// How long what is left may take to be said at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Whether a process hears what others say, or only speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// It serves requests, which wait for outcomes and follow feeds.
    All,
    /// It only works.
    Nothing,
}

/// What a process is given.
pub struct Between {
    /// Outcomes, here and to others.
    pub outcomes: Outcomes,
    /// Wakes who follows a feed here, and everywhere else when something grows here.
    pub signals: Signals,
    /// Limits that count for all.
    pub limiter: Arc<SharedLimiter>,
    line: Line,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Between {
    /// Begins, under the name `options.instance`, which no other process and no other start of this one may have. The
    /// server need not be there yet.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn open(options: &Options, hears: Hears) -> Result<Self, AddressError> {
        let crier = Crier::default();
        let notes = crier.clone();
        let signals = Signals::telling(Arc::new(move |workspace, seq| notes.note(workspace, seq)));
        let here = embedded::Outcomes::default();
        let (name, channels) = match hears {
            Hears::All => {
                let own = format!("{}{}", outcomes::CHANNEL, options.instance);
                (Some(ReplyTo::named(&options.instance)), vec![own, feed::CHANNEL.to_owned()])
            }
            Hears::Nothing => (None, Vec::new()),
        };
        let ears = Arc::new(Ears { outcomes: here.clone(), signals: signals.clone() });
        let line = Line::open(options, &channels, ears)?;
        let (outcomes, waiting) = Outcomes::new(here, name);
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(outcomes::publish(line.clone(), waiting, stop.clone())),
            tokio::spawn(crier.cry(line.clone(), stop.clone())),
        ];
        let limiter = Arc::new(SharedLimiter::new(line.clone(), PATIENCE));
        Ok(Self { outcomes, signals, limiter, line, stop, tasks: Mutex::new(tasks) })
    }

    /// Says what is left and lets go of the server; called when nothing is applied any more.
    pub async fn close(&self) {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // Whatever keeps it, nobody relies on what it has to say.
            let _ = tokio::time::timeout(LAST_WORDS, task).await;
        }
        self.line.close();
    }
}

/// Tells messages apart by their channels.
struct Ears {
    outcomes: embedded::Outcomes,
    signals: Signals,
}

impl Ear for Ears {
    fn hear(&self, channel: &str, message: &[u8]) {
        if channel == feed::CHANNEL {
            feed::hear(&self.signals, message);
        } else if channel.starts_with(outcomes::CHANNEL) {
            outcomes::hear(&self.outcomes, message);
        }
    }

    fn listening(&self) {
        self.signals.missed();
    }
}
