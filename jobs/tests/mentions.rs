//! Whom a text calls, and whom it only shows as code.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use fairy_jobs::{
    change::{Change, ChangeKind, FieldChange},
    id::{UserId, WorkspaceId},
    mention::{MOST_MENTIONS, mentions_in, newly_mentioned},
    operation::Source,
    text::Name,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn found(text: &str) -> String {
    mentions_in(text).into_iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn names_are_found_where_people_write_them() {
    for (text, called) in [
        ("@mina and (@Jae.Park), 안녕 @지민!", "jaepark mina 지민"),
        ("mail a@example.com, @@twice, x_@y", ""),
        ("https://medium.com/@mina and /@jae", ""),
        // Code spans close with a run of the same length, or are none.
        ("`@code` @mina", "mina"),
        ("Use ` for code, @mina please look", "mina"),
        ("``a ` @code`` and ``` `@code` @mina", "mina"),
        ("a `span\nover @lines` @mina", "mina"),
        ("a ` in one\n\n@mina in another `", "mina"),
        ("- a ` here\n- @mina and ` there", "mina"),
        (r"an escaped \` and @mina and `", "mina"),
        // Fences.
        ("```\n@fenced\n```\n@after", "after"),
        ("```make test``` fails\n@mina", "mina"),
        ("~~~\n@fenced\n```\n@fenced\n~~~\n@mina", "mina"),
        ("~~~ has `ticks`\n@fenced\n~~~~\n@mina", "mina"),
        ("````\n```\n@fenced\n````\n@mina", "mina"),
        ("``` rust\n@fenced, to the end", ""),
        ("> ```\n> @fenced\n\n@mina", "mina"),
        ("> ```\n> @fenced\n> ```\n> @mina", "mina"),
        ("- ```\n  @fenced\n\n  @fenced\n- @mina", "mina"),
        ("1. ```\n   @fenced\n   ```\n   @mina", "mina"),
        ("```\n- ```\n> ```\n@fenced\n```\n@mina", "mina"),
        ("# A ` heading\n@mina `", "mina"),
    ] {
        assert_eq!(found(text), called, "{text}");
    }
}

fn edit(from: &str, to: &str) -> Change {
    let field = FieldChange { name: "body".to_owned(), from: from.into(), to: to.into() };
    Change {
        workspace: WorkspaceId::from_bytes([1; 16]),
        seq: 1,
        at: Timestamp::UNIX_EPOCH,
        actor: UserId::from_bytes([2; 16]),
        actor_name: Name::parse("Mina").unwrap(),
        source: Source::web(),
        kind: ChangeKind::TaskUpdated,
        task: None,
        comment: None,
        fields: vec![field],
        operation: None,
        audience: Vec::new(),
        trace: None,
    }
}

#[test]
fn of_too_many_names_the_first_are_called_and_an_edit_calls_no_old_one() {
    let names: Vec<String> = (0..30).map(|n| format!("@n{}", 99 - n)).collect();
    let all = names.join(" ");
    let first: BTreeSet<String> = names[..MOST_MENTIONS].iter().map(|name| name[1..].to_owned()).collect();
    assert_eq!(mentions_in(&all), first);
    assert_eq!(newly_mentioned(&edit("", &all)), first);
    // The 21st comes up when the first goes, but it stood there before.
    assert_eq!(newly_mentioned(&edit(&all, &names[1..].join(" "))), BTreeSet::new());
    assert_eq!(newly_mentioned(&edit(&all, &format!("@new {all}"))), BTreeSet::from(["new".to_owned()]));
}

/// Prose without a name, unmatched backquotes and all.
fn prose() -> impl Strategy<Value = String> {
    "x[a-z .,!#>*-]{0,12}(`{1,4}[a-z .]{0,6})?"
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "[`~@ab >\\\\\n\t.1-]{0,60}") {
        mentions_in(&text);
    }

    #[test]
    fn a_block_never_changes_what_the_next_calls(blocks in prop::collection::vec(prose(), 0..6)) {
        let text = format!("{}\n\n@mina", blocks.join("\n\n"));
        prop_assert_eq!(found(&text), "mina");
    }

    #[test]
    fn code_calls_nobody_and_hides_nobody(
        (length, other) in (1usize..5, 1usize..5),
        (before, after) in ("[a-z .]{0,8}", "[a-z .]{0,8}"),
    ) {
        let (ticks, within) = ("`".repeat(length), "`".repeat(other));
        let inner = if length == other { String::new() } else { format!("{within} ") };
        let text = format!("x{before} {ticks} {inner}@code {ticks} {after} @mina");
        prop_assert_eq!(found(&text), "mina");
        let fence = "`".repeat(length + 2);
        let shorter = "`".repeat(length + 1);
        let text = format!("{before}\n{fence}\n@code\n{shorter}\n@code\n{fence}\n{after} @mina");
        prop_assert_eq!(found(&text), "mina");
    }
}
