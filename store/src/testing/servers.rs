//! Servers of MariaDB and MySQL of our own: one of each for the whole run, on a free port. For tests they keep what they keep
//! in memory and flush nothing; a benchmark's is on the disk of its working directory and flushes every commit.
//!
//! A test process has no end at which it could stop what it started, and may be killed. So each server has a keeper, a
//! shell that waits for the other end of its standard input to close, and then kills the server by its pid and removes
//! what it wrote. MariaDB must be there (`scripts/parts-of-test` installs it); MySQL is skipped with a loud line where it
//! cannot be had.

use std::{
    ffi::OsString,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, mysql::MySqlConnection};
use tokio::sync::OnceCell;

/// What the suite runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Sqlite,
    MariaDb,
    MySql,
}

/// Starts a server and waits.
const KEEPER: &str = r#"
set -eu
both=(--no-defaults "--user=$(id -un)" "--datadir=$DIRECTORY/data" "--socket=$DIRECTORY/socket"
    "--pid-file=$DIRECTORY/pid" "--tmpdir=$DIRECTORY" "--port=$PORT" --bind-address=127.0.0.1 --skip-log-bin --max-connections=500
    --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=256M)
if [[ "$IN_MEMORY" == true ]]; then
    both+=(--innodb-flush-method=nosync --innodb-doublewrite=0 --innodb-file-per-table=0)
fi
mkdir "$DIRECTORY/data"
if [[ -n "${MARIADB:-}" ]]; then
    mariadb-install-db --no-defaults "--user=$(id -un)" "--datadir=$DIRECTORY/data" \
        --auth-root-authentication-method=normal --skip-test-db
    "$MARIADB" "${both[@]}" --performance-schema=OFF &
else
    own=("$MYSQL/lib64/ld-linux-x86-64.so.2" --library-path
        "$MYSQL/usr/lib/x86_64-linux-gnu:$MYSQL/usr/lib/mysql/private" "$MYSQL/usr/sbin/mysqld")
    with=("${both[@]}" --secure-file-priv=NULL "--lc-messages-dir=$MYSQL/usr/share/mysql"
        "--character-sets-dir=$MYSQL/usr/share/mysql/charsets" "--plugin-dir=$MYSQL/usr/lib/mysql/plugin")
    "${own[@]}" "${with[@]}" --initialize-insecure
    "${own[@]}" "${with[@]}" --mysqlx=OFF --performance-schema=OFF &
fi
server=$!
trap 'kill -9 "$server"; rm -rf "$DIRECTORY"' EXIT
cat >/dev/null
"#;

struct Server {
    port: u16,
    /// Its end is the end of the server.
    _keeper: Child,
}

static MARIADB: OnceCell<Option<Server>> = OnceCell::const_new();
static MYSQL: OnceCell<Option<Server>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of an empty database on such a server; `None` where there is none and need not be.
pub async fn database(on: On) -> Option<String> {
    let port = match on {
        On::Sqlite => return None,
        On::MariaDb => MARIADB.get_or_init(|| start(("MARIADB", mariadb()))).await,
        On::MySql => MYSQL.get_or_init(|| start(("MYSQL", std::env::var_os("FAIRY_TEST_MYSQL")))).await,
    };
    let port = port.as_ref()?.port;
    let name = format!("fairy_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut root = connect(port).await.unwrap();
    // Another character set than ours, as a server may have it.
    let create = format!("CREATE DATABASE {name} CHARACTER SET latin1");
    root.execute(AssertSqlSafe(create)).await.unwrap();
    root.close().await.unwrap();
    Some(format!("mysql://root@127.0.0.1:{port}/{name}"))
}

fn mariadb() -> Option<OsString> {
    let usual = || Some(PathBuf::from("/usr/sbin/mariadbd")).filter(|path| path.exists());
    std::env::var_os("FAIRY_TEST_MARIADB").or_else(|| usual().map(PathBuf::into_os_string))
}

async fn connect(port: u16) -> Result<MySqlConnection, sqlx::Error> {
    MySqlConnection::connect(&format!("mysql://root@127.0.0.1:{port}/mysql")).await
}

async fn start((part, place): (&str, Option<OsString>)) -> Option<Server> {
    let told = std::env::var_os("FAIRY_TEST_WITHOUT").unwrap_or_default();
    let without = told.to_string_lossy().split(',').any(|name| name.trim().eq_ignore_ascii_case(part));
    let place = place.filter(|_| !without);
    let Some(place) = place else {
        assert!(
            part == "MYSQL" || without,
            "FAIRY_TEST_MARIADB must name mariadbd; `make test` installs it, or set FAIRY_TEST_WITHOUT=mariadb"
        );
        // Past the harness, which shows only what failing tests print.
        let line =
            format!("\nNOT TESTED: {part} is missing, and the suite of the store did not run on it.\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let base = match Path::new("/dev/shm") {
        _ if !cfg!(test) => std::env::current_dir().unwrap(),
        memory if memory.is_dir() => memory.to_owned(),
        _ => std::env::temp_dir(),
    };
    let directory = tempfile::Builder::new().prefix("fairy-").tempdir_in(base).unwrap().keep();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = std::fs::File::create(directory.join("log")).unwrap();
    let mut keeper = Command::new("bash")
        .args(["-c", KEEPER])
        .env(part, place)
        .env("DIRECTORY", &directory)
        .env("PORT", port.to_string())
        .env("IN_MEMORY", cfg!(test).to_string())
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    loop {
        match connect(port).await {
            Ok(session) => {
                session.close().await.unwrap();
                return Some(Server { port, _keeper: keeper });
            }
            Err(error) => {
                if let Some(status) = keeper.try_wait().unwrap() {
                    let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
                    panic!("{part} does not start: {status}, {error}\n{log}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
