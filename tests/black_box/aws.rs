//! Activity in DynamoDB, events on EventBridge and mail through SES, over lines that can be cut; otherwise the system is as
//! ever.

#[expect(dead_code, reason = "the tests of the adapters ask for more than these do")]
#[path = "../../workers/tests/aws/servers.rs"]
mod servers;

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::{
    harness::{Launch, Line, Way, fairy, wait_until},
    team::{Person, Team},
};

const ACCOUNT: &str = "700000000042";

/// The services, as the variable of the endpoint of each calls it.
const SERVICES: [&str; 3] = ["DYNAMODB", "EVENTBRIDGE", "SESV2"];
/// Where each of them stands there.
pub const DYNAMODB: usize = 0;
pub const EVENTBRIDGE: usize = 1;

/// An account with a bus whose events a rule brings to a queue, and what has been taken out of that.
pub struct Cloud {
    url: &'static str,
    account: String,
    /// To each of the services.
    pub lines: [Line; 3],
    /// The events that were taken out of the queue.
    pub events: Mutex<Vec<Value>>,
}

impl Cloud {
    /// `None` where there is no stand-in and whoever runs the tests said so.
    pub async fn new(account: &str) -> Option<Self> {
        let url = servers::ministack().await?;
        let place = url.replace("http://", "");
        let lines = [Line::to(&place).await, Line::to(&place).await, Line::to(&place).await];
        Some(Self { url, account: account.to_owned(), lines, events: Mutex::default() })
    }

    pub fn launch(&self) -> Launch {
        let launch = Launch::new().set("MAIL__TRANSPORT", "ses").set("MAIL__SES_RATE", "50");
        self.joined(launch.set("MAIL__FROM", "Fairy <fairy@example.com>"))
    }

    /// With the activity log and the events of this account.
    pub fn joined(&self, launch: Launch) -> Launch {
        let launch = launch
            .set("ACTIVITY__TABLE", "fairy-activity")
            .set("ACTIVITY__KEEP_DAYS", "400")
            .set("EVENTS__BUS", "fairy-changes")
            .variable("AWS_REGION", "eu-west-1")
            .variable("AWS_ACCESS_KEY_ID", self.account.as_str())
            .variable("AWS_SECRET_ACCESS_KEY", "secret");
        SERVICES.iter().zip(&self.lines).fold(launch, |launch, (service, line)| {
            launch
                .variable(&format!("AWS_ENDPOINT_URL_{service}"), format!("http://127.0.0.1:{}", line.port()))
        })
    }

    async fn call(&self, operation: &str, body: Value) -> Value {
        servers::call(self.url, &self.account, operation, &body).await
    }

    /// Makes the bus, and a queue behind it.
    pub async fn make_bus(&self) {
        self.call("AWSEvents.CreateEventBus", json!({"Name": "fairy-changes"})).await;
        self.call("AmazonSQS.CreateQueue", json!({"QueueName": "changes"})).await;
        let pattern = json!({"source": ["fairy"]}).to_string();
        let rule = json!({"Name": "all", "EventBusName": "fairy-changes", "EventPattern": pattern});
        self.call("AWSEvents.PutRule", rule).await;
        let queue = format!("arn:aws:sqs:eu-west-1:{}:changes", self.account);
        let targets = json!([{"Id": "queue", "Arn": queue}]);
        let targets = json!({"Rule": "all", "EventBusName": "fairy-changes", "Targets": targets});
        self.call("AWSEvents.PutTargets", targets).await;
        servers::verify(self.url, &self.account, "example.com").await;
    }

    /// Takes out of the queue what is in it; how many events there were in all.
    pub async fn take_events(&self) -> usize {
        let taken = servers::take_events(self.url, &self.account, "changes").await;
        let mut events = self.events.lock().unwrap();
        events.extend(taken);
        events.len()
    }

