//! Units of work, and what becomes of them when they fail.

use fairy_jobs::{
    ports::{Accounts as _, PortError, Upkeep as _},
    profile::ProfilePatch,
};
use futures::future::join_all;

use super::stage::Stage;
use crate::driver::{Row, args};

super::tests! {
    a_unit_that_fails_fails_alone,
    after_closing_everything_is_away,
    rows_that_are_not_as_they_must_be_are_broken,
    what_an_older_rule_allowed_is_read_as_it_is,
    what_people_wrote_is_in_no_error,
}

async fn a_unit_that_fails_fails_alone(stage: &Stage) {
    let insert = |n: u8| {
        stage.store.write(move |c| {
            Box::pin(async move {
                let sql = "INSERT INTO member_handles (workspace, handle, user, whole) VALUES (?, ?, ?, ?)";
                c.run(sql, args![[0; 16], i64::from(n), [n; 16], true]).await?;
                match n % 4 {
                    1 => Err(PortError::Broken("of its own".to_owned())),
                    2 => c.run("INSERT INTO users (id) VALUES (1)", vec![]).await,
                    3 => panic!("a defect"),
                    _ => Ok(1),
                }
            })
        })
    };
    let ends = join_all((0..40).map(insert)).await;
    for (n, end) in ends.iter().enumerate() {
        assert_eq!(end.is_ok(), n % 4 == 0, "{n}: {end:?}");
        assert!(matches!(end, Ok(1) | Err(PortError::Broken(_))), "{n}: {end:?}");
    }
    let mut c = stage.store.read().await.unwrap();
    let rows = c.rows("SELECT handle FROM member_handles LIMIT 100 -- suite", vec![]).await.unwrap();
    let mut kept: Vec<u8> = rows.iter().map(|row| row.only::<String>().unwrap().parse().unwrap()).collect();
    kept.sort_unstable();
    assert_eq!(kept, (0..40).filter(|n| n % 4 == 0).collect::<Vec<_>>());
}

async fn after_closing_everything_is_away(stage: &Stage) {
    let person = stage.person("Mina").await;
    let clone = stage.store.clone();
    let patch = ProfilePatch::default();
    let write = || clone.change_profile(person.id, &patch);
    let ((), written) = tokio::join!(stage.store.clone().close(), write());
    assert!(matches!(written, Ok(_) | Err(PortError::Unavailable(_))), "{written:?}");
    assert!(matches!(write().await, Err(PortError::Unavailable(_))));
    assert!(matches!(clone.ping().await, Err(PortError::Unavailable(_))));
    clone.close().await;
}

async fn rows_that_are_not_as_they_must_be_are_broken(stage: &Stage) {
    let person = stage.person("Mina").await;
    let sql = "UPDATE users SET locale = 'tlh' -- suite";
    stage.store.write(move |c| Box::pin(async move { c.run(sql, vec![]).await })).await.unwrap();
    let broken = stage.store.user(person.id).await;
    assert!(matches!(broken, Err(PortError::Broken(_))), "{broken:?}");
    let mut c = stage.store.read().await.unwrap();
    let row = c.row("SELECT COUNT(*) FROM users -- suite", vec![]).await.unwrap();
    assert_eq!(row.as_ref().map(Row::only::<i64>), Some(Ok(1)));
}

async fn what_an_older_rule_allowed_is_read_as_it_is(stage: &Stage) {
    let mut person = stage.person("Mina").await;
    let name = "Mina\u{200E}";
    let sql = "UPDATE users SET name = ? -- suite";
    stage.store.write(move |c| Box::pin(async move { c.run(sql, args![name]).await })).await.unwrap();
    person.name = fairy_jobs::text::Name::stored(name.to_owned());
    assert_eq!(stage.store.user(person.id).await.unwrap(), Some(person));
}

async fn what_people_wrote_is_in_no_error(stage: &Stage) {
    let person = stage.person("Mina").await;
    let twice = stage.store.write(|c| {
        Box::pin(async move {
            let sql = "INSERT INTO users (id, email, email_verified, name, time_zone, locale, digest, password_hash, created_at)
                SELECT ?, email, 0, name, time_zone, locale, digest, password_hash, 0 FROM users -- suite";
            c.run(sql, args![[9; 16]]).await
        })
    });
    let broken = twice.await.unwrap_err();
    assert!(matches!(broken, PortError::Broken(_)), "{broken:?}");
    assert!(!broken.to_string().contains(person.email.as_str()), "{broken}");
    assert!(broken.to_string().contains("email"), "it says which key: {broken}");
}
