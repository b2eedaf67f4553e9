//! What a person changes about their account.
//!
//! A patch names what is to be different and nothing else, and is laid onto the account as it is when it is written: two
//! people, or two windows, that change different things both get their way.

use crate::{
    account::{Day, Digest, Locale, TimeOfDay, TimeZone, User},
    problem::Problem,
    text::Name,
};

/// What is to be different about an account; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfilePatch {
    /// What others see.
    pub name: Option<Name>,
    /// The zone.
    pub time_zone: Option<TimeZone>,
    /// The language.
    pub locale: Option<Locale>,
    /// When a summary is sent.
    pub digest: DigestPatch,
}

/// What is to be different about the digest; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestPatch {
    /// Whether any is sent.
    pub enabled: Option<bool>,
    /// Local times of day.
    pub times: Option<Vec<TimeOfDay>>,
    /// Days of the week.
    pub weekdays: Option<Vec<Day>>,
}

impl ProfilePatch {
    /// The account with what is different; refused if its digest would make no sense as a whole.
    pub fn onto(&self, user: User) -> Result<User, Problem> {
        let digest = self.digest.onto(user.digest)?;
        Ok(User {
            name: self.name.clone().unwrap_or(user.name),
            time_zone: self.time_zone.clone().unwrap_or(user.time_zone),
            locale: self.locale.unwrap_or(user.locale),
            digest,
            ..user
        })
    }
}

impl DigestPatch {
    fn onto(&self, digest: Digest) -> Result<Digest, Problem> {
        if *self == Self::default() {
            return Ok(digest);
        }
        let patched = Digest {
            enabled: self.enabled.unwrap_or(digest.enabled),
            times: self.times.clone().unwrap_or(digest.times),
            weekdays: self.weekdays.clone().unwrap_or(digest.weekdays),
        };
        patched.checked().map_err(|error| Problem::field("digest.times", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{email::EmailAddress, id::UserId};

    fn mina() -> User {
        User {
            id: UserId::from_bytes([1; 16]),
            email: EmailAddress::parse("mina@example.com").unwrap(),
            email_verified: false,
            name: Name::parse("Mina").unwrap(),
            time_zone: TimeZone::utc(),
            locale: Locale::English,
            digest: Digest::default(),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        assert_eq!(ProfilePatch::default().onto(mina()), Ok(mina()));
        let digest = DigestPatch { weekdays: Some(vec![Day::Fri, Day::Mon]), ..DigestPatch::default() };
        let patch = ProfilePatch { locale: Some(Locale::Korean), digest, ..ProfilePatch::default() };
        let changed = patch.onto(mina()).unwrap();
        let digest = Digest { weekdays: vec![Day::Mon, Day::Fri], ..Digest::default() };
        assert_eq!(changed, User { locale: Locale::Korean, digest, ..mina() });
    }

    #[test]
    fn a_digest_is_judged_as_the_whole_it_becomes() {
        let patch = |enabled, times: Option<Vec<TimeOfDay>>| ProfilePatch {
            digest: DigestPatch { enabled, times, weekdays: None },
            ..ProfilePatch::default()
        };
        let problem = patch(None, Some(vec![])).onto(mina()).unwrap_err();
        assert_eq!(problem.errors[0].field, "digest.times");
        let off = patch(Some(false), Some(vec![])).onto(mina()).unwrap();
        assert!(patch(Some(true), None).onto(off).is_err());
    }
}
