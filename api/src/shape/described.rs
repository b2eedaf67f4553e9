//! How each domain type looks in the API description, and how it is read from the JSON a client sends.
//!
//! The limits written here are for readers and generated clients; what is enforced is the domain's own `parse`.

use fairy_jobs::{
    account::{Locale, TimeOfDay, TimeZone},
    change::ChangeKind,
    clock::rfc3339,
    command::{ProjectName, TaskName},
    email::EmailAddress,
    id::{
        CommentId, DeliveryId, InvitationId, NoticeId, OperationId, ProjectId, SessionId, TaskId, TokenId,
        UserId, WorkspaceId,
    },
    notice::{DeliveryState, Reason},
    operation::{IfMatch, OperationStatus, ResourceKind, Source},
    page::Cursor,
    rights::Scope,
    task::{Due, Percent, Priority, Status, parse_instant},
    team::{ProjectKey, Role, TaskKey},
    text::{Body, Label, Name, Slug, Title},
};
use jiff::Timestamp;
use poem_openapi::registry::MetaSchema;
use serde::{Serialize, Serializer, de::DeserializeOwned};

/// A type with a schema.
pub(crate) trait Described: Send + Sync + 'static {
    /// The schema, which stands wherever the type does.
    fn schema() -> MetaSchema;
}

/// A type that a client may send, in the JSON form `Json`.
pub(crate) trait Input: Described + Sized {
    /// The JSON form.
    type Json: DeserializeOwned + Serialize + Send + Sync + Default + Clone + std::fmt::Debug + 'static;

    /// Judges what was sent; the error reads after the field's name.
    fn parse(json: &Self::Json) -> Result<Self, String>;
}

/// An instant as every answer shows it: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl Described for Instant {
    fn schema() -> MetaSchema {
        MetaSchema { example: Some("2026-03-12T09:30:00.000Z".into()), ..text("string", Some("date-time")) }
    }
}

impl Input for Instant {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        parse_instant(json)
            .map(Self)
            .map_err(|_| "must be an instant with offset (RFC 3339), such as 2026-03-12T09:30:00Z".to_owned())
    }
}

/// An entity tag in a JSON body, such as `"3"` with its quotes, or `*`.
pub(crate) struct EntityTag(pub IfMatch);

impl Described for EntityTag {
    fn schema() -> MetaSchema {
        MetaSchema { example: Some("\"3\"".into()), max_length: Some(300), ..text("string", None) }
    }
}

impl Input for EntityTag {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        IfMatch::parse(json).map(Self).map_err(|e| e.to_string())
    }
}

/// A text that must say something, as a comment must.
pub(crate) struct Filled(pub Body);

impl Described for Filled {
    fn schema() -> MetaSchema {
        bounded(1, Body::LIMIT)
    }
}

impl Input for Filled {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        Body::parse_filled(json).map(Self).map_err(|e| e.to_string())
    }
}

fn text(ty: &'static str, format: Option<&'static str>) -> MetaSchema {
    MetaSchema { format, ..MetaSchema::new(ty) }
}

fn id(prefix: &'static str) -> MetaSchema {
    MetaSchema {
        pattern: Some(format!("^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$")),
        example: Some(format!("{prefix}_01J9ZQ4C8V2M6T3K5N7R9W1XYA").into()),
        ..MetaSchema::new("string")
    }
}

fn bounded(least: usize, most: usize) -> MetaSchema {
    MetaSchema {
        min_length: (least > 0).then_some(least),
        max_length: Some(most),
        ..MetaSchema::new("string")
    }
}

fn pattern(pattern: &str, example: &str) -> MetaSchema {
    MetaSchema {
        pattern: Some(pattern.to_owned()),
        example: Some(example.into()),
        ..MetaSchema::new("string")
    }
}

fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> MetaSchema {
    MetaSchema { enum_items: names.into_iter().map(Into::into).collect(), ..MetaSchema::new("string") }
}

macro_rules! described {
    ($($kind:ty = $schema:expr;)*) => {$(
        impl Described for $kind {
            fn schema() -> MetaSchema {
                $schema
            }
        }
    )*};
}

macro_rules! inputs {
    ($($kind:ty, $parse:expr;)*) => {$(
        impl Input for $kind {
            type Json = String;

            fn parse(json: &String) -> Result<Self, String> {
                $parse(json.as_str()).map_err(|e| e.to_string())
            }
        }
    )*};
}

