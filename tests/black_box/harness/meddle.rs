//! What no client can do, and a disk, an operator or a newer version that was rolled back can: look at what is kept and
//! change it. Each is written for both modes, so that no test need know in which it is.

use sqlx::{Connection as _, MySqlConnection, SqliteConnection};

use super::{Server, is_cluster};

/// Finds the job of an operation: its number is `id`, its unique key `key`.
const JOB: &str = "
local id, key
for name, held in pairs({['uniques'] = '^%d+ (%d+) ', ['dead_keys'] = '^(%d+)$'}) do
    local all = redis.call('HGETALL', KEYS[1] .. ':' .. name)
    for at = 1, #all, 2 do
        if all[at]:sub(-26) == ARGV[1] then id, key = all[at + 1]:match(held), all[at] end
    end
end
";
const SPOIL: &str = "
local head = redis.call('HGET', KEYS[1] .. ':jobs', id):match('^[^\\n]*\\n')
return redis.call('HSET', KEYS[1] .. ':jobs', id, head .. '{\"x')";
const DOOM: &str = "
return redis.call('HSET', KEYS[1] .. ':marks', id, cjson.encode({d = ARGV[2], t = 0, c = tonumber(ARGV[3])}))";
const KEEP: &str = "
local kept = {id, key, redis.call('ZSCORE', KEYS[1] .. ':dead', id)}
for at, name in ipairs({'letters', 'epitaphs'}) do kept[at + 3] = redis.call('HGET', KEYS[1] .. ':' .. name, id) end
return redis.call('SET', KEYS[1] .. ':kept', cjson.encode(kept))";
const PUT_BACK: &str = "
local kept = cjson.decode(redis.call('GET', KEYS[1] .. ':kept'))
redis.call('ZADD', KEYS[1] .. ':dead', kept[3], kept[1])
redis.call('HSET', KEYS[1] .. ':letters', kept[1], kept[4])
redis.call('HSET', KEYS[1] .. ':epitaphs', kept[1], kept[5])
return redis.call('HSET', KEYS[1] .. ':dead_keys', kept[2], kept[1])";
const HANDED_BACK: &str = "
return {redis.call('ZSCORE', KEYS[1] .. ':blocked', ARGV[2]) or '', redis.call('HGET', KEYS[1] .. ':marks', id) or ''}";
const LOSE: &str = "
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do redis.call('DEL', key) end
return 0";
/// The keys whose values, as the server writes them down, have these bytes in them.
const HOLD: &str = "
local holds = {}
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do
    if redis.call('DUMP', key):find(ARGV[1], 1, true) then holds[#holds + 1] = key end
end
return holds";

impl Server {
    /// Runs a statement on the rows; how many it changed.
    pub async fn change_rows(&self, sql: &'static str) -> u64 {
        if is_cluster() {
            let mut rows = self.mysql().await;
            return sqlx::query(sql).execute(&mut rows).await.unwrap().rows_affected();
        }
        let mut rows = self.sqlite("fairy.db").await;
        sqlx::query(sql).execute(&mut rows).await.unwrap().rows_affected()
    }

    /// The texts that a query of one column finds in the rows.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        if is_cluster() {
            return sqlx::query_scalar(sql).fetch_all(&mut self.mysql().await).await.unwrap();
        }
        sqlx::query_scalar(sql).fetch_all(&mut self.sqlite("fairy.db").await).await.unwrap()
    }

    /// Where a text is kept in clear, in rows or lanes.
    pub async fn keeps(&self, text: &str) -> Vec<String> {
        if is_cluster() {
            let mut found: Vec<String> = self.eval("", "", HOLD, &[text]).await;
            found.extend(self.columns_with(text).await);
            return found;
        }
        let files = ["fairy.db", "fairy.db-wal", "queue.db", "queue.db-wal"];
        let holds = |file: &&str| {
            let bytes = std::fs::read(self.data().join(file)).unwrap_or_default();
            bytes.windows(text.len()).any(|w| w == text.as_bytes())
        };
        files.into_iter().filter(holds).map(str::to_owned).collect()
    }

    /// Loses all lanes; the system must be stopped.
    pub async fn lose_lanes(&self) {
        if is_cluster() {
            return self.eval("", "", LOSE, &[]).await;
        }
        for file in ["queue.db", "queue.db-wal", "queue.db-shm"] {
            let path = self.data().join(file);
            if path.exists() {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// Makes the payload of an operation's job something that nobody can read.
    pub async fn spoil_job(&self, operation: &str) {
        let text = "UPDATE jobs SET payload = x'7b2278' WHERE unique_key LIKE '%' || ?";
        self.change_job(operation, SPOIL, &[], text).await;
    }

    /// Lets an operation's job be given up the next time it is handed out.
    pub async fn doom_job(&self, operation: &str) {
        let text =
            "UPDATE jobs SET doom = 'the disk is broken', doomed_at = 0 WHERE unique_key LIKE '%' || ?";
        self.change_job(operation, DOOM, &["the disk is broken", "0"], text).await;
    }

    /// The same, and giving it up has killed the worker three times.
    pub async fn doom_deadly_job(&self, operation: &str) {
        let text =
            "UPDATE jobs SET doom = 'it kills', doomed_at = 0, crashes = 3 WHERE unique_key LIKE '%' || ?";
        self.change_job(operation, DOOM, &["it kills", "3"], text).await;
    }

    /// Takes a copy of an operation's dead letter.
    pub async fn keep_letter(&self, operation: &str) {
        let text = "CREATE TABLE kept AS SELECT * FROM dead WHERE unique_key LIKE '%' || ?";
        self.change_job(operation, KEEP, &[], text).await;
    }

    /// Puts the copy among the dead letters, as if nobody had taken the letter away.
    pub async fn put_letter_back(&self, operation: &str) {
        let text =
            "INSERT INTO dead (seq, lane, grp_name, error, attempts, needs, pushed_at, died_at, payload)
            SELECT seq, lane, grp_name, error, attempts, needs, pushed_at, died_at, payload
            FROM kept WHERE unique_key LIKE '%' || ?";
        self.change_job(operation, PUT_BACK, &[], text).await;
        if !is_cluster() {
            let mut queue = self.sqlite("queue.db").await;
            let count = "UPDATE lanes SET dead = 1 WHERE name = 'operations'";
            sqlx::query(count).execute(&mut queue).await.unwrap();
        }
    }

    /// In the cluster mode: until when the group of a workspace waits, if it does, and the mark that the job of its operation
    /// has, if any.
    pub async fn handed_back(&self, operation: &str, workspace: &str) -> (String, String) {
        let operation = operation.trim_start_matches("op_");
        self.eval(":{operations}", JOB, HANDED_BACK, &[operation, workspace]).await
    }

    async fn change_job(&self, operation: &str, script: &str, arguments: &[&str], sql: &'static str) {
        let operation = operation.trim_start_matches("op_");
        if is_cluster() {
            let arguments = [&[operation], arguments].concat();
            return self.eval(":{operations}", JOB, script, &arguments).await;
        }
        let mut queue = self.sqlite("queue.db").await;
        sqlx::query(sql).bind(operation).execute(&mut queue).await.unwrap();
    }

    async fn eval<T: redis::FromRedisValue>(&self, key: &str, first: &str, rest: &str, args: &[&str]) -> T {
        let backing = self.launch().backing();
        let client = redis::Client::open(backing.queue.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd("EVAL");
        command.arg(format!("{first}{rest}")).arg(1).arg(format!("{}{key}", backing.prefix)).arg(args);
        command.query_async(&mut connection).await.unwrap()
    }

    async fn columns_with(&self, text: &str) -> Vec<String> {
        let columns = "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
            WHERE table_schema = DATABASE()";
        let mut found = Vec::new();
        let mut rows = self.mysql().await;
        for name in self.texts(columns).await {
            let (table, column) = name.split_once('.').unwrap();
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE INSTR({column}, ?)");
            let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql)).bind(text);
            if count.fetch_one(&mut rows).await.unwrap() > 0 {
                found.push(name);
            }
        }
        found
    }

    async fn sqlite(&self, file: &str) -> SqliteConnection {
        let url = format!("sqlite://{}", self.data().join(file).display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    async fn mysql(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.launch().backing().database).await.unwrap()
    }
}
