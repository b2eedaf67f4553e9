//! Gathers what is wrong with a request, so that one answer names every field at fault.

use fairy_jobs::{
    command::Patch,
    problem::{FieldError, Problem, ProblemKind},
};

use super::{Given, Input, Patched, Raw};

/// The fields at fault so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

/// The most fields that one answer names.
const MOST_ERRORS: usize = 100;

impl Fields {
    /// The value, if it is acceptable.
    pub fn take<T>(&mut self, field: &str, parsed: Result<T, impl ToString>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(detail) => {
                self.refuse(field, detail.to_string());
                None
            }
        }
    }

    /// The field is at fault.
    pub fn refuse(&mut self, field: &str, detail: impl Into<String>) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(FieldError { field: field.to_owned(), detail: detail.into() });
        }
    }

    /// A field that must be there.
    pub fn required<T: Input>(&mut self, field: &str, raw: &Raw<T>) -> Option<T> {
        self.take(field, raw.parse())
    }

    /// A field that may be absent and not null.
    pub fn given<T: Input>(&mut self, field: &str, given: &Given<Raw<T>>) -> Option<T> {
        given.0.as_ref().and_then(|raw| self.required(field, raw))
    }

    /// A field that may be absent or null, which mean the same.
    pub fn optional<T: Input>(&mut self, field: &str, patched: &Patched<Raw<T>>) -> Option<T> {
        patched.value().and_then(|raw| self.required(field, raw))
    }

    /// A field of a patch.
    pub fn patched<T: Input>(&mut self, field: &str, patched: &Patched<Raw<T>>) -> Patch<T> {
        match &patched.0 {
            Patch::Leave => Patch::Leave,
            Patch::Clear => Patch::Clear,
            Patch::Set(raw) => self.required(field, raw).map_or(Patch::Leave, Patch::Set),
        }
    }

    /// A list of at most `most` entries, each named `field.index` if it is at fault.
    pub fn list<T: Input, C: FromIterator<T>>(&mut self, field: &str, raws: &[Raw<T>], most: usize) -> C {
        if raws.len() > most {
            self.refuse(field, format!("must have at most {most} entries"));
            return std::iter::empty().collect();
        }
        let entry = |(index, raw): (usize, &Raw<T>)| self.required(&format!("{field}.{index}"), raw);
        raws.iter().enumerate().filter_map(entry).collect()
    }

    /// What `build` makes of the accepted values, or all the errors; with none, `build` must give a value.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Problem> {
        if !self.errors.is_empty() {
            return Err(Problem::fields(self.errors));
        }
        build().ok_or_else(|| Problem::new(ProblemKind::Internal, "A value was refused without a reason."))
    }

    /// The errors of a part of the request, under its name.
    pub fn adopt<T>(&mut self, part: &str, result: Result<T, Problem>) -> Option<T> {
        let problem = match result {
            Ok(value) => return Some(value),
            Err(problem) => problem,
        };
        if problem.errors.is_empty() {
            self.refuse(part, problem.detail.as_str());
        }
        for error in problem.errors {
            self.refuse(&format!("{part}.{}", error.field), error.detail);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::text::Title;

    use super::*;

    #[test]
    fn all_faults_are_told_at_once() {
        let mut fields = Fields::default();
        let title: Option<Title> = fields.take("title", Title::parse(""));
        let body = fields.take("body", Ok::<_, String>(1));
        fields.refuse("due", "must be a date");
        let problem = fields.finish(|| Some((title?, body?))).unwrap_err();
        let named: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(named, ["title", "due"]);
        let mut outer = Fields::default();
        assert!(outer.adopt("items.3", Err::<(), _>(problem)).is_none());
        let problem = outer.finish(|| Some(())).unwrap_err();
        assert_eq!(problem.errors[0].field, "items.3.title");
    }
}