described! {
    UserId = id(UserId::PREFIX);
    WorkspaceId = id(WorkspaceId::PREFIX);
    ProjectId = id(ProjectId::PREFIX);
    TaskId = id(TaskId::PREFIX);
    CommentId = id(CommentId::PREFIX);
    OperationId = id(OperationId::PREFIX);
    NoticeId = id(NoticeId::PREFIX);
    DeliveryId = id(DeliveryId::PREFIX);
    SessionId = id(SessionId::PREFIX);
    TokenId = id(TokenId::PREFIX);
    InvitationId = id(InvitationId::PREFIX);
    Title = bounded(1, Title::LIMIT);
    Name = bounded(1, Name::LIMIT);
    Body = bounded(0, Body::LIMIT);
    Label = bounded(1, 50);
    Source = bounded(0, 100);
    Slug = pattern("^[a-z](?:-?[a-z0-9])+$", "apollo");
    ProjectKey = pattern("^[A-Z][A-Z0-9]{1,9}$", "WEB");
    TaskKey = pattern("^[A-Za-z][A-Za-z0-9]{1,9}-[1-9][0-9]{0,14}$", "WEB-12");
    ProjectName = MetaSchema { example: Some("WEB".into()), ..bounded(2, 30) };
    TaskName = MetaSchema { example: Some("WEB-12".into()), ..bounded(4, 30) };
    EmailAddress = MetaSchema { max_length: Some(254), ..text("string", Some("email")) };
    TimeZone = MetaSchema { example: Some("Asia/Seoul".into()), ..bounded(1, 64) };
    Locale = one_of([Locale::English, Locale::Korean].map(Locale::as_str));
    TimeOfDay = pattern("^([01][0-9]|2[0-3]):[0-5][0-9]$", "09:00");
    Role = one_of([Role::Owner, Role::Admin, Role::Member, Role::Viewer].map(Role::as_str));
    Scope = one_of([Scope::Read, Scope::Write, Scope::Admin].map(Scope::as_str));
    Status = one_of([Status::Waiting, Status::InProgress, Status::Done].map(Status::as_str));
    Priority = one_of([Priority::Low, Priority::Normal, Priority::High, Priority::Urgent].map(Priority::as_str));
    ChangeKind = one_of(ChangeKind::ALL.iter().map(|kind| kind.as_str()));
    OperationStatus = one_of(
        [OperationStatus::Accepted, OperationStatus::Applied, OperationStatus::Refused, OperationStatus::Failed]
            .map(OperationStatus::as_str),
    );
    ResourceKind = one_of(["task", "comment"]);
    Reason = one_of(
        [Reason::Creator, Reason::Watching, Reason::Unassigned, Reason::Mentioned, Reason::Assigned]
            .map(Reason::as_str),
    );
    DeliveryState = one_of(
        [
            DeliveryState::Pending,
            DeliveryState::Sending,
            DeliveryState::Sent,
            DeliveryState::Failed,
            DeliveryState::Dropped,
        ]
        .map(DeliveryState::as_str),
    );
    Due = MetaSchema {
        pattern: Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9:]+))?$".to_owned()),
        ..MetaSchema { example: Some("2026-03-12".into()), ..MetaSchema::new("string") }
    };
    Percent = MetaSchema { minimum: Some(0.0), maximum: Some(100.0), ..text("integer", Some("int32")) };
    Cursor = bounded(0, 400);
}

inputs! {
    UserId, str::parse::<UserId>;
    Title, Title::parse;
    Name, Name::parse;
    Body, Body::parse;
    Label, Label::parse;
    Slug, Slug::parse;
    ProjectKey, ProjectKey::parse;
    ProjectName, ProjectName::parse;
    TaskName, TaskName::parse;
    TaskKey, TaskKey::parse;
    EmailAddress, EmailAddress::parse;
    TimeZone, TimeZone::parse;
    Locale, Locale::parse;
    TimeOfDay, TimeOfDay::parse;
    Role, Role::parse;
    Scope, Scope::parse;
    Status, Status::parse;
    Priority, Priority::parse;
    Due, Due::parse;
    Cursor, Cursor::parse;
}

impl Input for Percent {
    type Json = i64;

    fn parse(json: &i64) -> Result<Self, String> {
        Self::new(*json).map_err(|e| e.to_string())
    }
}
