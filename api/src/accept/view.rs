//! An operation as the API shows it.

use fairy_jobs::{
    id::{OperationId, WorkspaceId},
    lane::Tag,
    operation::{End, OperationStatus, Outcome, ResourceKind, ResourceRef},
    problem::{Problem, ProblemKind},
};
use poem_openapi::Object;

use crate::{
    front::Front,
    problem::Refusal,
    shape::{Instant, Shown},
    view::{ProblemView, ResultView},
};

/// What an operation is about.
#[derive(Debug, Object)]
#[oai(rename = "Resource")]
pub(crate) struct ResourceView {
    /// Its kind.
    #[oai(rename = "type")]
    kind: Shown<ResourceKind>,
    /// Its id, or for a task that was named by its key and is not found yet, the key.
    id: String,
}

impl From<ResourceRef> for ResourceView {
    fn from(resource: ResourceRef) -> Self {
        Self { kind: Shown(resource.kind), id: resource.id }
    }
}

/// One requested write, from acceptance to outcome.
#[derive(Object)]
#[oai(rename = "Operation")]
pub(crate) struct OperationView {
    /// Its id.
    id: Shown<OperationId>,
    /// The workspace.
    workspace: Shown<WorkspaceId>,
    /// How far it is; `failed` is final, a retry is a new operation.
    status: Shown<OperationStatus>,
    /// When it was accepted.
    accepted_at: Shown<Instant>,
    /// When it ended.
    #[oai(skip_serializing_if_is_none)]
    finished_at: Option<Shown<Instant>>,
    /// What it is about.
    resource: ResourceView,
    /// The failed operation that it tries again.
    #[oai(skip_serializing_if_is_none)]
    retry_of: Option<Shown<OperationId>>,
    /// What it left, as it was right after it.
    #[oai(skip_serializing_if_is_none)]
    result: Option<ResultView>,
    /// Why it was refused or failed.
    #[oai(skip_serializing_if_is_none)]
    problem: Option<ProblemView>,
}

impl OperationView {
    /// An operation that is in its lane.
    pub fn accepted(id: OperationId, tag: &Tag) -> Self {
        Self {
            id: Shown(id),
            workspace: Shown(tag.workspace),
            status: Shown(OperationStatus::Accepted),
            accepted_at: Shown(Instant(tag.accepted_at)),
            finished_at: None,
            resource: tag.resource.clone().into(),
            retry_of: tag.retry_of.map(Shown),
            result: None,
            problem: None,
        }
    }

    /// An operation that is among the dead letters without an outcome.
    pub fn given_up(front: &Front, id: OperationId, tag: &Tag) -> Self {
        let detail = "It was put among the dead letters, and its end could not be written down.";
        let problem = Problem::new(ProblemKind::OperationFailed, detail);
        Self {
            status: Shown(OperationStatus::Failed),
            problem: Some(ProblemView::of(&problem, front.base())),
            ..Self::accepted(id, tag)
        }
    }

    /// An operation that has ended; `whole` with what it left.
    pub async fn ended(front: &Front, outcome: Outcome, whole: bool) -> Result<Self, Refusal> {
        let status = outcome.end.status();
        let (resource, problem) = match outcome.end {
            End::Applied(resource) => (resource.filter(|_| whole), None),
            End::Refused(problem) | End::Failed(problem) => (None, Some(problem)),
        };
        let result = match resource {
            Some(resource) => Some(front.show(outcome.workspace, resource).await?),
            None => None,
        };
        Ok(Self {
            id: Shown(outcome.id),
            workspace: Shown(outcome.workspace),
            status: Shown(status),
            accepted_at: Shown(Instant(outcome.accepted_at)),
            finished_at: Some(Shown(Instant(outcome.finished_at))),
            resource: outcome.resource.into(),
            retry_of: outcome.retry_of.map(Shown),
            result,
            problem: problem.map(|problem| ProblemView::of(&problem, front.base())),
        })
    }
}
