//! The rules of suspicion, written down a second time: what a job is to be handed out with, and as what.

use std::collections::HashMap;

use crate::Verdict;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Under no suspicion.
    #[default]
    Clear,
    /// In hand with these when their worker died.
    Cohort(u64),
    /// To be heard alone, where its worker died so often already.
    Suspect(u32),
}

/// How the jobs of a lane stand, by their payloads.
#[derive(Debug, Default)]
pub struct Standings {
    jobs: HashMap<u64, (Standing, bool)>,
    cohorts: u64,
}

impl Standings {
    /// How a job stands.
    pub fn of(&self, item: u64) -> Standing {
        self.jobs.get(&item).copied().unwrap_or_default().0
    }

    /// Whether a job is to be buried.
    pub fn is_doomed(&self, item: u64) -> bool {
        self.jobs.get(&item).is_some_and(|(_, doomed)| *doomed)
    }

    /// Checks a hand-out against what is at the head of its group, at most a batch.
    pub fn check(&self, given: &[u64], head: &[u64]) {
        let first = self.of(given[0]);
        let run = head.iter().take_while(|item| self.of(**item) == first).count();
        match first {
            Standing::Clear => assert!(given.len() <= run, "{given:?} reaches into suspects"),
            Standing::Cohort(_) => assert_eq!(given.len(), run, "{given:?} is a cohort"),
            Standing::Suspect(_) => assert_eq!(given.len(), 1, "{given:?} is a suspect"),
        }
    }

    /// A worker died with these in hand.
    pub fn crash(&mut self, items: &[u64]) {
        let first = self.of(items[0]);
        let next = match first {
            Standing::Clear if items.len() > 1 => {
                self.cohorts += 1;
                Standing::Cohort(self.cohorts)
            }
            Standing::Clear => Standing::Suspect(0),
            Standing::Cohort(_) if items.len() > 1 => Standing::Suspect(0),
            Standing::Cohort(_) => Standing::Suspect(1),
            Standing::Suspect(crashes) => Standing::Suspect(crashes + 1),
        };
        for item in items {
            let job = self.jobs.entry(*item).or_default();
            *job = if next == Standing::Suspect(3) && !job.1 {
                (Standing::Suspect(0), true)
            } else {
                (next, job.1)
            };
        }
    }

    /// A job was answered for.
    pub fn settle(&mut self, item: u64, verdict: &Verdict) {
        let job = self.jobs.entry(item).or_default();
        match (verdict, job.0) {
            (Verdict::HandBack, _) | (Verdict::Isolate, Standing::Suspect(_)) => {}
            (Verdict::Isolate, _) => job.0 = Standing::Suspect(0),
            _ => job.0 = Standing::Clear,
        }
        job.1 |= matches!(verdict, Verdict::Doom { .. });
    }
}
