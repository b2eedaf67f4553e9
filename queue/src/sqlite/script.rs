//! Statements on their way to SQLite.
//!
//! SQLite runs in a thread of its own, and handing a statement over costs more than most statements do. So statements
//! wait, as one text, until somebody cannot go on without an answer; then they go together, and each answer is kept for
//! whoever asked for it. A round is then a handful of errands. The order stays; an error of one that waited is met where
//! it is sent.

use futures::TryStreamExt as _;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor as _, Sqlite, Type};

/// Statements that are sent together: their text and their arguments.
#[derive(Default)]
pub(super) struct Script {
    text: String,
    args: SqliteArguments,
    statements: usize,
    /// Whose rows are asked for: the place of the statement, and under which number they are kept.
    asked: Vec<(usize, u64)>,
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
        // No text has a semicolon but between its statements.
        self.statements += text.split(';').count();
    }

    /// Adds an argument of the text that was added last.
    pub fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) {
        if let Err(error) = self.args.add(value) {
            self.fault.get_or_insert(sqlx::Error::Encode(error));
        }
    }

    /// Asks for the rows of the last statement of the text that was added last.
    pub fn ask(&mut self, number: u64) {
        self.asked.push((self.statements - 1, number));
    }

    /// Sends everything, and gives the rows that were asked for to `keep`.
    pub async fn send(
        &mut self,
        conn: &mut SqliteConnection,
        mut keep: impl FnMut(u64, Vec<SqliteRow>),
    ) -> Result<(), sqlx::Error> {
        let Self { text, args, statements, asked, fault } = std::mem::take(self);
        if let Some(fault) = fault {
            return Err(fault);
        }
        // The text is made of constants of this module; what callers give is bound.
        let mut answers = conn.fetch_many(sqlx::query_with(AssertSqlSafe(text), args));
        let (mut done, mut rows) = (0, Vec::new());
        let mut asked = asked.into_iter().peekable();
        while let Some(answer) = answers.try_next().await? {
            match answer {
                Either::Right(row) => rows.push(row),
                Either::Left(_) => {
                    let rows = std::mem::take(&mut rows);
                    if let Some((_, number)) = asked.next_if(|(place, _)| *place == done) {
                        keep(number, rows);
                    }
                    done += 1;
                }
            }
        }
        debug_assert_eq!(done, statements, "a statement has a semicolon of its own");
        Ok(())
    }
}
