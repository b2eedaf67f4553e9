//! Tasks and comments: their rows, and lists of them.

mod comments;
mod conditions;
mod due;
mod list;
mod rows;
mod search;
mod sets;
mod stream;

use async_trait::async_trait;
use fairy_jobs::{
    command::TaskName,
    id::{CommentId, TaskId, WorkspaceId},
    page::{Page, PageRequest},
    ports::{PortResult, TaskQuery, Tasks},
    task::{Comment, Task},
};

pub(crate) use self::{
    comments::{lock as lock_comments, write as write_comments},
    rows::{by_id, insert, lock, resolve, update, write_keys},
    search::Searches,
    sets::{Before, sync},
};
use crate::Store;

#[async_trait]
impl Tasks for Store {
    async fn task(&self, workspace: WorkspaceId, name: &TaskName) -> PortResult<Option<Task>> {
        let mut c = self.read().await?;
        let id = match name {
            TaskName::Id(id) => Some(*id),
            TaskName::Key(key) => rows::by_key(&mut c, workspace, key).await?,
        };
        let task = by_id(&mut c, workspace, id).await?.pop();
        Ok(task.filter(|task| task.deleted_at.is_none()))
    }

    async fn tasks(&self, query: &TaskQuery, page: PageRequest) -> PortResult<Page<Task>> {
        let _turn = match &query.filter.text {
            Some(_) => Some(self.searches.turn().await?),
            None => None,
        };
        // By where it was made: what is read for lists may not have it yet.
        let project = match &query.filter.project {
            None => None,
            Some(name) => Some(list::project(&mut self.read().await?, query.workspace, name).await?),
        };
        list::tasks(&mut self.browse().await?, query, project, &page).await
    }

    async fn comment(&self, task: TaskId, comment: CommentId) -> PortResult<Option<Comment>> {
        let found = comments::by_id(&mut self.read().await?, comment).await?;
        Ok(found.filter(|comment| comment.task == task && comment.deleted_at.is_none()))
    }

    async fn comments(&self, task: TaskId, page: PageRequest) -> PortResult<Page<Comment>> {
        comments::oldest_first(&mut self.browse().await?, task, &page).await
    }
}
