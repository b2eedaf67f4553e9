//! What is SQLite's own: pragmas, migrations, groups of commits, and what its errors mean.

use std::{sync::Arc, time::Duration};

use fairy_jobs::{
    ports::{Accounts as _, PortError, PortResult, Upkeep as _},
    profile::ProfilePatch,
};
use futures::future::join_all;

use super::stage::Stage;
use crate::{
    MigrateError, OpenError, Options, Store,
    driver::{Connection, Row, args},
    health::{PRAGMAS, pragma},
    migration::SQLITE,
};

async fn pragmas(c: &mut Connection<'_>) -> PortResult<Vec<String>> {
    let mut values = Vec::new();
    for (name, _) in PRAGMAS {
        values.push(pragma(c, name).await?);
    }
    Ok(values)
}

#[tokio::test]
async fn every_connection_is_durable() {
    let stage = Stage::new().await;
    let wanted: Vec<String> = PRAGMAS.iter().map(|(_, value)| (*value).to_owned()).collect();
    assert_eq!(stage.store.write(|c| Box::pin(pragmas(c))).await.unwrap(), wanted);
    // All readers at once, so that each of them is asked; and none of them writes.
    let mut readers = join_all((0..4).map(|_| stage.store.read())).await;
    for reader in &mut readers {
        let reader = reader.as_mut().unwrap();
        assert_eq!(pragmas(reader).await.unwrap(), wanted);
        let written = reader.run("DELETE FROM users -- suite", vec![]).await;
        assert!(matches!(written, Err(PortError::Unavailable(_))), "{written:?}");
    }
}

#[tokio::test]
async fn the_files_are_the_binary_and_give_the_schema() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != "schema.sql");
    names.sort();
    assert_eq!(names, SQLITE.iter().map(|m| format!("{}.sql", m.name)).collect::<Vec<_>>());
    for migration in SQLITE {
        let statements = migration.sql.trim_end().matches(';').count();
        assert!(statements == 1 && migration.sql.trim_end().ends_with(';'), "{}: one DDL", migration.name);
    }
    let stage = Stage::new().await;
    let mut c = stage.store.read().await.unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name LIMIT 1000";
    let rows = c.rows(sql, vec![]).await.unwrap();
    let schema: Vec<String> = rows.iter().map(|row| row.only::<String>().unwrap() + ";\n").collect();
    let file = folder.join("schema.sql");
    if std::option_env!("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, schema.concat()).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(schema.concat(), committed, "build with UPDATE_SCHEMA=1 and look at the difference");
}

#[tokio::test]
async fn processes_that_start_at_once_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    let stage = Stage::new().await;
    let options = Options {
        path: directory.path().join("new.db"),
        clock: stage.clock.clone(),
        ids: stage.ids.clone(),
        sinks: Vec::new(),
    };
    let stores = join_all((0..4).map(|_| Store::open_sqlite(options.clone()))).await;
    let stores: Vec<Store> = stores.into_iter().map(Result::unwrap).collect();
    assert_eq!(stores[0].pending_migrations().await.unwrap().len(), SQLITE.len());
    let reports = join_all(stores.iter().map(Store::migrate)).await;
    let applied: Vec<usize> = reports.into_iter().map(|report| report.unwrap().applied.len()).collect();
    assert_eq!(applied.iter().filter(|count| **count == SQLITE.len()).count(), 1, "{applied:?}");
    assert_eq!(applied.iter().sum::<usize>(), SQLITE.len());
    assert_eq!(stores[0].pending_migrations().await.unwrap(), Vec::<&str>::new());
}

