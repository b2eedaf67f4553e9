//! Writes to workspaces, members and projects: direct transactions, decided as purely as operations.
//!
//! The store loads a [`TeamState`] under the workspace's lock, [`decide()`] says what is different, and the store writes it
//! together with the changes, numbered in the same feed.

mod command;
mod decide;

pub use self::{
    command::{Ask, MOST_INVITATIONS, MOST_PROJECTS, TeamCommand, TeamDecision, TeamState, TeamWrite},
    decide::{decide, founding, opens, over},
};
