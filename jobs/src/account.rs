//! People: who they are, when it is nine o'clock for them, and what a password must be.

use jiff::{Timestamp, civil::Weekday, tz};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{email::EmailAddress, id::UserId, text::Name, text::TextError};

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Where mail goes; unique over all accounts.
    pub email: EmailAddress,
    /// Whether a link sent there was followed.
    pub email_verified: bool,
    /// What others see.
    pub name: Name,
    /// Their zone, in which dates are read and digests sent.
    pub time_zone: TimeZone,
    /// Their language.
    pub locale: Locale,
    /// When they want a summary.
    pub digest: Digest,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// An IANA time zone name such as `Asia/Seoul`, known to the bundled tz database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TimeZone(String);

impl TimeZone {
    /// A name of the tz database, in its own spelling.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let zone = tz::TimeZone::get(text).ok();
        let name = zone.as_ref().and_then(|z| z.iana_name());
        name.map(|n| Self(n.to_owned()))
            .ok_or(TextError::Shape("must be a time zone of the IANA database, such as Asia/Seoul"))
    }

    /// Coordinated universal time, for people who did not say.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules behind the name; UTC should the bundled database ever drop it.
    pub fn rules(&self) -> tz::TimeZone {
        tz::TimeZone::get(&self.0).unwrap_or(tz::TimeZone::UTC)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A language Fairy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Locale {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Korean.
    #[serde(rename = "ko")]
    Korean,
}

impl Locale {
    /// The best match for a BCP 47 tag such as `ko-KR`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match text.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Ok(Self::English),
            "ko" => Ok(Self::Korean),
            _ => Err(TextError::Shape("must be one of en, ko")),
        }
    }

    /// Its BCP 47 tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

/// When a person wants the digest: local times of day on these weekdays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Whether any is sent.
    pub enabled: bool,
    /// `HH:MM`, at most 6, ascending.
    pub times: Vec<TimeOfDay>,
    /// `mon` to `sun`, each once.
    pub weekdays: Vec<Day>,
}

impl Default for Digest {
    fn default() -> Self {
        use Day::{Fri, Mon, Thu, Tue, Wed};
        Self {
            enabled: true,
            times: vec![TimeOfDay { hour: 9, minute: 0 }],
            weekdays: vec![Mon, Tue, Wed, Thu, Fri],
        }
    }
}

impl Digest {
    /// The same settings in order and without repeats; refused with more than 6 times, or enabled with no slot at all.
    pub fn checked(mut self) -> Result<Self, TextError> {
        self.times.sort_unstable();
        self.times.dedup();
        self.weekdays.sort_unstable();
        self.weekdays.dedup();
        if self.times.len() > 6 {
            return Err(TextError::Shape("must have at most 6 times"));
        }
        if self.enabled && (self.times.is_empty() || self.weekdays.is_empty()) {
            return Err(TextError::Shape("must have at least one time and one weekday, or be disabled"));
        }
        Ok(self)
    }
}

/// A day of the week, `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A local time of day, to the minute; text form `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    /// `HH:MM` from `00:00` to `23:59`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        const SHAPE: TextError = TextError::Shape("must be a time of day such as 09:00");
        let digits = |t: &str| {
            if t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()) { t.parse::<u8>().ok() } else { None }
        };
        let (hour, minute) = text.split_once(':').ok_or(SHAPE)?;
        match (digits(hour), digits(minute)) {
            (Some(hour @ 0..=23), Some(minute @ 0..=59)) => Ok(Self { hour, minute }),
            _ => Err(SHAPE),
        }
    }

    /// Hour and minute.
    pub const fn parts(self) -> (u8, u8) {
        (self.hour, self.minute)
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What people type first, and attackers too; digits and exclamation marks at the end do not help.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "qwertyui",
    "qwertyuiop",
    "asdfghjkl",
    "1q2w3e4r",
    "letmein",
    "iloveyou",
    "welcome",
    "changeme",
    "abc",
    "abcd",
    "admin",
    "administrator",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "trustno",
];

/// Judges a new password: 8 to 200 characters, not one of the person's own words or a single repeated character.
///
/// Length is what counts (NIST SP 800-63B §3.1.1.2); there are no rules about kinds of characters. The upper bound
/// keeps the cost of hashing bounded.
pub fn check_password(password: &str, email: &EmailAddress, name: &Name) -> Result<(), TextError> {
    let length = password.chars().count();
    if length < 8 {
        return Err(TextError::Shape("must be at least 8 characters"));
    }
    if length > 200 {
        return Err(TextError::TooLong { limit: 200, length });
    }
    let lower = password.to_lowercase();
    let same = password.chars().all(|c| password.starts_with(c));
    let own = lower == email.as_str() || lower == name.as_str().to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    let common = COMMON.contains(&stem) || COMMON.contains(&lower.as_str());
    if same || own || common {
        return Err(TextError::Shape("is too easy to guess"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_judged_by_what_it_is_not() {
        let judge = |password: &str| {
            let email = EmailAddress::parse("mina@example.com").unwrap();
            check_password(password, &email, &Name::parse("Mina Park-Lee").unwrap()).is_ok()
        };
        assert!(judge("correct horse battery") && judge("열 글자가 넘는 비밀번호"));
        for bad in [
            "short",
            "aaaaaaaaaaaa",
            "mina@example.com",
            "Mina Park-Lee",
            "Password123!",
            "12345678",
            "abc12345",
            "7 chars",
            &"long".repeat(51),
        ] {
            assert!(!judge(bad), "{bad}");
        }
    }

    #[test]
    fn digest_times_are_kept_in_order_and_bounded() {
        let digest = |times: &[&str]| Digest {
            times: times.iter().map(|t| TimeOfDay::parse(t).unwrap()).collect(),
            ..Digest::default()
        };
        let kept = digest(&["17:30", "09:00", "17:30"]).checked().unwrap();
        assert_eq!(kept.times.iter().map(ToString::to_string).collect::<Vec<_>>(), ["09:00", "17:30"]);
        assert!(digest(&[]).checked().is_err());
        assert!(digest(&["01:00", "02:00", "03:00", "04:00", "05:00", "06:00", "07:00"]).checked().is_err());
        for bad in ["24:00", "9:00", "09:60", "+9:00", ""] {
            assert!(TimeOfDay::parse(bad).is_err(), "{bad}");
        }
    }
}
