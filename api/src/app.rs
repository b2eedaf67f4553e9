//! Puts the surface together: the API under `/v1`, its description, the pages.

use std::{collections::HashMap, marker::PhantomData, sync::LazyLock};

use poem::{EndpointExt as _, IntoEndpoint as _, Route, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, OpenApiService,
    registry::{MetaApi, Registry},
};

use crate::{
    Services, Settings,
    edge::{Edge, Known},
    front::Front,
    page,
    routes::{Routes, routes},
    shape::{Documented, close_requests},
};

/// Where the API is.
const PREFIX: &str = "/v1";

/// The whole HTTP surface: `/v1`, the pages, the documentation.
pub fn app(services: Services, settings: Settings) -> BoxEndpoint<'static> {
    let front = Front::new(services, settings);
    let api = service(Documented(routes(&front)));
    let inner = page::pages(Route::new().nest(PREFIX, api.into_endpoint()), &front.settings);
    Edge { inner, front, routes: Known { methods: methods_of, template: template_of } }.boxed()
}

/// The OpenAPI document as pretty JSON, the same for every build of the same source.
pub fn spec() -> String {
    let document = service(Description::<Documented<Routes>>(PhantomData)).spec();
    // What is written here can be read and written again.
    let Ok(mut read) = serde_json::from_str(&document) else { return document };
    close_requests(&mut read);
    serde_json::to_string_pretty(&read).unwrap_or(document)
}

/// The reference of the API as one HTML page with its scripts in it.
pub(crate) fn reference_html() -> String {
    service(Description::<Documented<Routes>>(PhantomData))
        .swagger_ui_html()
        .replace("<title>Swagger UI<", "<title>Fairy API<")
}

fn service<A: OpenApi>(api: A) -> OpenApiService<A, ()> {
    OpenApiService::new(api, "Fairy", env!("CARGO_PKG_VERSION")).server(PREFIX).description(ABOUT)
}

const ABOUT: &str = "A team task system. Every write to a task is an *operation*: accepted once, kept in a durable \
queue, applied once, in the order accepted.

* Sign in with `POST /auth/sign-in` (a session cookie; writes then carry `X-CSRF-Token`), or make an API token with \
`POST /me/tokens` and send it as `Authorization: Bearer`.
* An operation is answered with its result once it is applied. `Prefer: respond-async` or `wait=N` answers sooner with \
`202` and `Location`.
* `Idempotency-Key` makes it safe to repeat an operation: the repeat gets the outcome of the first request, and of a \
batch the same operations. It is for operations only; other writes pass it over. A repeat of those meets `409` where a \
name is taken (an account's address, a workspace's `slug`, a project's `key`), and is made anew where there is none (a \
token, a workspace without `slug`).
* Every refusal is an RFC 9457 problem whose `type` leads to its documentation. Only what is not read as a request has an \
answer without a body: `414` to a path and query of more than 64 kB, `400` to what is no HTTP.
* Lists are `{\"items\": […], \"next\": cursor}`.";

/// The description of routes without the routes.
struct Description<A>(PhantomData<fn() -> A>);

impl<A: OpenApi> OpenApi for Description<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// Each path of the API in its segments, with the methods it knows.
static PATHS: LazyLock<Vec<(Vec<String>, Vec<Method>)>> = LazyLock::new(|| {
    let apis = Documented::<Routes>::meta();
    let mut known: HashMap<String, Vec<Method>> = HashMap::new();
    for path in apis.into_iter().flat_map(|api| api.paths) {
        known.entry(path.path).or_default().extend(path.operations.into_iter().map(|o| o.method));
    }
    let segments = |path: &str| path.split('/').skip(1).map(str::to_owned).collect();
    known.iter().map(|(path, methods)| (segments(path), methods.clone())).collect()
});

/// The route of the API that a path below the prefix leads to: its segments, and its methods.
fn route_of(path: &str) -> Option<&'static (Vec<String>, Vec<Method>)> {
    let asked: Vec<&str> = path.split('/').skip(1).collect();
    let fits = |known: &[String]| {
        known.len() == asked.len() && known.iter().zip(&asked).all(|(k, a)| k.starts_with('{') || k == a)
    };
    // A literal segment beats a parameter, as it does in the router.
    let literals = |known: &[String]| known.iter().filter(|k| !k.starts_with('{')).count();
    PATHS.iter().filter(|(known, _)| fits(known)).max_by_key(|(known, _)| literals(known))
}

