//! What a server brings with it: transactions beside each other, locks that are held, lines that are cut.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fairy_jobs::{
    command::Command,
    id::{UserId, WorkspaceId},
    notice::Beginning,
    operation::Operation,
    ports::{
        Accounts as _, Deliveries as _, Feed as _, Ledger as _, PortError, PortResult, Tasks as _,
        Teams as _, Upkeep as _,
    },
    problem::ProblemKind,
    text::{Name, Slug},
};
use futures::future::join_all;
use tokio::{
    sync::{Barrier, Notify},
    time::Instant,
};

use super::{
    proxy::{Line, Proxy},
    stage::{Stage, Team, refusal},
};
use crate::{Database, OpenError, Server, Store, driver::Connection, feed};

super::on_servers! {
    every_session_is_set_up,
    two_appliers_apply_once,
    who_stops_in_a_transaction_holds_up_one_workspace_and_not_for_long,
    a_lock_that_is_held_for_too_long_is_busy,
    two_that_wait_for_each_other_both_get_done,
    a_commit_whose_answer_is_lost_is_looked_up,
    a_line_that_is_cut_is_away,
    who_is_overtaken_looks_again,
    a_delivery_is_begun_once,
    a_link_resets_one_password,
    lists_come_from_their_own_endpoint,
    what_cannot_be_reached_says_why_without_the_password,
}

impl Stage {
    pub fn server(&self) -> Server {
        match &self.database {
            Database::Server(server) => server.clone(),
            Database::File(_) => panic!("not on a server"),
        }
    }

    pub fn port(&self) -> u16 {
        let url = self.server().url;
        let (_, rest) = url.rsplit_once(':').unwrap();
        rest.split_once('/').unwrap().0.parse().unwrap()
    }

    pub async fn open(&self, server: Server) -> Store {
        Store::open(self.options(Database::Server(server), &fairy_jobs::lane::Sink::ALL)).await.unwrap()
    }

    /// A store whose line can be cut.
    async fn through(&self, proxy: &Proxy) -> Store {
        let mut server = self.server();
        server.url = server.url.replace(&format!(":{}/", self.port()), &format!(":{}/", proxy.port));
        // The proxy reads along.
        server.url.push_str("?ssl-mode=DISABLED");
        self.open(server).await
    }

    fn batch(&self, team: &Team) -> Vec<Operation> {
        let create = |_| self.operation(team, team.owner, Command::CreateTask(self.new_task(team, "Task")));
        (0..5).map(create).collect()
    }
}

async fn settings(c: &mut Connection<'_>) -> PortResult<Vec<String>> {
    let sql = "SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation', 'sql_mode',
        'time_zone', 'innodb_lock_wait_timeout', 'collation_connection', 'idle_transaction_timeout', 'wait_timeout')";
    let rows = c.rows(sql, vec![]).await?;
    let line = |row: &crate::driver::Row| {
        let mut columns = row.columns();
        Ok(format!("{}={}", columns.next::<String>()?, columns.next::<String>()?))
    };
    rows.iter().map(line).collect()
}

async fn every_session_is_set_up(stage: &Stage) {
    let writing = stage.store.write(|c| Box::pin(settings(c))).await.unwrap();
    let reading = settings(&mut stage.store.read().await.unwrap()).await.unwrap();
    for found in [&writing, &reading] {
        let has = |text: &str| found.iter().any(|line| line.contains(text));
        for wanted in [
            "READ-COMMITTED",
            "STRICT_ALL_TABLES",
            "ONLY_FULL_GROUP_BY",
            "time_zone=+00:00",
            "innodb_lock_wait_timeout=2",
            "collation_connection=utf8mb4_bin",
        ] {
            assert!(has(wanted), "{wanted} is not in {found:?}");
        }
        assert!(!has("PIPES_AS_CONCAT"), "{found:?}");
    }
    // Whoever idles is cut: in a transaction soon, outside it late.
    assert!(writing.contains(&"wait_timeout=5".to_owned()), "{writing:?}");
    assert!(reading.contains(&"wait_timeout=28800".to_owned()), "{reading:?}");
}

async fn two_appliers_apply_once(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let other = stage.again(&fairy_jobs::lane::Sink::ALL).await;
    for round in 0..10 {
        let batch = stage.batch(&team);
        let (ours, theirs) = tokio::join!(
            stage.store.apply(team.workspace, &batch, stage.now()),
            other.apply(team.workspace, &batch, stage.now())
        );
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        assert_eq!(ours.outcomes, theirs.outcomes, "{round}");
        assert!(ours.seq.is_some() != theirs.seq.is_some(), "{round}: one of them decided");
    }
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), Some(2 + 10 * 5));
}

