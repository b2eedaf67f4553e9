//! What an applied operation left: a task or a comment.

use std::borrow::Cow;

use fairy_jobs::{id::WorkspaceId, operation::Resource};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::{CommentView, TaskView};
use crate::{front::Front, problem::Refusal};

/// A task or a comment.
pub(crate) enum ResultView {
    /// A task.
    Task(Box<TaskView>),
    /// A comment.
    Comment(Box<CommentView>),
}

impl Front {
    /// A resource as an operation left it, with the names its people have now.
    pub async fn show(&self, workspace: WorkspaceId, resource: Resource) -> Result<ResultView, Refusal> {
        Ok(match resource {
            Resource::Task(task) => {
                let people = self.people(workspace, task.assignees.iter().copied()).await?;
                ResultView::Task(Box::new(TaskView::of(*task, &people)))
            }
            Resource::Comment(comment) => {
                let people = self.people(workspace, [comment.author]).await?;
                ResultView::Comment(Box::new(CommentView::of(*comment, &people)))
            }
        })
    }
}

impl Type for ResultView {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Result".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let any_of = vec![TaskView::schema_ref(), CommentView::schema_ref()];
        MetaSchemaRef::Inline(Box::new(MetaSchema { any_of, ..MetaSchema::ANY }))
    }

    fn register(registry: &mut Registry) {
        TaskView::register(registry);
        CommentView::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for ResultView {
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Task(task) => task.to_json(),
            Self::Comment(comment) => comment.to_json(),
        }
    }
}

impl ParseFromJSON for ResultView {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("is only shown"))
    }
}
