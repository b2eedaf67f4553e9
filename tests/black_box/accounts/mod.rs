//! Accounts, sessions, tokens, passwords, invitations and members.

mod invitations;
mod limits;
mod members;
mod passwords;
mod sessions;
mod sign_in;
mod tokens;
