//! Texts in mails: whole, or what is different in them, and never more than somebody reads in a mail.

use similar::{ChangeTag, TextDiff};

/// Lines of a text that are shown.
const MOST_LINES: usize = 30;
/// Characters of a line that are shown.
const MOST_CHARACTERS: usize = 300;
/// Lines of each text that are compared; comparing costs the product of the differences.
const MOST_COMPARED: usize = 1_000;
/// Lines around a difference that show where it is.
const AROUND: usize = 1;

/// One line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// It is there, or was and is.
    Same(String),
    /// It is there now.
    Added(String),
    /// It was there.
    Removed(String),
    /// Lines between are the same.
    Gap,
    /// There are so many more lines.
    More(usize),
}

/// A text as it is.
pub(super) fn whole(text: &str) -> Vec<Line> {
    shortened(text.trim_end().lines().map(|line| Line::Same(short(line))).collect())
}

/// What is different between two texts, line by line.
pub(super) fn between(before: &str, after: &str) -> Vec<Line> {
    // Each line with its end, or the last line would differ for want of one.
    let cut =
        |text: &str| -> String { text.lines().take(MOST_COMPARED).flat_map(|line| [line, "\n"]).collect() };
    let (before, after) = (cut(before), cut(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines.push(Line::Gap);
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = short(change.value().trim_end_matches('\n'));
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Insert => Line::Added(text),
                ChangeTag::Delete => Line::Removed(text),
            });
        }
    }
    shortened(lines)
}

fn short(line: &str) -> String {
    match line.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn shortened(mut lines: Vec<Line>) -> Vec<Line> {
    // One line is not worth the line that says that there is one more.
    if lines.len() > MOST_LINES + 1 {
        let more = lines.split_off(MOST_LINES).iter().filter(|line| **line != Line::Gap).count();
        lines.push(Line::More(more));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_is_different_and_where() {
        let before = "one\ntwo\nthree\nfour\nfive\nsix\nseven";
        let after = "one\ntwo\nTHREE\nfour\nfive\nsix\nseven\neight";
        let line = |text: &str| Line::Same(text.to_owned());
        assert_eq!(
            between(before, after),
            [
                line("two"),
                Line::Removed("three".to_owned()),
                Line::Added("THREE".to_owned()),
                line("four"),
                Line::Gap,
                line("seven"),
                Line::Added("eight".to_owned()),
            ]
        );
    }

    #[test]
    fn says_how_much_is_left_out() {
        let text: String = (0..100).map(|n| format!("{n}\n")).collect();
        let lines = whole(&text);
        assert_eq!((lines.len(), lines.last()), (MOST_LINES + 1, Some(&Line::More(70))));
        assert_eq!(whole(&"x".repeat(400)), [Line::Same(format!("{}…", "x".repeat(300)))]);
    }
}
