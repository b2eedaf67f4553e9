//! Which characters no text may have.
//!
//! Control characters, and everything that Unicode shows as nothing by default (`Default_Ignorable_Code_Point`), with the
//! interlinear marks and the blank of Braille. Allowed is what scripts and emoji need, where they need it: joiners for
//! Persian, Indic scripts and emoji; variation selectors behind what has variants; tags within a flag.

/// The first character that is not allowed: where it stands, counted from 0, and what kind it is. `lines` allows what
/// divides a text into lines.
pub(super) fn first_forbidden(text: &str, lines: bool) -> Option<(usize, char, &'static str)> {
    let (mut before, mut in_flag) = (None, false);
    for (index, c) in text.chars().enumerate() {
        in_flag = c == BLACK_FLAG || in_flag && is_tag(c);
        if let Some(name) = forbidden(c, lines).filter(|_| !in_flag && !is_variant(before, c)) {
            return Some((index, c, name));
        }
        before = Some(c);
    }
    None
}

const BLACK_FLAG: char = '\u{1F3F4}';

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Whether `c` chooses a variant of the character before it.
fn is_variant(before: Option<char>, c: char) -> bool {
    before.is_some_and(|before| match c {
        // Symbols, digits, ideographs, Myanmar letters and more have variants; the letters of names in Latin have none.
        '\u{FE00}'..='\u{FE0F}' => !before.is_ascii_alphabetic(),
        '\u{E0100}'..='\u{E01EF}' => matches!(before,
            '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => matches!(before, '\u{1820}'..='\u{18AA}'),
        _ => false,
    })
}

fn forbidden(c: char, lines: bool) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\t' if lines => None,
        c if c.is_control() => Some("a control character"),
        '\u{2028}' | '\u{2029}' if !lines => Some("a line separator"),
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some("a bidirectional control")
        }
        '\u{00AD}'
        | '\u{034F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'
        | '\u{2060}'..='\u{206F}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => Some("an invisible character"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_as_nothing_is_refused_by_itself() {
        let invisible = "\u{61C}\u{200B}\u{200E}\u{200F}\u{202E}\u{2060}\u{2067}\u{206A}\u{206F}\u{34F}\u{115F}\u{1160}\
                         \u{FFA0}\u{3164}\u{2800}\u{17B4}\u{17B5}\u{180E}\u{FEFF}\u{FFF9}\u{E0001}\u{E0041}\u{E0100}\u{E01EF}\
                         \u{FE0F}\u{180B}\u{AD}\u{1D173}";
        for c in invisible.chars() {
            for text in [format!("Mina{c}"), c.to_string(), format!("x {c}")] {
                let found = first_forbidden(&text, true);
                // A symbol variant of a space is the one that nobody can tell apart, and harmless.
                let harmless = c == '\u{FE0F}' && text.starts_with('x');
                assert!(harmless || found.is_some_and(|(_, f, _)| f == c), "{text:?}: {found:?}");
            }
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_is_allowed() {
        for text in [
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "❤\u{FE0F} 1\u{FE0F}\u{20E3} 👩\u{200D}💻",
            "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
            "葛\u{E0100}飾",
            "ᠠ\u{180B}",
            "\u{600}١ ܏",
        ] {
            assert_eq!(first_forbidden(text, false), None, "{text}");
        }
        assert!(first_forbidden("🏴x\u{E0067}", false).is_some(), "the flag is over");
    }
}
