//! Mails that were kept as files instead of being sent, for who tries Fairy out.
//!
//! A mail quotes what members wrote, so its HTML is shown in a sandbox of its own: no script, no request, no origin. And
//! mails hold links that open accounts, so a page whose name was bent to this machine does not get to read them.

use std::{io, sync::Arc};

use askama::Template;
use fairy_jobs::problem::Problem;
use poem::{
    Response, handler,
    http::header as names,
    web::{Data, Path},
};

use super::{
    mail_file::{MOST, MailFile, newest, read},
    sheet::page,
};
use crate::{
    front::Front,
    host::OwnHost,
    problem::{Refusal, internal},
    shape::header,
};

const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox \
allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

#[derive(Template)]
#[template(path = "mails.html")]
struct Mails {
    mails: Vec<MailFile>,
    most: usize,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Mail<'a> {
    text: Vec<Piece<'a>>,
    html: bool,
    mail: &'a MailFile,
}

/// A part of a text: a link of ours, or what stands between.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a str,
    link: bool,
}

/// The newest mails.
#[handler]
pub(super) async fn list(_own: OwnHost, front: Data<&Arc<Front>>) -> poem::Result<Response> {
    let directory = front.settings.mail_dir.as_deref().ok_or_else(missing)?;
    let mails = newest(directory).await.map_err(|error| broken(&error))?;
    Ok(page(&Mails { mails, most: MOST })?)
}

/// One mail.
#[handler]
pub(super) async fn show(
    _own: OwnHost,
    front: Data<&Arc<Front>>,
    file: Path<String>,
) -> poem::Result<Response> {
    let mail = find(&front, &file.0).await?;
    let text = pieces(&mail.text, front.base());
    Ok(page(&Mail { text, html: mail.html.is_some(), mail: &mail })?)
}

/// The HTML of one mail.
#[handler]
pub(super) async fn html(
    _own: OwnHost,
    front: Data<&Arc<Front>>,
    file: Path<String>,
) -> poem::Result<Response> {
    let html = find(&front, &file.0).await?.html.ok_or_else(missing)?;
    // Links open beside the mail: no page of ours lets itself be framed.
    let html = html.replacen("<head>", "<head><base target=\"_blank\">", 1);
    let mut response = Response::builder().content_type("text/html; charset=utf-8").body(html);
    header(&mut response, names::CONTENT_SECURITY_POLICY, SANDBOX);
    header(&mut response, names::X_FRAME_OPTIONS, "SAMEORIGIN");
    Ok(response)
}

async fn find(front: &Front, file: &str) -> Result<MailFile, Refusal> {
    let directory = front.settings.mail_dir.as_deref().ok_or_else(missing)?;
    read(directory, file).await.map_err(|error| broken(&error))?.ok_or_else(missing)
}

fn missing() -> Refusal {
    Problem::not_found("mail").into()
}

fn broken(error: &io::Error) -> Refusal {
    Refusal { cause: Some(format!("the mail files cannot be read: {error}")), ..internal().into() }
}

/// The text with the links that lead to this site marked; others stay text, for a member may have written them.
fn pieces<'a>(text: &'a str, base: &str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(base) {
        let (before, from) = rest.split_at(begin);
        let end =
            from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(from.len());
        let (link, after) = from.split_at(end);
        pieces.push(Piece { text: before, link: false });
        pieces.push(Piece { text: link, link: true });
        rest = after;
    }
    pieces.push(Piece { text: rest, link: false });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_this_site_are_links() {
        let text = "See http://f.test/invitations/abc now, not http://evil.test/ or javascript:x.";
        let links: Vec<&str> =
            pieces(text, "http://f.test/").iter().filter(|p| p.link).map(|p| p.text).collect();
        assert_eq!(links, ["http://f.test/invitations/abc"]);
        let whole: String = pieces(text, "http://f.test/").iter().map(|p| p.text).collect();
        assert_eq!(whole, text);
    }
}
