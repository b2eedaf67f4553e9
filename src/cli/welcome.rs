//! What a person reads first: where it is, where mail goes, how to begin.

use crate::{
    config::{Config, SignUp, Transport},
    stack::{Role, Stack, is_for_one_machine},
};

/// The first lines of a process of this role.
pub fn welcome(config: &Config, role: &Role, stack: &Stack) -> String {
    let url = stack.public_url.as_str().trim_end_matches('/');
    let admin = stack.admin_address;
    match (role, stack.address()) {
        (Role::Worker(_), _) => {
            let lanes = stack.lanes().join(", ");
            format!("Fairy works {lanes} for {url} · health and metrics at http://{admin}")
        }
        (Role::Api, Some(address)) => {
            format!("Fairy answers at http://{address} for {url} · health and metrics at http://{admin}")
        }
        _ => up(config, stack),
    }
}

fn up(config: &Config, stack: &Stack) -> String {
    let url = stack.public_url.as_str().trim_end_matches('/');
    let mail = match &config.mail.transport {
        Transport::Files(directory) if is_for_one_machine(config, &stack.public_url) => {
            format!("{} (read it at {url}/dev/mail)", directory.display())
        }
        Transport::Files(directory) => format!("{}, for nobody to receive", directory.display()),
        Transport::Smtp { url, .. } => format!("{}", Shown(url)),
        Transport::Ses { .. } => "SES".to_owned(),
    };
    let begin = match config.sign_up {
        SignUp::Open => format!(
            "curl -sS -c fairy.cookies {url}/v1/auth/sign-up -H 'Content-Type: application/json' \
             -d '{{\"email\":\"mina@example.com\",\"password\":\"four small green frogs\",\"name\":\"Mina\"}}'"
        ),
        SignUp::Invite => "only with an invitation (auth.sign_up is invite)".to_owned(),
    };
    format!("Fairy is at {url} · mail goes to {mail} · sign up with:\n{begin}\nCtrl-C stops it.")
}

/// A mail server without user and password.
struct Shown<'a>(&'a url::Url);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(out, ":{port}"),
            None => Ok(()),
        }
    }
}
