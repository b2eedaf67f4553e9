//! Huge limits, broken cursors, parameters of the wrong form.

use crate::team::{Team, workspace};

#[tokio::test]
async fn limits_are_bounded_and_cursors_are_only_those_that_were_given() {
    let team = Team::new().await;
    for number in 0..4 {
        team.task(&format!("t{number}")).await;
    }
    let lists = [
        "/tasks",
        "/members",
        "/projects",
        "/invitations",
        "/activity",
        "/tasks/WEB-1/comments",
        "/tasks/WEB-1/activity",
        "/tasks/WEB-1/receipts",
    ];
    for list in lists {
        for limit in ["0", "-1", "201", "1000000000000", "99999999999999999999999", "ten", "1.5", ""] {
            let reply = team.owner.api.get(&team.at(&format!("{list}?limit={limit}"))).await.any_problem();
            assert!(matches!(reply.status, 400 | 422), "{list} {limit}: {reply:?}");
        }
        for cursor in [
            "x",
            "AAAA",
            "%00",
            "..%2F..",
            "%F0%9F%A6%8A",
            &"A".repeat(2_000),
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let reply = team.owner.api.get(&team.at(&format!("{list}?cursor={cursor}"))).await.any_problem();
            assert!(matches!(reply.status, 400 | 422), "{list} {cursor:.40}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused_or_harmless() {
    let team = Team::new().await;
    for number in 0..4 {
        team.task(&format!("t{number}")).await;
    }
    let page = team.owner.api.get(&team.at("/tasks?limit=2")).await.is(200);
    let cursor = page["next"].as_str().expect("there are more").to_owned();
    let reply = team.owner.api.get(&team.at(&format!("/tasks?sort=due&cursor={cursor}"))).await.any_problem();
    assert!(matches!(reply.status, 400 | 422), "{reply:?}");
    let (second, _) = workspace(&team.owner, "Second").await;
    let reply = team.owner.api.get(&format!("/workspaces/{second}/tasks?cursor={cursor}")).await;
    let nothing = reply.status == 200 && reply["items"].as_array().is_some_and(Vec::is_empty);
    assert!(nothing || matches!(reply.status, 400 | 422), "{reply:?}");
}

#[tokio::test]
async fn parameters_of_the_wrong_form_are_named() {
    let team = Team::new().await;
    for query in [
        "/tasks?sort=chaos",
        "/tasks?status=finished",
        "/tasks?assignee=usr_x",
        "/tasks?key=nokey",
        "/tasks?due_before=soon",
        "/tasks?min_seq=-1",
        "/tasks?min_seq=x",
        "/changes?after=-1",
        "/changes?after=x",
        "/activity?since=yesterday",
        "/activity?actor=x",
    ] {
        let reply = team.owner.api.get(&team.at(query)).await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{query}: {reply:?}");
        let name = query.split(['?', '=']).nth(1).unwrap();
        assert!(reply.text.contains(name), "{query}: does not name the parameter: {reply:?}");
    }
    let long = format!("/tasks?q={}", "x".repeat(201));
    team.owner.api.get(&team.at(&long)).await.any_problem();
}
