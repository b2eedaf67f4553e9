//! Many groups, one of them with far too much to do.

use std::collections::HashMap;

use crate::Verdict;

use super::lanes::{BULK, GROUPED};
use super::world::item;
use super::{Scale, World};

pub async fn groups_take_turns(world: World, scale: Scale) {
    world.push_many(&GROUPED, Some("heavy"), scale.heavy).await;
    let names: Vec<String> = (1..scale.groups).map(|number| format!("light {number}")).collect();
    for part in names.chunks(1_000) {
        let jobs = part.iter().map(|name| item(0).group(name)).collect();
        world.queue.push(&GROUPED, jobs).await.unwrap();
    }
    let mut served: HashMap<String, usize> = HashMap::new();
    let mut hands = 0;
    while served.len() < scale.groups {
        let claimed = world.claim(&GROUPED, 16).await;
        assert!(!claimed.hands.is_empty(), "there is work until every group was served");
        for hand in claimed.hands {
            hands += 1;
            *served.entry(hand.jobs[0].group.clone().unwrap()).or_default() += 1;
            assert!(world.settle(&GROUPED, &hand, Verdict::Remove).await);
        }
    }
    let heavy = served["heavy"];
    assert!(heavy <= 2, "a tenant with too much to do took {heavy} turns of {hands} in one round");
    assert!(served.iter().all(|(name, turns)| name == "heavy" || *turns == 1));
}

pub async fn a_deep_lane_hands_out_what_is_there(world: World, _: Scale) {
    world.push_many(&BULK, None, 2_000).await;
    let mut taken = 0;
    while taken < 2_000 {
        let claimed = world.claim(&BULK, 8).await;
        let jobs: usize = claimed.hands.iter().map(|hand| hand.jobs.len()).sum();
        assert!(jobs > 0 && jobs <= 500, "a claim is bounded, this one had {jobs}");
        if taken + jobs < 2_000 {
            assert_eq!(claimed.again_in, Some(std::time::Duration::ZERO), "more is there at once");
        }
        taken += jobs;
        for hand in claimed.hands {
            assert!(world.settle(&BULK, &hand, Verdict::Remove).await);
        }
    }
    assert_eq!(taken, 2_000);
}
