//! The table itself: made where that is permitted, and looked at.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification,
    TimeToLiveStatus,
};
use tokio::time::Instant;

use super::{
    DynamoDb,
    item::{EXPIRES, FEED, PERSON, SEQ, TASK},
};
use crate::aws::{AwsError, fault::Kind};

pub(super) const BY_TASK: &str = "by_task";
pub(super) const BY_PERSON: &str = "by_person";

/// How long a table may take until it can be used, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(500);

/// What can be said of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `CREATING`, …; of an index, if one is not as far.
    pub status: String,
    /// Entries, as DynamoDB counted them within the last six hours.
    pub entries: u64,
    /// Their size in bytes, as old.
    pub bytes: u64,
    /// Whether entries that have ended are removed.
    pub removes_ended: bool,
}

impl TableReport {
    /// Whether it can be used.
    pub fn is_active(&self) -> bool {
        self.status == ACTIVE
    }
}

impl fmt::Display for TableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} is {}, about {} entries", self.name, self.status, self.entries)
    }
}

const ACTIVE: &str = "ACTIVE";

impl DynamoDb {
    /// Makes the table if it is not there, on demand, waits until it can be used, and lets it remove what has ended if
    /// entries are to end. A table that is there is left as it is.
    ///
    /// # Errors
    /// Where it may not be made, where another table has its name, and where it does not get ready.
    pub async fn create_table(&self) -> Result<TableReport, AwsError> {
        if self.find_table().await?.is_none() {
            self.make().await?;
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let state = match self.find_table().await? {
                Some(table) => {
                    let report = self.report(&table).await?;
                    if report.is_active() {
                        return self.with_end(report).await;
                    }
                    report.to_string()
                }
                // One that was made just now is not known everywhere.
                None => format!("table {} is not there yet", self.table.name),
            };
            if Instant::now() >= until {
                return Err(AwsError::Away(format!("{state}, after {PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What can be said of the table.
    ///
    /// # Errors
    /// Where it is not there, cannot be looked at, or is not one of ours.
    pub async fn describe(&self) -> Result<TableReport, AwsError> {
        match self.find_table().await? {
            Some(table) => self.report(&table).await,
            None => Err(AwsError::Unfit(format!(
                "there is no table {}; `fairy migrate` makes it",
                self.table.name
            ))),
        }
    }

    async fn report(&self, table: &TableDescription) -> Result<TableReport, AwsError> {
        let name = &self.table.name;
        if let Some(wrong) = difference(table) {
            return Err(AwsError::Unfit(format!("table {name} cannot be used as an activity log: {wrong}")));
        }
        let status = |status: Option<&str>| status.unwrap_or("in an unknown state").to_owned();
        let mut state = status(table.table_status().map(TableStatus::as_str));
        for index in table.global_secondary_indexes() {
            if state == ACTIVE {
                state = status(index.index_status().map(IndexStatus::as_str));
            }
        }
        // Of one that is being made it cannot be asked.
        let removes_ended = state == ACTIVE && self.removes_ended().await?;
        Ok(TableReport {
            name: name.clone(),
            status: state,
            entries: table.item_count().unwrap_or_default().unsigned_abs(),
            bytes: table.table_size_bytes().unwrap_or_default().unsigned_abs(),
            removes_ended,
        })
    }

    async fn find_table(&self) -> Result<Option<TableDescription>, AwsError> {
        match self.client.describe_table().table_name(&self.table.name).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) => {
                let fault = self.fault(&error);
                if fault.is("ResourceNotFoundException") { Ok(None) } else { Err(fault.into()) }
            }
        }
    }

    async fn make(&self) -> Result<(), AwsError> {
        let attribute =
            |name, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
        let mut call = self
            .client
            .create_table()
            .table_name(&self.table.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(keys(FEED)?));
        for name in [FEED, TASK, PERSON] {
            call = call.attribute_definitions(attribute(name, ScalarAttributeType::S)?);
        }
        call = call.attribute_definitions(attribute(SEQ, ScalarAttributeType::N)?);
        for (index, key) in INDEXES {
            let only_keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
            let index = GlobalSecondaryIndex::builder()
                .index_name(index)
                .set_key_schema(Some(keys(key)?))
                .projection(only_keys)
                .build();
            call = call.global_secondary_indexes(index?);
        }
        match call.send().await.map_err(|error| self.fault(&error)) {
            // Two processes migrate at once.
            Err(fault) if fault.is("ResourceInUseException") => Ok(()),
            // AWS has answered, and will not answer otherwise to who may not.
            Err(fault) if fault.code.is_some() && fault.kind != Kind::Throttled => {
                Err(AwsError::Unfit(format!(
                    "{}; make the table by other means (dynamodb:CreateTable is not needed then)",
                    fault.about("it cannot be made")
                )))
            }
            Err(fault) => Err(fault.into()),
            Ok(_) => Ok(()),
        }
    }

    async fn removes_ended(&self) -> Result<bool, AwsError> {
        let call = self.client.describe_time_to_live().table_name(&self.table.name);
        let answer = call.send().await.map_err(|error| self.fault(&error))?;
        let ttl = answer.time_to_live_description();
        Ok(ttl.is_some_and(|ttl| {
            ttl.attribute_name() == Some(EXPIRES)
                && matches!(
                    ttl.time_to_live_status(),
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                )
        }))
    }

    /// Lets the table remove what has ended, if entries are to end.
    async fn with_end(&self, report: TableReport) -> Result<TableReport, AwsError> {
        if self.table.keep.is_none() || report.removes_ended {
            return Ok(report);
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true).build();
        let call = self.client.update_time_to_live().table_name(&self.table.name);
        match call.time_to_live_specification(ttl?).send().await {
            Ok(_) => {}
            // Two processes migrate at once.
            Err(_) if self.removes_ended().await? => {}
            Err(error) => {
                return Err(self.fault(&error).about("what has ended cannot be removed").into());
            }
        }
        Ok(TableReport { removes_ended: true, ..report })
    }
}

const INDEXES: [(&str, &str); 2] = [(BY_TASK, TASK), (BY_PERSON, PERSON)];

fn keys(partition: &str) -> Result<Vec<KeySchemaElement>, AwsError> {
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let keys = [key(partition, KeyType::Hash), key(SEQ, KeyType::Range)];
    Ok(keys.into_iter().collect::<Result<_, _>>()?)
}

/// What is not as it must be.
fn difference(table: &TableDescription) -> Option<String> {
    let is = |schema: &[KeySchemaElement], partition: &str| {
        let has = |name: &str, kind: &KeyType| {
            schema.iter().any(|key| key.attribute_name() == name && key.key_type() == kind)
        };
        has(partition, &KeyType::Hash) && has(SEQ, &KeyType::Range)
    };
    if !is(table.key_schema(), FEED) {
        return Some(format!("its keys are not `{FEED}` and `{SEQ}`"));
    }
    let wrong = INDEXES.iter().find(|(name, key)| {
        let mut indexes = table.global_secondary_indexes().iter();
        !indexes.any(|index| index.index_name() == Some(name) && is(index.key_schema(), key))
    });
    wrong.map(|(name, key)| format!("it has no index `{name}` with the keys `{key}` and `{SEQ}`"))
}
