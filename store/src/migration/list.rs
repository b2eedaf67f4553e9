//! The migrations, in order.

use fairy_jobs::operation::Fingerprint;

use crate::driver::{Dialect, Statement, Text};

/// One file of each folder of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub name: &'static str,
    pub sql: Text,
}

impl Migration {
    /// By which a text is known to be the one that was applied.
    pub fn fingerprint(&self, dialect: Dialect) -> String {
        Fingerprint::of(&[self.sql.text(dialect).as_bytes()]).to_string()
    }
}

macro_rules! migrations {
    ($($name:literal,)*) => {
        &[$(Migration {
            name: $name,
            sql: Text {
                sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
                mysql: include_str!(concat!("../../../migrations/mysql/", $name, ".sql")),
            },
        },)*]
    };
}

/// All of them, in order.
pub(crate) const ALL: &[Migration] = migrations![
    "0001_users",
    "0002_sessions",
    "0003_sessions_by_user",
    "0004_sessions_by_end",
    "0005_tokens",
    "0006_tokens_by_user",
    "0007_tokens_by_end",
    "0008_links",
    "0009_links_by_end",
    "0010_workspaces",
    "0011_members",
    "0012_members_by_joining",
    "0013_members_by_person",
    "0014_member_handles",
    "0015_projects",
    "0016_invitations",
    "0017_invitations_by_age",
    "0018_invitations_by_end",
    "0019_operations",
    "0020_operations_by_end",
    "0021_tasks",
    "0022_tasks_by_creation",
    "0023_tasks_by_update",
    "0024_tasks_by_due",
    "0025_tasks_by_priority",
    "0026_task_keys",
    "0027_task_assignees",
    "0028_task_assignees_by_creation",
    "0029_task_assignees_by_due",
    "0030_task_assignees_by_priority",
    "0031_task_labels",
    "0032_task_labels_by_creation",
    "0033_task_labels_by_due",
    "0034_task_labels_by_priority",
    "0035_comments",
    "0036_comments_by_age",
    "0037_changes",
    "0038_sinks",
    "0039_sinks_by_wait",
    "0040_activity",
    "0041_activity_by_task",
    "0042_activity_by_actor",
    "0043_notices",
    "0044_notices_by_task",
    "0045_notice_changes",
    "0046_deliveries",
    "0047_deliveries_by_due",
    "0048_deliveries_by_subject",
    "0049_deliveries_deaths",
    "0050_deliveries_failures",
    "0051_changes_trace",
    "0052_deliveries_trace",
];
