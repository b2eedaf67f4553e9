//! Bringing the schema up to date: by several processes at once, and again after one was killed on the way.

use std::time::Duration;

use futures::future::join_all;

use super::stage::Stage;
use crate::{MigrateError, Store, migration::ALL};

super::tests! {
    processes_that_start_at_once_migrate_once,
    a_schema_that_is_not_ours_is_left_alone,
    a_process_works_on_a_newer_schema_until_something_is_taken_away,
    who_is_killed_on_the_way_leaves_the_rest_to_the_next,
}

mod steps {
    use super::super::on_servers;
    use super::{Stage, a_step_is_taken_up_again_only_if_it_was_begun};

    on_servers! { a_step_is_taken_up_again_only_if_it_was_begun, }
}

async fn processes_that_start_at_once_migrate_once(stage: &Stage) {
    let options = stage.options(stage.fresh().await, &[fairy_jobs::lane::Sink::Notify]);
    let stores = join_all((0..4).map(|_| Store::open(options.clone()))).await;
    let stores: Vec<Store> = stores.into_iter().map(Result::unwrap).collect();
    assert_eq!(stores[0].pending_migrations().await.unwrap().len(), ALL.len());
    let reports = join_all(stores.iter().map(Store::migrate)).await;
    let applied: Vec<usize> = reports.into_iter().map(|report| report.unwrap().applied.len()).collect();
    assert_eq!(applied.iter().filter(|count| **count == ALL.len()).count(), 1, "{applied:?}");
    assert_eq!(applied.iter().sum::<usize>(), ALL.len());
    assert_eq!(stores[0].pending_migrations().await.unwrap(), Vec::<&str>::new());
}

async fn run(store: &Store, sql: &'static str) {
    store.write(move |c| Box::pin(async move { c.run(sql, vec![]).await })).await.unwrap();
}

async fn a_schema_that_is_not_ours_is_left_alone(stage: &Stage) {
    run(&stage.store, "UPDATE schema_migrations SET fingerprint = 'x' WHERE name = '0002_sessions'").await;
    let changed = stage.store.migrate().await.unwrap_err();
    assert!(matches!(&changed, MigrateError::Changed(name) if name == "0002_sessions"), "{changed}");
    let stage = stage.beside(&[]).await;
    run(&stage.store, "INSERT INTO schema_migrations VALUES ('9999_later', 'x', 0)").await;
    let newer = stage.store.migrate().await.unwrap_err();
    assert!(matches!(&newer, MigrateError::Newer(name) if name == "9999_later"), "{newer}");
}

/// Old and new processes run beside each other while one version replaces another.
async fn a_process_works_on_a_newer_schema_until_something_is_taken_away(stage: &Stage) {
    let missing = || stage.store.missing_migrations();
    assert_eq!(missing().await.unwrap(), Vec::<&str>::new());
    run(&stage.store, "INSERT INTO schema_migrations VALUES ('9998_later', 'x', 1)").await;
    assert_eq!(missing().await.unwrap(), Vec::<&str>::new());
    run(&stage.store, "DELETE FROM schema_migrations WHERE name = '0048_deliveries_by_subject'").await;
    assert_eq!(missing().await.unwrap(), ["0048_deliveries_by_subject"]);
    run(&stage.store, "INSERT INTO schema_migrations VALUES ('9999_drop_users_name', 'x', 1)").await;
    let newer = missing().await.unwrap_err();
    assert!(matches!(&newer, MigrateError::Newer(name) if name == "9999_drop_users_name"), "{newer}");
}

async fn who_is_killed_on_the_way_leaves_the_rest_to_the_next(stage: &Stage) {
    let options = stage.options(stage.fresh().await, &[]);
    let mut left = ALL.len();
    for milliseconds in [5, 10, 20, 40, 80] {
        let killed = Store::open(options.clone()).await.unwrap();
        drop(tokio::time::timeout(Duration::from_millis(milliseconds), killed.migrate()).await);
        let next = Store::open(options.clone()).await.unwrap();
        let now = next.pending_migrations().await.unwrap().len();
        assert!(now <= left, "{now} after {left}");
        left = now;
    }
    let last = Store::open(options.clone()).await.unwrap();
    last.migrate().await.unwrap();
    assert_eq!(last.pending_migrations().await.unwrap(), Vec::<&str>::new());
    last.check().await.unwrap();
}

async fn a_step_is_taken_up_again_only_if_it_was_begun(stage: &Stage) {
    let name = "0048_deliveries_by_subject";
    let begun = "UPDATE schema_migrations SET applied_at = 0 WHERE name = '0048_deliveries_by_subject'";
    // Killed after the index was made, and before.
    run(&stage.store, begun).await;
    assert_eq!(stage.store.pending_migrations().await.unwrap(), [name]);
    assert_eq!(stage.store.migrate().await.unwrap().applied, [name]);
    run(&stage.store, begun).await;
    run(&stage.store, "DROP INDEX deliveries_by_subject ON deliveries").await;
    assert_eq!(stage.store.migrate().await.unwrap().applied, [name]);
    run(&stage.store, "DROP INDEX deliveries_by_subject ON deliveries").await;
    run(&stage.store, "CREATE INDEX deliveries_by_subject ON deliveries (state)").await;
    // An index of that name that nobody here has begun is not ours.
    run(&stage.store, "DELETE FROM schema_migrations WHERE name = '0048_deliveries_by_subject'").await;
    let foreign = stage.store.migrate().await.unwrap_err();
    assert!(matches!(&foreign, MigrateError::Failed { name: failed, .. } if *failed == name), "{foreign}");
}
