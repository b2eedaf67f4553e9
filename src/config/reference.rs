//! Showing the settings: the reference for people, and what holds now, without secrets.

use std::{fmt::Write as _, path::Path};

use super::{Config, Layers, Origin, SETTINGS, SecretSource, Setting, SignUp};

/// The table of all settings, in Markdown; the README holds it as it is.
pub fn reference() -> String {
    let mut text = String::from("| setting | default | meaning |\n|---|---|---|\n");
    for setting in &SETTINGS {
        let default = match setting.default {
            Some(default) => format!("`{default}`"),
            None => setting.otherwise.to_owned(),
        };
        let file = if setting.secret { " (or `…_FILE`)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{}`{file} | {default} | {} |", setting.variable(), setting.meaning);
    }
    text
}

/// One setting as it holds now.
#[derive(Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting.
    pub key: &'static str,
    /// Its value, as far as it may be shown.
    pub shown: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// All settings as they hold now, without secrets; `config` is what the layers give.
pub fn effective(layers: &Layers, config: &Config) -> Vec<Effective> {
    SETTINGS
        .iter()
        .map(|setting| match layers.value(setting.key) {
            Some(given) => {
                Effective { key: setting.key, shown: redacted(setting, &given.text), origin: given.origin }
            }
            None => Effective {
                key: setting.key,
                shown: worked_out(setting.key, config).unwrap_or_else(|| setting.otherwise.replace('`', "")),
                origin: Origin::Default,
            },
        })
        .collect()
}

/// The value of a setting that nobody gave, where it depends on others.
fn worked_out(key: &str, config: &Config) -> Option<String> {
    let file = |path: Option<&Path>| Some(format!("sqlite://{}", path?.display()));
    match key {
        "http.public_url" => Some(format!("http://{}", config.http.address)),
        "database.url" => file(config.database.file()),
        "queue.url" => file(config.queue.file()),
        "mail.from" => Some(config.mail.from.to_string()),
        "auth.sign_up" => Some(match config.sign_up {
            SignUp::Open => "open".to_owned(),
            SignUp::Invite => "invite".to_owned(),
        }),
        "auth.secret" => match &config.secret {
            SecretSource::File(path) => Some(format!("the file {}", path.display())),
            SecretSource::Text(_) => None,
        },
        // Whoever has something in a file runs `fairy up`.
        "stop.drain_seconds" if config.database.is_file() || config.queue.is_file() => Some("0".to_owned()),
        _ => None,
    }
}

/// A URL without its password; any other secret not at all.
fn redacted(setting: &Setting, text: &str) -> String {
    if !setting.secret {
        return text.to_owned();
    }
    match text.split_once("://").filter(|_| setting.key.ends_with("url")) {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or_default();
                format!("{scheme}://{user}:***@{host}")
            }
            None => text.to_owned(),
        },
        None => "*** (given, not shown)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Given, check},
        *,
    };

    #[test]
    fn the_reference_is_what_people_read() {
        insta::assert_snapshot!("settings", reference());
    }

    #[test]
    fn the_readme_holds_the_reference() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&reference()), "paste the output of `fairy config` into README.md");
    }

    #[test]
    fn no_secret_is_shown() {
        let mut layers = Layers::default();
        let given = |text: &str| Given { text: text.to_owned(), origin: Origin::Variable("X".to_owned()) };
        let faults = layers.lay(vec![
            ("auth.secret".to_owned(), given("hunter2hunter2hunter2hunter2hunter2")),
            ("mail.transport".to_owned(), given("files")),
            ("mail.smtp_url".to_owned(), given("smtp://mina:hunter2@@mail:25")),
            ("database.url".to_owned(), given("mysql://fairy:hunter2@db/fairy")),
        ]);
        assert_eq!(faults, []);
        let config = check(&layers).unwrap();
        let shown: Vec<_> = effective(&layers, &config).into_iter().map(|e| e.shown).collect();
        assert!(shown.contains(&"smtp://mina:***@mail:25".to_owned()));
        assert!(!shown.iter().any(|text| text.contains("hunter2")), "{shown:?}");
    }

    #[test]
    fn what_nobody_gave_is_shown_as_it_holds() {
        let shown = |given: &[(&str, &str)]| {
            let mut layers = Layers::default();
            let value =
                |text: &str| Given { text: text.to_owned(), origin: Origin::Variable("X".to_owned()) };
            let given = given.iter().map(|(key, text)| ((*key).to_owned(), value(text)));
            assert_eq!(layers.lay(given.collect()), []);
            let config = check(&layers).unwrap();
            let lines = effective(&layers, &config).into_iter().map(|e| format!("{} = {}\n", e.key, e.shown));
            lines.collect::<String>()
        };
        insta::assert_snapshot!(shown(&[]));
        let on_servers = shown(&[
            ("database.url", "mysql://fairy@db/fairy"),
            ("queue.url", "redis://queue"),
            ("auth.secret", "0123456789abcdef0123456789abcdef"),
            ("http.address", "[::]:80"),
        ]);
        assert!(on_servers.contains("auth.sign_up = invite\n"), "{on_servers}");
        assert!(on_servers.contains("stop.drain_seconds = 5 for fairy api, else 0\n"), "{on_servers}");
        assert!(on_servers.contains("http.public_url = http://[::]:80\n"), "{on_servers}");
    }
}