    /// The mails to an address: subject and text.
    async fn mails(&self, to: &str) -> Vec<(String, String)> {
        let kept = servers::get(self.url, &self.account, "/_ministack/ses/messages").await;
        let kept = kept["messages"][&self.account].as_array().into_iter().flatten();
        let words = |mail: &Value, name: &str| mail[name].as_str().unwrap_or_default().to_owned();
        let mails = kept.filter(|mail| mail["To"] == json!([to]));
        mails.map(|mail| (words(mail, "Subject"), words(mail, "BodyText"))).collect()
    }

    /// Somebody who was invited by a mail that SES took.
    pub async fn member(&self, team: &Team, name: &str) -> Person {
        let person = Person::sign_up(&team.server.url(), name).await;
        let body = json!({"email": person.email, "role": "member"});
        team.owner.api.post(&team.at("/invitations"), &body).await.is(201);
        let code = wait_until("the invitation was mailed", || async {
            let mails = self.mails(&person.email).await;
            let (_, rest) = mails.iter().find_map(|(_, text)| text.split_once("/invitations/"))?;
            Some(
                rest.chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
                    .collect::<String>(),
            )
        });
        let accept = format!("/invitations/{}/accept", code.await);
        person.api.post(&accept, &json!({})).await.is(200);
        person
    }

    /// Waits until the activity log has all that happened; newest first.
    async fn logged(&self, team: &Team) -> Vec<Value> {
        let mut changes = team.changes().await;
        changes.reverse();
        wait_until("the activity log has all changes", || async {
            let answer = team.owner.api.get(&team.at("/activity?limit=200")).await;
            (answer.status == 200 && answer["items"].as_array() == Some(&changes)).then_some(())
        })
        .await;
        changes
    }

    /// Looks that everybody was told, and this person by one mail for each of these subjects.
    async fn told(&self, team: &Team, person: &Person, subjects: &[&str]) {
        team.told().await;
        let mails = self.mails(&person.email).await;
        let subject = mails.iter().map(|(subject, _)| subject.as_str());
        assert_eq!(subject.filter(|s| s.starts_with("WEB-")).collect::<Vec<_>>(), subjects);
    }

    /// Waits until the queue has all that happened, and looks that nothing is there twice.
    async fn published(&self, changes: &[Value]) {
        wait_until("the queue has all changes", || async {
            (self.take_events().await >= changes.len()).then_some(())
        })
        .await;
        let mut events = self.events.lock().unwrap().clone();
        events.sort_by_key(|event| std::cmp::Reverse(event["detail"]["seq"].as_u64()));
        let told: Vec<_> = events.iter().map(|e| (&e["detail"]["seq"], &e["detail-type"])).collect();
        assert_eq!(told, changes.iter().map(|c| (&c["seq"], &c["kind"])).collect::<Vec<_>>());
    }

    async fn everything_arrived_once(&self, team: &Team, person: &Person, subjects: &[&str]) {
        let changes = self.logged(team).await;
        self.published(&changes).await;
        self.told(team, person, subjects).await;
    }
}

