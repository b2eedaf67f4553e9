//! Finishes the description that the routes give of themselves: bundles of query parameters taken apart, the headers
//! that every operation understands, what path parameters mean.

use std::collections::HashMap;

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{
        MetaApi, MetaOperation, MetaOperationParam, MetaParamIn, MetaPath, MetaResponse, MetaSchema,
        MetaSchemaRef, Registry,
    },
};

use super::{params::BUNDLE, reply::plain};

/// Routes with their description finished.
pub(crate) struct Documented<A>(pub A);

impl<A: OpenApi> OpenApi for Documented<A> {
    fn meta() -> Vec<MetaApi> {
        // A path whose methods are in several files must stand in the document once: a second key would hide the first.
        let mut paths: Vec<MetaPath> = Vec::new();
        for path in A::meta().into_iter().flat_map(|api| api.paths) {
            match paths.iter_mut().find(|known| known.path == path.path) {
                Some(known) => known.operations.extend(path.operations),
                None => paths.push(path),
            }
        }
        paths.iter_mut().flat_map(|path| &mut path.operations).for_each(finish);
        vec![MetaApi { paths }]
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(table);
    }
}

fn finish(operation: &mut MetaOperation) {
    let params = std::mem::take(&mut operation.params);
    operation.params = params.into_iter().flat_map(apart).map(explained).collect();
    let answers = &operation.responses.responses;
    let done = |answer: &&MetaResponse| answer.status.is_some_and(|status| status < 300);
    let answers_header =
        |name: &str| answers.iter().filter(done).any(|r| r.headers.iter().any(|header| header.name == name));
    let streams = answers.iter().any(|r| r.content.iter().any(|c| c.content_type == "text/event-stream"));
    let (accepts, asks) = (answers_header("Operation-Id"), operation.operation_id == Some("get_operation"));
    let by_session = operation.security.iter().any(|scheme| scheme.contains_key("session"));
    // What a route understands besides its own parameters can be told from what it answers.
    let understood = [
        (accepts, [IDEMPOTENCY_KEY, IF_MATCH].as_slice()),
        (answers_header("Preference-Applied") || asks, &[PREFER]),
        (answers.iter().any(|r| r.status == Some(304)), &[IF_NONE_MATCH]),
        (streams, &[LAST_EVENT_ID]),
        (by_session && operation.method != Method::GET, &[CSRF]),
    ];
    let headers = understood.iter().filter(|(is, _)| *is).flat_map(|(_, headers)| *headers).map(header);
    operation.params.extend(headers);
    if matches!(operation.operation_id, Some("sign_up" | "sign_in" | "sign_out")) {
        let done = operation.responses.responses.iter_mut().filter(|r| r.status.is_some_and(|s| s < 300));
        let cookie = [("Set-Cookie", "The session's cookie, or its end.")];
        done.for_each(|answer| answer.headers.extend(plain(0, "", Vec::new(), &cookie).headers));
    }
}

/// A request header: its name, a pattern or nothing, what it means.
type Header = (&'static str, &'static str, &'static str);

const TAGS: &str = "^([*]|(W/)?\"[!#-~]*\"(, ?(W/)?\"[!#-~]*\"){0,19})$";

const IDEMPOTENCY_KEY: Header = (
    "Idempotency-Key",
    "^[!-~]{1,255}$",
    "1 to 255 visible ASCII characters. A repeat with the same key gets the first outcome; kept at least 24 hours.",
);
const PREFER: Header = (
    "Prefer",
    "",
    "`respond-async`: answer at once. `wait=N`: wait up to N seconds (at most 60) for the outcome (RFC 7240).",
);
const IF_MATCH: Header = (
    "If-Match",
    TAGS,
    "Entity tags; the operation is refused with 412 unless the present version is one of them.",
);
const IF_NONE_MATCH: Header =
    ("If-None-Match", TAGS, "Entity tags that the caller has; the answer is 304 if it is one of them.");
const LAST_EVENT_ID: Header =
    ("Last-Event-ID", "^[0-9]{1,15}$", "For a stream: the last event that was seen; it beats `after`.");
const CSRF: Header = (
    "X-CSRF-Token",
    "",
    "The `csrf_token` of sign-in or `GET /me`; needed with a session cookie, not with an API token.",
);

fn header((name, pattern, description): &Header) -> MetaOperationParam {
    let pattern = (!pattern.is_empty()).then(|| (*pattern).to_owned());
    MetaOperationParam {
        name: (*name).to_owned(),
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema { pattern, ..MetaSchema::new("string") })),
        in_type: MetaParamIn::Header,
        description: Some((*description).to_owned()),
        required: false,
        deprecated: false,
        explode: true,
        style: None,
    }
}

/// The parameters that one argument stands for.
fn apart(param: MetaOperationParam) -> Vec<MetaOperationParam> {
    let bundle = match param.schema {
        MetaSchemaRef::Inline(schema) if schema.title.as_deref() == Some(BUNDLE) => schema,
        schema => return vec![MetaOperationParam { schema, ..param }],
    };
    let one = |(name, schema): (&'static str, MetaSchemaRef)| {
        let mut schema = match schema {
            MetaSchemaRef::Inline(schema) => *schema,
            MetaSchemaRef::Reference(name) => {
                MetaSchema { all_of: vec![MetaSchemaRef::Reference(name)], ..MetaSchema::ANY }
            }
        };
        MetaOperationParam {
            name: name.to_owned(),
            description: schema.description.take().map(str::to_owned),
            schema: MetaSchemaRef::Inline(Box::new(schema)),
            in_type: param.in_type,
            required: bundle.required.contains(&name),
            deprecated: false,
            explode: true,
            style: None,
        }
    };
    bundle.properties.into_iter().map(one).collect()
}

/// What each path parameter is; the same name means the same on every path.
fn explained(mut param: MetaOperationParam) -> MetaOperationParam {
    if param.in_type != MetaParamIn::Path {
        return param;
    }
    let (description, most) = match param.name.as_str() {
        "ws" => ("The workspace's id (`wsp_…`) or slug.", 40),
        "task" => ("The task's id (`tsk_…`) or any key it has or had (`WEB-12`).", 30),
        "lane" => ("The lane's name, such as `operations`.", 40),
        "comment" => ("The comment's id (`cmt_…`).", 30),
        "user" => ("The person's id (`usr_…`).", 30),
        "watcher" => ("The person's id (`usr_…`), or `me`.", 30),
        "label" => ("The label.", 50),
        "invitation" => ("The invitation's id (`inv_…`).", 30),
        "code" => ("The code at the end of the link in the mail.", 64),
        "token" => ("The token's id (`tok_…`).", 30),
        "session" => ("The session's id (`ses_…`).", 30),
        "operation" => ("The operation's id (`op_…`).", 30),
        _ => return param,
    };
    param.description = Some(description.to_owned());
    let limits = MetaSchema { min_length: Some(1), max_length: Some(most), ..MetaSchema::ANY };
    param.schema = param.schema.merge(limits);
    param
}
