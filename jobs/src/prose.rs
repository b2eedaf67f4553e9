//! What of a Markdown text is prose: everything but code.
//!
//! Follows CommonMark where it matters to who is called: fenced code blocks (§4.5), in quotes and lists too, and code
//! spans (§6.1), whose backquotes close with a run of the same length within the same block, or are plain text. Code by
//! indentation counts as prose, because within a list the same line is a paragraph: to call one too many is the smaller
//! mistake.

/// The stretches of prose of a text, in its order.
pub(crate) fn prose(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut block = String::new();
    let mut depth = 0;
    let mut fence: Option<Fence> = None;
    for line in text.lines().map(Line::of) {
        if let Some(open) = fence.take_if(|open| !open.is_left_by(&line)) {
            if !open.is_closed_by(&line) {
                fence = Some(open);
            }
            continue;
        }
        fence = Fence::opened_by(&line);
        if fence.is_some() || line.begins_block() || line.depth != depth {
            split(&std::mem::take(&mut block), &mut pieces);
        }
        depth = line.depth;
        if fence.is_none() {
            block.push_str(line.text);
            block.push('\n');
        }
        if line.is_heading() {
            split(&std::mem::take(&mut block), &mut pieces);
        }
    }
    split(&block, &mut pieces);
    pieces
}

/// A line without the marks of the quotes and lists it stands in.
struct Line<'t> {
    /// In how many quotes it stands.
    depth: usize,
    /// Whether it begins an item of a list.
    item: bool,
    /// How far the line is indented, and how far its text is, in columns.
    indent: usize,
    column: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn of(line: &'t str) -> Self {
        let columns = |part: &str| part.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let blank = |c| matches!(c, ' ' | '\t');
        let (mut depth, mut item, mut text) = (0, false, line);
        loop {
            text = text.trim_start_matches(blank);
            if let Some(rest) = text.strip_prefix('>') {
                depth += 1;
                text = rest;
            } else if let Some(rest) = without_bullet(text) {
                item = true;
                text = rest;
            } else {
                break;
            }
        }
        let indent = columns(&line[..line.len() - line.trim_start_matches(blank).len()]);
        Self { depth, item, indent, column: columns(&line[..line.len() - text.len()]), text }
    }

    /// Whether no paragraph goes on over this line.
    fn begins_block(&self) -> bool {
        self.item || self.is_heading() || self.text.trim().is_empty()
    }

    /// A heading (§4.2) is a block of one line.
    fn is_heading(&self) -> bool {
        let level = self.text.len() - self.text.trim_start_matches('#').len();
        let rest = &self.text[level..];
        (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with([' ', '\t']))
    }
}

/// The text behind the mark of a list item (§5.2).
fn without_bullet(text: &str) -> Option<&str> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = match digits {
        0 => text.strip_prefix(['-', '*', '+']),
        1..=9 => text[digits..].strip_prefix(['.', ')']),
        _ => None,
    };
    rest.filter(|rest| rest.starts_with([' ', '\t']))
}

/// A fenced code block that is open.
struct Fence {
    mark: char,
    length: usize,
    depth: usize,
    /// What is indented less than this is behind the list item in which the fence began.
    floor: usize,
}

impl Fence {
    fn opened_by(line: &Line<'_>) -> Option<Self> {
        let mark = line.text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = line.text.trim_start_matches(mark);
        let length = line.text.len() - info.len();
        // Otherwise it is a code span.
        let fits = length >= 3 && !(mark == '`' && info.contains('`'));
        let floor = if line.item && line.depth == 0 { line.column } else { 0 };
        fits.then_some(Self { mark, length, depth: line.depth, floor })
    }

    fn is_closed_by(&self, line: &Line<'_>) -> bool {
        let rest = line.text.trim_start_matches(self.mark);
        let length = line.text.len() - rest.len();
        !line.item && line.depth == self.depth && length >= self.length && rest.trim().is_empty()
    }

    fn is_left_by(&self, line: &Line<'_>) -> bool {
        let outside = line.indent < self.floor && (line.item || !line.text.trim().is_empty());
        line.depth < self.depth || outside
    }
}

/// Adds what of a block is not in code spans.
fn split(block: &str, pieces: &mut Vec<String>) {
    let bytes = block.as_bytes();
    let (mut from, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            // An escaped backquote begins no span (§2.4).
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation) => at += 2,
            b'`' => {
                let length = run(bytes, at);
                if let Some(end) = span_end(bytes, at + length, length) {
                    pieces.push(block[from..at].to_owned());
                    (from, at) = (end, end);
                } else {
                    at += length;
                }
            }
            _ => at += 1,
        }
    }
    pieces.push(block[from..].to_owned());
}

/// How many backquotes stand here.
fn run(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| **byte == b'`').count()
}

/// Behind the next run of exactly this length.
fn span_end(bytes: &[u8], mut at: usize, length: usize) -> Option<usize> {
    while at < bytes.len() {
        let found = run(bytes, at);
        if found == length {
            return Some(at + length);
        }
        at += found.max(1);
    }
    None
}
