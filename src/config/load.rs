//! Finding the layers and laying them over each other.

use std::{ffi::OsString, path::PathBuf};

use super::{Config, Faults, Layers, check, environment, file};

/// The file that is read where none is named.
const FILE: &str = "fairy.toml";

/// Where settings are looked for.
#[derive(Debug, Default)]
pub struct Source {
    /// The file to read, which must be there; else `fairy.toml` in the working directory, if there is one.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
}

impl Source {
    /// The process's own environment, and this file.
    pub fn process(file: Option<PathBuf>) -> Self {
        Self { file, variables: std::env::vars_os().collect() }
    }
}

/// Reads all layers and checks them whole; the layers come back too, so that they can be shown.
pub fn load(source: Source) -> Result<(Config, Layers), Faults> {
    let path = source.file.or_else(|| {
        let path = PathBuf::from(FILE);
        path.exists().then_some(path)
    });
    let mut layers = Layers::default();
    let mut faults = Vec::new();
    if let Some(path) = path {
        let (entries, wrong) = file::read(&path);
        faults.extend(wrong);
        faults.extend(layers.lay(entries));
    }
    let (entries, wrong) = environment::read(source.variables);
    faults.extend(wrong);
    faults.extend(layers.lay(entries));
    match check(&layers) {
        Ok(config) if faults.is_empty() => Ok((config, layers)),
        Ok(_) => Err(Faults(faults)),
        Err(Faults(more)) => {
            faults.extend(more);
            Err(Faults(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{super::SignUp, *};

    fn source(text: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fairy.toml");
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let variables = variables.iter().map(|(k, v)| (k.into(), v.into())).collect();
        let file = Some(path);
        (dir, Source { file, variables })
    }

    /// The complaint, with the directory of the test left out.
    fn complaint(text: &str, variables: &[(&str, &str)]) -> String {
        let (dir, source) = source(text, variables);
        let faults = load(source).map(|_| ()).unwrap_err().to_string();
        faults.replace(&format!("{}/", dir.path().display()), "")
    }

    #[test]
    fn the_environment_beats_the_file_and_the_file_the_defaults() {
        let (_dir, source) = source(
            "[http]\naddress = \"127.0.0.1:4000\"\nadmin_address = \"127.0.0.1:4001\"",
            &[("FAIRY__HTTP__ADDRESS", "127.0.0.1:5000"), ("HOME", "/")],
        );
        let (config, _) = load(source).unwrap();
        assert_eq!(config.http.address.port(), 5000);
        assert_eq!(config.http.admin_address.port(), 4001);
        assert_eq!(config.data_dir, PathBuf::from("./var"));
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        insta::assert_snapshot!(complaint(
            "data_dir = \"\"\n\n[http]\nadress = \"127.0.0.1:3000\"\naddress = 3000\nadmin_address = []\n[mail]\ntransport = \"pigeon\"\n",
            &[
                ("FAIRY__AUTH__SECRET", "short"),
                ("FAIRY__AUTH__SIGN_UP", "perhaps"),
                ("FAIRY__LOG__LEVEL", "loud"),
                ("FAIRY__STOP__SECONDS", "-1"),
                ("FAIRY__NO_SUCH_THING_AT_ALL", "1"),
            ],
        ));
    }

    #[test]
    fn a_broken_file_is_told_in_one_line() {
        insta::assert_snapshot!(complaint("[http\naddress = 1 2\n", &[]));
    }

    #[test]
    fn what_is_at_aws_can_be_named_and_would_be_used() {
        let good = "[activity]\ntable = \"fairy\"\nkeep_days = 90\n[events]\nbus = \"fairy\"\n[mail]\ntransport = \"ses\"\nfrom = \"fairy@example.com\"\nses_rate = 0.5\n";
        let (_dir, source) = source(good, &[]);
        let (config, _) = load(source).unwrap();
        let table = config.activity.unwrap();
        assert_eq!((table.name.as_str(), table.keep.unwrap().as_secs()), ("fairy", 90 * 86_400));
        assert_eq!(config.bus.as_deref(), Some("fairy"));
        insta::assert_snapshot!(complaint(
            "[activity]\nkeep_days = 0\n[events]\nbus = \"a bus\"\n[mail]\nses_rate = \"fast\"\n",
            &[],
        ));
        insta::assert_snapshot!(complaint(
            "[activity]\ntable = \"a table\"\n[mail]\ntransport = \"ses\"\n",
            &[],
        ));
    }

    #[test]
    fn on_servers_the_secret_is_given_and_strangers_stay_out() {
        let servers = "[database]\nurl = \"mysql://fairy:hunter2@db/fairy\"\nreader_url = \"mysql://fairy:hunter2@reader/fairy\"\n[queue]\nurl = \"redis://:hunter2@queue\"\n";
        insta::assert_snapshot!(complaint(servers, &[]));
        let (_dir, source) = source(servers, &[("FAIRY__AUTH__SECRET", "0123456789abcdef0123456789abcdef")]);
        let (config, _) = load(source).unwrap();
        assert_eq!(config.sign_up, SignUp::Invite);
        let places = format!("{} {} {config:?}", config.database, config.queue);
        assert!(places.starts_with("mysql://fairy@db/fairy redis://queue "), "{places}");
        assert!(!places.contains("hunter2"), "{places}");
    }

    #[test]
    fn places_that_cannot_be_used_are_told_without_their_passwords() {
        insta::assert_snapshot!(complaint(
            "[database]\nurl = \"mysql://fairy:hunter2@db\"\n[queue]\nurl = \"amqp://u:hunter2@queue\"\nprefix = \"{a}\"\n",
            &[],
        ));
        insta::assert_snapshot!(complaint("[queue]\nurl = \"redis+cluster://:hunter2@queue/1\"\n", &[]));
        insta::assert_snapshot!(complaint(
            "[database]\nreader_url = \"mysql://fairy:hunter2@db/fairy\"\n",
            &[]
        ));
    }

    #[test]
    fn mail_settings_must_fit_together() {
        insta::assert_snapshot!(complaint("[mail]\ntransport = \"smtp\"\n", &[]));
        insta::assert_snapshot!(complaint("[mail]\nsmtp_url = \"smtp://u:hunter2@localhost:25\"\n", &[]));
        insta::assert_snapshot!(complaint(
            "[mail]\ntransport = \"smtp\"\nfrom = \"Fairy\"\nsmtp_url = \"http://u:hunter2@localhost:25\"\n",
            &[]
        ));
    }

    #[test]
    fn a_secret_may_come_from_a_file_but_not_from_two_places() {
        let (dir, mut with_file) = source("", &[]);
        let path = dir.path().join("secret");
        std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let path = path.to_str().unwrap();
        with_file.variables.push(variable("FAIRY__AUTH__SECRET_FILE", path));
        let file = with_file.file.clone();
        assert!(load(with_file).is_ok());

        let both = Source {
            file,
            variables: vec![
                variable("FAIRY__AUTH__SECRET_FILE", path),
                variable("FAIRY__AUTH__SECRET", "0123456789abcdef0123456789abcdef"),
            ],
        };
        assert!(load(both).unwrap_err().to_string().contains("keep one"));
    }

    #[test]
    fn a_named_file_must_be_there() {
        let source = Source { file: Some(PathBuf::from("no/such/fairy.toml")), variables: Vec::new() };
        insta::assert_snapshot!(load(source).unwrap_err().to_string());
    }
}
