//! From a delivery and what it is about to a mail.

use fairy_jobs::{
    account::{Locale, TimeZone},
    notice::{Delivery, Notice, Reason, Subject},
    ports::{DeliveryContent, Mail},
    team::{Invitation, Workspace},
    text::Name,
};

pub(crate) use super::address::Site;
use super::{
    english::English,
    language::Language,
    letter::{Letter, Occasion, PasswordSet},
    notice::{Context, Page},
};

/// What became of a delivery when it was rendered.
pub(crate) enum Rendered {
    /// This is to be sent.
    Mail(Box<Mail>),
    /// There is no reason for it any more.
    Gone(String),
}

/// The words for a reader of this language. Korean gets a file of its own beside `english.rs`; until then it is English,
/// which is better than nothing.
fn language(locale: Locale) -> &'static dyn Language {
    match locale {
        Locale::English | Locale::Korean => &English,
    }
}

/// Renders a delivery; it fails only if memory does, for the templates are checked when they are compiled.
pub(crate) fn render(
    site: &Site,
    delivery: &Delivery,
    content: &DeliveryContent,
) -> Result<Rendered, askama::Error> {
    let mail = match content {
        DeliveryContent::Gone(reason) => return Ok(Rendered::Gone(reason.clone())),
        DeliveryContent::Notice { notice, changes, person, workspace, names } => {
            let words = language(person.locale);
            let context = Context { site, words, person, workspace, names, reason: notice.reason };
            let Some(page) = Page::new(&context, changes) else {
                return Ok(Rendered::Gone("It has no changes that concern a task.".to_owned()));
            };
            notice_mail(site, delivery, notice, workspace, &page)?
        }
        DeliveryContent::Invitation { invitation, workspace, inviter } => {
            invitation_mail(site, delivery, invitation, workspace, inviter)?
        }
        DeliveryContent::Link { person, expires_at } => {
            let words = language(person.locale);
            let until = words.instant(*expires_at, &person.time_zone);
            let (occasion, link, id) = match delivery.subject {
                Subject::VerifyEmail(id) => (Occasion::VerifyEmail, site.verify_email(id), id),
                Subject::ResetPassword(id) => (Occasion::ResetPassword, site.reset_password(id), id),
                _ => return Ok(Rendered::Gone("It is a link without a purpose.".to_owned())),
            };
            letter_mail(delivery, site.message_id(id), words.letter(&occasion, link, &until))?
        }
        DeliveryContent::Account { person } => {
            let words = language(person.locale);
            let at = words.instant(delivery.created_at, &person.time_zone);
            let how = match delivery.subject {
                Subject::PasswordChanged(_) => PasswordSet::ByPassword,
                Subject::AccountRecovered(_) => PasswordSet::ByLink,
                _ => return Ok(Rendered::Gone("Nothing happened to the account.".to_owned())),
            };
            let letter = words.password_set(how, site.forgotten_password(), &at);
            letter_mail(delivery, site.message_id(delivery.id), letter)?
        }
    };
    Ok(Rendered::Mail(Box::new(mail)))
}

fn notice_mail(
    site: &Site,
    delivery: &Delivery,
    notice: &Notice,
    workspace: &Workspace,
    page: &Page,
) -> Result<Mail, askama::Error> {
    Ok(Mail {
        thread: Some(site.thread(notice.task)),
        list: Some(site.list(workspace)),
        notice: Some(notice.id),
        workspace: Some(workspace.id),
        reason: Some(Reason::as_str(notice.reason)),
        ..plain(delivery, site.message_id(notice.id), page.task.clone(), page.render()?)
    })
}

fn invitation_mail(
    site: &Site,
    delivery: &Delivery,
    invitation: &Invitation,
    workspace: &Workspace,
    inviter: &Name,
) -> Result<Mail, askama::Error> {
    // Who is invited may have no account, so nothing is known of their language and zone.
    let words = language(Locale::default());
    let until = words.instant(invitation.expires_at, &TimeZone::utc());
    let occasion = Occasion::Invitation { workspace: &workspace.name, inviter, role: invitation.role };
    let letter = words.letter(&occasion, site.invitation(invitation.id), &until);
    let mail = letter_mail(delivery, site.message_id(invitation.id), letter)?;
    Ok(Mail { workspace: Some(workspace.id), ..mail })
}

fn letter_mail(delivery: &Delivery, message_id: String, letter: Letter) -> Result<Mail, askama::Error> {
    let bodies = letter.render()?;
    Ok(plain(delivery, message_id, letter.subject, bodies))
}

fn plain(delivery: &Delivery, message_id: String, subject: String, bodies: (String, String)) -> Mail {
    Mail {
        delivery: delivery.id,
        message_id,
        thread: None,
        list: None,
        to: delivery.address.clone(),
        to_name: delivery.name.clone(),
        subject,
        text: bodies.0,
        html: bodies.1,
        notice: None,
        workspace: None,
        reason: None,
    }
}