/// A path of the API without its ids and codes; nothing of a page, or where there is no such path.
fn template_of(path: &str) -> Option<String> {
    let (segments, _) = route_of(path.strip_prefix(PREFIX)?)?;
    Some(format!("{PREFIX}/{}", segments.join("/")))
}

/// The methods that a path knows, for `Allow`.
fn methods_of(path: &str) -> Vec<Method> {
    let Some(path) = path.strip_prefix(PREFIX) else {
        return vec![Method::GET, Method::HEAD];
    };
    let mut methods = route_of(path).map(|(_, methods)| methods.clone()).unwrap_or_default();
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    methods
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(&spec()).unwrap()
    }

    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        let of_path = |(path, methods): (&String, &'_ Value)| {
            let path = path.clone();
            let methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
            methods.into_iter().map(move |method| (method, path.clone())).collect::<Vec<_>>()
        };
        let named = paths.iter().flat_map(of_path);
        named.map(|(method, path)| (format!("{method} {path}"), &document["paths"][&path][&method])).collect()
    }

    fn references(value: &Value, found: &mut HashSet<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn each_operation_is_described() {
        let document = document();
        for (name, operation) in operations(&document) {
            for field in ["operationId", "summary"] {
                assert!(
                    operation[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{name} has no {field}"
                );
            }
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name} has one topic");
            for status in ["400", "429", "500", "503"] {
                let content = &operation["responses"][status]["content"];
                assert!(content["application/problem+json"].is_object(), "{name} does not describe {status}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(
                    parameter["description"].is_string(),
                    "{name}: {} is not explained",
                    parameter["name"]
                );
                assert!(parameter["schema"]["properties"].is_null(), "{name}: a bundle was not taken apart");
            }
        }
    }

    #[test]
    fn only_these_need_no_caller() {
        let document = document();
        let open: Vec<String> = operations(&document)
            .into_iter()
            .filter(|(_, operation)| operation["security"].is_null())
            .map(|(name, _)| name)
            .collect();
        let expected = [
            "post /auth/sign-up",
            "post /auth/sign-in",
            "post /auth/password-reset",
            "post /auth/password-reset/{code}",
            "post /auth/verify-email/{code}",
            "get /invitations/{code}",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn whatever_is_asked_is_closed() {
        let document = document();
        for (name, operation) in operations(&document) {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let mut found = HashSet::new();
            references(schema, &mut found);
            assert_eq!(found.is_empty(), operation["requestBody"].is_null(), "{name}");
            for reference in found {
                let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
                assert_eq!(schema["additionalProperties"], false, "{name}: {reference}");
            }
        }
    }

    #[test]
    fn each_reference_leads_somewhere() {
        let document = document();
        let mut found = HashSet::new();
        references(&document, &mut found);
        assert!(
            found.contains("#/components/schemas/Task") && found.contains("#/components/schemas/Problem")
        );
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    #[test]
    fn the_document_is_the_same_each_time() {
        assert_eq!(spec(), spec());
    }

    #[test]
    fn a_path_knows_its_methods() {
        let names = |path| methods_of(path).iter().map(Method::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(names("/v1/workspaces/x/tasks"), "GET HEAD POST");
        assert_eq!(names("/v1/workspaces/x/tasks/batch"), "POST");
        assert_eq!(names("/v1/workspaces/x/tasks/WEB-1"), "DELETE GET HEAD PATCH");
        assert_eq!(names("/docs"), "GET HEAD");
    }

    #[test]
    fn a_path_is_known_without_what_it_names() {
        let template = |path| template_of(path).unwrap_or_default();
        assert_eq!(template("/v1/workspaces/acme/tasks/WEB-1"), "/v1/workspaces/{ws}/tasks/{task}");
        assert_eq!(template("/v1/workspaces/acme/tasks/batch"), "/v1/workspaces/{ws}/tasks/batch");
        for none in ["/v1/nowhere", "/v1", "/invitations/code", "/"] {
            assert_eq!(template_of(none), None, "{none}");
        }
    }
}
