//! Random lives of a lane, checked against books kept beside it.
//!
//! Pushes, hand-outs, verdicts of every kind, crashes, pauses and the passing of time come in any order. Whatever
//! happens, a hand-out is the head of a group that nobody else has, what is under suspicion comes as its standing says and
//! only one at a time, the counts add up, and in the end each job was removed or buried exactly once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::{Hand, JobId, Token, Verdict};

use super::lanes::GROUPED;
use super::standing::{Standing, Standings};
use super::world::{LAPSE, item, items};
use super::{Scale, World};

const GROUPS: u64 = 6;
const STEPS: usize = 250;

/// A source of numbers that is the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

/// A hand-out that is not settled yet.
struct InHand {
    token: Token,
    group: String,
    jobs: Vec<(JobId, u64)>,
    doomed: bool,
    suspect: bool,
}

#[derive(Default)]
struct Books {
    pushed: u64,
    queued: BTreeMap<String, VecDeque<u64>>,
    hands: Vec<InHand>,
    paused: BTreeSet<String>,
    removed: BTreeSet<u64>,
    buried: BTreeSet<u64>,
    standings: Standings,
}

pub async fn a_random_life_adds_up(mut world: World, _: Scale) {
    for seed in 1..=4u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut books = Books { pushed: seed * 1_000_000, ..Books::default() };
        let before = world.stats(&GROUPED).await.dead;
        for _ in 0..STEPS {
            live(&mut world, &mut books, &mut dice).await;
            let stats = world.stats(&GROUPED).await;
            let waiting: usize = books.queued.values().map(VecDeque::len).sum();
            let in_hand: usize = books.hands.iter().map(|hand| hand.jobs.len()).sum();
            assert_eq!(
                stats.waiting + stats.later + stats.in_flight,
                (waiting + in_hand) as u64,
                "seed {seed}"
            );
            assert_eq!(stats.dead - before, books.buried.len() as u64, "seed {seed}");
        }
        finish(&mut world, &mut books).await;
        let all: BTreeSet<u64> = (seed * 1_000_000..books.pushed).collect();
        let ended: BTreeSet<u64> = books.removed.union(&books.buried).copied().collect();
        assert_eq!(ended, all, "seed {seed}: each job ended");
        assert!(books.removed.is_disjoint(&books.buried), "seed {seed}: each ended once");
    }
}

async fn live(world: &mut World, books: &mut Books, dice: &mut Dice) {
    match dice.roll(20) {
        0..6 => push(world, books, dice).await,
        6..12 => {
            let hands = 1 + usize::try_from(dice.roll(3)).unwrap();
            claim(world, books, hands).await;
        }
        12..17 => settle(world, books, dice).await,
        17 => pass(world, books, Duration::from_secs(dice.roll(15))).await,
        18 => {
            let group = format!("group {}", dice.roll(GROUPS));
            if books.paused.remove(&group) {
                world.queue.resume(&GROUPED, Some(&group), "dice").await.unwrap();
            } else if books.paused.len() < 2 {
                world.queue.pause(&GROUPED, Some(&group), "dice").await.unwrap();
                books.paused.insert(group);
            }
        }
        _ => {
            if dice.roll(3) == 0 {
                world.crash().await;
                books.give_back();
            }
        }
    }
}

/// Time passes, and what is in hand is renewed as its worker would.
async fn pass(world: &World, books: &Books, time: Duration) {
    world.pass(time).await;
    let held = books.hands.iter().map(|hand| hand.token).collect();
    let lost = world.queue.broker().renew(&GROUPED, held).await.unwrap();
    assert_eq!(lost, [], "no lease lapsed");
}

async fn push(world: &World, books: &mut Books, dice: &mut Dice) {
    let mut jobs = Vec::new();
    for _ in 0..=dice.roll(12) {
        let group = format!("group {}", dice.roll(GROUPS));
        jobs.push(item(books.pushed).group(&group));
        books.queued.entry(group).or_default().push_back(books.pushed);
        books.pushed += 1;
    }
    world.queue.push(&GROUPED, jobs).await.unwrap();
}

async fn claim(world: &World, books: &mut Books, hands: usize) -> usize {
    let hands = world.claim(&GROUPED, hands).await.hands;
    for hand in &hands {
        books.take(hand);
    }
    hands.len()
}

