//! Putting items, in calls of 25, until DynamoDB has taken all of them.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{PutRequest, WriteRequest},
};
use fairy_jobs::ports::{PortError, PortResult};

use super::{
    DynamoDb,
    item::{self, Item},
};
use crate::aws::{
    fault::{Fault, Kind},
    pace::Pace,
};

/// Items of one call.
const AT_ONCE: usize = 25;

impl DynamoDb {
    /// Puts the items, one call after the other, so that the log grows from its end.
    pub(super) async fn write(&self, items: Vec<Item>) -> PortResult<()> {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            self.put(items.by_ref().take(AT_ONCE).collect()).await?;
        }
        Ok(())
    }

    /// One call, repeated with what was left of it. DynamoDB takes what it has room for and names the rest; only where it
    /// takes nothing at all does it answer with an error.
    async fn put(&self, items: Vec<Item>) -> PortResult<()> {
        let mut pace = Pace::of(items.first().map(item::seq).transpose()?);
        let mut left: Vec<WriteRequest> = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|error| PortError::Broken(error.to_string()))?;
            left.push(WriteRequest::builder().put_request(put).build());
        }
        loop {
            let call = self.client.batch_write_item().request_items(&self.table.name, left.clone());
            let moved = match call.send().await {
                Ok(answer) => {
                    let unprocessed = answer.unprocessed_items.unwrap_or_default();
                    let unprocessed: Vec<_> = unprocessed.into_values().flatten().collect();
                    if unprocessed.is_empty() {
                        return Ok(());
                    }
                    let moved = unprocessed.len() < left.len();
                    left = unprocessed;
                    moved
                }
                Err(error) => match self.fault(&error) {
                    Fault { kind: Kind::Throttled, .. } => false,
                    fault => return Err(fault.into()),
                },
            };
            let Some(wait) = pace.next(moved) else {
                return Err(self.throttled());
            };
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn throttled(&self) -> PortError {
        PortError::Unavailable(format!("table {} is throttled and takes no more for now", self.table.name))
    }

    /// What went wrong with a call on the table.
    pub(super) fn fault<E>(&self, error: &SdkError<E>) -> Fault
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (fault, table) = (Fault::of(error), &self.table.name);
        if fault.is("ResourceNotFoundException") {
            return fault.about(&format!(
                "there is no table {table}, or an index of it is missing; `fairy migrate` makes them"
            ));
        }
        fault.about(&format!("table {table}"))
    }
}
