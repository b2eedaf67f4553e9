//! Between JSON and the domain: one place says how a domain type looks in the API description, how it is read from a
//! request and how it is shown in a response, so that the description cannot drift from what the code does.

mod arrival;
mod body;
mod closed;
mod described;
mod document;
mod fields;
mod json;
mod list;
mod optional;
mod params;
mod raw;
mod refused;
mod reply;
mod shown;

pub(crate) use self::{
    arrival::{MOST_TIME, OPEN_BYTES, Rooms, receive},
    body::{JsonBody, OpenBody},
    closed::close_requests,
    described::{Described, EntityTag, Filled, Input, Instant},
    document::Documented,
    fields::Fields,
    json::{given_object, objects},
    list::{LimitParam, ListOf, PageParams, SeqParam, page_request},
    optional::{Given, Nullable, Patched},
    params::{Params, QueryParams},
    raw::Raw,
    refused::{
        BODY, CALLER, CONFLICT, GONE, NOT_ACCEPTABLE, OPERATION, OPERATOR, QUERY, Refused, TARGET, WRITE,
        problem_schema,
    },
    reply::{Done, Made, Reply, Shape, Shows, Tagged, header, json_content, located, plain, set_cookies},
    shown::Shown,
};
