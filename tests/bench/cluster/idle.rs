//! A waited create while nothing else happens, beside the two durable writes it consists of.

use std::time::{Duration, Instant};

use fairy_jobs::id::IdSource as _;
use sqlx::{Connection as _, mysql::MySqlConnection};

use super::{bare, stack::Stack};
use crate::{
    REST, Size, load,
    report::{Aim, Report, Times},
};

/// Measures it.
pub async fn measure(size: Size, report: &mut Report) {
    let stack = Stack::start().await;
    let team = stack.team(1).await;
    let mut worker = stack.worker().await;
    let push = Times::new(bare::single_push(&stack.redis.client(), size.samples, REST).await);
    report.latency("floor, idle: one `XADD`", &push);
    let transaction = transactions(&stack.database, size.samples).await;
    report.latency("floor, idle: one row in one transaction", &transaction);
    let waited = load::waited(&team, size.samples, REST).await;
    report.latency("idle: a waited create, `fairy api` and `fairy worker`", &waited);
    let back_to_back = load::waited(&team, size.samples, Duration::ZERO).await;
    report.latency("back to back: a waited create", &back_to_back);
    worker.stop().await;
    stack.stop().await;
    let bound = 1.3 * (push.p50_ms() + transaction.p50_ms()) + 2.0;
    report.aim(Aim::below("idle waited create, p50", waited.p50_ms(), bound, "ms"));
}

/// One row, each in a transaction of its own after a rest.
async fn transactions(database: &str, samples: usize) -> Times {
    let mut connection = MySqlConnection::connect(database).await.unwrap();
    let create =
        "CREATE TABLE floor (id BINARY(16) NOT NULL PRIMARY KEY, outcome MEDIUMTEXT) ENGINE = InnoDB";
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let ids = fairy::process::ids::OsIds::default();
    let mut times = Vec::new();
    for _ in 0..samples {
        tokio::time::sleep(REST).await;
        let mut id = [0; 16];
        ids.fill(&mut id);
        let begun = Instant::now();
        let mut transaction = connection.begin().await.unwrap();
        let insert = sqlx::query("INSERT INTO floor VALUES (?, ?)").bind(id.to_vec()).bind("x".repeat(1_000));
        insert.execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        times.push(begun.elapsed());
    }
    Times::new(times)
}
