//! Reading how mail leaves.

use std::path::PathBuf;

use fairy_workers::mail::Sender;
use url::Url;

use super::{Mail, Origin, Transport, check::path, reader::Reader};

/// Settings that say how, and to which transport.
const OWNERS: [(&str, &str); 3] =
    [("mail.smtp_url", "smtp"), ("mail.ses_configuration_set", "ses"), ("mail.ses_rate", "ses")];
/// Messages a second: SES counts no slower than one in a while, and gives nobody more.
const RATES: (f64, f64) = (0.01, 100_000.0);

/// How mail leaves; files go to this directory.
pub fn mail(reader: &Reader<'_>, directory: PathBuf) -> Option<Mail> {
    let transport = reader.given("mail.transport")?;
    let url = reader.read("mail.smtp_url", smtp_url);
    let ca = reader.read("mail.smtp_ca", path);
    let configuration_set = reader.read("mail.ses_configuration_set", configuration_set);
    let rate = reader.read("mail.ses_rate", rate);
    let from = reader.read("mail.from", sender);
    let unnamed = reader.given("mail.from").is_none();
    let name = transport.text.as_str();
    if name == "smtp" && reader.given("mail.smtp_url").is_none() {
        let problem = "needs mail.smtp_url: smtp://user:password@host:port";
        reader.fault("mail.transport", &transport, problem);
    }
    if unnamed && ["smtp", "ses"].contains(&name) {
        reader.fault("mail.transport", &transport, "needs mail.from: who the mail is from");
    }
    match name {
        "files" => {
            if transport.origin == Origin::Default {
                refuse_unused(reader);
            }
            let from = from.or_else(|| sender("Fairy <fairy@localhost>").ok().filter(|_| unnamed));
            Some(Mail { transport: Transport::Files(directory), from: from? })
        }
        "smtp" => Some(Mail { transport: Transport::Smtp { url: url?, ca }, from: from? }),
        "ses" => Some(Mail { transport: Transport::Ses { configuration_set, rate }, from: from? }),
        _ => {
            reader.fault("mail.transport", &transport, "must be files, smtp or ses");
            None
        }
    }
}

/// Whoever says how mail leaves and forgets to say that it does would find it in files.
fn refuse_unused(reader: &Reader<'_>) {
    for (key, transport) in OWNERS {
        if let Some(given) = reader.given(key) {
            reader.fault(
                key,
                &given,
                format!(
                    "would not be used: set mail.transport to {transport} to send by it, or to files to keep it unused"
                ),
            );
        }
    }
}

fn smtp_url(text: &str) -> Result<Url, String> {
    const SHAPE: &str = "must be smtp://user:password@host:port or smtps://…";
    let url = Url::parse(text).map_err(|_| SHAPE.to_owned())?;
    match url.scheme() {
        "smtp" | "smtps" if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(url),
        _ => Err(SHAPE.to_owned()),
    }
}

/// `ConfigurationSetName` in the API reference.
fn configuration_set(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match text.len() {
        1..=64 if text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err("must be 1 to 64 of letters, digits and - _".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let (least, most) = RATES;
    let rate = text.parse().ok().filter(|rate| (least..=most).contains(rate));
    rate.ok_or_else(|| {
        format!("is {text:?}, but must be a number of messages a second from {least} to {most}")
    })
}

fn sender(text: &str) -> Result<Sender, String> {
    text.parse::<Sender>().map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_cannot_carry_a_second_header() {
        assert!(sender("Fairy <fairy@example.com>").is_ok());
        assert!(sender("fairy@example.com").is_ok());
        for bad in ["", "fairy", "Fairy <fairy>", "a@b\r\nBcc: c@d", "Fairy <a@b@c>", "Fairy <a b@c>"] {
            assert!(sender(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_a_number_of_messages() {
        assert_eq!((rate("14"), rate("0.5")), (Ok(14.0), Ok(0.5)));
        for bad in ["", "0", "-1", "NaN", "inf", "14/s"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
