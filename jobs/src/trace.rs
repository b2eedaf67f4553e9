//! Which trace a piece of work belongs to, as it is written beside what is handed on: W3C Trace Context, `traceparent`
//! (<https://www.w3.org/TR/trace-context/>).
//!
//! It rides from the request with the operation into its changes and deliveries, so that whoever works on them later, in
//! whatever process, can say for whom. It is never decided by: work with a trace and without is the same work.

use std::fmt;

/// A span of a trace, which later work is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trace {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl Trace {
    /// A `traceparent`. Of a version that is not known yet only the four known fields are read, as the standard asks.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let mut next = || fields.next();
        let [version] = hex(next()?)?;
        let (trace, span, [flags]) = (hex(next()?)?, hex(next()?)?, hex(next()?)?);
        let more = next().is_some();
        let known = version != 0xff && (version > 0 || !more);
        (known && trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, flags })
    }

    /// The trace, in 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        digits(&self.trace)
    }

    /// The span, in 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        digits(&self.span)
    }

    /// Whether whoever began it keeps it.
    pub const fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly so many bytes in small hexadecimal digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() != 2 * N || !text.bytes().all(digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written() {
        let trace = Trace::parse(SAMPLED).unwrap();
        assert_eq!(trace.to_string(), SAMPLED);
        assert!(trace.is_sampled());
        assert!(!Trace::parse(&SAMPLED.replace("-01", "-00")).unwrap().is_sampled());
        let later = format!("{}-more", SAMPLED.replacen("00", "cc", 1));
        assert_eq!(Trace::parse(&later), Some(trace));
    }

    #[test]
    fn anything_else_is_no_trace() {
        let zero = |from: &str, count| SAMPLED.replace(from, &"0".repeat(count));
        let broken = [
            String::new(),
            "00".to_owned(),
            SAMPLED.to_uppercase(),
            SAMPLED.replacen("00", "ff", 1),
            SAMPLED.replace("4bf9", "4bf"),
            SAMPLED.replace("4bf9", "4bg9"),
            SAMPLED.replace("4bf9", "é92"),
            format!("{SAMPLED}-more"),
            format!(" {SAMPLED}"),
            zero("4bf92f3577b34da6a3ce929d0e0e4736", 32),
            zero("00f067aa0ba902b7", 16),
        ];
        for text in broken {
            assert_eq!(Trace::parse(&text), None, "{text}");
        }
    }
}
