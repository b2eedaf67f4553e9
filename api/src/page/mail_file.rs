//! Mails kept as files: found, read and taken apart, each within a bound.

use std::{cmp::Reverse, collections::BinaryHeap, io, path::Path};

use mail_parser::{Addr, Message, MessageParser};
use tokio::io::AsyncReadExt as _;

/// The most mails that are listed.
pub(super) const MOST: usize = 50;
/// The most bytes of a mail that are read.
const MOST_BYTES: u64 = 1 << 20;

/// A mail as far as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MailFile {
    /// The file's name.
    pub file: String,
    /// Where it goes.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was written.
    pub date: String,
    /// Its plain text.
    pub text: String,
    /// Its HTML.
    pub html: Option<String>,
}

/// The newest mails. File names begin with the time, so the greatest are the newest.
pub(super) async fn newest(directory: &Path) -> io::Result<Vec<MailFile>> {
    let mut names = BinaryHeap::with_capacity(MOST + 1);
    let mut entries = match tokio::fs::read_dir(directory).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    while let Some(entry) = entries.next_entry().await? {
        let Some(name) = entry.file_name().to_str().filter(|name| is_mail(name)).map(str::to_owned) else {
            continue;
        };
        names.push(Reverse(name));
        if names.len() > MOST {
            names.pop();
        }
    }
    let mut mails = Vec::with_capacity(names.len());
    for Reverse(name) in names.into_sorted_vec() {
        mails.extend(read(directory, &name).await?);
    }
    Ok(mails)
}

/// The mail in this file, if there is one.
pub(super) async fn read(directory: &Path, name: &str) -> io::Result<Option<MailFile>> {
    if !is_mail(name) {
        return Ok(None);
    }
    let file = match tokio::fs::File::open(directory.join(name)).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).await?;
    Ok(MessageParser::default().parse(&bytes).map(|message| taken_apart(name, &message)))
}

/// Whether a name is that of a mail file and of nothing else: no path, no hidden file.
fn is_mail(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    plain && name.len() <= 200 && name.ends_with(".eml") && !name.starts_with('.')
}

fn taken_apart(name: &str, message: &Message<'_>) -> MailFile {
    let address = |addr: &Addr<'_>| addr.address().unwrap_or_default().to_owned();
    let to = message.to().map(|to| to.iter().map(address).collect::<Vec<_>>().join(", "));
    MailFile {
        file: name.to_owned(),
        to: to.unwrap_or_default(),
        subject: message.subject().unwrap_or("(no subject)").to_owned(),
        date: message.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html: message.body_html(0).map(std::borrow::Cow::into_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mail_file_is_read() {
        assert!(is_mail("20261122-172330-dlv_01KAX56VX00000000000000001.eml"));
        for bad in ["../fairy.eml", "a/b.eml", ".eml", ".hidden.eml", "fairy.db", "a\0.eml", "%2e%2e.eml"] {
            assert!(!is_mail(bad), "{bad}");
        }
    }

    #[test]
    fn a_mail_is_taken_apart() {
        let mail = "To: Mina <mina@example.com>\r\nSubject: =?utf-8?q?WEB-1_=C3=A9?=\r\nDate: Sun, 22 Nov 2026 17:00:00 \
                    +0000\r\nContent-Type: text/plain\r\n\r\nHello";
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        let mail = taken_apart("a.eml", &message);
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("mina@example.com", "WEB-1 é"));
        assert_eq!((mail.text.trim(), mail.date.as_str()), ("Hello", "2026-11-22T17:00:00Z"));
    }
}
