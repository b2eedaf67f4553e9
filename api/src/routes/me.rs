//! One's own account.

use std::sync::Arc;

use fairy_jobs::{
    account::{Locale, TimeOfDay, TimeZone, User},
    problem::Problem,
    profile::{DigestPatch, ProfilePatch},
    rights::Scope,
    text::Name,
};
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
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
    /// The language: `en` or `ko`, or a tag that begins so. It is kept for mail, which is written in English so far.
    locale: Given<Raw<Locale>>,
    /// When a summary is to be sent. It is kept; no summary is sent so far.
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
    fn into_patch(self) -> Result<ProfilePatch, Problem> {
        let mut fields = Fields::default();
        let name = fields.given("name", &self.name);
        let time_zone = fields.given("time_zone", &self.time_zone);
        let locale = fields.given("locale", &self.locale);
        let digest = fields.adopt("digest", self.digest.0.unwrap_or_default().into_patch());
        fields.finish(|| Some(ProfilePatch { name, time_zone, locale, digest: digest? }))
    }
}

impl DigestRequest {
    fn into_patch(self) -> Result<DigestPatch, Problem> {
        let mut fields = Fields::default();
        let times = self.times.0.map(|times| fields.list("times", &times, 6));
        let weekdays: Option<Vec<Weekday>> = self.weekdays.0.map(|days| fields.list("weekdays", &days, 7));
        let weekdays = weekdays.map(|days| days.into_iter().map(|day| day.0).collect());
        fields.finish(|| Some(DigestPatch { enabled: self.enabled.0, times, weekdays }))
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
    fn of(front: &Front, caller: &Caller, user: User) -> Self {
        Self { user: user.into(), csrf_token: Nullable(caller.csrf_token(front)) }
    }
}

/// One's own account.
pub(crate) struct MeRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Me")]
impl MeRoutes {
    /// Show one's account
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn show(&self, caller: Caller) -> Result<Reply<Shows<MeView>>, Refused<{ CALLER }>> {
        let user = self.0.user(caller.user).await?;
        Ok(Reply::show(&MeView::of(&self.0, &caller, user)))
    }

    /// Change one's account
    ///
    /// What is absent stays, also if it is changed elsewhere at the same moment. With an API token it takes the scope `write`.
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update(
        &self,
        caller: Caller,
        body: JsonBody<PatchMeRequest>,
    ) -> Result<Reply<Shows<MeView>>, Refused<{ CALLER | BODY | WRITE }>> {
        caller.needs(Scope::Write)?;
        let patch = body.value.into_patch()?;
        let changed = self.0.services.accounts.change_profile(caller.user, &patch).await;
        self.0.callers.forget_user(caller.user);
        Ok(Reply::show(&MeView::of(&self.0, &caller, changed?)))
    }
}
