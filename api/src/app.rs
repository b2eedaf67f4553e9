//! Puts the surface together: the API under `/v1`, its description, the pages.

use std::{collections::HashMap, marker::PhantomData, sync::LazyLock};

use poem::{EndpointExt as _, IntoEndpoint as _, Route, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, OpenApiService,
    registry::{MetaApi, Registry},
};

use crate::{
    Services, Settings,
    edge::Edge,
    front::Front,
    page,
    routes::{Routes, routes},
    shape::Documented,
};

/// Where the API is.
const PREFIX: &str = "/v1";

/// The whole HTTP surface: `/v1`, the pages, the documentation.
pub fn app(services: Services, settings: Settings) -> BoxEndpoint<'static> {
    let front = Front::new(services, settings);
    let api = service(Documented(routes(&front)));
    let inner = Route::new().nest(PREFIX, api.into_endpoint()).nest("/", page::pages(&front));
    Edge { inner, front, methods: methods_of }.boxed()
}

/// The OpenAPI document as pretty JSON, the same for every build of the same source.
pub fn spec() -> String {
    service(Description::<Documented<Routes>>(PhantomData)).spec()
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
* `Idempotency-Key` makes a repeat safe: it gets the outcome of the first request.
* Every refusal is an RFC 9457 problem whose `type` leads to its documentation.
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

/// The methods that a path knows, for `Allow`.
fn methods_of(path: &str) -> Vec<Method> {
    let Some(path) = path.strip_prefix(PREFIX) else {
        return vec![Method::GET, Method::HEAD];
    };
    let asked: Vec<&str> = path.split('/').skip(1).collect();
    let fits = |known: &[String]| {
        known.len() == asked.len() && known.iter().zip(&asked).all(|(k, a)| k.starts_with('{') || k == a)
    };
    // A literal segment beats a parameter, as it does in the router.
    let literals = |known: &[String]| known.iter().filter(|k| !k.starts_with('{')).count();
    let best = PATHS.iter().filter(|(known, _)| fits(known)).max_by_key(|(known, _)| literals(known));
    let mut methods = best.map(|(_, methods)| methods.clone()).unwrap_or_default();
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    methods
}
