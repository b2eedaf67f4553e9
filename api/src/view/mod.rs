//! The resources as the API shows them, where several routes show the same.

mod change;
mod comment;
mod people;
mod problem;
mod result;
mod task;
mod user;

pub(crate) use self::{
    change::{ChangeView, change_json},
    comment::CommentView,
    people::{People, PersonView},
    problem::ProblemView,
    result::ResultView,
    task::TaskView,
    user::{UserView, Weekday},
};
