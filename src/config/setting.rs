//! The list of settings: the one place where a setting is named.
//!
//! The file, the environment, the reference in the README and `fairy doctor` all read this list, so a setting cannot
//! exist in one of them only. What a value means is decided in `check`; a test proves that it reads every key.

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name: `section.key`, or `key` for the few without a section.
    pub key: &'static str,
    /// What holds when nothing is given; `None` where that is worked out from other settings or the part is left out.
    pub default: Option<&'static str>,
    /// The default in words, where there is no fixed text.
    pub otherwise: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Whether its value may hold a secret: then it can be given as a file too and is never shown whole.
    pub secret: bool,
}

impl Setting {
    /// The variable that sets it.
    pub fn variable(&self) -> String {
        format!("FAIRY__{}", self.key.replace('.', "__").to_uppercase())
    }
}

/// All settings, in the order of the reference.
pub static SETTINGS: [Setting; 32] = [
    plain("http.address", Some("127.0.0.1:3000"), "", "Where the API listens."),
    plain(
        "http.public_url",
        None,
        "`http://` and `http.address`",
        "What people type to reach Fairy; links in mails begin with it.",
    ),
    plain(
        "http.admin_address",
        Some("127.0.0.1:3001"),
        "",
        "Where `/metrics` and `/health/*` listen; nothing else is served there.",
    ),
    plain(
        "http.max_connections",
        Some("1000"),
        "",
        "Most open connections, at most a quarter of them from one address unless `http.proxies` is set; further ones wait to be accepted.",
    ),
    plain(
        "http.proxies",
        Some("0"),
        "",
        "How many trusted proxies stand in front, each adding one entry to `X-Forwarded-For`, 0 to 10.",
    ),
    plain(
        "data_dir",
        Some("./var"),
        "",
        "Embedded database, queue, secret key and mail files; made when missing.",
    ),
    secret(
        "database.url",
        "`sqlite://{DATA_DIR}/fairy.db`",
        "The database: `sqlite://PATH`, or `mysql://user:password@host:port/database` on MySQL 8 or MariaDB 10.6 or later, with `?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE` where TLS is insisted on. SQLite serves `fairy up` only.",
    ),
    secret(
        "database.reader_url",
        "none: all from `database.url`",
        "An endpoint of the same database for lists, which may lag a little behind: `mysql://…`.",
    ),
    plain(
        "database.connections",
        Some("8"),
        "",
        "Most connections of one process to a database server for each of reading, writing and, with `database.reader_url`, lists; 1 to 1000.",
    ),
    secret(
        "queue.url",
        "`sqlite://{DATA_DIR}/queue.db`",
        "The lanes: `sqlite://PATH`, which serves `fairy up` only, or on Redis or Valkey 7 or later `redis://user:password@host:port`, of a Cluster `redis+cluster://user:password@host:port,host:port` with some of its nodes, over TLS `rediss…`.",
    ),
    plain(
        "queue.ca",
        None,
        "none: public authorities",
        "A PEM file with the authority that signed the certificate of the lanes' server (`rediss://`).",
    ),
    plain(
        "queue.replicas",
        Some("0"),
        "",
        "How many replicas must have an operation on disk before it counts as accepted (Redis 7.2 or later, Valkey), 0 to 10.",
    ),
    plain(
        "queue.prefix",
        Some("fairy"),
        "",
        "What all keys on the lanes' server begin with. Installations that share a server need different ones.",
    ),
    plain(
        "activity.table",
        None,
        "none: in the database",
        "A DynamoDB table for the activity log; `fairy migrate` and `fairy up` make it. AWS is found as its own tools find it (`AWS_REGION`, `AWS_PROFILE`, a role, …), here and below.",
    ),
    plain(
        "activity.keep_days",
        None,
        "none: for ever",
        "How many days entries are kept in that table, 1 to 36500.",
    ),
    plain(
        "events.bus",
        None,
        "none",
        "An EventBridge bus, by name or ARN, that gets every change as an event, from the `fairy migrate` or `fairy up` on that first names it. The same to all processes.",
    ),
    plain(
        "mail.transport",
        Some("files"),
        "",
        "`files`: one `.eml` each in `{DATA_DIR}/mail`, to be read at `/dev/mail`. `smtp`: to a mail server. `ses`: through Amazon SES.",
    ),
    secret(
        "mail.smtp_url",
        "none",
        "The mail server: `smtp://user:password@host:port`, with STARTTLS where offered, or `smtps://…`.",
    ),
    plain(
        "mail.smtp_ca",
        None,
        "none: public authorities",
        "A PEM file with the authority that signed the mail server's certificate.",
    ),
    plain(
        "mail.from",
        None,
        "`Fairy <fairy@localhost>` with `files`",
        "The sender, as `Name <address>` or an address; must be given with `smtp` and `ses`.",
    ),
    plain(
        "mail.ses_configuration_set",
        None,
        "none",
        "The configuration set of SES, which says where bounces and complaints go; each message is tagged with its delivery.",
    ),
    plain(
        "mail.ses_rate",
        None,
        "none: as fast as SES takes it",
        "Most messages a second of all processes together, 0.01 to 100000.",
    ),
    plain(
        "auth.sign_up",
        None,
        "`open` where all is in files, else `invite`",
        "Who may make an account: `open` is anybody, `invite` is who was invited.",
    ),
    secret(
        "auth.secret",
        "the file `{DATA_DIR}/secret.key`, made at the first start; none with a database server",
        "At least 32 characters from which link and CSRF keys are made, such as those of `openssl rand -hex 32`; all processes have the same. Changing it voids links in mails sent before.",
    ),
    secret(
        "admin.token",
        "none: `/v1/admin` is not there",
        "At least 32 characters that operators send to `/v1/admin/lanes` as `Authorization: Bearer`, such as those of `openssl rand -hex 32`. Whoever has it sees and changes the lanes of all.",
    ),
    plain("limits.factor", Some("1"), "", "Multiplies all rate limits of the API, 1 to 1000."),
    plain(
        "start.wait_seconds",
        Some("30"),
        "",
        "How long a start, or `fairy migrate`, waits for a database or lanes' server that is not there yet, 0 to 3600; a wrong password or an unfit server is refused at once.",
    ),
    plain(
        "stop.seconds",
        Some("10"),
        "",
        "How long requests and jobs in hand may go on after SIGTERM or Ctrl-C, 1 to 600.",
    ),
    plain(
        "stop.drain_seconds",
        None,
        "`5` for `fairy api`, else `0`",
        "How long before that the API goes on as if nothing were, while `/health/ready` says no and proxies turn to others, 0 to 600.",
    ),
    plain("log.format", Some("text"), "", "`text` for people, `json` for machines."),
    plain(
        "log.level",
        Some("info"),
        "",
        "`error`, `warn`, `info`, `debug`, `trace`, or filters such as `info,fairy_queue=debug`.",
    ),
    plain("log.color", Some("auto"), "", "`auto` colours text on a terminal only; `always`; `never`."),
];

