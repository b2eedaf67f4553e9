//! A person's own account as the API shows it.

use fairy_jobs::{
    account::{Day, Digest, Locale, TimeOfDay, TimeZone, User},
    email::EmailAddress,
    id::UserId,
    text::Name,
};
use poem_openapi::{Object, registry::MetaSchema};
use serde::{Serialize, Serializer};

use crate::shape::{Described, Input, Instant, Shown};

/// An account.
#[derive(Debug, Object)]
#[oai(rename = "User")]
pub(crate) struct UserView {
    /// Its id.
    id: Shown<UserId>,
    /// Where mail goes.
    email: Shown<EmailAddress>,
    /// Whether a link sent there was followed.
    email_verified: bool,
    /// What others see.
    name: Shown<Name>,
    /// The zone in which dates are read.
    time_zone: Shown<TimeZone>,
    /// The language for mail, which is written in English so far.
    locale: Shown<Locale>,
    /// When a summary is to be sent; none is sent so far.
    digest: DigestView,
    /// When the account was made.
    created_at: Shown<Instant>,
}

/// When a summary is sent: at these local times on these weekdays.
#[derive(Debug, Object)]
#[oai(rename = "Digest")]
pub(crate) struct DigestView {
    /// Whether any is sent.
    enabled: bool,
    /// `HH:MM`, ascending.
    times: Vec<Shown<TimeOfDay>>,
    /// The days.
    weekdays: Vec<Shown<Weekday>>,
}

impl From<Digest> for DigestView {
    fn from(digest: Digest) -> Self {
        Self {
            enabled: digest.enabled,
            times: digest.times.into_iter().map(Shown).collect(),
            weekdays: digest.weekdays.into_iter().map(Weekday).map(Shown).collect(),
        }
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: Shown(user.id),
            email: Shown(user.email),
            email_verified: user.email_verified,
            name: Shown(user.name),
            time_zone: Shown(user.time_zone),
            locale: Shown(user.locale),
            digest: user.digest.into(),
            created_at: Shown(Instant(user.created_at)),
        }
    }
}

/// A day of the week as the API names it.
#[derive(Debug)]
pub(crate) struct Weekday(pub Day);

const DAYS: [(&str, Day); 7] = [
    ("mon", Day::Mon),
    ("tue", Day::Tue),
    ("wed", Day::Wed),
    ("thu", Day::Thu),
    ("fri", Day::Fri),
    ("sat", Day::Sat),
    ("sun", Day::Sun),
];

impl Described for Weekday {
    fn schema() -> MetaSchema {
        MetaSchema { enum_items: DAYS.map(|(name, _)| name.into()).to_vec(), ..MetaSchema::new("string") }
    }
}

impl Input for Weekday {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let day = DAYS.iter().find(|(name, _)| name == json);
        day.map(|(_, day)| Self(*day))
            .ok_or_else(|| "must be one of mon, tue, wed, thu, fri, sat, sun".to_owned())
    }
}

impl Serialize for Weekday {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
