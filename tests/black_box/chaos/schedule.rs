//! The schedule: rounds of faults, drawn from a seed and from nothing else.
//!
//! Kinds are dealt from a shuffled deck, so that a short schedule has each of them and a long one each as often. The faults of a
//! round may overlap; after a round the system has time to become ready again.

use std::{ops::Range, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _, seq::SliceRandom as _};

use super::fault::{Engine, Fault, Planned, Service};
use crate::harness::Way;

/// Faults that may be at once.
pub type Round = Vec<Planned>;

const APIS: Range<usize> = 0..2;
const WORKERS: Range<usize> = 2..5;
/// Longer than the lease of an operation (5 s), and longer than that of any other job (15 s); in ms.
const STILL: Range<u64> = 5_200..7_000;
const STILLER: Range<u64> = 15_500..17_000;

#[derive(Clone, Copy)]
enum Kind {
    KillApi,
    KillWorker,
    SuspendApi,
    SuspendWorker,
    Crash(Engine),
    Line(Engine),
    Commits,
    Outside(Service),
    Clock,
    Upgrade,
}

/// One of each kind.
const DECK: [Kind; 14] = [
    Kind::KillApi,
    Kind::KillWorker,
    Kind::SuspendApi,
    Kind::SuspendWorker,
    Kind::Crash(Engine::Redis),
    Kind::Crash(Engine::MariaDb),
    Kind::Line(Engine::Redis),
    Kind::Line(Engine::MariaDb),
    Kind::Commits,
    Kind::Outside(Service::DynamoDb),
    Kind::Outside(Service::EventBridge),
    Kind::Outside(Service::Mail),
    Kind::Clock,
    Kind::Upgrade,
];

/// So many times all kinds, in rounds.
pub fn draw(seed: u64, decks: usize) -> Vec<Round> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut rounds: Vec<Round> = Vec::new();
    let mut room = 0;
    for _ in 0..decks {
        let mut deck = DECK;
        deck.shuffle(&mut random);
        for kind in deck {
            let planned = plan(kind, &mut random);
            let fits = |round: &Round| !round.iter().any(|other| other.fault.excludes(&planned.fault));
            match rounds.last_mut().filter(|round| room > 0 && fits(round)) {
                Some(round) => round.push(planned),
                None => {
                    rounds.push(vec![planned]);
                    room = random.random_range(1..4);
                }
            }
            room -= 1;
        }
    }
    rounds
}

fn plan(kind: Kind, random: &mut StdRng) -> Planned {
    let still = if random.random_ratio(1, 3) { STILLER } else { STILL };
    let (fault, lasts) = match kind {
        Kind::KillApi => (Fault::Kill(random.random_range(APIS)), 100..3_000),
        Kind::KillWorker => (Fault::Kill(random.random_range(WORKERS)), 100..3_000),
        Kind::SuspendApi => (Fault::Suspend(random.random_range(APIS)), STILL),
        Kind::SuspendWorker => (Fault::Suspend(random.random_range(WORKERS)), still),
        Kind::Crash(engine) => (Fault::Crash(engine), 200..4_000),
        Kind::Line(engine) => {
            (Fault::Line(random.random_range(0..WORKERS.end), engine, way(random)), 1_000..8_000)
        }
        Kind::Commits => (Fault::Commits(random.random_range(WORKERS)), 1_000..4_000),
        Kind::Outside(service) => (Fault::Outside(service, refusal(service, random)), 2_000..6_000),
        Kind::Clock => (Fault::Clock(random.random_range(WORKERS), step(random)), 3_000..8_000),
        Kind::Upgrade => {
            (Fault::Upgrade(random.random_range(WORKERS), random.random_range(APIS)), 4_000..7_000)
        }
    };
    let ms = |range: Range<u64>, random: &mut StdRng| Duration::from_millis(random.random_range(range));
    Planned { begins: ms(0..1_500, random), lasts: ms(lasts, random), fault }
}

/// What becomes of a line to a server.
fn way(random: &mut StdRng) -> Way {
    let slow = Way::Slow(Duration::from_millis(random.random_range(20..400)));
    *[Way::Cut, slow, Way::HalfOpen, Way::Deaf].choose(random).expect("there are four")
}

/// What becomes of the line to a service.
fn refusal(service: Service, random: &mut StdRng) -> Way {
    let says = match service {
        Service::Mail => Way::Greets("421 4.3.2 come again later\r\n"),
        _ => {
            Way::Answers("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
    };
    *[way(random), says].choose(random).expect("there are two")
}

/// By how many seconds a clock is set.
fn step(random: &mut StdRng) -> i64 {
    let far = random.random_range(1..91);
    if random.random_ratio(1, 2) { far } else { -far }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_schedule_in_which_nothing_excludes_its_neighbour() {
        for seed in 0..50 {
            let rounds = draw(seed, 5);
            assert_eq!(rounds, draw(seed, 5));
            assert_eq!(rounds.iter().map(Vec::len).sum::<usize>(), 70);
            for round in &rounds {
                for (at, one) in round.iter().enumerate() {
                    assert!(!round[..at].iter().any(|other| other.fault.excludes(&one.fault)), "{round:?}");
                }
            }
        }
        assert_ne!(draw(1, 5), draw(2, 5));
    }
}
