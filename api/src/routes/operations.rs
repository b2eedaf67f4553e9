//! Asking after operations.

use std::sync::Arc;

use fairy_jobs::problem::Problem;
use poem::http::HeaderMap;
use poem_openapi::{OpenApi, param::Path};

use super::Topic;
use crate::{
    accept::{OperationView, Prefer},
    auth::Caller,
    front::Front,
    shape::{CALLER, Refused, Reply, Shows, TARGET},
};

/// The operations.
pub(crate) struct OperationRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Operations")]
impl OperationRoutes {
    /// Show how far an operation is
    ///
    /// Seen by who asked for it and by the workspace's admins; kept 30 days. With `Prefer: wait=N` it waits up to N
    /// seconds (at most 60) for the end.
    #[oai(path = "/operations/:operation", method = "get", operation_id = "get_operation")]
    async fn show(
        &self,
        caller: Caller,
        operation: Path<String>,
        headers: &HeaderMap,
    ) -> Result<Reply<Shows<OperationView>>, Refused<{ CALLER | TARGET }>> {
        let id = operation.0.parse().map_err(|_| Problem::not_found("operation"))?;
        let patience = Prefer::parse(headers).patience_when_asking();
        Ok(Reply::show(&self.0.operation(&caller, id, patience).await?))
    }
}
