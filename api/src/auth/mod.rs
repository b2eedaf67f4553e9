//! Who calls: sessions, API tokens, passwords, and what a caller is in a workspace.

mod account;
mod caller;
mod callers;
mod cookie;
mod fresh;
mod link;
mod password;
mod place;
mod secret;

pub(crate) use self::{
    account::{NewAccount, SignedIn},
    caller::{Caller, Person, browser, check_csrf, secret_of},
    callers::Callers,
    cookie::{device, ended_cookie},
    fresh::Reach,
    password::PasswordPool,
    place::Place,
    secret::{Secret, sha256},
};
