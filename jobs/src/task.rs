//! A task, and the invariant that every write keeps: done ⇔ progress 100 ⇔ completed.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    id::{ProjectId, TaskId, UserId, WorkspaceId},
    team::TaskKey,
    text::{Body, Label, TextError, Title},
};

/// The most assignees a task may have.
pub const MOST_ASSIGNEES: usize = 50;
/// The most labels a task may have.
pub const MOST_LABELS: usize = 50;
/// The most watchers a task may have.
pub const MOST_WATCHERS: usize = 500;

/// A task as it is stored and as an outcome shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its present key.
    pub key: TaskKey,
    /// Where it belongs.
    pub workspace: WorkspaceId,
    /// The project that numbers it.
    pub project: ProjectId,
    /// What is to be done.
    pub title: Title,
    /// More about it, in Markdown.
    pub body: Body,
    /// Where it stands.
    pub status: Status,
    /// How far it is.
    pub progress: Percent,
    /// How much it matters.
    pub priority: Priority,
    /// When it is due.
    pub due: Option<Due>,
    /// Who is to do it.
    pub assignees: BTreeSet<UserId>,
    /// Who wants to hear of it.
    pub watchers: BTreeSet<UserId>,
    /// Its labels.
    pub labels: BTreeSet<Label>,
    /// How many operations changed it, the one that created it included.
    pub version: u64,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When an operation last changed it.
    pub updated_at: Timestamp,
    /// When it was done; set exactly while it is.
    pub completed_at: Option<Timestamp>,
    /// When it was deleted; a deleted task is not found until it is restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    #[default]
    Waiting,
    /// Begun.
    InProgress,
    /// Finished.
    Done,
}

impl Status {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }

    /// The status of that name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "in_progress" => Ok(Self::InProgress),
            "done" => Ok(Self::Done),
            _ => Err(TextError::Shape("must be one of waiting, in_progress, done")),
        }
    }
}

/// How much a task matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Before others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// The priority of that name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match text {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            "urgent" => Ok(Self::Urgent),
            _ => Err(TextError::Shape("must be one of low, normal, high, urgent")),
        }
    }
}

/// Progress from 0 to 100 per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Percent(u8);

impl Percent {
    /// Nothing done.
    pub const ZERO: Self = Self(0);
    /// All done.
    pub const FULL: Self = Self(100);

    /// A whole number from 0 to 100.
    pub fn new(value: i64) -> Result<Self, TextError> {
        match u8::try_from(value) {
            Ok(value @ 0..=100) => Ok(Self(value)),
            _ => Err(TextError::Shape("must be a whole number from 0 to 100")),
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// When a task is due: a calendar date, the same for everybody and never shifted, or an instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Due {
    /// Some time on this day, wherever the reader is.
    Date(civil::Date),
    /// At this instant, with the offset that the writer gave.
    Instant {
        /// The instant.
        at: Timestamp,
        /// Seconds east of UTC, only for showing it as it was written.
        offset: i32,
    },
}

impl Due {
    /// `YYYY-MM-DD`, or RFC 3339 with an offset; years 1970 to 9998, for the last days of 9999 have no beginning that can be
    /// counted in every zone.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let due = Self::read(text)?;
        let year = match &due {
            Self::Date(date) => date.year(),
            Self::Instant { .. } => parse_instant(text)?.to_zoned(jiff::tz::TimeZone::UTC).year(),
        };
        if (1970..=9998).contains(&year) {
            Ok(due)
        } else {
            Err(TextError::Shape("must be in the years 1970 to 9998"))
        }
    }

    /// What was parsed before it was stored.
    fn read(text: &str) -> Result<Self, TextError> {
        if text.len() == 10 && text.is_ascii() {
            return Ok(Self::Date(text.parse().map_err(|_| SHAPE)?));
        }
        let (at, offset) = read_instant(text)?;
        Ok(Self::Instant { at, offset })
    }
}

/// RFC 3339 with an offset, which has at most 23 hours there (§5.6); to the millisecond.
pub fn parse_instant(text: &str) -> Result<Timestamp, TextError> {
    let (at, offset) = read_instant(text)?;
    if offset.unsigned_abs() < 24 * 60 * 60 { Ok(at) } else { Err(SHAPE) }
}

fn read_instant(text: &str) -> Result<(Timestamp, i32), TextError> {
    if !text.is_ascii() || text.len() > 40 || text.contains('[') {
        return Err(SHAPE);
    }
    let parts = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text).map_err(|_| SHAPE)?;
    let offset = match parts.offset().ok_or(SHAPE)? {
        jiff::fmt::temporal::PiecesOffset::Numeric(numeric) => numeric.offset().seconds(),
        _ => 0,
    };
    // RFC 3339 §4.2 knows no seconds in an offset, and they would not survive being shown.
    if offset % 60 != 0 {
        return Err(SHAPE);
    }
    let at: Timestamp = text.parse().map_err(|_| SHAPE)?;
    Ok((Timestamp::from_millisecond(at.as_millisecond()).map_err(|_| SHAPE)?, offset))
}

const SHAPE: TextError =
    TextError::Shape("must be a date that exists (YYYY-MM-DD) or an instant with offset (RFC 3339)");

impl std::fmt::Display for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant { at, offset } => match jiff::tz::Offset::from_seconds(*offset) {
                Ok(offset) if !offset.is_zero() => write!(f, "{}", at.display_with_offset(offset)),
                _ => write!(f, "{at}"),
            },
        }
    }
}

impl Serialize for Due {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A comment on a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: crate::id::CommentId,
    /// The task it is on.
    pub task: TaskId,
    /// Who wrote it.
    pub author: UserId,
    /// What it says, in Markdown; never blank.
    pub body: Body,
    /// How many operations changed it, the one that created it included.
    pub version: u64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_keeps_what_was_written() {
        for text in [
            "2026-03-12",
            "2026-03-12T09:00:00+09:00",
            "2026-03-12T00:00:00-23:59",
            "2024-02-29",
            "9998-12-31",
        ] {
            assert_eq!(Due::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "2026-02-30",
            "2025-02-29",
            "2026-13-01",
            "tomorrow",
            "2026-03-12T09:00:00",
            "",
            "0001-01-01",
            "2026-3-1",
            "2026-03-12T25:00:00Z",
            "2026-03-12T09:00:00+05:30:20",
            "2026-03-12T09:00:00+24:00",
            "2026-03-12T09:00:00-25:59",
            "9999-12-31",
            "2026-03-12T09:00:00+09:00[Asia/Seoul]",
        ] {
            assert!(Due::parse(bad).is_err(), "{bad}");
        }
        assert!(Due::parse("9999-12-31").unwrap_err().to_string().contains("1970 to 9998"));
    }
}
