//! The activity log as the domain asks for it.

use fairy_jobs::testing::activity::exercise;

use super::stage::Stage;

super::tests! {
    the_table_is_an_activity_log,
}

async fn the_table_is_an_activity_log(stage: &Stage) {
    exercise(&stage.store).await;
}
