//! Whatever is asked, in whatever order and batches, the invariants of design §4 hold.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod replay;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use fairy_jobs::{
    operation::{End, Operation, Outcome},
    state::State,
    task::{Percent, Status},
};
use proptest::prelude::*;

use crate::{replay::Replay, requests::World};

/// Runs the operations in batches of the given sizes, carrying the state on as a store would.
fn run(world: &World, operations: &[Operation], sizes: &[usize]) -> (State, Vec<Outcome>) {
    let mut state = world.state();
    let (mut outcomes, mut rest, mut sizes) = (Vec::new(), operations, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap_or(&1)).clamp(1, rest.len());
        let (batch, later) = rest.split_at(size);
        outcomes.extend(state.run(batch, world.later(outcomes.len())));
        rest = later;
    }
    (state, outcomes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn sequence_and_versions_are_gapless_and_changes_explained(
        operations in requests::operations(60), sizes in prop::collection::vec(1_usize..20, 1..8)
    ) {
        let world = World::new();
        let operations = world.operations(&operations);
        let (state, outcomes) = run(&world, &operations, &sizes);
        let changes = &state.written.changes;

        // seq counts on from where the feed stood, one by one.
        let seqs: Vec<u64> = changes.iter().map(|c| c.seq).collect();
        prop_assert_eq!(seqs, (1..=state.seq).collect::<Vec<_>>());

        // Each change is explained by exactly one applied operation, and operations follow one another in order.
        let applied: Vec<_> =
            outcomes.iter().filter(|o| matches!(o.end, End::Applied(_))).map(|o| o.id).collect();
        let mut explained: Vec<_> = changes.iter().map(|c| c.operation).collect();
        explained.dedup();
        prop_assert!(explained.iter().all(|o| o.is_some_and(|id| applied.contains(&id))));
        prop_assert_eq!(explained.len(), explained.iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(outcomes.len(), operations.len());

        // A task's version is the number of operations that changed it.
        for task in state.tasks.values().filter(|t| t.version > 0) {
            let explaining: BTreeSet<_> = changes
                .iter()
                .filter(|c| c.comment.is_none() && c.task.as_ref().is_some_and(|t| t.id == task.id))
                .map(|c| c.operation)
                .collect();
            prop_assert_eq!(task.version, explaining.len() as u64);
        }
    }

    #[test]
    fn done_is_full_is_completed_and_numbers_have_no_gaps(
        operations in requests::operations(60), sizes in prop::collection::vec(1_usize..20, 1..8)
    ) {
        let world = World::new();
        let (state, _) = run(&world, &world.operations(&operations), &sizes);
        for task in state.tasks.values() {
            let done = task.status == Status::Done;
            prop_assert_eq!(done, task.progress == Percent::FULL);
            prop_assert_eq!(done, task.completed_at.is_some());
            prop_assert_eq!(state.task_keys.get(&task.key), Some(&task.id));
        }
        let mut numbers: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for (key, _) in &state.written.task_keys {
            numbers.entry(&key.project).or_default().push(key.number);
        }
        for (project, given) in numbers {
            prop_assert_eq!(&given, &(1..=given.len() as u64).collect::<Vec<_>>());
            let last = state.projects.values().find(|p| p.key == *project).map(|p| p.last_number);
            prop_assert_eq!(last, given.last().copied());
        }
    }

    #[test]
    fn replaying_the_changes_gives_the_rows(
        operations in requests::operations(60), sizes in prop::collection::vec(1_usize..20, 1..8)
    ) {
        let world = World::new();
        let (state, _) = run(&world, &world.operations(&operations), &sizes);
        let replay = Replay::of(&state.written.changes);
        prop_assert_eq!(&replay.tasks, &state.tasks);
        prop_assert_eq!(&replay.comments, &state.comments);
    }

    #[test]
    fn batches_make_no_difference(
        operations in requests::operations(40), sizes in prop::collection::vec(1_usize..20, 1..8)
    ) {
        let world = World::new();
        let operations = world.operations(&operations);
        let at = world.later(0);
        let mut one_by_one = world.state();
        let singly: Vec<_> =
            operations.iter().flat_map(|o| one_by_one.run(std::slice::from_ref(o), at)).collect();
        let mut batched = world.state();
        let mut together = Vec::new();
        for batch in operations.chunks(*sizes.first().unwrap_or(&7)) {
            together.extend(batched.run(batch, at));
        }
        prop_assert_eq!(singly, together);
        prop_assert_eq!(one_by_one.written, batched.written);
    }

    #[test]
    fn nobody_hears_of_what_they_did_and_each_person_once(operations in requests::operations(60)) {
        let world = World::new();
        let (state, _) = run(&world, &world.operations(&operations), &[7]);
        for change in &state.written.changes {
            let told: BTreeSet<_> = change.audience.iter().map(|c| c.user).collect();
            prop_assert_eq!(told.len(), change.audience.len());
            prop_assert!(!told.contains(&change.actor));
        }
    }

    #[test]
    fn an_operation_reads_the_same_after_the_lane(operations in requests::operations(20)) {
        for operation in World::new().operations(&operations) {
            let text = serde_json::to_string(&operation).expect("operations have a JSON form");
            prop_assert_eq!(serde_json::from_str::<Operation>(&text).expect("which reads back"), operation);
        }
    }
}
