//! Parsing the settings into what the program uses, all of them, before anything is opened.
//!
//! What would not be used is refused rather than ignored: a server that quietly kept its log elsewhere than it was told
//! would be worse than one that does not start.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use fairy_api::AdminToken;
use url::Url;

use super::{
    Color, Config, Faults, Given, Http, Layers, Log, LogFormat, Origin, Place, SecretSource, SignUp, mail,
    places, reader::Reader, sinks,
};

/// Shortest secret that is taken.
const SECRET_CHARS: usize = 32;

/// The configuration that these layers give, or everything that is wrong with them.
pub fn check(layers: &Layers) -> Result<Config, Faults> {
    let reader = Reader::new(layers);
    let config = config(&reader);
    let faults = reader.into_faults();
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => Err(Faults(faults)),
    }
}

/// Reads everything before it gives up, so that every fault is found.
fn config(reader: &Reader<'_>) -> Option<Config> {
    let http = http(reader);
    let data_dir = reader.read("data_dir", path);
    let directory = data_dir.clone().unwrap_or_default();
    let database = places::database(reader, &directory);
    let queue = places::queue(reader, &directory);
    let in_files = database.as_ref().is_none_or(Place::is_file) && queue.as_ref().is_none_or(Place::is_file);
    let activity = sinks::activity(reader);
    let bus = sinks::bus(reader);
    let mail = mail::mail(reader, directory.join("mail"));
    let sign_up = sign_up(reader, in_files);
    let secret = shared_secret(reader, &directory, database.as_ref().is_none_or(Place::is_file));
    let admin_token = admin_token(reader);
    let limits_factor = reader.read("limits.factor", |text| number(text, 1, 1000));
    let wait = reader.read("start.wait_seconds", |text| number(text, 0, 3600));
    let drain = reader.read("stop.drain_seconds", |text| number(text, 0, 600));
    let seconds = reader.read("stop.seconds", |text| number(text, 1, 600));
    let log = log(reader);
    Some(Config {
        http: http?,
        data_dir: data_dir?,
        database: database?,
        queue: queue?,
        activity,
        bus,
        mail: mail?,
        sign_up: sign_up?,
        secret: secret?,
        admin_token: admin_token?,
        limits_factor: limits_factor?,
        start_within: Duration::from_secs(wait?.into()),
        drain_for: drain.map(|seconds| Duration::from_secs(seconds.into())),
        stop_within: Duration::from_secs(seconds?.into()),
        log: log?,
    })
}

/// Who may make an account. On servers strangers most likely reach it, so there nobody may unless it is said.
fn sign_up(reader: &Reader<'_>, in_files: bool) -> Option<SignUp> {
    match reader.given("auth.sign_up") {
        None if in_files => Some(SignUp::Open),
        None => Some(SignUp::Invite),
        Some(_) => reader.read("auth.sign_up", |text| match text {
            "open" => Ok(SignUp::Open),
            "invite" => Ok(SignUp::Invite),
            _ => Err("must be open or invite".to_owned()),
        }),
    }
}

/// The secret. All processes that share a database share it, so there it cannot be a file that each makes for itself.
fn shared_secret(reader: &Reader<'_>, directory: &Path, in_file: bool) -> Option<SecretSource> {
    match reader.given("auth.secret") {
        None if in_file => Some(SecretSource::File(directory.join("secret.key"))),
        None => {
            let given = Given { text: String::new(), origin: Origin::Default };
            let problem = "must be given where the database is on a server, the same to all processes: make one with `openssl rand -hex 32` and set FAIRY__AUTH__SECRET or FAIRY__AUTH__SECRET_FILE";
            reader.fault("auth.secret", &given, problem);
            None
        }
        Some(_) => reader.read("auth.secret", secret),
    }
}

/// The token of operators, if there is one.
fn admin_token(reader: &Reader<'_>) -> Option<Option<AdminToken>> {
    match reader.given("admin.token") {
        None => Some(None),
        Some(_) => reader.read("admin.token", |text| long_enough(text).map(AdminToken::new)).map(Some),
    }
}

fn http(reader: &Reader<'_>) -> Option<Http> {
    let address = reader.read("http.address", address);
    let admin_address = reader.read("http.admin_address", address_of_admin);
    let public_url = match reader.given("http.public_url") {
        Some(_) => reader.read("http.public_url", public_url).map(Some),
        None => Some(None),
    };
    let proxies = reader.read("http.proxies", |text| number(text, 0, 10));
    let max_connections = reader.read("http.max_connections", |text| number(text, 10, 100_000));
    if let (Some(api), Some(admin)) = (address, admin_address)
        && api == admin
        && api.port() != 0
        && let Some(given) = reader.given("http.admin_address")
    {
        reader.fault("http.admin_address", &given, "must not be the same as http.address");
    }
    Some(Http {
        address: address?,
        public_url: public_url?,
        admin_address: admin_address?,
        max_connections: max_connections? as usize,
        proxies: u8::try_from(proxies?).unwrap_or(u8::MAX),
    })
}

fn log(reader: &Reader<'_>) -> Option<Log> {
    let format = reader.read("log.format", |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    });
    let level = reader.read("log.level", |text| {
        let filter = tracing_subscriber::EnvFilter::try_new(text);
        // A lone word that is no level would be taken for a target, and log nothing at all.
        let level =
            text.contains(['=', ',']) || text.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
        match filter {
            Ok(_) if level => Ok(text.to_owned()),
            _ => Err("must be error, warn, info, debug, trace, or filters such as info,fairy_queue=debug"
                .to_owned()),
        }
    });
    let color = reader.read("log.color", |text| match text {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        _ => Err("must be auto, always or never".to_owned()),
    });
    Some(Log { format: format?, level: level?, color: color? })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("is {text:?}, but must be an address and a port such as 127.0.0.1:3000"))
}

fn address_of_admin(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("is {text:?}, but must be an address and a port such as 127.0.0.1:3001"))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("must not be empty".to_owned()),
        _ => Ok(PathBuf::from(text)),
    }
}

pub(super) fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("is {text:?}, but must be a whole number from {least} to {most}"))
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if plain && bare && url.host().is_some() => Ok(url),
        _ => Err("must be http:// or https:// with a host and nothing behind it, such as https://fairy.example.com".to_owned()),
    }
}

fn secret(text: &str) -> Result<SecretSource, String> {
    long_enough(text).map(|text| SecretSource::Text(text.to_owned()))
}

fn long_enough(text: &str) -> Result<&str, String> {
    match text.chars().count() {
        0..SECRET_CHARS => Err(format!(
            "is too short: give at least {SECRET_CHARS} random characters, such as those of `openssl rand -hex 32`"
        )),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SETTINGS, *};

    #[test]
    fn every_setting_is_read_and_the_defaults_hold() {
        let layers = Layers::default();
        let reader = Reader::new(&layers);
        assert!(config(&reader).is_some());
        let mut asked = reader.asked();
        let mut known: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
        asked.sort_unstable();
        known.sort_unstable();
        assert_eq!(asked, known);
        assert_eq!(reader.into_faults(), []);
    }

    #[test]
    fn the_public_url_is_an_origin() {
        assert!(public_url("https://fairy.example.com").is_ok());
        for bad in
            ["fairy.example.com", "ftp://x.yz", "https://x.yz/fairy", "https://u@x.yz", "https://x.yz/?a"]
        {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