/// Locks a workspace and stops, as a process does that is suspended.
fn stop_within(
    store: &Store,
    workspace: WorkspaceId,
) -> (Arc<Notify>, tokio::task::JoinHandle<PortResult<()>>) {
    let (held, store) = (Arc::new(Notify::new()), store.clone());
    let locked = held.clone();
    let holding = tokio::spawn(async move {
        let unit = store.write(move |c| {
            Box::pin(async move {
                feed::lock(c, workspace).await?;
                locked.notify_one();
                std::future::pending().await
            })
        });
        unit.await
    });
    (held, holding)
}

async fn who_stops_in_a_transaction_holds_up_one_workspace_and_not_for_long(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let (team, other) = (stage.team(&owner).await, stage.team(&owner).await);
    let suspended = stage.open(Server { lease: Duration::from_secs(3), ..stage.server() }).await;
    let (held, holding) = stop_within(&suspended, team.workspace);
    held.notified().await;
    let begun = Instant::now();
    let (theirs, others) = (stage.batch(&team), stage.batch(&other));
    let mut waiting = Box::pin(stage.store.apply(team.workspace, &theirs, stage.now()));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    for _ in 0..5 {
        stage.store.apply(other.workspace, &others, stage.now()).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "others waited {:?}", begun.elapsed());
    assert!(futures::poll!(waiting.as_mut()).is_pending(), "it did not wait");
    assert!(waiting.await.unwrap().seq.is_some());
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited {:?}", begun.elapsed());
    holding.abort();
}

async fn a_lock_that_is_held_for_too_long_is_busy(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let suspended = stage.open(Server { lease: Duration::from_secs(60), ..stage.server() }).await;
    let (held, holding) = stop_within(&suspended, team.workspace);
    held.notified().await;
    let batch = stage.batch(&team);
    let busy = stage.store.apply(team.workspace, &batch, stage.now()).await;
    assert!(matches!(busy, Err(PortError::Unavailable(_))), "{busy:?}");
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), Some(2));
    assert_eq!(stage.store.outcome(batch[0].id).await.unwrap(), None);
    holding.abort();
}

async fn two_that_wait_for_each_other_both_get_done(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let teams = [stage.team(&owner).await.workspace, stage.team(&owner).await.workspace];
    let (meeting, tries) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let crossing = |first: WorkspaceId, second: WorkspaceId| {
        let (meeting, tries) = (meeting.clone(), tries.clone());
        stage.store.write(move |c| {
            Box::pin(async move {
                feed::lock(c, first).await?;
                if tries.fetch_add(1, Ordering::SeqCst) < 2 {
                    meeting.wait().await;
                }
                feed::lock(c, second).await?;
                c.run("UPDATE workspaces SET created_at = created_at + 1 WHERE seq > 0 -- suite", vec![])
                    .await
            })
        })
    };
    let ends = tokio::join!(crossing(teams[0], teams[1]), crossing(teams[1], teams[0]));
    assert_eq!((ends.0.unwrap(), ends.1.unwrap()), (2, 2));
    assert_eq!(tries.load(Ordering::SeqCst), 3, "one of them was run again");
}

async fn a_commit_whose_answer_is_lost_is_looked_up(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let proxy = Proxy::to(stage.port()).await;
    let store = stage.through(&proxy).await;
    for (line, was_done) in [(Line::CutAfterCommit, true), (Line::CutBeforeCommit, false)] {
        let batch = stage.batch(&team);
        proxy.becomes(line);
        let lost = store.apply(team.workspace, &batch, stage.now()).await;
        assert!(matches!(lost, Err(PortError::Unknown(_))), "{line:?}: {lost:?}");
        proxy.becomes(Line::Whole);
        let held = stage.store.outcome(batch[0].id).await.unwrap();
        assert_eq!(held.is_some(), was_done, "{line:?}");
        let again = store.apply(team.workspace, &batch, stage.now()).await.unwrap();
        assert_eq!((again.outcomes.len(), again.seq.is_none()), (5, was_done), "{line:?}");
    }
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), Some(2 + 10));
}

async fn a_line_that_is_cut_is_away(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let proxy = Proxy::to(stage.port()).await;
    let store = stage.through(&proxy).await;
    store.ping().await.unwrap();
    let batch = stage.batch(&team);
    store.apply(team.workspace, &batch, stage.now()).await.unwrap();
    proxy.becomes(Line::Cut);
    let begun = Instant::now();
    let away = store.apply(team.workspace, &stage.batch(&team), stage.now()).await;
    assert!(matches!(away, Err(PortError::Unavailable(_))), "{away:?}");
    assert!(matches!(store.ping().await, Err(PortError::Unavailable(_))));
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?} to say so", begun.elapsed());
    proxy.becomes(Line::Whole);
    store.ping().await.unwrap();
    store.apply(team.workspace, &stage.batch(&team), stage.now()).await.unwrap();
}

