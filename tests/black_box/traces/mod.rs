//! One operation, followed from the request through each job in the traces that a collector is told of.

mod collector;

use serde_json::json;
use tokio::net::TcpListener;

use self::collector::{Collector, Span};
use crate::{
    aws::Cloud,
    harness::{Launch, fairy, is_cluster, wait_until},
    team::Team,
};

const CREATE: &str = "POST /v1/workspaces/{ws}/tasks";
/// What a caller says of the span that it is in.
const CALLER: &str = "00f067aa0ba902b7";

fn traceparent(trace: &str) -> String {
    format!("00-{trace}-{CALLER}-01")
}

fn told_to(collector: &str, launch: Launch) -> Launch {
    launch
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .variable("OTEL_BSP_SCHEDULE_DELAY", "20")
        .set("LOG__FORMAT", "json")
        .set("LOG__LEVEL", "info,fairy_api=debug")
}

#[tokio::test]
async fn one_operation_is_followed_from_the_request_through_each_job() {
    let collector = Collector::new().await;
    // With a bus, where there is a stand-in for one.
    let cloud = Cloud::new("700000000046").await;
    let launch = match &cloud {
        Some(cloud) => {
            cloud.make_bus().await;
            cloud.launch()
        }
        None => Launch::new(),
    };
    let launch = told_to(&collector.url, launch);
    fairy(launch.home().path(), &launch.environment(), &["migrate"]).await.succeeded();
    let team = Team::launch(launch).await;
    let mina = match &cloud {
        Some(cloud) => cloud.member(&team, "Mina").await,
        None => team.member("Mina", "member").await,
    };

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let body = json!({"project": "WEB", "title": "Follow the rabbit", "assignees": [mina.id]});
    let call = team.owner.api.post(&team.at("/tasks"), &body).header("traceparent", &traceparent(trace));
    call.await.is(201);
    let mut names = vec![CREATE, "accept", "apply", "notify", "deliver", "record"];
    names.extend(cloud.as_ref().map(|_| "publish"));
    let spans = collector.spans(trace, &names).await;
    let (request, accept, jobs) = (&spans[0], &spans[1], &spans[2..]);
    assert_eq!((request.parent.as_str(), request.kind), (CALLER, 2));
    let said = ["http.request.method", "http.route", "http.response.status_code"]
        .map(|a| request.attributes[a].as_str());
    assert_eq!(said, ["POST", "/v1/workspaces/{ws}/tasks", "201"]);
    assert_eq!((&accept.parent, accept.kind), (&request.id, 4));
    for job in jobs {
        assert_eq!((&job.parent, job.kind, job.failed), (&accept.id, 5, false), "{job:?}");
    }
    let role = |span: &Span| (span.process["service.name"].clone(), span.process["fairy.role"].clone());
    let (front, crew) = if is_cluster() { ("fairy api", "fairy worker") } else { ("fairy up", "fairy up") };
    assert_eq!(
        [role(request), role(&jobs[0])],
        [front, crew].map(|role| ("fairy".to_owned(), role.to_owned()))
    );
    let whole = format!("{:?}", collector.trace(trace));
    for secret in [&mina.id, &mina.email, &team.owner.id, &team.id, "rabbit", "127.0.0.1"] {
        assert!(!whole.contains(secret), "{secret} is nobody else's affair: {whole}");
    }

    // What is said meanwhile names the trace, and a request without one begins one.
    let nowhere = "11111111111111112222222222222222";
    let missing = team.owner.api.get(&team.at("/tasks/WEB-99")).header("traceparent", &traceparent(nowhere));
    missing.await.problem(404, "not-found");
    let line = format!("\"trace_id\":\"{nowhere}\"");
    wait_until("the log names the trace", || async { team.server.log().contains(&line).then_some(()) }).await;
    let log = team.server.log();
    let told = log.lines().find(|told| told.contains(&line)).unwrap();
    let told: serde_json::Value = serde_json::from_str(told).expect("a line of JSON");
    assert_eq!(
        (&told["problem"], &told["span_id"]),
        (
            &json!("not-found"),
            &json!(collector.spans(nowhere, &["GET /v1/workspaces/{ws}/tasks/{task}"]).await[0].id)
        )
    );
}

#[tokio::test]
async fn what_is_done_together_is_found_in_each_trace() {
    let collector = Collector::new().await;
    let mut team = Team::launch(told_to(&collector.url, Launch::new())).await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let traces = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"];
    for trace in traces {
        let body = json!({"project": "WEB", "title": "Together"});
        let call = team.owner.api.post(&team.at("/tasks"), &body).respond_async();
        call.header("traceparent", &traceparent(trace)).await.is(202);
    }
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let mut applied = Vec::new();
    for trace in traces {
        let [accept, apply] = collector.spans(trace, &["accept", "apply"]).await.try_into().unwrap();
        assert_eq!(
            (&apply.parent, &apply.attributes["messaging.batch.message_count"]),
            (&accept.id, &"2".to_owned())
        );
        applied.push(apply);
    }
    assert_eq!([applied[0].links.as_slice(), &applied[1].links], [[applied[1].id.clone()].as_slice(), &[]]);

    // What was done last is told before the end.
    let last = "cccccccccccccccccccccccccccccccc";
    let call = team.owner.api.get("/me").header("traceparent", &traceparent(last));
    call.await.is(200);
    assert_eq!(team.server.stop().await, Some(0));
    assert_eq!(collector.trace(last).len(), 1);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nobody_anything() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let launch = told_to(&url, Launch::new()).variable("OTEL_BSP_MAX_QUEUE_SIZE", "8");
    let mut team = Team::launch(launch).await;
    let mina = team.member("Mina", "member").await;
    for _ in 0..20 {
        team.task_with(json!({"title": "Go on", "assignees": [mina.id]})).await;
    }
    team.told().await;
    assert_eq!(team.server.stop().await, Some(0));
}

#[tokio::test]
async fn what_the_environment_says_wrong_is_refused() {
    let launch = told_to("http://127.0.0.1:4318", Launch::new()).variable("OTEL_TRACES_SAMPLER", "half");
    let refused = launch.fails().await.refused();
    assert!(refused.contains("OTEL_TRACES_SAMPLER is `half`, and must be always_on"), "{refused}");
}
