//! A mail as the message that goes over the wire or into a file (RFC 5322, RFC 2046).
//!
//! Whatever was typed by people is encoded here a second time: names and titles cannot hold line breaks by type, and
//! still no control character gets into a header. A repeat is the same message but for its `Date`.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairy_jobs::{clock::Clock, ports::Mail};
use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, Date, HeaderName, HeaderValue},
    },
};

use super::Sender;

const NOTICE: HeaderName = HeaderName::new_from_ascii_str("X-Fairy-Notice");
const REASON: HeaderName = HeaderName::new_from_ascii_str("X-Fairy-Reason");
const LIST_ID: HeaderName = HeaderName::new_from_ascii_str("List-Id");
/// RFC 3834 §5: nobody's holiday answers a mail that a program wrote.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// The same for Exchange, which does not heed it (MS-OXCMAIL §2.1.3.2.20).
const SUPPRESS: HeaderName = HeaderName::new_from_ascii_str("X-Auto-Response-Suppress");

/// Why a mail cannot be a message.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be made into a message: {0}")]
pub(crate) struct MessageError(String);

impl From<lettre::error::Error> for MessageError {
    fn from(error: lettre::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// The message of a mail.
pub(crate) fn message(mail: &Mail, from: &Sender, clock: &dyn Clock) -> Result<Message, MessageError> {
    let address: Address =
        mail.to.as_str().parse().map_err(|_| MessageError("no such address".to_owned()))?;
    // A reader would decode such a name, and it could say that it is somebody else; the address says enough.
    let to_name = mail.to_name.as_ref().map(|name| one_line(name.as_str())).filter(|name| !is_encoded(name));
    let to = Mailbox::new(to_name, address);
    let id = |id: &str| format!("<{}>", one_line(id));
    let raw = |name: &HeaderName, value: &str| HeaderValue::new(name.clone(), one_line(value));
    let mut builder = Message::builder()
        .from(from.mailbox().clone())
        .to(to)
        .raw_header(subject(&one_line(&mail.subject)))
        .header(Date::new(SystemTime::from(clock.now())))
        .message_id(Some(id(&mail.message_id)))
        .raw_header(raw(&AUTO_SUBMITTED, "auto-generated"))
        .raw_header(raw(&SUPPRESS, "All"));
    if let Some(thread) = &mail.thread {
        builder = builder.in_reply_to(id(thread)).references(id(thread));
    }
    if let Some(list) = &mail.list {
        builder = builder.raw_header(raw(&LIST_ID, &id(list)));
    }
    if let Some(notice) = &mail.notice {
        builder = builder.raw_header(raw(&NOTICE, &notice.to_string()));
    }
    if let Some(reason) = mail.reason {
        builder = builder.raw_header(raw(&REASON, reason));
    }
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body(&mail.text));
    let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(body(&mail.html));
    let parts = MultiPart::alternative().boundary(boundary(mail)).singlepart(text).singlepart(html);
    Ok(builder.multipart(parts)?)
}

/// Whether a reader would take a part of it for an encoded word (RFC 2047 §2) and show something else.
fn is_encoded(text: &str) -> bool {
    text.contains("=?")
}

/// The subject; what looks like an encoded word is encoded itself, so that it is shown as it was typed.
fn subject(text: &str) -> HeaderValue {
    /// Bytes in one encoded word: 60 characters of base 64, in a word of at most 75 (RFC 2047 §2).
    const WORD: usize = 45;
    let name = HeaderName::new_from_ascii_str("Subject");
    if !is_encoded(text) {
        return HeaderValue::new(name, text.to_owned());
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        let full = words.last().is_none_or(|word| word.len() + c.len_utf8() > WORD);
        if full {
            words.push(String::new());
        }
        words.iter_mut().last().into_iter().for_each(|word| word.push(c));
    }
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), encoded.join("\r\n "))
}

/// The body of a part. ASCII goes as it is as long as its lines may (RFC 5322 §2.1.1), so that a link stands whole in the
/// message's source; the encodings that lettre would choose for lines over 76 characters break it in the middle.
fn body(text: &str) -> Body {
    const LONGEST: usize = 998;
    let plain = text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
    if plain && text.lines().all(|line| line.len() <= LONGEST) {
        Body::dangerous_pre_encoded(
            text.replace('\n', "\r\n").into_bytes(),
            ContentTransferEncoding::SevenBit,
        )
    } else {
        Body::new(text.to_owned())
    }
}

/// A line between the parts that is in neither of them, and the same each time.
fn boundary(mail: &Mail) -> String {
    let mut number = 0;
    loop {
        let boundary = format!("fairy-{number}-{}", mail.delivery);
        if !mail.text.contains(&boundary) && !mail.html.contains(&boundary) {
            return boundary;
        }
        number += 1;
    }
}

/// The text without control characters, which could end a header and begin another.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
