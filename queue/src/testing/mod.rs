//! The conformance suite: what every broker must do, whatever it stores in.
//!
//! [`exercise`] runs each scenario on a fresh store. Scenarios speak to the store only through [`crate::Queue`], the
//! broker port and apalis workers; they wait for conditions and move the broker's clock, and never sleep. A crash is
//! played by cutting a handle off from its store (nothing it does arrives any more) and opening the store again.

mod account;
mod books;
mod crash;
mod cut;
mod dead;
mod faults;
mod grouped;
mod keys;
mod lanes;
mod operators;
mod plain;
mod probe;
mod standing;
mod stop;
mod suspects;
mod time;
mod turns;
mod world;

pub use cut::{Cut, Fault};
pub use probe::{Probe, Running, Seen, start, until};
pub use world::{Scale, Store, World};

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use futures::future::LocalBoxFuture;

type Scenario = fn(World, Scale) -> LocalBoxFuture<'static, ()>;

macro_rules! scenarios {
    ($($module:ident: $($name:ident),+;)+) => {
        /// Every scenario, by name.
        pub const SCENARIOS: &[(&str, Scenario)] = &[
            $($((
                concat!(stringify!($module), "::", stringify!($name)),
                |world, scale| Box::pin($module::$name(world, scale)),
            ),)+)+
        ];
    };
}

scenarios! {
    plain: a_batch_is_handed_out_in_order, every_job_is_done_once, a_misfit_is_refused, a_push_wakes_an_idle_worker,
        who_stands_by_and_gives_up_keeps_nothing;
    grouped: a_group_keeps_its_order, a_group_has_one_batch_in_flight, a_failure_blocks_its_group,
        a_full_group_refuses_the_whole_push, hand_back_keeps_the_place;
    turns: groups_take_turns, a_deep_lane_hands_out_what_is_there;
    keys: a_key_is_held_until_acknowledged, a_key_is_held_for_its_lifetime, a_job_is_found_wherever_it_is,
        a_key_held_for_another_use_refuses_the_whole_push;
    time: a_later_job_waits, a_retry_follows_the_schedule, jitter_spreads_retries, retry_after_is_honoured,
        a_snooze_costs_no_attempt, many_jobs_due_at_once, a_newer_payload_is_left_to_others;
    crash: a_crashed_workers_jobs_are_taken_over, a_lost_lease_cannot_settle, a_long_job_keeps_its_lease,
        a_crash_costs_only_the_guilty, a_crash_costs_only_the_guilty_of_a_group,
        a_hand_back_costs_nothing, a_panic_costs_only_the_guilty;
    suspects: a_cohort_comes_together_and_alone, a_cohort_that_crashes_is_taken_apart, a_hand_back_keeps_a_cohort,
        an_answer_clears_a_cohort, a_cohort_of_one_is_a_suspect, a_claim_with_a_cohort_is_bounded,
        recovery_costs_what_was_in_hand;
    dead: an_undecodable_payload_is_buried, attempts_run_out, burial_comes_first_and_blocks_the_group,
        a_burial_that_kills_its_worker_is_given_up, letters_are_listed_retried_and_discarded;
    faults: a_worker_outlives_faults_of_its_store, a_worker_that_panics_is_started_again,
        a_payload_that_panics_the_decoder_is_buried;
    account: a_job_is_owed_until_somebody_vouches_for_it, an_operator_ends_what_is_owed, an_account_is_read_in_parts;
    books: a_random_life_adds_up;
    operators: a_paused_lane_hands_out_nothing, a_paused_group_lets_others_pass, a_lane_is_counted,
        the_oldest_job_held_is_known_in_every_state;
    stop: what_runs_finishes_and_the_rest_goes_back, what_does_not_finish_is_broken_off;
}

/// Runs every scenario, each on a store that `fresh` makes.
///
/// # Panics
/// When the broker breaks a promise.
pub async fn exercise(fresh: impl AsyncFn() -> Box<dyn Store>, scale: Scale) {
    for (name, scenario) in SCENARIOS {
        run(name, *scenario, fresh().await, scale).await;
    }
}

/// Runs one scenario.
///
/// # Panics
/// When the broker breaks a promise.
pub async fn run(name: &str, scenario: Scenario, store: Box<dyn Store>, scale: Scale) {
    let world = World::new(store).await;
    if let Err(panic) = AssertUnwindSafe(scenario(world, scale)).catch_unwind().await {
        tracing::error!(scenario = name, "a promise is broken");
        eprintln!("the scenario {name} failed");
        resume_unwind(panic);
    }
}
