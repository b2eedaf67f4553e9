//! What operators ask of the lanes.

use fairy_jobs::{
    page::{Cursor, Limit},
    problem::Problem,
    text::Name,
};
use fairy_queue::{JobId, Page, Which};
use poem_openapi::{Object, registry::MetaSchema};
use serde::Deserialize;

use crate::shape::{Described, Fields, Given, Input, LimitParam, Params, QueryParams, Raw, page_request};

/// Most letters of one request.
const MOST: usize = 500;

/// Who does it, as the audit says it.
fn who(fields: &mut Fields, by: &Given<Raw<Name>>) -> String {
    match fields.given("by", by) {
        Some(name) => format!("admin API, {}", name.as_str()),
        None => "admin API".to_owned(),
    }
}

/// The name of a job or of a group in a lane.
pub(crate) struct LaneName(String);

impl Described for LaneName {
    fn schema() -> MetaSchema {
        MetaSchema { min_length: Some(1), max_length: Some(200), ..MetaSchema::new("string") }
    }
}

impl Input for LaneName {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let fits = (1..=200).contains(&json.chars().count()) && !json.chars().any(char::is_control);
        fits.then(|| Self(json.clone())).ok_or_else(|| "must be 1 to 200 characters".to_owned())
    }
}

/// How many letters.
pub(crate) struct Count(u32);

impl Described for Count {
    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(500.0),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }
}

impl Input for Count {
    type Json = i64;

    fn parse(json: &i64) -> Result<Self, String> {
        let count = u32::try_from(*json).ok().filter(|count| (1..=500).contains(count));
        count.map(Self).ok_or_else(|| "must be a whole number from 1 to 500".to_owned())
    }
}

/// Which dead letters: those of `jobs`, or the oldest.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct LettersRequest {
    /// The jobs, as the list of dead letters shows them.
    #[oai(validator(min_items = 1, max_items = 500))]
    jobs: Given<Vec<Raw<LaneName>>>,
    /// As many of the oldest of the lane. An operator who means all repeats the request until none is left.
    oldest: Given<Raw<Count>>,
    /// Who does it, for the audit.
    by: Given<Raw<Name>>,
}

impl LettersRequest {
    /// Which, and who does it.
    pub fn read(&self) -> Result<(Which, String), Problem> {
        let mut fields = Fields::default();
        let by = who(&mut fields, &self.by);
        let oldest = fields.given("oldest", &self.oldest);
        let jobs: Option<Vec<LaneName>> = self.jobs.0.as_ref().map(|jobs| fields.list("jobs", jobs, MOST));
        match (&jobs, &self.oldest.0) {
            (Some(_), Some(_)) => fields.refuse("oldest", "must not stand beside `jobs`"),
            (None, None) => fields.refuse("jobs", "must be given, or `oldest`"),
            (Some(jobs), None) if jobs.is_empty() => fields.refuse("jobs", "must have at least one entry"),
            _ => {}
        }
        fields.finish(|| {
            let which = match jobs {
                Some(jobs) => Which::Ids(jobs.into_iter().map(|job| JobId::from(job.0)).collect()),
                None => Which::Oldest(oldest?.0),
            };
            Some((which, by))
        })
    }
}

/// What of a lane.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct StretchRequest {
    /// Only this group, which in most lanes is the id of a workspace.
    group: Given<Raw<LaneName>>,
    /// Who does it, for the audit.
    by: Given<Raw<Name>>,
}

impl StretchRequest {
    /// The group, and who does it.
    pub fn read(&self) -> Result<(Option<String>, String), Problem> {
        let mut fields = Fields::default();
        let group = fields.given("group", &self.group).map(|group| group.0);
        let by = who(&mut fields, &self.by);
        fields.finish(|| Some((group, by)))
    }
}

/// `true` or `false`, as a parameter.
pub(crate) struct Flag(bool);

impl Described for Flag {
    fn schema() -> MetaSchema {
        MetaSchema { default: Some(false.into()), ..MetaSchema::new("boolean") }
    }
}

impl Input for Flag {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        json.parse().map(Self).map_err(|_| "must be true or false".to_owned())
    }
}

/// The parameters of the list of dead letters.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeadParams {
    /// How many items at the most.
    limit: Given<Raw<LimitParam>>,
    /// Where to go on: `next` of the part before.
    cursor: Given<Raw<Cursor>>,
    /// Whether payloads are shown.
    payload: Given<Raw<Flag>>,
}

impl QueryParams for DeadParams {}

impl Params<DeadParams> {
    /// Which part, and whether with payloads.
    pub fn read(&self) -> Result<(Page, bool), Problem> {
        let mut fields = Fields::default();
        let page = page_request(&mut fields, &self.0.limit, &self.0.cursor);
        let payload = fields.given("payload", &self.0.payload).is_some_and(|flag| flag.0);
        let text = |cursor: Cursor| String::from_utf8(cursor.bytes().to_vec());
        let after = fields.take(
            "cursor",
            page.cursor.map(text).transpose().map_err(|_| "must be a cursor that a list answered as `next`"),
        );
        let limit = u32::try_from(page.limit.get()).unwrap_or(u32::MAX);
        fields.finish(|| Some((Page { after: after?.map(JobId::from), limit }, payload)))
    }
}

/// The parameters of the audit.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuditParams {
    /// How many items at the most.
    limit: Given<Raw<LimitParam>>,
}

impl QueryParams for AuditParams {}

impl Params<AuditParams> {
    /// How many.
    pub fn read(&self) -> Result<Limit, Problem> {
        let mut fields = Fields::default();
        let page = page_request(&mut fields, &self.0.limit, &Given(None));
        fields.finish(|| Some(page.limit))
    }
}
