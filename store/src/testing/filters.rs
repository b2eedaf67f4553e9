//! What a list of tasks makes of a filter that names a project which is not the workspace's.

use fairy_jobs::{
    account::TimeZone,
    command::ProjectName,
    id::ProjectId,
    page::PageRequest,
    ports::{TaskFilter, TaskQuery, TaskSort, Tasks as _},
    team::ProjectKey,
};

use super::stage::Stage;

super::tests! {
    a_project_of_another_workspace_is_no_project,
}

async fn a_project_of_another_workspace_is_no_project(stage: &Stage) {
    let owner = stage.person("Owner").await;
    let (team, other) = (stage.team(&owner).await, stage.team(&owner).await);
    stage.project(&other, ProjectId::generate(&*stage.ids, stage.now()), "OPS").await;
    let key = |key: &str| ProjectName::Key(ProjectKey::parse(key).unwrap());
    let asked = |project: ProjectName| {
        let filter = TaskFilter { project: Some(project), ..TaskFilter::default() };
        TaskQuery { workspace: team.workspace, filter, sort: TaskSort::Newest, time_zone: TimeZone::utc() }
    };
    let list = async |project| stage.store.tasks(&asked(project), PageRequest::default()).await;
    for own in [ProjectName::Id(team.project), key("WEB")] {
        assert_eq!(list(own).await.unwrap().items, []);
    }
    for none in [ProjectName::Id(other.project), ProjectName::Id(ProjectId::from_bytes([9; 16])), key("OPS")]
    {
        assert_eq!(list(none.clone()).await, Err(none.unknown().into()));
    }
}
