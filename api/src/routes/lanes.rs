//! The lanes, for who looks after the installation: the same as `fairy lanes`.

use std::sync::Arc;

use fairy_jobs::{
    page::{Cursor, Page},
    problem::Problem,
};
use fairy_queue::{LaneSpec, QueueError};
use poem_openapi::{OpenApi, param::Path};

use super::{
    Topic,
    lane_requests::{AuditParams, DeadParams, LettersRequest, StretchRequest},
    lane_views::{AuditView, DeadLetterView, HandledView, LaneView},
};
use crate::{
    auth::Operator,
    desk::{Again, Retried},
    front::Front,
    problem::{Refusal, unavailable},
    shape::{BODY, Done, JsonBody, ListOf, OPERATOR, Params, QUERY, Refused, Reply, Shows},
};

/// The lanes.
pub(crate) struct LaneRoutes(pub Arc<Front>);

impl LaneRoutes {
    fn lane(&self, name: &str) -> Result<&'static LaneSpec, Problem> {
        let mut lanes = self.0.services.desk.lanes().iter().copied();
        lanes.find(|lane| lane.name == name).ok_or_else(|| Problem::not_found("lane"))
    }

    async fn set_paused(&self, lane: &str, request: &StretchRequest, paused: bool) -> Result<(), Refusal> {
        let lane = self.lane(lane)?;
        let (group, by) = request.read()?;
        let (queue, group) = (&self.0.services.queue, group.as_deref());
        match paused {
            true => queue.pause(lane, group, &by).await,
            false => queue.resume(lane, group, &by).await,
        }
        .map_err(away)
    }
}

#[OpenApi(tag = "Topic::Operators")]
impl LaneRoutes {
    /// List the lanes
    ///
    /// Each with how many jobs it holds, and in which state.
    #[oai(path = "/admin/lanes", method = "get", operation_id = "list_lanes")]
    async fn list(&self, _operator: Operator) -> Result<Reply<Shows<ListOf<LaneView>>>, Refused<OPERATOR>> {
        let mut items = Vec::new();
        for lane in self.0.services.desk.lanes() {
            let stats = self.0.services.queue.stats(lane).await.map_err(away)?;
            items.push(LaneView::of(lane, stats));
        }
        Ok(Reply::show(&ListOf::of(Page { items, next: None }, |lane| lane)))
    }

    /// List what operators did to the lanes
    ///
    /// Newest first.
    #[oai(path = "/admin/lanes/audit", method = "get", operation_id = "list_lane_audit")]
    async fn audit(
        &self,
        _operator: Operator,
        params: Params<AuditParams>,
    ) -> Result<Reply<Shows<ListOf<AuditView>>>, Refused<{ OPERATOR | QUERY }>> {
        let limit = u32::try_from(params.read()?.get()).unwrap_or(u32::MAX);
        let items = self.0.services.queue.audit(limit).await.map_err(away)?;
        Ok(Reply::show(&ListOf::of(Page { items, next: None }, AuditView::from)))
    }

    /// List the dead letters of a lane
    ///
    /// Jobs that were given up, oldest first. Payloads hold what people wrote, so they are shown only when asked for.
    #[oai(path = "/admin/lanes/:lane/dead", method = "get", operation_id = "list_dead_letters")]
    async fn dead(
        &self,
        _operator: Operator,
        lane: Path<String>,
        params: Params<DeadParams>,
    ) -> Result<Reply<Shows<ListOf<DeadLetterView>>>, Refused<{ OPERATOR | QUERY }>> {
        let lane = self.lane(&lane.0)?;
        let (page, payload) = params.read()?;
        let page = self.0.services.queue.dead(lane, page).await.map_err(away)?;
        let next = page.next.map(|job| Cursor::new(job.as_str().as_bytes().to_vec()));
        let page = Page { items: page.items, next };
        Ok(Reply::show(&ListOf::of(page, |job| DeadLetterView::of(job, payload))))
    }

    /// Try dead letters again
    ///
    /// They go back into their lane, with all attempts before them. An operation that failed stays failed, for that was
    /// told: a new one is made that asks for the same, and `operation` names it. Tried twice, it is the same operation.
    #[oai(path = "/admin/lanes/:lane/dead/retry", method = "post", operation_id = "retry_dead_letters")]
    async fn retry(
        &self,
        _operator: Operator,
        lane: Path<String>,
        body: JsonBody<LettersRequest>,
    ) -> Result<Reply<Shows<HandledView>>, Refused<{ OPERATOR | BODY }>> {
        let lane = self.lane(&lane.0)?;
        let (which, by) = body.value.read()?;
        let mut handled = HandledView::default();
        for Retried { job, way } in self.0.services.desk.retry(lane, which, &by).await? {
            match way {
                Ok(Again::Back) => handled.done(&job, None),
                Ok(Again::As { retry, .. }) => handled.done(&job, Some(retry)),
                Err(reason) => handled.left(&job, reason),
            }
        }
        Ok(Reply::show(&handled))
    }

    /// Delete dead letters
    #[oai(path = "/admin/lanes/:lane/dead/discard", method = "post", operation_id = "discard_dead_letters")]
    async fn discard(
        &self,
        _operator: Operator,
        lane: Path<String>,
        body: JsonBody<LettersRequest>,
    ) -> Result<Reply<Shows<HandledView>>, Refused<{ OPERATOR | BODY }>> {
        let lane = self.lane(&lane.0)?;
        let (which, by) = body.value.read()?;
        let asked = which.named().to_vec();
        let gone = self.0.services.queue.discard_dead(lane, which, &by).await.map_err(away)?;
        let mut handled = HandledView::default();
        gone.iter().for_each(|job| handled.done(job, None));
        for job in asked.iter().filter(|job| !gone.contains(job)) {
            handled.left(job, "is no dead letter of this lane".to_owned());
        }
        Ok(Reply::show(&handled))
    }

    /// Pause a lane or one of its groups
    ///
    /// Jobs are still accepted, and none is handed out.
    #[oai(path = "/admin/lanes/:lane/pause", method = "post", operation_id = "pause_lane")]
    async fn pause(
        &self,
        _operator: Operator,
        lane: Path<String>,
        body: JsonBody<StretchRequest>,
    ) -> Result<Reply<Done>, Refused<{ OPERATOR | BODY }>> {
        self.set_paused(&lane.0, &body.value, true).await?;
        Ok(Reply::done())
    }

    /// End the pause of a lane or of one of its groups
    #[oai(path = "/admin/lanes/:lane/resume", method = "post", operation_id = "resume_lane")]
    async fn resume(
        &self,
        _operator: Operator,
        lane: Path<String>,
        body: JsonBody<StretchRequest>,
    ) -> Result<Reply<Done>, Refused<{ OPERATOR | BODY }>> {
        self.set_paused(&lane.0, &body.value, false).await?;
        Ok(Reply::done())
    }
}

fn away(error: QueueError) -> Refusal {
    Refusal { cause: Some(error.0), ..unavailable().into() }
}
