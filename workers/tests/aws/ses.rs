//! Mail through SES: one that keeps it, and one that has bad days.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairy_jobs::{
    email::EmailAddress,
    id::{DeliveryId, NoticeId, WorkspaceId},
    ports::{Mail, Mailer as _, SendError, Sent},
};
use fairy_workers::aws::{Account as AtSes, Bucket, Permit, SendRate, Ses, SesOptions};
use serde_json::{Value, json};

use crate::{
    servers,
    stand_in::{Answer, StandIn},
    world::{Account, clock},
};

fn mail() -> Mail {
    Mail {
        delivery: DeliveryId::from_bytes([1; 16]),
        message_id: "ntc_1@example.com".to_owned(),
        thread: Some("tsk_1@example.com".to_owned()),
        list: None,
        to: EmailAddress::parse("mina@example.org").unwrap(),
        to_name: None,
        subject: "WEB-12 로그인".to_owned(),
        text: "Hello\n".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        notice: Some(NoticeId::from_bytes([2; 16])),
        workspace: Some(WorkspaceId::from_bytes([3; 16])),
        reason: Some("assigned"),
    }
}

fn ses(account: &Account, options: SesOptions, rate: impl SendRate) -> Ses {
    let from = "Fairy <fairy@example.com>".parse().unwrap();
    Ses::new(&account.aws, options, from, Arc::new(rate), clock(0)).unwrap()
}

fn plain(account: &Account) -> Ses {
    ses(account, SesOptions::default(), Bucket::new(1_000.0))
}

fn sent() -> Answer {
    Answer::Done(json!({ "MessageId": "0102-ses" }))
}

#[tokio::test]
async fn a_message_arrives_with_what_a_thread_rests_on() {
    let Some(account) = Account::on_ministack().await else { return };
    servers::verify(&account.url, &account.id, "example.com").await;
    let taken = plain(&account).send(&mail()).await.unwrap();
    assert!(!taken.provider_id.is_empty());
    let kept = account.get("/_ministack/ses/messages").await.to_string();
    for words in ["mina@example.org", "fairy@example.com", &taken.provider_id] {
        assert!(kept.contains(words), "{words} is not in {kept}");
    }
    let account = AtSes::of(&account.aws).await.unwrap();
    assert!(account.sends && account.most_a_second > 0.0, "{account:?}");
}

