//! Which operations of a batch are its own.

use std::collections::{BTreeMap, BTreeSet};

use fairy_jobs::{
    id::OperationId,
    operation::{Operation, Outcome},
    ports::PortResult,
};
use jiff::Timestamp;

use super::outcomes;
use crate::driver::{Asked, Connection, Text, args};

/// How many rows it touches must be how many are new, so in MySQL it is `IGNORE`: ids, hashes and numbers always fit, and
/// nothing but a row that is there can be ignored.
const CLAIM: Text = Text {
    sqlite: "\
INSERT INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}
ON CONFLICT (id) DO NOTHING",
    mysql: "\
INSERT IGNORE INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}",
};

/// A batch that is being told apart.
pub(super) struct Claiming {
    ids: Vec<OperationId>,
    inserted: Asked,
}

/// A batch told apart.
pub(super) struct Claimed {
    /// Operations to be decided now, in order, each once.
    pub fresh: Vec<Operation>,
    /// Outcomes of those that were decided before.
    pub stored: BTreeMap<OperationId, Outcome>,
}

/// Inserts a row for each operation, in the order of ids so that two batches never wait for each other in a circle.
pub(super) async fn claim(
    c: &mut Connection<'_>,
    token: [u8; 16],
    at: Timestamp,
    operations: &[Operation],
) -> PortResult<Claiming> {
    let mut by_id: BTreeMap<OperationId, &Operation> = BTreeMap::new();
    for operation in operations {
        by_id.entry(operation.id).or_insert(operation);
    }
    let row = |o: &&Operation| {
        let outcome = None::<String>;
        args![o.id, o.workspace, o.actor, o.fingerprint.to_bytes(), token, o.accepted_at, at, outcome]
    };
    let inserted = c.ask_rows(CLAIM, 8, by_id.values().flat_map(row).collect()).await?;
    Ok(Claiming { ids: by_id.into_keys().collect(), inserted })
}

impl Claiming {
    /// Which rows were new.
    pub async fn read(
        self,
        c: &mut Connection<'_>,
        token: [u8; 16],
        operations: Vec<Operation>,
    ) -> PortResult<Claimed> {
        let mut stored = BTreeMap::new();
        if c.answer(self.inserted).await?.touched != self.ids.len() as u64 {
            let found = outcomes::stored(c, token, &self.ids).await?;
            stored = found.into_iter().map(|outcome| (outcome.id, outcome)).collect();
        }
        let mut seen = BTreeSet::new();
        let fresh =
            operations.into_iter().filter(|o| !stored.contains_key(&o.id) && seen.insert(o.id)).collect();
        Ok(Claimed { fresh, stored })
    }
}
