//! Statements on their way to SQLite.
//!
//! SQLite runs in a thread of its own, and handing a statement over costs more than most statements do. So one that
//! needs no answer waits: it goes with the next that does, or with the commit, as one text. A round is then a handful
//! of errands. The order stays; an error of one that waited is met where it is sent.

use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, FromRow, Sqlite, Type};

/// Statements that are sent together: their text and their arguments.
#[derive(Default)]
pub(super) struct Script {
    text: String,
    args: SqliteArguments,
    fault: Option<sqlx::Error>,
}

impl Script {
    /// Adds a text, whose `?1` is the first of the arguments that follow. It becomes `$1` or a higher number: to SQLite
    /// that is a name, so a statement has no parameters but those it uses, and sqlx binds by the number all the same.
    pub fn add(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push_str(";\n");
        }
        let bound = self.args.len();
        let mut parts = text.split('?');
        self.text.extend(parts.next());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = part[..digits].parse().unwrap_or_default();
            self.text.push_str(&format!("${}{}", number + bound, &part[digits..]));
        }
    }

    /// Adds an argument of the text that was added last.
    pub fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) {
        if let Err(error) = self.args.add(value) {
            self.fault.get_or_insert(sqlx::Error::Encode(error));
        }
    }

    /// Sends everything; the rows are those of the last statement, for no other answers with any.
    pub async fn send<T>(&mut self, conn: &mut SqliteConnection) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let Self { text, args, fault } = std::mem::take(self);
        match fault {
            Some(fault) => Err(fault),
            // The text is made of constants of this module; what callers give is bound.
            None => sqlx::query_as_with(AssertSqlSafe(text), args).fetch_all(conn).await,
        }
    }
}
