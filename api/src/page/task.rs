//! Where the link in a mail about a task leads to: the task, to be read, for who is signed in with this browser and may see
//! it; everybody else is told how to get there. A task that is not there and one that may not be seen look alike.

use std::sync::Arc;

use askama::Template;
use fairy_jobs::{problem::ProblemKind, rights::Action, task::Task};
use poem::{
    Request, Response, handler,
    http::{StatusCode, header as names},
    web::{Data, Path},
};

use super::sheet::page;
use crate::{
    auth::{Caller, browser},
    front::Front,
    problem::Refusal,
    shape::header,
    view::People,
};

#[derive(Template)]
#[template(path = "task.html")]
struct TaskPage {
    task: Task,
    status: &'static str,
    assignees: Vec<String>,
    path: String,
}

/// How to get to a task that cannot be shown.
#[derive(Template)]
#[template(path = "task_closed.html")]
struct Closed<'a> {
    base: &'a str,
    path: &'a str,
    signed_in: bool,
}

/// The task, or how to get there.
#[handler]
pub(super) async fn show(
    front: Data<&Arc<Front>>,
    Path((ws, key)): Path<(String, String)>,
    request: &Request,
) -> poem::Result<Response> {
    let path = format!("/v1{}", request.original_uri().path());
    let caller = browser(&front, request).await?;
    let Some(caller) = caller else {
        return Ok(closed(&front, &path, StatusCode::UNAUTHORIZED)?);
    };
    match read(&front, &caller, &ws, &key).await {
        Ok((task, people)) => Ok(page(&TaskPage::of(task, &people, path))?),
        Err(refusal) if refusal.problem.kind == ProblemKind::NotFound => {
            Ok(closed(&front, &path, StatusCode::NOT_FOUND)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn read(front: &Front, caller: &Caller, ws: &str, key: &str) -> Result<(Task, People), Refusal> {
    front.limits.caller.take(&caller.user, front.now()).await?;
    let place = front.place(caller, ws, Action::Read).await?;
    let task = front.task(place.workspace, key).await?;
    let people = front.people(place.workspace, task.assignees.iter().copied()).await?;
    Ok((task, people))
}

impl TaskPage {
    fn of(task: Task, people: &People, path: String) -> Self {
        let assignees = task.assignees.iter().map(|id| people.name(*id).to_owned()).collect();
        Self { status: task.status.as_str(), assignees, path, task }
    }
}

fn closed(front: &Front, path: &str, status: StatusCode) -> Result<Response, Refusal> {
    let base = front.base().trim_end_matches('/');
    let mut response = page(&Closed { base, path, signed_in: status == StatusCode::NOT_FOUND })?;
    response.set_status(status);
    if status == StatusCode::UNAUTHORIZED {
        header(&mut response, names::WWW_AUTHENTICATE, "Bearer realm=\"fairy\"");
    }
    Ok(response)
}
