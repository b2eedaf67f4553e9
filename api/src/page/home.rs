//! What this is, and how to begin.

use std::sync::Arc;

use askama::Template;
use poem::{Response, handler, web::Data};

use super::sheet::page;
use crate::{SignUp, front::Front};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    base: &'a str,
    open: bool,
    mail: bool,
}

/// The first page.
#[handler]
pub(super) fn home(Data(front): Data<&Arc<Front>>) -> poem::Result<Response> {
    let settings = &front.settings;
    Ok(page(&Home {
        base: front.base().trim_end_matches('/'),
        open: settings.sign_up == SignUp::Open,
        mail: settings.mail_dir.is_some(),
    })?)
}
