//! The mail server: where it is, how it is greeted, and with whose password.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use lettre::transport::smtp::{
    self,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, TlsParameters},
    extension::ClientId,
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::fault::{Fault, Step};

/// Why SMTP cannot be set up, or why the server does not take us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SmtpError(pub(super) String);

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// TLS from the first byte.
    Always,
    /// STARTTLS, or no mail.
    Required,
    /// STARTTLS where it is offered.
    Offered,
}

/// A mail server and how to sign in there.
pub(super) struct Server {
    host: String,
    port: u16,
    hello: ClientId,
    credentials: Option<Credentials>,
    tls: TlsParameters,
    protection: Protection,
    pub patience: Duration,
}

impl Server {
    /// The server that the URL names; `domain` is what we call ourselves.
    pub(super) fn new(
        url: &Url,
        ca: Option<&[u8]>,
        domain: &str,
        patience: Duration,
    ) -> Result<Self, SmtpError> {
        let host = host(url)?;
        let credentials = credentials(url)?;
        let protection = protection(url, &host, credentials.is_some())?;
        let port = url.port().unwrap_or(match protection {
            Protection::Always => 465,
            _ if credentials.is_some() => 587,
            _ => 25,
        });
        let wrong = |error: smtp::Error| SmtpError(format!("the certificate cannot be used: {error}"));
        let mut tls = TlsParameters::builder(host.clone());
        if let Some(pem) = ca {
            tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
        }
        let tls = tls.build().map_err(wrong)?;
        let hello = ClientId::Domain(domain.to_owned());
        Ok(Self { host, port, hello, credentials, tls, protection, patience })
    }

    /// A connection that is greeted, protected and signed in.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let tls = (self.protection == Protection::Always).then(|| self.tls.clone());
        let address = (self.host.as_str(), self.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.patience), &self.hello, tls, None);
        let mut connection = self.step(Step::Connect, connecting).await?;
        if self.protection != Protection::Always {
            if connection.can_starttls() {
                self.step(Step::Tls, connection.starttls(self.tls.clone(), &self.hello)).await?;
            } else if self.protection == Protection::Required {
                let error =
                    "the server offers no STARTTLS, and a password is not sent in the clear".to_owned();
                return Err(Fault::Away { during: "STARTTLS", error });
            }
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.step(Step::SignIn, connection.auth(&mechanisms, credentials)).await?;
        }
        Ok(connection)
    }

    /// One step of the conversation, with its error read and its time limited.
    pub(super) async fn step<T>(
        &self,
        step: Step,
        doing: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, Fault> {
        // Large servers look through a message before they answer for it.
        let patience = if step == Step::Content { self.patience * 2 } else { self.patience };
        match tokio::time::timeout(patience, doing).await {
            Ok(result) => result.map_err(|error| Fault::at(step, &error)),
            Err(_) => Err(Fault::silence(step)),
        }
    }
}

fn host(url: &Url) -> Result<String, SmtpError> {
    match url.scheme() {
        "smtp" | "smtps" => {}
        _ => return Err(SmtpError("must begin with smtp:// or smtps://".to_owned())),
    }
    // Schemes that a URL library does not know leave addresses in their text form, with brackets around IPv6.
    let host = url.host_str().filter(|host| !host.is_empty());
    let host =
        host.ok_or_else(|| SmtpError("must name a host, as in smtp://mail.example.com:587".to_owned()))?;
    Ok(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SmtpError> {
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| SmtpError("user and password must be UTF-8".to_owned()))
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => {
            Ok(Some(Credentials::new(decode(user)?, decode(password)?)))
        }
        _ => Err(SmtpError("must name both user and password, or neither".to_owned())),
    }
}

fn protection(url: &Url, host: &str, has_password: bool) -> Result<Protection, SmtpError> {
    if url.scheme() == "smtps" {
        return Ok(Protection::Always);
    }
    let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    match asked.as_deref() {
        Some("required") => Ok(Protection::Required),
        Some("opportunistic") => Ok(Protection::Offered),
        Some(_) => Err(SmtpError("tls must be required or opportunistic".to_owned())),
        None if has_password && !is_loopback(host) => Ok(Protection::Required),
        None => Ok(Protection::Offered),
    }
}

fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(domain)) => domain == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server, SmtpError> {
        Server::new(&url.parse().unwrap(), None, "example.com", Duration::from_secs(1))
    }

    #[test]
    fn a_password_leaves_the_machine_only_under_tls() {
        let protection = |url: &str| server(url).unwrap().protection;
        assert_eq!(protection("smtp://u:p@mail.example.com"), Protection::Required);
        assert_eq!(protection("smtp://u:p@mail.example.com?tls=opportunistic"), Protection::Offered);
        assert_eq!(protection("smtp://mail.example.com"), Protection::Offered);
        for local in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(protection(&format!("smtp://u:p@{local}:2525")), Protection::Offered, "{local}");
        }
        assert_eq!(protection("smtps://u:p@127.0.0.1"), Protection::Always);
    }

    #[test]
    fn ports_follow_from_what_is_asked() {
        let port = |url: &str| server(url).unwrap().port;
        assert_eq!(port("smtp://mail.example.com"), 25);
        assert_eq!(port("smtp://u:p@mail.example.com"), 587);
        assert_eq!(port("smtps://mail.example.com"), 465);
        assert_eq!(port("smtps://mail.example.com:2465"), 2465);
    }

    #[test]
    fn says_what_is_wrong_with_a_url() {
        for (url, wrong) in [
            ("http://mail.example.com", "must begin with smtp"),
            ("smtp:///x", "must name a host"),
            ("smtp://u@mail.example.com", "both user and password"),
            ("smtp://mail.example.com?tls=maybe", "tls must be"),
        ] {
            assert!(server(url).is_err_and(|error| error.to_string().contains(wrong)), "{url}");
        }
        let bad = Server::new(
            &"smtp://a.b".parse().unwrap(),
            Some(b"-----BEGIN CERTIFICATE-----\nx"),
            "a.b",
            PATIENCE,
        );
        assert!(bad.is_err());
    }

    const PATIENCE: Duration = Duration::from_secs(1);
}
