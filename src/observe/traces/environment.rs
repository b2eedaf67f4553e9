//! What the standard environment says of traces, as far as it decides whether and how they are exported
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
//!
//! The SDK reads these variables, too. What it does not know it passes over or replaces by a default, and whoever mistyped a
//! name would look for traces in vain; so that is refused.

use std::{collections::HashMap, time::Duration};

use crate::Failure;

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];
/// How long an export may take, where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The variables that are OpenTelemetry's; an empty one says nothing.
pub(super) struct Environment(HashMap<String, String>);

impl Environment {
    /// Those of this process.
    pub fn process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            (name.starts_with("OTEL_") && !value.trim().is_empty()).then(|| (name, value.trim().to_owned()))
        });
        Self(texts.collect())
    }

    /// How long an export may take; nothing where none is wanted.
    pub fn export_timeout(&self) -> Result<Option<Duration>, Failure> {
        let named = self.exporter("ENDPOINT").is_some();
        let disabled =
            self.get("OTEL_SDK_DISABLED").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
        let none = self.get("OTEL_TRACES_EXPORTER").is_some_and(|(_, value)| value == "none");
        if !named || disabled || none {
            return Ok(None);
        }
        self.must("OTEL_TRACES_EXPORTER", |value| value == "otlp", "`otlp` or `none`")?;
        self.must("OTEL_TRACES_SAMPLER", |value| SAMPLERS.contains(&value), &SAMPLERS.join(", "))?;
        if self.get("OTEL_TRACES_SAMPLER").is_some_and(|(_, sampler)| sampler.ends_with("traceidratio")) {
            let share = |value: &str| value.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share));
            self.must("OTEL_TRACES_SAMPLER_ARG", share, "a number from 0 to 1")?;
        }
        if let Some((name, endpoint)) = self.exporter("ENDPOINT") {
            let fits = url::Url::parse(endpoint).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
            refuse(fits, name, endpoint, "the URL of a collector, such as http://127.0.0.1:4318")?;
        }
        if let Some((name, protocol)) = self.exporter("PROTOCOL") {
            refuse(
                protocol == "http/protobuf",
                name,
                protocol,
                "`http/protobuf`, the one that Fairy speaks",
            )?;
        }
        let Some((name, text)) = self.exporter("TIMEOUT") else {
            return Ok(Some(TIMEOUT));
        };
        let timeout = text.parse().unwrap_or(0);
        refuse(timeout > 0, name, text, "a number of milliseconds")?;
        Ok(Some(Duration::from_millis(timeout)))
    }

    /// Whether the service is given a name of its own.
    pub fn names_service(&self) -> bool {
        let attributes = self.get("OTEL_RESOURCE_ATTRIBUTES").map(|(_, value)| value).unwrap_or_default();
        let listed = attributes.split(',').any(|one| one.trim_start().starts_with("service.name="));
        listed || self.get("OTEL_SERVICE_NAME").is_some()
    }

    /// A variable of the exporter: that of traces wins over that of all signals.
    fn exporter(&self, what: &str) -> Option<(&str, &str)> {
        self.get(&format!("OTEL_EXPORTER_OTLP_TRACES_{what}"))
            .or_else(|| self.get(&format!("OTEL_EXPORTER_OTLP_{what}")))
    }

    fn get(&self, name: &str) -> Option<(&str, &str)> {
        self.0.get_key_value(name).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn must(&self, name: &str, fits: impl Fn(&str) -> bool, what: &str) -> Result<(), Failure> {
        self.get(name).map_or(Ok(()), |(_, value)| refuse(fits(value), name, value, what))
    }
}

fn refuse(fits: bool, name: &str, value: &str, what: &str) -> Result<(), Failure> {
    if fits {
        return Ok(());
    }
    Err(Failure::new(format_args!("{name} is `{value}`, and must be {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    fn of(variables: &[(&str, &str)]) -> Environment {
        Environment(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported() {
        assert_eq!(of(&[]).export_timeout().unwrap(), None);
        assert_eq!(of(&[("OTEL_TRACES_SAMPLER", "mistyped")]).export_timeout().unwrap(), None);
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(of(&[HERE, off]).export_timeout().unwrap(), None, "{off:?}");
        }
        assert_eq!(of(&[HERE]).export_timeout().unwrap(), Some(TIMEOUT));
        let quick =
            of(&[HERE, ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"), ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250")]);
        assert_eq!(quick.export_timeout().unwrap(), Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        let ratio = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
        for (name, value) in [
            ("OTEL_TRACES_EXPORTER", "jaeger"),
            ("OTEL_TRACES_SAMPLER", "half"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ] {
            let refused = of(&[HERE, ratio, (name, value)]).export_timeout().unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{name} is `{value}`, and must be ")), "{refused}");
        }
        assert!(of(&[HERE, ratio, ("OTEL_TRACES_SAMPLER_ARG", "0.25")]).export_timeout().is_ok());
    }

    #[test]
    fn a_service_is_named_in_either_way() {
        assert!(!of(&[("OTEL_RESOURCE_ATTRIBUTES", "host.name=a")]).names_service());
        assert!(of(&[("OTEL_RESOURCE_ATTRIBUTES", "host.name=a, service.name=b")]).names_service());
        assert!(of(&[("OTEL_SERVICE_NAME", "b")]).names_service());
    }
}