async fn run(store: &Store, sql: &'static str) {
    let done = store.write(move |c| Box::pin(async move { c.run(sql, vec![]).await })).await;
    assert_eq!(done.unwrap(), 1, "{sql}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_does_not_answer() {
    let stage = Stage::new().await;
    let (file, away) = (stage.directory.path().join("fairy.db"), stage.directory.path().join("away.db"));
    stage.store.ping().await.unwrap();
    std::fs::rename(&file, &away).unwrap();
    assert!(matches!(stage.store.ping().await, Err(PortError::Unavailable(_))));
    assert!(!file.exists(), "asking makes nothing");
    std::fs::write(&file, [7; 8192]).unwrap();
    assert!(stage.store.ping().await.is_err(), "a damaged file");
    std::fs::rename(&away, &file).unwrap();
    stage.store.ping().await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_left_alone() {
    let stage = Stage::new().await;
    run(&stage.store, "UPDATE schema_migrations SET fingerprint = 'x' WHERE name = '0002_sessions'").await;
    let changed = stage.store.migrate().await.unwrap_err();
    assert!(matches!(&changed, MigrateError::Changed(name) if name == "0002_sessions"), "{changed}");
    let stage = Stage::new().await;
    run(&stage.store, "INSERT INTO schema_migrations VALUES ('9999_later', 'x', 0)").await;
    let newer = stage.store.migrate().await.unwrap_err();
    assert!(matches!(&newer, MigrateError::Newer(name) if name == "9999_later"), "{newer}");
}

#[tokio::test]
async fn a_unit_that_fails_fails_alone() {
    let stage = Stage::new().await;
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

#[tokio::test]
async fn a_full_disk_is_away_and_loses_nothing() {
    let stage = Stage::new().await;
    let user = stage.person("Mina").await;
    // No page more than there are: what a full disk does, without one.
    let pages: i64 = stage
        .store
        .write(|c| {
            Box::pin(async move {
                let pages: i64 =
                    c.row("SELECT page_count FROM pragma_page_count", vec![]).await?.unwrap().only()?;
                c.run(&format!("PRAGMA max_page_count = {pages}"), vec![]).await?;
                Ok(pages)
            })
        })
        .await
        .unwrap();
    let fill = |n: u8| {
        let mut user =
            stage.user_named(fairy_jobs::id::UserId::from_bytes([n; 16]), "Long", "long@example.com");
        user.email = fairy_jobs::email::EmailAddress::parse(&format!("n{n}@example.com")).unwrap();
        let store = stage.store.clone();
        async move { store.create_user(&user, &"x".repeat(if n == 3 { 900_000 } else { 10 })).await }
    };
    let ends = join_all((1..9).map(fill)).await;
    let away = ends.iter().filter(|end| matches!(end, Err(PortError::Unavailable(_)))).count();
    assert!(away > 0, "{pages} {ends:?}");
    for (n, end) in (1..9).zip(&ends) {
        let held = stage.store.user(fairy_jobs::id::UserId::from_bytes([n; 16])).await.unwrap();
        assert_eq!(end.is_ok(), held.is_some(), "{n}: {end:?}");
    }
    assert_eq!(stage.store.user(user.id).await.unwrap(), Some(user));
    // The connection was opened anew after the transaction was lost, and has room again.
    fill(9).await.unwrap();
    stage.store.check().await.unwrap();
}

#[tokio::test]
async fn a_writer_beside_it_is_waited_for() {
    let stage = Stage::new().await;
    let other = stage.again(&[]).await;
    let (begun, holds) = tokio::sync::oneshot::channel();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let beside = other.clone();
    let held = tokio::spawn(async move {
        let work = beside.write(|c| {
            Box::pin(async move {
                c.run("DELETE FROM member_handles WHERE whole = 7 -- suite", vec![]).await?;
                begun.send(()).unwrap();
                released.await.unwrap();
                Ok(())
            })
        });
        work.await
    });
    holds.await.unwrap();
    // Who is not let in at all is told so at once.
    let mut waits = std::pin::pin!(stage.person("Mina"));
    let early = tokio::time::timeout(Duration::from_millis(200), waits.as_mut()).await;
    assert!(early.is_err(), "nobody writes while another does");
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    let person = waits.await;
    assert_eq!(other.user(person.id).await.unwrap(), Some(person));
}

#[tokio::test]
async fn after_closing_everything_is_away() {
    let stage = Stage::new().await;
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

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let stage = Stage::new().await;
    let open = async |path| {
        let ids = Arc::clone(&stage.ids);
        let options = Options { path, clock: stage.clock.clone(), ids, sinks: Vec::new() };
        Store::open_sqlite(options).await.err().unwrap()
    };
    let nowhere = open(stage.directory.path().join("no/such/directory.db")).await;
    assert!(matches!(nowhere, OpenError::Unreachable { .. }), "{nowhere}");
    let text = stage.directory.path().join("text.db");
    std::fs::write(&text, "this is no database, but long enough to look like one ".repeat(100)).unwrap();
    let damaged = open(text).await;
    assert!(matches!(damaged, OpenError::Damaged { .. }), "{damaged}");
    // A database of which a page was lost.
    let lost = stage.directory.path().join("lost.db");
    stage.store.backup_to(&lost).await.unwrap();
    let mut bytes = std::fs::read(&lost).unwrap();
    bytes[100..4096].fill(0xff);
    std::fs::write(&lost, bytes).unwrap();
    let damaged = open(lost).await;
    assert!(matches!(damaged, OpenError::Damaged { .. }), "{damaged}");
}

#[tokio::test]
async fn what_an_older_rule_allowed_is_read_as_it_is() {
    let stage = Stage::new().await;
    let mut person = stage.person("Mina").await;
    run(&stage.store, "UPDATE users SET name = 'Mina' || char(8206) -- suite").await;
    person.name = fairy_jobs::text::Name::stored("Mina\u{200E}".to_owned());
    assert_eq!(stage.store.user(person.id).await.unwrap(), Some(person));
}

#[tokio::test]
async fn rows_that_are_not_as_they_must_be_are_broken() {
    let stage = Stage::new().await;
    let person = stage.person("Mina").await;
    run(&stage.store, "UPDATE users SET locale = 'tlh' -- suite").await;
    let broken = stage.store.user(person.id).await;
    assert!(matches!(broken, Err(PortError::Broken(_))), "{broken:?}");
    let mut c = stage.store.read().await.unwrap();
    let row = c.row("SELECT COUNT(*) FROM users -- suite", vec![]).await.unwrap();
    assert_eq!(row.as_ref().map(Row::only::<i64>), Some(Ok(1)));
}
