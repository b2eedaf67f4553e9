//! Who is to do a task, who watches it, and its labels, one at a time: for callers that must not overwrite each other's
//! sets.

use std::sync::Arc;

use fairy_jobs::{
    command::{Assignment, Command, Labelling, Watching},
    problem::Problem,
    rights::Action,
    text::Label,
};
use poem_openapi::{OpenApi, param::Path};

use super::{
    Topic,
    visible::{task_name, user_id},
    writer::Writer,
};
use crate::{
    accept::{Nothing, Operated},
    front::Front,
    problem::Refusal,
    shape::{CALLER, OPERATION, Refused, Reply, TARGET},
};

type Involved = Result<Reply<Operated<Nothing>>, Refused<{ CALLER | TARGET | OPERATION }>>;

/// Assignees, labels, watchers.
pub(crate) struct InvolvementRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Tasks")]
impl InvolvementRoutes {
    /// Assign somebody
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/assignees/:user", method = "put", operation_id = "assign")]
    async fn assign(&self, by: Writer, ws: Path<String>, task: Path<String>, user: Path<String>) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::Assign(assignment(&by, &task.0, &user.0)?)).await?)
    }

    /// Unassign somebody
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/assignees/:user", method = "delete", operation_id = "unassign")]
    async fn unassign(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        user: Path<String>,
    ) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::Unassign(assignment(&by, &task.0, &user.0)?)).await?)
    }

    /// Add a label
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/labels/:label", method = "put", operation_id = "add_label")]
    async fn add_label(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        label: Path<String>,
    ) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::AddLabel(labelling(&task.0, &label.0)?)).await?)
    }

    /// Remove a label
    ///
    /// An operation. Takes the role member.
    #[oai(
        path = "/workspaces/:ws/tasks/:task/labels/:label",
        method = "delete",
        operation_id = "remove_label"
    )]
    async fn remove_label(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        label: Path<String>,
    ) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::RemoveLabel(labelling(&task.0, &label.0)?)).await?)
    }

    /// Let somebody watch
    ///
    /// An operation. Everybody may watch; to let others watch takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/watchers/:watcher", method = "put", operation_id = "watch")]
    async fn watch(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        watcher: Path<String>,
    ) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::Watch(watching(&by, &task.0, &watcher.0)?)).await?)
    }

    /// Let somebody no longer watch
    ///
    /// An operation. Everybody may cease to watch; for others it takes the role member.
    #[oai(
        path = "/workspaces/:ws/tasks/:task/watchers/:watcher",
        method = "delete",
        operation_id = "unwatch"
    )]
    async fn unwatch(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        watcher: Path<String>,
    ) -> Involved {
        Ok(self.carry_out(&by, &ws.0, Command::Unwatch(watching(&by, &task.0, &watcher.0)?)).await?)
    }
}

impl InvolvementRoutes {
    async fn carry_out(
        &self,
        by: &Writer,
        ws: &str,
        command: Command,
    ) -> Result<Reply<Operated<Nothing>>, Refusal> {
        let action = match &command {
            Command::Watch(w) | Command::Unwatch(w) if w.user == by.caller.user => Action::WatchOneself,
            _ => Action::WriteTasks,
        };
        let place = self.0.place(&by.caller, ws, action).await?;
        self.0.accept(&by.ticket(&self.0, &place, b""), command).await
    }
}

fn assignment(by: &Writer, task: &str, user: &str) -> Result<Assignment, Problem> {
    Ok(Assignment { task: task_name(task)?, user: user_id(user, by.caller.user)? })
}

fn watching(by: &Writer, task: &str, user: &str) -> Result<Watching, Problem> {
    Ok(Watching { task: task_name(task)?, user: user_id(user, by.caller.user)? })
}

fn labelling(task: &str, label: &str) -> Result<Labelling, Problem> {
    let label = Label::parse(label).map_err(|error| Problem::field("label", error.to_string()))?;
    Ok(Labelling { task: task_name(task)?, label })
}
