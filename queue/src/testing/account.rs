//! The account: what was pushed stands there until somebody vouches for it, whatever becomes of the job.

use crate::{Hold, JobId, NewJob, Owed, OwedPage, Verdict, Which};

use super::lanes::{GROUPED, PLAIN, SINGLE};
use super::world::item;
use super::{Scale, World};

fn owing(key: &str) -> NewJob {
    item(0).unique(key, Hold::UntilAcknowledged).accountable()
}

async fn account(world: &World) -> OwedPage {
    world.queue.owed(&SINGLE, None, 500).await.unwrap()
}

fn keys(page: &OwedPage) -> Vec<&str> {
    page.gone.iter().map(|owed| owed.key.as_str()).collect()
}

pub async fn a_job_is_owed_until_somebody_vouches_for_it(world: World, _: Scale) {
    let settle = async |verdict| assert!(world.settle(&SINGLE, &world.take(&SINGLE).await, verdict).await);
    assert_eq!((account(&world).await.held, account(&world).await.gone.len()), (0, 0), "never used");
    world.push(&SINGLE, owing("done")).await;
    world.push(&SINGLE, item(1).unique("unasked", Hold::UntilAcknowledged)).await;
    world.push(&SINGLE, item(2).accountable()).await;
    world.push(&SINGLE, owing("dead")).await;
    world.push(&PLAIN, owing("elsewhere")).await;
    let repeat = world.queue.push(&SINGLE, vec![owing("done")]).await.unwrap();
    assert!(repeat[0].existing.is_some());
    assert_eq!((account(&world).await.held, account(&world).await.gone.len()), (2, 0), "they wait");
    for _ in 0..3 {
        settle(Verdict::Remove).await;
    }
    let page = account(&world).await;
    assert_eq!(
        (keys(&page), page.held, page.next.clone()),
        (vec!["done"], 1, None),
        "done is not vouched for"
    );
    settle(Verdict::Doom { error: "no".into(), attempted: true }).await;
    settle(Verdict::Bury).await;
    assert_eq!(
        (keys(&account(&world).await), account(&world).await.held),
        (vec!["done"], 1),
        "a dead letter is there"
    );

    // The key is another job's by now: who vouches for the first does not vouch for that.
    world.push(&SINGLE, owing("done")).await;
    world.queue.acquit(&SINGLE, page.gone.clone()).await.unwrap();
    world.queue.acquit(&SINGLE, page.gone).await.unwrap();
    assert_eq!((keys(&account(&world).await), account(&world).await.held), (vec![], 2));
    settle(Verdict::Remove).await;
    let again = account(&world).await;
    assert_eq!(keys(&again), ["done"]);
    world.queue.acquit(&SINGLE, again.gone).await.unwrap();
    assert_eq!((keys(&account(&world).await), account(&world).await.held), (vec![], 1));
}

pub async fn an_operator_ends_what_is_owed(world: World, _: Scale) {
    let settle = async |verdict| assert!(world.settle(&SINGLE, &world.take(&SINGLE).await, verdict).await);
    let discard =
        async |ids: Vec<JobId>| world.queue.discard_dead(&SINGLE, Which::Ids(ids), "ada").await.unwrap();
    let gone = world.push(&SINGLE, owing("gone")).await;
    settle(Verdict::Remove).await;
    let dead = world.push(&SINGLE, owing("dead")).await;
    settle(Verdict::Doom { error: "no".into(), attempted: true }).await;
    settle(Verdict::Bury).await;
    let waiting = world.push(&SINGLE, owing("waiting")).await;
    assert_eq!((keys(&account(&world).await), account(&world).await.held), (vec!["gone"], 2));
    assert_eq!(discard(vec![waiting.clone()]).await, [], "what waits is not for operators to end");
    assert_eq!(discard(vec![gone.clone()]).await, std::slice::from_ref(&gone));
    assert_eq!(discard(vec![dead.clone(), gone]).await, [dead], "the letter goes with what it owed, once");
    let page = account(&world).await;
    assert_eq!((keys(&page), page.held), (vec![], 1));
    let stats = world.stats(&SINGLE).await;
    assert_eq!((stats.dead, stats.waiting), (0, 1));
    assert_eq!(world.queue.audit(1).await.unwrap()[0].action, "discard_dead");
}

pub async fn an_account_is_read_in_parts(world: World, _: Scale) {
    let count = 1_200;
    let jobs = |from: usize, to: usize| {
        (from..to).map(|n| owing(&format!("k{n:05}")).group(format!("g{}", n % 3))).collect::<Vec<_>>()
    };
    for from in (0..count).step_by(500) {
        world.queue.push(&GROUPED, jobs(from, (from + 500).min(count))).await.unwrap();
    }
    let first = world.take(&GROUPED).await;
    assert!(world.settle(&GROUPED, &first, Verdict::Remove).await);
    let (mut held, mut gone, mut after) = (0, Vec::<Owed>::new(), None);
    loop {
        let page = world.queue.owed(&GROUPED, after, 7).await.unwrap();
        assert!(page.held + page.gone.len() as u64 <= 7);
        held += page.held;
        gone.extend(page.gone);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((held, gone.len()), ((count - first.jobs.len()) as u64, first.jobs.len()));
    let ids: Vec<&JobId> = gone.iter().map(|owed| &owed.job).collect();
    assert_eq!(ids, first.jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), "in the order of the pushes");
}
