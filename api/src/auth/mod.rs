//! Who calls: sessions, API tokens, passwords, and what a caller is in a workspace.

mod account;
mod caller;
mod callers;
mod cookie;
mod fresh;
mod link;
mod operator;
mod password;
mod place;
mod secret;

pub use self::operator::AdminToken;
pub(crate) use self::{
    account::{NewAccount, SignedIn},
    caller::{Caller, Person, browser, check_csrf, secret_of},
    callers::Callers,
    cookie::{device, ended_cookie},
    fresh::Reach,
    operator::Operator,
    password::PasswordPool,
    place::Place,
    secret::{Secret, sha256},
};