async fn settle(world: &World, books: &mut Books, dice: &mut Dice) {
    if books.hands.is_empty() {
        return;
    }
    let place = usize::try_from(dice.roll(books.hands.len() as u64)).unwrap();
    let InHand { token, group, jobs, doomed, .. } = books.hands.swap_remove(place);
    let done = if doomed { 0 } else { dice.roll(jobs.len() as u64 + 1) };
    let mut verdicts = Vec::new();
    let mut back = Vec::new();
    for (place, (id, item)) in jobs.into_iter().enumerate() {
        let verdict = match (place as u64).cmp(&done) {
            std::cmp::Ordering::Less => Verdict::Remove,
            std::cmp::Ordering::Equal if doomed => [Verdict::Bury, Verdict::Snooze(Duration::from_secs(1))]
                [usize::try_from(dice.roll(2)).unwrap()]
            .clone(),
            std::cmp::Ordering::Equal => failure(dice),
            std::cmp::Ordering::Greater => Verdict::HandBack,
        };
        match verdict {
            Verdict::Remove => assert!(books.removed.insert(item), "{item} was removed twice"),
            Verdict::Bury => assert!(books.buried.insert(item), "{item} was buried twice"),
            _ => back.push(item),
        }
        books.standings.settle(item, &verdict);
        verdicts.push((id, verdict));
    }
    books.put_back(group, back);
    assert!(world.settle_each(&GROUPED, token, verdicts).await, "the lease held");
}

fn failure(dice: &mut Dice) -> Verdict {
    match dice.roll(5) {
        0 => Verdict::Retry { error: "no".into(), after: Duration::from_secs(dice.roll(10)) },
        1 => Verdict::Snooze(Duration::from_secs(dice.roll(10))),
        2 => Verdict::Isolate,
        3 => Verdict::Doom { error: "no".into(), attempted: true },
        _ => Verdict::HandBack,
    }
}

async fn finish(world: &mut World, books: &mut Books) {
    for group in std::mem::take(&mut books.paused) {
        world.queue.resume(&GROUPED, Some(&group), "dice").await.unwrap();
    }
    for _ in 0..2_000 {
        for InHand { token, jobs, doomed, .. } in std::mem::take(&mut books.hands) {
            let (verdict, ended) = match doomed {
                true => (Verdict::Bury, &mut books.buried),
                false => (Verdict::Remove, &mut books.removed),
            };
            let verdicts = jobs.iter().map(|(id, _)| (id.clone(), verdict.clone())).collect();
            assert!(jobs.iter().all(|(_, item)| ended.insert(*item)), "{jobs:?} ended twice");
            assert!(world.settle_each(&GROUPED, token, verdicts).await, "the lease held");
        }
        let stats = world.stats(&GROUPED).await;
        if stats.waiting + stats.later + stats.in_flight == 0 {
            return;
        }
        world.pass(LAPSE).await;
        claim(world, books, 16).await;
    }
    panic!("what is left is never handed out: {:?} {:?}", world.stats(&GROUPED).await, books.queued);
}

impl Books {
    /// Checks a hand-out and notes it.
    fn take(&mut self, hand: &Hand) {
        let group = hand.jobs[0].group.clone().unwrap();
        assert!(hand.jobs.iter().all(|job| job.group.as_ref() == Some(&group)), "of one group");
        assert!(!self.paused.contains(&group), "{group} is paused");
        assert!(self.hands.iter().all(|other| other.group != group), "{group} is in flight already");
        let given = items(hand);
        let queued = self.queued.get_mut(&group).unwrap();
        let head: Vec<u64> = queued.iter().take(GROUPED.batch).copied().collect();
        assert_eq!(given, head[..given.len()], "the head of {group}, in order");
        queued.drain(..given.len());
        self.standings.check(&given, &head);
        let suspect = self.standings.of(given[0]) != Standing::Clear;
        assert!(!suspect || self.hands.iter().all(|other| !other.suspect), "suspects come one at a time");
        let doomed = hand.jobs[0].doomed.is_some();
        assert_eq!(doomed, self.standings.is_doomed(given[0]));
        assert!(!doomed || given.len() == 1, "a doomed job comes alone");
        let jobs = hand.jobs.iter().map(|job| job.id.clone()).zip(given).collect();
        self.hands.push(InHand { token: hand.token, group, jobs, doomed, suspect });
    }

    /// The worker died: everything in hand is waiting again.
    fn give_back(&mut self) {
        for hand in std::mem::take(&mut self.hands) {
            let items: Vec<u64> = hand.jobs.into_iter().map(|(_, item)| item).collect();
            self.standings.crash(&items);
            self.put_back(hand.group, items);
        }
    }

    fn put_back(&mut self, group: String, items: Vec<u64>) {
        let queued = self.queued.entry(group).or_default();
        for item in items.into_iter().rev() {
            queued.push_front(item);
        }
    }
}
