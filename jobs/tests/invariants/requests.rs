//! A small workspace, and random requests to it: many collide, name what is not there yet, or ask for nonsense.

use std::collections::BTreeSet;

use fairy_jobs::{
    command::{
        AddComment, Assignment, Command, CreateTask, DeleteComment, DeleteTask, EditComment, Labelling,
        Patch, PatchTask, ProjectName, RestoreTask, TaskName, Watching,
    },
    email::EmailAddress,
    id::{CommentId, OperationId, ProjectId, TaskId, UserId, WorkspaceId},
    operation::{Fingerprint, IfMatch, Operation, Source},
    state::State,
    task::{Due, Percent, Priority, Status},
    team::{Member, Project, ProjectKey, Role, TaskKey},
    text::{Body, Label, Name, Title},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// One workspace with an owner, a member, a viewer, somebody who left, and a stranger; and two projects.
pub struct World {
    workspace: WorkspaceId,
    users: Vec<(UserId, Option<Role>)>,
    projects: Vec<(ProjectId, ProjectKey)>,
}

/// What a request asks, by small numbers that stand for people, tasks, comments and texts.
#[derive(Debug, Clone)]
pub struct Request {
    actor: u8,
    verb: u8,
    task: u8,
    by_key: bool,
    comment: u8,
    person: u8,
    text: u8,
    number: Option<u8>,
    status: Option<u8>,
    people: Patch<Vec<u8>>,
    project: Option<u8>,
    if_match: Option<u64>,
}

/// Up to `most` random requests.
pub fn operations(most: usize) -> impl Strategy<Value = Vec<Request>> {
    let people = prop_oneof![
        3 => Just(Patch::Leave),
        1 => Just(Patch::Clear),
        3 => prop::collection::vec(0_u8..5, 0..4).prop_map(Patch::Set)
    ];
    let some = |most: u8| prop::option::weighted(0.4, 0..most);
    let request = (
        (0_u8..5, 0_u8..16, 0_u8..6, any::<bool>(), 0_u8..4),
        (0_u8..5, 0_u8..4, some(7), some(3), people),
        (some(3), prop::option::weighted(0.1, 1_u64..5)),
    )
        .prop_map(
            |(
                (actor, verb, task, by_key, comment),
                (person, text, number, status, people),
                (project, if_match),
            )| {
                Request {
                    actor,
                    verb,
                    task,
                    by_key,
                    comment,
                    person,
                    text,
                    number,
                    status,
                    people,
                    project,
                    if_match,
                }
            },
        );
    prop::collection::vec(request, 1..most)
}

fn id(kind: u8, n: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    (bytes[0], bytes[15]) = (kind, n);
    bytes
}

impl World {
    pub fn new() -> Self {
        let roles = [Some(Role::Owner), Some(Role::Member), Some(Role::Viewer), None];
        let users = (0..).zip(roles).map(|(n, role)| (UserId::from_bytes(id(1, n)), role)).collect();
        let project = |n, key| (ProjectId::from_bytes(id(2, n)), ProjectKey::parse(key).unwrap());
        Self {
            workspace: WorkspaceId::from_bytes(id(3, 0)),
            users,
            projects: vec![project(0, "WEB"), project(1, "OPS")],
        }
    }

    /// Some time after the beginning.
    pub fn later(&self, step: usize) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + step as i64)
    }

    /// The workspace before the first operation.
    pub fn state(&self) -> State {
        let member = |(user, role): &(UserId, Option<Role>)| {
            let name = Name::parse(&format!("Person {user}")).unwrap();
            let email = EmailAddress::parse(&format!("{user}@example.com")).unwrap();
            (*user, Member { user: *user, name, email, role: *role, joined_at: Timestamp::UNIX_EPOCH })
        };
        let project = |(id, key): &(ProjectId, ProjectKey)| {
            let name = Name::parse(key.as_str()).unwrap();
            let (workspace, created_at) = (self.workspace, Timestamp::UNIX_EPOCH);
            (*id, Project { id: *id, workspace, key: key.clone(), name, last_number: 0, created_at })
        };
        State {
            members: self.users.iter().map(member).collect(),
            projects: self.projects.iter().map(project).collect(),
            ..State::default()
        }
    }

    /// The operations that these requests are.
    pub fn operations(&self, requests: &[Request]) -> Vec<Operation> {
        (0_u16..).zip(requests).map(|(n, request)| self.operation(n, request)).collect()
    }

    fn operation(&self, n: u16, request: &Request) -> Operation {
        let [high, low] = n.to_be_bytes();
        let mut bytes = id(9, low);
        bytes[14] = high;
        Operation {
            id: OperationId::from_bytes(bytes),
            workspace: self.workspace,
            actor: self.user(request.actor),
            source: Source::web(),
            command: self.command(request),
            if_match: request.if_match.map(|v| IfMatch::Versions(vec![v])),
            accepted_at: Timestamp::UNIX_EPOCH,
            fingerprint: Fingerprint::of(&[&bytes]),
            retry_of: None,
            reply_to: None,
            trace: None,
        }
    }

    fn user(&self, n: u8) -> UserId {
        UserId::from_bytes(id(1, n))
    }

    fn command(&self, r: &Request) -> Command {
        let task = if r.by_key {
            let project = self.projects[usize::from(r.text) % 2].1.clone();
            TaskName::Key(TaskKey { project, number: u64::from(r.task) + 1 })
        } else {
            TaskName::Id(TaskId::from_bytes(id(4, r.task)))
        };
        let comment = CommentId::from_bytes(id(5, r.comment));
        let body = Body::parse(&format!("words {}", r.text)).unwrap();
        let user = self.user(r.person);
        match r.verb {
            0..=3 => Command::CreateTask(self.create(r)),
            4..=6 => Command::PatchTask(self.patch(r, task)),
            7 => Command::DeleteTask(DeleteTask { task }),
            8 => Command::RestoreTask(RestoreTask { task }),
            9 => Command::Assign(Assignment { task, user }),
            10 => Command::Unassign(Assignment { task, user }),
            11 => Command::AddLabel(Labelling { task, label: label(r.text) }),
            12 => Command::Watch(Watching { task, user }),
            13 => Command::AddComment(AddComment { task, comment, body }),
            14 => Command::EditComment(EditComment { task, comment, body }),
            _ if r.by_key => Command::DeleteComment(DeleteComment { task, comment }),
            _ if r.text == 0 => Command::RemoveLabel(Labelling { task, label: label(r.person) }),
            _ => Command::Unwatch(Watching { task, user }),
        }
    }

    fn create(&self, r: &Request) -> CreateTask {
        CreateTask {
            task: TaskId::from_bytes(id(4, r.task)),
            project: self.project(r.project.unwrap_or(0)),
            title: Title::parse(&format!("title {}", r.text)).unwrap(),
            body: Body::parse(["", "some words"][usize::from(r.text) % 2]).unwrap(),
            assignees: match &r.people {
                Patch::Set(people) => people.iter().map(|n| self.user(*n)).collect(),
                _ => BTreeSet::new(),
            },
            due: due(r.text),
            priority: priority(r.text),
            labels: BTreeSet::from([label(r.person)]),
            progress: r.number.map(percent),
            status: r.status.map(status),
        }
    }

    fn patch(&self, r: &Request, task: TaskName) -> PatchTask {
        let people = r.people.clone().try_map(|p| Ok::<_, ()>(p.iter().map(|n| self.user(*n)).collect()));
        PatchTask {
            title: (r.text == 1).then(|| Title::parse(&format!("title {}", r.comment)).unwrap()),
            body: if r.text == 2 { Patch::Clear } else { Patch::Leave },
            due: due(r.comment).map_or(Patch::Clear, Patch::Set),
            priority: if r.text == 3 { Patch::Set(priority(r.comment)) } else { Patch::Leave },
            assignees: people.unwrap(),
            labels: if r.comment == 3 { Patch::Set(BTreeSet::from([label(r.person)])) } else { Patch::Leave },
            progress: r.number.map(percent),
            status: r.status.map(status),
            project: r.project.map(|n| self.project(n)),
            ..PatchTask::of(task)
        }
    }

    /// The first two are there, the third is not.
    fn project(&self, n: u8) -> ProjectName {
        match self.projects.get(usize::from(n)) {
            Some((id, _)) if n == 0 => ProjectName::Id(*id),
            Some((_, key)) => ProjectName::Key(key.clone()),
            None => ProjectName::Id(ProjectId::from_bytes(id(2, n))),
        }
    }
}

fn label(n: u8) -> Label {
    Label::parse(&format!("label{n}")).unwrap()
}

fn percent(n: u8) -> Percent {
    Percent::new([0, 1, 30, 50, 99, 100, 100][usize::from(n)]).unwrap()
}

fn status(n: u8) -> Status {
    [Status::Waiting, Status::InProgress, Status::Done][usize::from(n)]
}

fn priority(n: u8) -> Priority {
    [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent][usize::from(n)]
}

fn due(n: u8) -> Option<Due> {
    let text = ["2026-03-12", "2026-03-12T09:00:00+09:00", "2028-02-29"].get(usize::from(n))?;
    Some(Due::parse(text).unwrap())
}
