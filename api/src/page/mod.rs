//! The pages for people: few, small, without scripts. A GET never changes anything; what does is a form that POSTs.

mod docs;
mod form;
mod home;
mod invitation;
mod link;
mod mail;
mod mail_file;
mod sheet;
mod task;

use poem::{Route, get};

pub(crate) use self::sheet::{POLICY, refused};
use crate::Settings;

/// All pages.
pub(crate) fn pages(route: Route, settings: &Settings) -> Route {
    let route = route
        .at("/", get(home::home))
        .at("/assets/page.css", get(sheet::style))
        .at("/invitations/:code", get(invitation::show).post(invitation::accept))
        .at("/verify-email/:code", get(link::show_verify).post(link::verify))
        .at("/reset-password", get(link::show_forgotten).post(link::forgotten))
        .at("/reset-password/:code", get(link::show_reset).post(link::reset))
        .at("/workspaces/:ws/tasks/:task", get(task::show))
        .at("/docs", get(docs::reference))
        .at("/docs/problems", get(docs::problems))
        .at("/openapi.json", get(docs::openapi));
    if settings.mail_dir.is_none() {
        return route;
    }
    route
        .at("/dev/mail", get(mail::list))
        .at("/dev/mail/:file", get(mail::show))
        .at("/dev/mail/:file/html", get(mail::html))
}
