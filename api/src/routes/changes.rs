//! The feed of changes: a list, or a live stream.

use std::sync::Arc;

use fairy_jobs::{
    id::WorkspaceId,
    page::{Cursor, Page},
    ports::Stretch,
    problem::{Problem, ProblemKind},
    rights::Action,
};
use poem::{
    IntoResponse as _, Request,
    http::{HeaderMap, header},
};
use poem_openapi::{
    Object, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaSchema, MetaSchemaRef, Registry},
    types::Type as _,
};
use serde::Deserialize;

use super::{Topic, following::Follower};
use crate::{
    auth::{Caller, secret_of},
    front::Front,
    problem::{Refusal, malformed},
    shape::{
        CALLER, CONFLICT, Fields, Given, LimitParam, ListOf, NOT_ACCEPTABLE, Params, QUERY, QueryParams, Raw,
        Refused, Reply, SeqParam, Shape, Shows, TARGET, json_content, page_request, plain,
    },
    view::ChangeView,
};

/// Which changes are wanted.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ChangeParams {
    /// Those after this number, which must be that of a change; all unless given.
    after: Given<Raw<SeqParam>>,
    /// Wait until this change is visible.
    min_seq: Given<Raw<SeqParam>>,
    /// How many items at the most; a stream is not limited.
    limit: Given<Raw<LimitParam>>,
    /// Where to go on: `next` of the part before.
    cursor: Given<Raw<Cursor>>,
}

impl QueryParams for ChangeParams {}

/// A list of changes, or a stream of them.
pub(crate) struct Feed;

impl Shape for Feed {
    fn responses() -> Vec<MetaResponse> {
        let mut content = json_content::<ListOf<ChangeView>>();
        let stream = MetaSchema {
            description: Some("Server-sent events: `id` is the `seq`, `event` the `kind`, `data` a change."),
            ..MetaSchema::new("string")
        };
        content.push(MetaMediaType {
            content_type: "text/event-stream",
            schema: MetaSchemaRef::Inline(Box::new(stream)),
        });
        vec![plain(200, "The changes, oldest first.", content, &[])]
    }

    fn register(registry: &mut Registry) {
        <ListOf<ChangeView>>::register(registry);
    }
}

/// Which representation `Accept` asks for (RFC 9110 §12.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    List,
    Stream,
}

fn wanted(headers: &HeaderMap) -> Result<Wanted, Problem> {
    let values: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let mut best: Option<(Wanted, f32)> = values.is_empty().then_some((Wanted::List, 1.0));
    for range in values.iter().flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "text/event-stream" | "text/*" => Wanted::Stream,
            "application/json" | "application/*" | "*/*" => Wanted::List,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((kind, weight));
        }
    }
    best.map(|(kind, _)| kind).ok_or_else(|| {
        Problem::new(ProblemKind::NotAcceptable, "Ask for application/json or text/event-stream.")
    })
}

/// The feed.
pub(crate) struct ChangeRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::History")]
impl ChangeRoutes {
    /// List or follow the changes of a workspace
    ///
    /// Oldest first, numbered without gaps. With `Accept: text/event-stream` a live stream, which resumes after
    /// `Last-Event-ID` (it beats `after`), has a heartbeat every 15 seconds, and ends with the session or the right.
    #[oai(path = "/workspaces/:ws/changes", method = "get", operation_id = "list_changes")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<ChangeParams>,
        request: &Request,
    ) -> Result<Reply<Feed>, Refused<{ CALLER | TARGET | QUERY | CONFLICT | NOT_ACCEPTABLE }>> {
        let wanted = wanted(request.headers())?;
        let last_seen = last_event_id(request.headers())?.filter(|_| wanted == Wanted::Stream);
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        self.0.caught_up(place.workspace, &params.0.min_seq).await?;
        let mut fields = Fields::default();
        let after = after(&mut fields, &params.0);
        let limit = page_request(&mut fields, &params.0.limit, &params.0.cursor).limit.get();
        let after = last_seen.unwrap_or(fields.finish(|| Some(after))?);
        self.must_be(place.workspace, after).await?;
        if wanted == Wanted::Stream {
            let secret = secret_of(&self.0, request);
            let follower = Follower::new(&self.0, caller, secret, place.workspace)?;
            return Ok(Reply::new(follower.response(after)));
        }
        let Stretch { changes: items, more } =
            self.0.services.feed.changes(place.workspace, after, limit).await?;
        let last = items.last().filter(|_| more).map(|change| change.seq);
        let next = last.map(|seq| Cursor::new(seq.to_be_bytes().to_vec()));
        let page = Page { items, next };
        Ok(Reply::new(Reply::<Shows<_>>::show(&ListOf::of(page, ChangeView::from)).into_response()))
    }
}

impl ChangeRoutes {
    /// Refuses to go on after a change that there is not: what gets its number later would be missed.
    async fn must_be(&self, workspace: WorkspaceId, seq: u64) -> Result<(), Refusal> {
        let Some(before) = seq.checked_sub(1) else { return Ok(()) };
        if !self.0.services.feed.changes(workspace, before, 1).await?.changes.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "The workspace has no change {seq}. If Fairy was restored from a backup, read the feed again from its beginning."
        );
        Err(Problem::new(ProblemKind::Conflict, detail).into())
    }
}

fn after(fields: &mut Fields, params: &ChangeParams) -> u64 {
    let after = fields.given("after", &params.after).map_or(0, |after| after.0);
    let Some(cursor) = fields.given("cursor", &params.cursor) else {
        return after;
    };
    let seq = cursor.bytes().try_into().map(u64::from_be_bytes).ok().filter(|seq| *seq < 1 << 53);
    if seq.is_none() {
        fields.refuse("cursor", "must be a cursor that this list answered as `next`");
    }
    seq.unwrap_or(after)
}

/// Where a stream that broke off is to go on.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let seq = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|seq| *seq < 1 << 53);
    seq.map(Some).ok_or_else(|| malformed("Last-Event-ID", "must be the id of an event of this feed"))
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn accept(value: &'static str) -> Option<Wanted> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(value));
        wanted(&headers).ok()
    }

    #[test]
    fn accept_chooses_list_or_stream() {
        assert_eq!(wanted(&HeaderMap::new()).unwrap(), Wanted::List);
        assert_eq!(accept("*/*"), Some(Wanted::List));
        assert_eq!(accept("text/event-stream"), Some(Wanted::Stream));
        assert_eq!(accept("text/event-stream, */*;q=0.1"), Some(Wanted::Stream));
        assert_eq!(accept("application/json;q=0.9, text/event-stream;q=0.5"), Some(Wanted::List));
        assert_eq!(accept("text/event-stream;q=0"), None);
        assert_eq!(accept("image/png"), None);
    }

    #[test]
    fn a_stream_goes_on_after_what_was_seen() {
        let seen = |value: &'static str| {
            last_event_id(&HeaderMap::from_iter([(
                "last-event-id".parse().unwrap(),
                HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert_eq!(seen("17").unwrap(), Some(17));
        assert_eq!(seen("").unwrap(), None, "a client that has seen nothing yet");
        for wrong in ["x", "-1", "17, 18", "99999999999999999999"] {
            assert_eq!(seen(wrong).unwrap_err().kind, ProblemKind::Malformed, "{wrong}");
        }
    }
}