#[tokio::test]
async fn what_happens_arrives_at_aws_once_and_waits_while_aws_is_away() {
    let Some(mut cloud) = Cloud::new(ACCOUNT).await else { return };
    cloud.make_bus().await;
    let launch = cloud.launch();
    let home = launch.home().path().to_owned();
    let told = fairy(&home, &launch.environment(), &["migrate"]).await.succeeded();
    assert!(told.contains("migrations applied") && told.contains("table fairy-activity is ACTIVE"), "{told}");
    let mut team = Team::launch(launch).await;
    let mina = cloud.member(&team, "Mina").await;
    team.task_with(json!({"title": "Fix the login", "assignees": [mina.id]})).await;
    cloud.everything_arrived_once(&team, &mina, &["WEB-1 Fix the login"]).await;
    let in_database = team.server.texts("SELECT CAST(seq AS CHAR) FROM activity").await;
    assert!(in_database.is_empty(), "the log is in DynamoDB: {in_database:?}");

    cloud.lines[EVENTBRIDGE].set(Way::Cut).await;
    team.task_with(json!({"title": "No events", "assignees": [mina.id]})).await;
    let subjects = ["WEB-1 Fix the login", "WEB-2 No events"];
    let changes = cloud.logged(&team).await;
    cloud.told(&team, &mina, &subjects).await;
    assert!(cloud.take_events().await < changes.len(), "only the events wait");
    cloud.lines[EVENTBRIDGE].set(Way::Open).await;
    cloud.everything_arrived_once(&team, &mina, &subjects).await;

    for line in &mut cloud.lines {
        line.set(Way::Cut).await;
    }
    team.task_with(json!({"title": "Mend the line", "assignees": [mina.id]})).await;
    let away = team.owner.api.get(&team.at("/activity")).await.problem(503, "unavailable");
    assert!(away.headers.contains_key("retry-after"), "{away:?}");
    wait_until("people are found who are to be told", || async {
        let receipts = team.owner.api.all(&team.at("/tasks/WEB-3/receipts")).await;
        receipts.iter().any(|r| r["person"]["id"] == mina.id && !r["notice"].is_null()).then_some(())
    })
    .await;
    let stuck = team.server.beside(&["admin", "rebuild-activity"]).await.refused();
    assert!(stuck.contains("go on with `fairy admin rebuild-activity`"), "{stuck}");
    assert_eq!(team.server.stop().await, Some(0));
    team.server.start().await;
    team.owner.api.get(&team.at("/activity")).await.problem(503, "unavailable");

    for line in &mut cloud.lines {
        line.set(Way::Open).await;
    }
    let subjects = ["WEB-1 Fix the login", "WEB-2 No events", "WEB-3 Mend the line"];
    cloud.everything_arrived_once(&team, &mina, &subjects).await;
}

#[tokio::test]
async fn what_an_archive_keeps_comes_again_under_the_same_ids() {
    let Some(cloud) = Cloud::new("700000000045").await else { return };
    cloud.make_bus().await;
    let arn = |what: &str| format!("arn:aws:events:eu-west-1:{}:{what}", cloud.account);
    let bus = arn("event-bus/fairy-changes");
    let archive = json!({"ArchiveName": "all", "EventSourceArn": bus});
    cloud.call("AWSEvents.CreateArchive", archive).await;
    let launch = cloud.launch();
    let home = launch.home().path().to_owned();
    fairy(&home, &launch.environment(), &["migrate"]).await.succeeded();
    let team = Team::launch(launch).await;
    team.task("Keep me").await;
    let changes = cloud.logged(&team).await;
    cloud.published(&changes).await;
    let live = std::mem::take(&mut *cloud.events.lock().unwrap());
    assert!(live.iter().all(|event| event.get("replay-name").is_none()), "{live:?}");

    let replay = json!({
        "ReplayName": "again",
        "EventSourceArn": arn("archive/all"),
        "EventStartTime": 0,
        "EventEndTime": 4_000_000_000_u32,
        "Destination": {"Arn": bus},
    });
    cloud.call("AWSEvents.StartReplay", replay).await;
    cloud.published(&changes).await;
    let again = cloud.events.lock().unwrap().clone();
    let details = |events: &[Value]| {
        let mut details: Vec<Value> = events.iter().map(|event| event["detail"].clone()).collect();
        details.sort_by_key(|detail| detail["seq"].as_u64());
        details
    };
    assert_eq!(details(&again), details(&live), "the ids are those of the changes, whenever they are told");
    assert!(again.iter().all(|event| event["replay-name"] == "again"), "{again:?}");
}

