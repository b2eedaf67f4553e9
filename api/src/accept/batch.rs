//! Accepting many operations at once: all or none, in order, answered at once.

use std::collections::HashMap;

use fairy_jobs::{
    command::Command,
    id::OperationId,
    operation::{IfMatch, Operation, ResourceRef},
};
use poem::{
    Response,
    http::{HeaderName, StatusCode},
};
use poem_openapi::{
    Object,
    registry::{MetaResponse, Registry},
    types::{ToJSON as _, Type as _},
};

use super::{Ticket, push::same_request, view::ResourceView};
use crate::{
    front::Front,
    problem::Refusal,
    shape::{Reply, Shape, Shown, header, json_content, plain},
};

/// The most items of one batch.
pub(crate) const fn most_items() -> usize {
    500
}

/// One operation of a batch.
#[derive(Object)]
#[oai(rename = "BatchOperation")]
struct BatchOperation {
    /// The operation, to be asked after at `/v1/operations/{id}`.
    id: Shown<OperationId>,
    /// What it is about.
    resource: ResourceView,
}

/// The operations of a batch, in the order of its items.
#[derive(Object)]
#[oai(rename = "BatchOperations")]
pub(crate) struct BatchOperations {
    /// One for each item.
    operations: Vec<BatchOperation>,
}

/// `202` with the operations of a batch.
pub(crate) struct BatchAccepted;

impl Shape for BatchAccepted {
    fn responses() -> Vec<MetaResponse> {
        let headers =
            [("Idempotency-Replayed", "`true` if an earlier request with the same key was accepted.")];
        let mut response =
            plain(202, "All are accepted, in this order.", json_content::<BatchOperations>(), &headers);
        // The header that marks a route whose request may carry the headers of operations.
        response
            .headers
            .extend(plain(202, "", Vec::new(), &[("Operation-Id", "The first operation.")]).headers);
        vec![response]
    }

    fn register(registry: &mut Registry) {
        BatchOperations::register(registry);
    }
}

/// One item: its ticket, what it does, and the versions it allows.
pub(crate) type Item = (Ticket, Command, Option<IfMatch>);

impl Front {
    /// Accepts the items of a batch, all or none.
    pub async fn accept_batch(
        &self,
        ticket: &Ticket,
        items: Vec<Item>,
    ) -> Result<Reply<BatchAccepted>, Refusal> {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.limits.workspace.take_many(&ticket.workspace(), count, self.now()).await?;
        let operation = |(ticket, command, if_match): Item| Operation {
            if_match: if_match.or_else(|| ticket.envelope.if_match.clone()),
            ..ticket.operation(self, command)
        };
        let operations: Vec<Operation> = items.into_iter().map(operation).collect();
        // A key that another request used must be met before anything is pushed. The lane refuses a batch whole while it
        // holds the key for another; what has left it is in the rows.
        let _claim = self.claims.claim(ticket)?;
        let earlier = if ticket.keyed { self.earlier_request(ticket.id).await? } else { None };
        let (mut named, mut replayed) = (HashMap::new(), earlier.is_some());
        // A batch is in the lane whole and in order: what is known of its first operation holds for the others.
        if let Some(fingerprint) = earlier {
            same_request(fingerprint, ticket.fingerprint())?;
            named = self.named_before(&operations).await?;
        } else {
            let accepted = self.push(ticket, &operations).await?;
            replayed = accepted.iter().any(|accepted| accepted.replayed);
            let tags = operations.iter().zip(accepted).map(|(o, accepted)| (o.id, accepted.tag.resource));
            named.extend(tags);
            if ticket.keyed {
                // An earlier request's operations may have left the lane between our look and our push. Whatever this
                // look meets, the batch is accepted.
                named.extend(self.named_in_rows(&operations).await.unwrap_or_default());
                replayed |= operations.iter().any(|o| named.get(&o.id) != Some(&o.command.resource()));
            }
        }
        Ok(answer(&operations, named, replayed))
    }
}

fn answer(
    operations: &[Operation],
    mut named: HashMap<OperationId, ResourceRef>,
    replayed: bool,
) -> Reply<BatchAccepted> {
    let one = |operation: &Operation| BatchOperation {
        id: Shown(operation.id),
        resource: named.remove(&operation.id).unwrap_or_else(|| operation.command.resource()).into(),
    };
    let body = BatchOperations { operations: operations.iter().map(one).collect() };
    let mut response = Response::builder()
        .status(StatusCode::ACCEPTED)
        .content_type("application/json")
        .body(body.to_json_string());
    if let Some(first) = operations.first() {
        header(&mut response, HeaderName::from_static("operation-id"), &first.id.to_string());
    }
    if replayed {
        header(&mut response, HeaderName::from_static("idempotency-replayed"), "true");
    }
    Reply::new(response)
}
