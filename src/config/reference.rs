//! Showing the settings: the reference for people, and what holds now, without secrets.

use std::fmt::Write as _;

use super::{Layers, Origin, SETTINGS, Setting};

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

/// All settings as they hold now, without secrets.
pub fn effective(layers: &Layers) -> Vec<Effective> {
    let directory = layers.value("data_dir").map_or_else(String::new, |given| given.text);
    SETTINGS
        .iter()
        .map(|setting| match layers.value(setting.key) {
            Some(given) => {
                Effective { key: setting.key, shown: redacted(setting, &given.text), origin: given.origin }
            }
            None => Effective {
                key: setting.key,
                shown: setting.otherwise.replace('`', "").replace("{DATA_DIR}", &directory),
                origin: Origin::Default,
            },
        })
        .collect()
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
    use super::{super::Given, *};

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
            ("mail.smtp_url".to_owned(), given("smtp://mina:hunter2@@mail:25")),
            ("database.url".to_owned(), given("mysql://fairy:hunter2@db/fairy")),
        ]);
        assert_eq!(faults, []);
        let shown: Vec<_> = effective(&layers).into_iter().map(|e| e.shown).collect();
        assert!(shown.contains(&"smtp://mina:***@mail:25".to_owned()));
        assert!(!shown.iter().any(|text| text.contains("hunter2")), "{shown:?}");
    }
}