#[tokio::test]
async fn a_log_that_was_lost_is_made_again() {
    let Some(cloud) = Cloud::new("700000000043").await else { return };
    cloud.make_bus().await;
    let launch = cloud.launch();
    let home = launch.home().path().to_owned();
    fairy(&home, &launch.environment(), &["migrate"]).await.succeeded();
    let team = Team::launch(launch).await;
    team.task("Remember me").await;
    let whole = team.changes().await.len();
    let items = || async {
        let answer = team.owner.api.get(&team.at("/activity")).await;
        (answer.status == 200).then(|| answer["items"].as_array().unwrap().len())
    };
    wait_until("all is in the log", || async { (items().await == Some(whole)).then_some(()) }).await;
    cloud.call("DynamoDB_20120810.DeleteTable", json!({"TableName": "fairy-activity"})).await;
    wait_until("the table is gone", || async { items().await.is_none().then_some(()) }).await;
    let lost = team.server.beside(&["admin", "rebuild-activity"]).await.refused();
    assert!(lost.contains("`fairy migrate` makes"), "{lost}");
    team.server.beside(&["migrate"]).await.succeeded();
    assert_eq!(items().await, Some(0));
    let nothing = team.server.beside(&["admin", "rebuild-activity", "--after", &team.id]).await.succeeded();
    assert!(nothing.contains("0 changes of 0 workspaces"), "{nothing}");
    let filled = team.server.beside(&["admin", "rebuild-activity"]).await.succeeded();
    let expected = format!("table fairy-activity is filled: {whole} changes of 1 workspaces");
    assert!(filled.contains(&expected), "{filled}");
    assert_eq!(items().await, Some(whole));
}

#[tokio::test]
async fn what_is_missing_at_aws_is_named() {
    let Some(cloud) = Cloud::new("700000000044").await else { return };
    let launch = cloud.launch();
    let home = launch.home().path().to_owned();
    let told = fairy(&home, &launch.environment(), &["doctor"]).await.stdout;
    let wrong = |told: &str, what: &str, words: &str| {
        told.lines().any(|line| line.starts_with(&format!("WRONG {what}")) && line.contains(words))
    };
    assert!(wrong(&told, "activity table", "`fairy migrate` makes it"), "{told}");
    assert!(wrong(&told, "event bus", "there is no event bus fairy-changes"), "{told}");
    assert!(told.lines().any(|line| line.contains("mail  ") && line.contains("SES sends")), "{told}");

    let key = json!([{"AttributeName": "id", "KeyType": "HASH"}]);
    let attributes = json!([{"AttributeName": "id", "AttributeType": "S"}]);
    let foreign = json!({"TableName": "fairy-activity", "KeySchema": key, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST"});
    cloud.call("DynamoDB_20120810.CreateTable", foreign).await;
    let refused = launch.fails().await.refused();
    assert!(refused.contains("table fairy-activity cannot be used as an activity log"), "{refused}");
    cloud.call("DynamoDB_20120810.DeleteTable", json!({"TableName": "fairy-activity"})).await;

    fairy(&home, &launch.environment(), &["migrate"]).await.succeeded();
    let worker = launch.parts().last().unwrap();
    let refused = fairy(&home, &launch.environment(), &[worker]).await.refused();
    assert!(
        refused.contains("there is no event bus fairy-changes") && refused.contains("events.bus"),
        "{refused}"
    );
    cloud.make_bus().await;
    let told = fairy(&home, &launch.environment(), &["doctor"]).await.stdout;
    for what in ["activity table", "event bus"] {
        assert!(told.lines().any(|line| line.starts_with(&format!("ok    {what}"))), "{told}");
    }

    let nowhere = launch.variable("AWS_REGION", "").variable("AWS_EC2_METADATA_DISABLED", "true");
    let refused = nowhere.fails().await.refused();
    assert!(refused.contains("activity.table needs AWS") && refused.contains("AWS_REGION"), "{refused}");
    let told = fairy(&home, &nowhere.environment(), &["doctor"]).await.stdout;
    assert!(wrong(&told, "AWS", "AWS_REGION"), "{told}");
}
