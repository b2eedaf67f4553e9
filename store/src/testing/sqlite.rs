//! What is SQLite's own: pragmas, files that cannot be used, a full disk, and what its errors mean.

use std::{sync::Arc, time::Duration};

use fairy_jobs::ports::{Accounts as _, PortError, PortResult, Upkeep as _};
use futures::future::join_all;
use tokio::sync::Notify;

use super::stage::Stage;
use crate::{
    Database, OpenError, Store,
    driver::Connection,
    health::{PRAGMAS, pragma},
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
async fn the_files_give_the_schema() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
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
async fn a_file_that_cannot_be_read_does_not_answer() {
    let stage = Stage::new().await;
    let (file, away) = (stage.directory.path().join("fairy.db"), stage.directory.path().join("away.db"));
    stage.store.ping().await.unwrap();
    std::fs::rename(&file, &away).unwrap();
    assert!(matches!(stage.store.ping().await, Err(PortError::Unavailable(_))));
    assert!(!file.exists(), "asking makes nothing");
    std::fs::rename(&away, &file).unwrap();
    stage.store.ping().await.unwrap();
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
    let (holds, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begun, released, beside) = (holds.clone(), release.clone(), other.clone());
    let held = tokio::spawn(async move {
        let work = beside.write(move |c| {
            Box::pin(async move {
                c.run("DELETE FROM member_handles WHERE whole = 7 -- suite", vec![]).await?;
                begun.notify_one();
                released.notified().await;
                Ok(())
            })
        });
        work.await
    });
    holds.notified().await;
    // Who is not let in at all is told so at once.
    let mut waits = std::pin::pin!(stage.person("Mina"));
    let early = tokio::time::timeout(Duration::from_millis(200), waits.as_mut()).await;
    assert!(early.is_err(), "nobody writes while another does");
    release.notify_one();
    held.await.unwrap().unwrap();
    let person = waits.await;
    assert_eq!(other.user(person.id).await.unwrap(), Some(person));
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let stage = Stage::new().await;
    let open = async |path| Store::open(stage.options(Database::File(path), &[])).await.err().unwrap();
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
