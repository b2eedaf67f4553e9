//! Who may come in, and on what line: an account with a password and no rights beyond its database.

use fairy_jobs::ports::Upkeep as _;

use super::{On, stage::Stage};
use crate::{Database, Server};

super::on_servers! {
    an_account_needs_no_rights_but_those_on_its_database,
}

#[tokio::test]
async fn mysql_is_reached_by_tls() {
    let Some(stage) = Stage::on(On::MySql).await else { return };
    let server = Server { url: stage.server().url + "?ssl-mode=REQUIRED", ..stage.server() };
    let store = stage.open(server).await;
    let sql = "SHOW SESSION STATUS WHERE variable_name = 'Ssl_cipher'";
    let row = store.read().await.unwrap().row(sql, vec![]).await.unwrap().unwrap();
    let mut columns = row.columns();
    assert_eq!(columns.next::<String>().unwrap(), "Ssl_cipher");
    assert!(!columns.next::<String>().unwrap().is_empty(), "the line is bare");
}

async fn an_account_needs_no_rights_but_those_on_its_database(stage: &Stage) {
    let Database::Server(fresh) = stage.fresh().await else { panic!("not on a server") };
    let name = fresh.url.rsplit_once('/').unwrap().1.to_owned();
    for sql in [
        format!("CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY 'hunter2'"),
        format!("GRANT ALL ON {name}.* TO '{name}'@'127.0.0.1'"),
    ] {
        stage.store.write(|c| Box::pin(async move { c.run(&sql, vec![]).await })).await.unwrap();
    }
    // Bare, so that the password goes by the server's own cipher.
    let url = format!("mysql://{name}:hunter2@127.0.0.1:{}/{name}?ssl-mode=DISABLED", stage.port());
    let store = stage.open(Server::at(url)).await;
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    store.check().await.unwrap();
}
