//! One's own account.

use std::sync::Arc;

use fairy_jobs::{
    account::{Day, Digest, Locale, TimeOfDay, TimeZone, User},
    problem::Problem,
    rights::Scope,
    text::Name,
};
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    problem::Refusal,
    shape::{
        BODY, CALLER, Fields, Given, JsonBody, Nullable, Raw, Refused, Reply, Shows, WRITE, given_object,
    },
    view::{UserView, Weekday},
};

/// What is to be different about one's account; what is absent stays.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct PatchMeRequest {
    /// What others see.
    name: Given<Raw<Name>>,
    /// The time zone, by its IANA name.
    time_zone: Given<Raw<TimeZone>>,
    /// The language: `en` or `ko`, or a tag that begins so.
    locale: Given<Raw<Locale>>,
    /// When a summary is sent.
    #[serde(deserialize_with = "given_object")]
    digest: Given<DigestRequest>,
}

/// When a summary is sent; what is absent stays.
#[derive(Default, Clone, Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct DigestRequest {
    /// Whether any is sent.
    enabled: Given<bool>,
    /// Local times of day, at most 6.
    #[oai(validator(max_items = 6))]
    times: Given<Vec<Raw<TimeOfDay>>>,
    /// `mon` to `sun`.
    #[oai(validator(max_items = 7))]
    weekdays: Given<Vec<Raw<Weekday>>>,
}

impl PatchMeRequest {
    fn onto(self, user: User) -> Result<User, Problem> {
        let mut fields = Fields::default();
        let name = fields.given("name", &self.name).unwrap_or(user.name);
        let time_zone = fields.given("time_zone", &self.time_zone).unwrap_or(user.time_zone);
        let locale = fields.given("locale", &self.locale).unwrap_or(user.locale);
        let digest = match self.digest.0 {
            Some(request) => fields.adopt("digest", request.onto(user.digest)),
            None => Some(user.digest),
        };
        fields.finish(|| Some(User { name, time_zone, locale, digest: digest?, ..user }))
    }
}

impl DigestRequest {
    fn onto(self, digest: Digest) -> Result<Digest, Problem> {
        let mut fields = Fields::default();
        let times = match &self.times.0 {
            Some(times) => fields.list("times", times, 6),
            None => digest.times,
        };
        let weekdays: Vec<Day> = match &self.weekdays.0 {
            Some(days) => {
                let days: Vec<Weekday> = fields.list("weekdays", days, 7);
                days.into_iter().map(|day| day.0).collect()
            }
            None => digest.weekdays,
        };
        let digest = Digest { enabled: self.enabled.0.unwrap_or(digest.enabled), times, weekdays };
        let digest = fields.finish(|| Some(digest))?;
        digest.checked().map_err(|error| Problem::field("times", error.to_string()))
    }
}

/// Who calls.
#[derive(Object)]
#[oai(rename = "Me")]
pub(crate) struct MeView {
    /// The account.
    user: UserView,
    /// To be sent as `X-CSRF-Token` with writes that are authenticated by the session cookie; null for an API token.
    csrf_token: Nullable<String>,
}

impl MeView {
    async fn of(front: &Front, caller: &Caller) -> Result<Self, Refusal> {
        let user = front.user(caller.user).await?;
        Ok(Self { user: user.into(), csrf_token: Nullable(caller.csrf_token(front)) })
    }
}

/// One's own account.
pub(crate) struct MeRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Me")]
impl MeRoutes {
    /// Show one's account
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn show(&self, caller: Caller) -> Result<Reply<Shows<MeView>>, Refused<{ CALLER }>> {
        Ok(Reply::show(&MeView::of(&self.0, &caller).await?))
    }

    /// Change one's account
    ///
    /// With an API token it takes the scope `write`.
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update(
        &self,
        caller: Caller,
        body: JsonBody<PatchMeRequest>,
    ) -> Result<Reply<Shows<MeView>>, Refused<{ CALLER | BODY | WRITE }>> {
        caller.needs(Scope::Write)?;
        let user = body.value.onto(self.0.user(caller.user).await?)?;
        self.0.services.accounts.update_user(&user).await?;
        self.0.callers.forget_user(user.id);
        Ok(Reply::show(&MeView::of(&self.0, &caller).await?))
    }
}
