//! People by name: rows hold ids, answers show who that is.

use std::collections::{BTreeSet, HashMap};

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    team::Member,
};
use poem_openapi::Object;

use crate::{front::Front, problem::Refusal, shape::Shown};

/// How many people one call of the port names.
const AT_ONCE: usize = 1_000;

/// Members of a workspace, present and former.
#[derive(Debug, Default)]
pub(crate) struct People(HashMap<UserId, Member>);

/// A person, as far as others see them.
#[derive(Debug, Object)]
#[oai(rename = "Person")]
pub(crate) struct PersonView {
    /// Their id.
    id: Shown<UserId>,
    /// What they are called.
    name: String,
    /// Whether they are a member now.
    active: bool,
}

impl People {
    /// What a person among them is called.
    pub fn name(&self, id: UserId) -> &str {
        self.0.get(&id).map_or("Former member", |member| member.name.as_str())
    }

    /// A person among them.
    pub fn show(&self, id: UserId) -> PersonView {
        PersonView {
            id: Shown(id),
            name: self.name(id).to_owned(),
            active: self.0.get(&id).is_some_and(|member| member.role.is_some()),
        }
    }
}

impl Front {
    /// The names of these people in a workspace.
    pub async fn people(
        &self,
        workspace: WorkspaceId,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<People, Refusal> {
        let ids: Vec<UserId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let members = self.services.teams.members_by_id(workspace, some).await?;
            people.extend(members.into_iter().map(|member| (member.user, member)));
        }
        Ok(People(people))
    }
}
