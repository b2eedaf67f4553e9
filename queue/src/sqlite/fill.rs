//! Jobs joining groups: the counts, and the place of a group in the rota.
//!
//! A group that had nothing to hand out goes behind all that have; one that is in the rota, in hand or blocked stays
//! where it is, however much joins it.

use super::transaction::{Transaction, json};

const FILL_GROUPS: &str = "
INSERT INTO groups (lane, name, held, state, turn)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3,
    (value ->> 4) + (
        SELECT coalesce(max(turn), 0)
        FROM groups
        WHERE lane = value ->> 0 AND state = 1 AND paused = 0
    )
FROM json_each(?1)
WHERE true
ON CONFLICT (lane, name) DO UPDATE
SET held = held + excluded.held,
    turn = CASE WHEN state = 0 THEN excluded.turn ELSE turn END,
    state = CASE WHEN state = 0 THEN excluded.state ELSE state END
";

/// Jobs that join one group.
pub(super) struct Fill<'a> {
    /// The lane of the group.
    pub lane: i64,
    /// Its name.
    pub group: &'a str,
    /// How many jobs join.
    pub count: i64,
    /// Whether one of them could be handed out now.
    pub ready: bool,
}

/// Counts jobs into groups, makes groups that are missing, and puts idle ones into the rota in order.
pub(super) fn fill(tx: &mut Transaction<'_>, fills: &[Fill<'_>]) -> Result<(), sqlx::Error> {
    if fills.is_empty() {
        return Ok(());
    }
    let row = |(place, fill): (usize, &Fill<'_>)| {
        (fill.lane, fill.group.to_owned(), fill.count, i64::from(fill.ready), place + 1)
    };
    let rows: Vec<_> = fills.iter().enumerate().map(row).collect();
    tx.statement(FILL_GROUPS).bind(json(&rows)?);
    Ok(())
}