const fn plain(
    key: &'static str,
    default: Option<&'static str>,
    otherwise: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { key, default, otherwise, meaning, secret: false }
}

const fn secret(key: &'static str, otherwise: &'static str, meaning: &'static str) -> Setting {
    Setting { key, default: None, otherwise, meaning, secret: true }
}

/// The setting of that name.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The name that a mistyped one most likely means, if any comes near.
pub fn nearest(key: &str) -> Option<&'static str> {
    SETTINGS
        .iter()
        .map(|setting| (strsim::damerau_levenshtein(key, setting.key), setting.key))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_setting() {
        assert_eq!(nearest("http.adress"), Some("http.address"));
        assert_eq!(nearest("mail.smtp"), Some("mail.smtp_ca"));
        assert_eq!(nearest("datadir"), Some("data_dir"));
        assert_eq!(nearest("colour.of.the.sky"), None);
    }

    #[test]
    fn variables_are_spelt_as_the_contract_says() {
        let variables: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
        for named in [
            "FAIRY__HTTP__ADDRESS",
            "FAIRY__HTTP__PUBLIC_URL",
            "FAIRY__HTTP__ADMIN_ADDRESS",
            "FAIRY__DATA_DIR",
            "FAIRY__DATABASE__URL",
            "FAIRY__DATABASE__READER_URL",
            "FAIRY__QUEUE__URL",
            "FAIRY__ACTIVITY__TABLE",
            "FAIRY__EVENTS__BUS",
            "FAIRY__ACTIVITY__KEEP_DAYS",
            "FAIRY__MAIL__TRANSPORT",
            "FAIRY__MAIL__SMTP_URL",
            "FAIRY__MAIL__FROM",
            "FAIRY__AUTH__SIGN_UP",
        ] {
            assert!(variables.iter().any(|variable| variable == named), "{named}");
        }
    }
}
