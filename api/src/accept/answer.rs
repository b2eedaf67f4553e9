//! From an operation to its answer: accepted, waited for, shown.

use fairy_jobs::{
    command::Command,
    id::OperationId,
    lane::Tag,
    operation::{End, Operation, Outcome, Resource, etag},
    ports::PortError,
};
use poem::{
    Response,
    http::{HeaderName, StatusCode, header as names},
};
use poem_openapi::types::ToJSON as _;

use super::{
    OperationView, Ticket,
    operated::{Applied, Operated},
    push::{location, same_request},
    wait::Waited,
};
use crate::{
    front::Front,
    problem::Refusal,
    shape::{Reply, header},
};

const OPERATION_ID: HeaderName = HeaderName::from_static("operation-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How far an accepted operation is.
struct Carried {
    tag: Tag,
    outcome: Option<Outcome>,
    replayed: bool,
    /// Whether it was waited for as long as the caller wanted, or until there was an outcome.
    waited: bool,
}

impl Front {
    /// Accepts an operation, waits as long as the caller wants, and answers.
    pub async fn accept<A: Applied>(
        &self,
        ticket: &Ticket,
        command: Command,
    ) -> Result<Reply<Operated<A>>, Refusal> {
        self.limits.workspace.take(&ticket.workspace(), self.now()).await?;
        let carried = self.carry_out(ticket, command).await?;
        let told = match carried.outcome {
            Some(outcome) => match self.tell::<A>(outcome).await {
                // Its outcome is known but cannot be shown now, for a read failed: not accepted it is not.
                Err(Refusal { cause: Some(cause), .. }) => {
                    tracing::warn!(operation = %ticket.id, cause, "an outcome could not be shown");
                    Ok(pending(ticket.id, &carried.tag))
                }
                told => told,
            },
            None => Ok(pending(ticket.id, &carried.tag)),
        };
        let id = ticket.id.to_string();
        let mut marks = vec![(OPERATION_ID, id)];
        if carried.replayed {
            marks.push((REPLAYED, "true".to_owned()));
        }
        let accepted = told.as_ref().is_ok_and(|response| response.status() == StatusCode::ACCEPTED);
        if let Some(applied) = ticket.envelope.prefer.applied(carried.waited, accepted) {
            marks.push((HeaderName::from_static("preference-applied"), applied));
        }
        match told {
            Ok(mut response) => {
                marks.into_iter().for_each(|(name, value)| header(&mut response, name, &value));
                Ok(Reply::new(response))
            }
            Err(refusal) => Err(marks.into_iter().fold(refusal, |r, (name, value)| r.with(name, value))),
        }
    }

    async fn carry_out(&self, ticket: &Ticket, command: Command) -> Result<Carried, Refusal> {
        let patience = ticket.envelope.prefer.patience();
        // Only who waits is worth a message.
        let reply_to = if patience.is_zero() { None } else { self.services.outcomes.reply_to() };
        let operation = Operation { reply_to, ..ticket.operation(self, command) };
        let listening = self.services.outcomes.listen(operation.id);
        if ticket.keyed
            && let Some(outcome) = self.earlier_outcome(operation.id).await?
        {
            same_request(outcome.fingerprint, ticket.fingerprint())?;
            let tag = Tag::of_outcome(&outcome);
            return Ok(Carried { tag, outcome: Some(outcome), replayed: true, waited: false });
        }
        let accepted = {
            let _claim = self.claims.claim(ticket)?;
            self.push(ticket, std::slice::from_ref(&operation)).await?.into_iter().next()
        };
        let (tag, replayed) = accepted
            .map_or_else(|| (Tag::of(&operation), false), |accepted| (accepted.tag, accepted.replayed));
        let ended = self.wait_out(operation.id, listening, patience).await;
        let waited = !matches!(ended, Err(Waited::CutShort));
        let mut outcome = ended.ok();
        if ticket.keyed && outcome.is_none() {
            // What is in the lane may itself be a repeat that came when the first had just left it, and name what nothing
            // will bear. Whatever this look meets, the operation is accepted.
            outcome =
                self.earlier_outcome(operation.id).await.ok().flatten().filter(|o| o.is_not(&operation));
        }
        let Some(outcome) = outcome else {
            return Ok(Carried { tag, outcome, replayed, waited });
        };
        same_request(outcome.fingerprint, ticket.fingerprint())?;
        // An earlier request's operation may have left the lane between our look and our push.
        let replayed = replayed || outcome.is_not(&operation);
        Ok(Carried { tag: Tag::of_outcome(&outcome), outcome: Some(outcome), replayed, waited })
    }

    /// The outcome an earlier request with the same key left; while the database is away the lane alone decides.
    pub(super) async fn earlier_outcome(&self, id: OperationId) -> Result<Option<Outcome>, Refusal> {
        let found = self.services.ledger.outcome(id).await;
        self.callers.reach.note(&found);
        match found {
            Err(PortError::Unavailable(_)) => Ok(None),
            found => Ok(found?),
        }
    }

    async fn tell<A: Applied>(&self, outcome: Outcome) -> Result<Response, Refusal> {
        let resource = match outcome.end {
            End::Applied(resource) => resource,
            End::Refused(problem) | End::Failed(problem) => return Err(problem.into()),
        };
        let status = StatusCode::from_u16(A::STATUS).unwrap_or(StatusCode::OK);
        let Some(resource) = resource.filter(|_| status != StatusCode::NO_CONTENT) else {
            return Ok(Response::builder().status(StatusCode::NO_CONTENT).finish());
        };
        let place = match &resource {
            Resource::Task(task) => format!("/v1/workspaces/{}/tasks/{}", outcome.workspace, task.id),
            Resource::Comment(comment) => {
                format!("/v1/workspaces/{}/tasks/{}/comments/{}", outcome.workspace, comment.task, comment.id)
            }
        };
        let version = resource.version();
        let shown = self.show(outcome.workspace, resource).await?.to_json_string();
        let tag = etag(version, &shown);
        let mut response = Response::builder().status(status).content_type("application/json").body(shown);
        header(&mut response, names::ETAG, &tag);
        if status == StatusCode::CREATED {
            header(&mut response, names::LOCATION, &place);
        }
        Ok(response)
    }
}

/// `202`: accepted, and where to ask after it.
fn pending(id: OperationId, tag: &Tag) -> Response {
    let view = OperationView::accepted(id, tag);
    let mut response = Response::builder()
        .status(StatusCode::ACCEPTED)
        .content_type("application/json")
        .body(view.to_json_string());
    header(&mut response, names::LOCATION, &location(&id.to_string()));
    response
}
