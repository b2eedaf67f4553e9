//! Comments on tasks.

use std::sync::Arc;

use fairy_jobs::{
    command::{AddComment, Command, DeleteComment, EditComment},
    problem::Problem,
    rights::Action,
    text::Body,
};
use poem::http::HeaderMap;
use poem_openapi::{Object, OpenApi, param::Path};
use serde::Deserialize;

use super::{
    Topic,
    tasks::if_none_match,
    visible::{comment_id, task_name},
    writer::Writer,
};
use crate::{
    accept::{Changed, Created, Nothing, Operated, Ticket},
    auth::Caller,
    front::Front,
    shape::{
        BODY, CALLER, Fields, Filled, JsonBody, ListOf, OPERATION, PageParams, Params, QUERY, Raw, Refused,
        Reply, Shows, TARGET, Tagged,
    },
    view::CommentView,
};

/// What a comment says.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct CommentRequest {
    /// The text, in Markdown; `@name` calls a member.
    body: Raw<Filled>,
}

impl CommentRequest {
    fn into_body(self) -> Result<Body, Problem> {
        let mut fields = Fields::default();
        let body = fields.required("body", &self.body);
        fields.finish(|| Some(body?.0))
    }
}

/// The comments.
pub(crate) struct CommentRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Tasks")]
impl CommentRoutes {
    /// Comment on a task
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/comments", method = "post", operation_id = "create_comment")]
    async fn create(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        body: JsonBody<CommentRequest>,
    ) -> Result<Reply<Operated<Created<CommentView>>>, Refused<{ CALLER | TARGET | BODY | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, &body.raw);
        let (task, comment) = (task_name(&task.0)?, Ticket::comment(&self.0));
        let command = AddComment { task, comment, body: body.value.into_body()? };
        Ok(self.0.accept(&ticket, Command::AddComment(command)).await?)
    }

    /// List the comments of a task
    ///
    /// Oldest first.
    #[oai(path = "/workspaces/:ws/tasks/:task/comments", method = "get", operation_id = "list_comments")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        task: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<CommentView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let task = self.0.task(place.workspace, &task.0).await?;
        let comments = self.0.services.tasks.comments(task.id, params.page()?).await?;
        let people = self.0.people(place.workspace, comments.items.iter().map(|c| c.author)).await?;
        Ok(Reply::show(&ListOf::of(comments, |comment| CommentView::of(comment, &people))))
    }

    /// Show a comment
    #[oai(
        path = "/workspaces/:ws/tasks/:task/comments/:comment",
        method = "get",
        operation_id = "get_comment"
    )]
    async fn show(
        &self,
        caller: Caller,
        ws: Path<String>,
        task: Path<String>,
        comment: Path<String>,
        headers: &HeaderMap,
    ) -> Result<Reply<Tagged<CommentView>>, Refused<{ CALLER | TARGET }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let task = self.0.task(place.workspace, &task.0).await?;
        let found = self.0.services.tasks.comment(task.id, comment_id(&comment.0)?).await?;
        let comment = found.ok_or_else(|| Problem::not_found("comment"))?;
        let version = comment.version;
        let people = self.0.people(place.workspace, [comment.author]).await?;
        Ok(Reply::tagged(&CommentView::of(comment, &people), version, if_none_match(headers).as_deref()))
    }

    /// Rewrite a comment
    ///
    /// An operation. Only its author may.
    #[oai(
        path = "/workspaces/:ws/tasks/:task/comments/:comment",
        method = "patch",
        operation_id = "update_comment"
    )]
    async fn update(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        comment: Path<String>,
        body: JsonBody<CommentRequest>,
    ) -> Result<Reply<Operated<Changed<CommentView>>>, Refused<{ CALLER | TARGET | BODY | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, &body.raw);
        let (task, comment) = (task_name(&task.0)?, comment_id(&comment.0)?);
        let command = EditComment { task, comment, body: body.value.into_body()? };
        Ok(self.0.accept(&ticket, Command::EditComment(command)).await?)
    }

    /// Delete a comment
    ///
    /// An operation. Its author may, and every admin.
    #[oai(
        path = "/workspaces/:ws/tasks/:task/comments/:comment",
        method = "delete",
        operation_id = "delete_comment"
    )]
    async fn delete(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        comment: Path<String>,
    ) -> Result<Reply<Operated<Nothing>>, Refused<{ CALLER | TARGET | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, b"");
        let command = DeleteComment { task: task_name(&task.0)?, comment: comment_id(&comment.0)? };
        Ok(self.0.accept(&ticket, Command::DeleteComment(command)).await?)
    }
}