#[tokio::test]
async fn a_call_carries_the_message_the_tags_and_the_configuration_set() {
    let stand_in = StandIn::new(|_, _| sent()).await;
    let options = SesOptions {
        configuration_set: Some("fairy-events".to_owned()),
        tags: vec![("stage".to_owned(), "production".to_owned())],
    };
    let taken = ses(&stand_in.account, options, Bucket::new(10.0)).send(&mail()).await.unwrap();
    assert_eq!(taken, Sent { provider_id: "0102-ses".to_owned() });
    let call = &stand_in.asked("/v2/email/outbound-emails")[0];
    assert_eq!(call["ConfigurationSetName"], "fairy-events");
    assert_eq!(call["FromEmailAddress"], "fairy@example.com");
    assert_eq!(call["Destination"], json!({ "ToAddresses": ["mina@example.org"] }));
    let mail = mail();
    let tag = |name: &str, value: String| json!({ "Name": name, "Value": value });
    let tags = [
        tag("delivery", mail.delivery.to_string()),
        tag("notice", mail.notice.unwrap().to_string()),
        tag("workspace", mail.workspace.unwrap().to_string()),
        tag("stage", "production".to_owned()),
    ];
    assert_eq!(call["EmailTags"], Value::from(tags.to_vec()));
    let raw = STANDARD.decode(call["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
    let raw = String::from_utf8(raw).unwrap();
    let notice = format!("X-Fairy-Notice: {}\r\n", mail.notice.unwrap());
    for line in
        ["References: <tsk_1@example.com>\r\n", "In-Reply-To: <tsk_1@example.com>\r\n", &notice, "Hello\r\n"]
    {
        assert!(raw.contains(line), "{line:?} is not in {raw}");
    }
}

#[tokio::test]
async fn too_fast_is_given_again_and_costs_nothing() {
    let stand_in = StandIn::new(|_, before| match before {
        0 => Answer::Error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        1 => Answer::Error(400, "ThrottlingException", "Maximum sending rate exceeded."),
        _ => sent(),
    })
    .await;
    plain(&stand_in.account).send(&mail()).await.unwrap();
    assert_eq!(stand_in.asked("outbound-emails").len(), 3);

    let never = |_: &_, _| Answer::Error(429, "TooManyRequestsException", "Maximum sending rate exceeded.");
    let stand_in = StandIn::new(never).await;
    let result = plain(&stand_in.account).patient(Duration::from_millis(200)).send(&mail()).await;
    assert!(
        matches!(&result, Err(SendError::Held { error }) if error.contains("rate exceeded")),
        "{result:?}"
    );
}

#[tokio::test]
async fn what_concerns_the_account_makes_all_mail_wait() {
    for (status, code, message) in [
        (429, "TooManyRequestsException", "Daily message quota exceeded."),
        (400, "LimitExceededException", "quota"),
        (400, "SendingPausedException", "Email sending is disabled for your account"),
        (400, "AccountSuspendedException", "suspended"),
        (400, "MailFromDomainNotVerifiedException", "not verified"),
        (404, "NotFoundException", "Configuration set <x> does not exist."),
        (403, "AccessDeniedException", "not authorized to perform: ses:SendEmail"),
        (503, "ServiceUnavailable", ""),
    ] {
        let stand_in = StandIn::new(move |_, _| Answer::Error(status, code, message)).await;
        let result = plain(&stand_in.account).send(&mail()).await;
        assert!(matches!(&result, Err(SendError::Away { error }) if error.contains(code)), "{result:?}");
        assert_eq!(stand_in.asked("outbound-emails").len(), 1, "{code}");
    }
}

#[tokio::test]
async fn what_concerns_the_message_is_final() {
    for (code, message) in [
        ("BadRequestException", "Local address contains control or whitespace"),
        ("MessageRejected", "Email contains a virus"),
    ] {
        let stand_in = StandIn::new(move |_, _| Answer::Error(400, code, message)).await;
        let result = plain(&stand_in.account).send(&mail()).await;
        assert!(
            matches!(&result, Err(SendError::Permanent { error }) if error.contains(message)),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_not_asked_for_again() {
    for answer in [|| Answer::Cut, || Answer::Error(500, "InternalFailure", "")] {
        let stand_in = StandIn::new(move |_, _| answer()).await;
        let result = plain(&stand_in.account).send(&mail()).await;
        assert!(matches!(result, Err(SendError::Temporary { .. })), "{result:?}");
        assert_eq!(stand_in.asked("outbound-emails").len(), 1);
    }
}

#[tokio::test]
async fn where_nobody_answers_nothing_was_asked() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = Account::at(&format!("http://127.0.0.1:{port}")).await;
    let result = plain(&account).send(&mail()).await;
    assert!(matches!(result, Err(SendError::Away { .. })), "{result:?}");
}

/// Answers as it is told, and then lets nobody go.
struct Told(Mutex<VecDeque<Permit>>);

#[async_trait]
impl SendRate for Told {
    async fn permit(&self) -> Permit {
        self.0.lock().unwrap().pop_front().unwrap_or(Permit::Wait(Duration::from_secs(3_600)))
    }
}

#[tokio::test]
async fn nothing_goes_without_a_permit() {
    let stand_in = StandIn::new(|_, _| sent()).await;
    let permits =
        [Permit::Wait(Duration::from_millis(5)), Permit::Wait(Duration::from_millis(5)), Permit::Go];
    let ses = ses(&stand_in.account, SesOptions::default(), Told(Mutex::new(permits.into())));
    ses.send(&mail()).await.unwrap();
    let result = ses.send(&mail()).await;
    assert!(matches!(&result, Err(SendError::Held { error }) if error.contains("its turn")), "{result:?}");
    assert_eq!(stand_in.asked("outbound-emails").len(), 1);
}

#[tokio::test]
async fn tags_that_ses_would_refuse_are_refused_at_the_start() {
    let stand_in = StandIn::new(|_, _| sent()).await;
    for (name, value) in [("", "x"), ("a b", "x"), ("a", "x@y"), ("notice", "x")] {
        let options = SesOptions { tags: vec![(name.to_owned(), value.to_owned())], ..SesOptions::default() };
        let from = "fairy@example.com".parse().unwrap();
        let made = Ses::new(&stand_in.account.aws, options, from, Arc::new(Bucket::new(1.0)), clock(0));
        assert!(made.is_err(), "{name} {value}");
    }
}