async fn who_is_overtaken_looks_again(stage: &Stage) {
    let people = (0..6).map(|n| stage.user_named(UserId::from_bytes([n; 16]), "Mina", "mina@example.com"));
    let people: Vec<_> = people.collect();
    let ends = join_all(people.iter().map(|user| stage.store.create_user(user, "hash"))).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "{ends:?}");
    for end in ends.into_iter().filter(Result::is_err) {
        assert_eq!(refusal(end), ProblemKind::EmailTaken);
    }
    let owner = stage.person("Jae").await;
    let name = Name::parse("Team").unwrap();
    let slug = Slug::from_name(&name);
    let asks: Vec<_> = (1..4).map(|n| stage.ask(WorkspaceId::from_bytes([n; 16]), owner.id)).collect();
    let found = asks.iter().map(|ask| stage.store.create_workspace(ask, &name, &slug, false));
    let mut slugs: Vec<_> =
        join_all(found).await.into_iter().map(|made| made.unwrap().slug.as_str().to_owned()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 3, "{slugs:?}");
}

async fn a_delivery_is_begun_once(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let mut letters = Vec::new();
    for _ in 0..20 {
        let letter = stage.delivery();
        let link = fairy_jobs::id::LinkId::generate(&*stage.ids, stage.now());
        let times = (stage.now(), stage.now() + jiff::SignedDuration::from_hours(1));
        let purpose = fairy_jobs::ports::LinkPurpose::VerifyEmail;
        stage.store.send_link(&owner, purpose, (link, letter), times).await.unwrap();
        letters.push(letter);
    }
    let other = stage.again(&[]).await;
    let backwards: Vec<_> = letters.iter().rev().copied().collect();
    let lease = Duration::from_secs(60);
    let (ours, theirs, more) = tokio::join!(
        stage.store.begin(&letters, Beginning::Together, lease, stage.now()),
        other.begin(&backwards, Beginning::Together, lease, stage.now()),
        stage.store.begin(&letters, Beginning::Together, lease, stage.now())
    );
    let begun = [ours, theirs, more].into_iter().flat_map(|begun| begun.unwrap().deliveries);
    let mut begun: Vec<_> = begun.map(|delivery| delivery.id).collect();
    begun.sort_unstable();
    assert_eq!(begun, letters);
}

async fn a_link_resets_one_password(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let link = fairy_jobs::id::LinkId::generate(&*stage.ids, stage.now());
    let times = (stage.now(), stage.now() + jiff::SignedDuration::from_hours(1));
    let purpose = fairy_jobs::ports::LinkPurpose::ResetPassword;
    stage.store.send_link(&owner, purpose, (link, stage.delivery()), times).await.unwrap();
    let hashes = ["one", "two", "three", "four"];
    let ends = join_all(hashes.map(|hash| stage.store.reset_password(link, hash, stage.tell()))).await;
    let set: Vec<_> = hashes.iter().zip(&ends).filter(|(_, end)| end.is_ok()).collect();
    let held = stage.store.credentials_of(owner.id).await.unwrap().unwrap();
    assert_eq!(set.len(), 1, "{ends:?}");
    assert_eq!(held.password_hash, *set[0].0);
}

async fn lists_come_from_their_own_endpoint(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    // A replica that lags behind everything.
    let Database::Server(replica) = stage.beside(&[]).await.database else { panic!("on a server") };
    let store = stage.open(Server { reader_url: Some(replica.url), ..stage.server() }).await;
    assert_eq!(store.seq(team.workspace).await.unwrap(), None);
    let name = fairy_jobs::command::TaskName::Id(task.id);
    assert_eq!(store.task(team.workspace, &name).await.unwrap(), Some(task));
    let query = fairy_jobs::ports::TaskQuery {
        workspace: team.workspace,
        filter: fairy_jobs::ports::TaskFilter::default(),
        sort: fairy_jobs::ports::TaskSort::Newest,
        time_zone: fairy_jobs::account::TimeZone::utc(),
    };
    let page = fairy_jobs::page::PageRequest::default();
    assert_eq!(store.tasks(&query, page.clone()).await.unwrap().items, []);
    assert_eq!(stage.store.tasks(&query, page).await.unwrap().items.len(), 1);
}

async fn what_cannot_be_reached_says_why_without_the_password(stage: &Stage) {
    let (port, idle) = (stage.port(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let nobody = idle.local_addr().unwrap().port();
    drop(idle);
    let open = async |url: String| {
        let opened = Store::open(stage.options(Database::Server(Server::at(url)), &[])).await;
        opened.err().unwrap()
    };
    for (url, wanted) in [
        (format!("mysql://root:hunter2@127.0.0.1:{port}/mysql"), "Denied"),
        (format!("mysql://root:hunter2@127.0.0.1:{nobody}/fairy"), "Away"),
        (format!("mysql://root@127.0.0.1:{port}/nowhere"), "Denied"),
        (format!("mysql://root:hunter2@127.0.0.1:{port}"), "Url"),
        ("mysql://root:hunter2@:::/".to_owned(), "Url"),
    ] {
        let error = open(url.clone()).await;
        assert!(format!("{error:?}").starts_with(wanted), "{url}: {error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!matches!(error, OpenError::Damaged { .. }));
    }
}
