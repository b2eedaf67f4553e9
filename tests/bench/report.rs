//! The table, and whether the aims hold.

use std::{fmt::Write as _, time::Duration};

/// Times that something took.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// These times.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, per_mille: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * per_mille / 1_000).map_or(f64::NAN, Duration::as_secs_f64) * 1_000.0
    }

    /// The median, in milliseconds.
    pub fn p50_ms(&self) -> f64 {
        self.at(500)
    }

    /// The time that one in a hundred exceeds, in milliseconds.
    pub fn p99_ms(&self) -> f64 {
        self.at(990)
    }

    /// How many a second, one after the other.
    pub fn per_second(&self) -> f64 {
        self.0.len() as f64 / self.0.iter().sum::<Duration>().as_secs_f64()
    }
}

/// Something that is wanted of a figure.
pub struct Aim {
    name: String,
    figure: f64,
    bound: f64,
    unit: &'static str,
    below: bool,
}

impl Aim {
    /// The figure is to be below the bound.
    pub fn below(name: impl Into<String>, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { name: name.into(), figure, bound, unit, below: true }
    }

    /// The figure is to be at least the bound.
    pub fn above(name: impl Into<String>, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { name: name.into(), figure, bound, unit, below: false }
    }

    fn holds(&self) -> bool {
        if self.below { self.figure < self.bound } else { self.figure >= self.bound }
    }
}

/// What was measured.
pub struct Report {
    rows: Vec<(String, String)>,
    aims: Vec<Aim>,
}

impl Report {
    /// An empty one.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), aims: Vec::new() }
    }

    /// A row.
    pub fn row(&mut self, name: &str, value: String) {
        eprintln!("{name}: {value}");
        self.rows.push((name.to_owned(), value));
    }

    /// A row of times.
    pub fn latency(&mut self, name: &str, times: &Times) {
        self.row(name, format!("p50 {:.2} ms, p99 {:.2} ms", times.p50_ms(), times.p99_ms()));
    }

    /// A row of operations a second.
    pub fn rate(&mut self, name: &str, per_second: f64) {
        self.row(name, format!("{per_second:.0} operations/s"));
    }

    /// A row of jobs a second, with each write on disk at once and once a second.
    pub fn jobs(&mut self, name: &str, [always, every_second]: [f64; 2]) {
        self.row(name, format!("{always:.0} /s · {every_second:.0} /s"));
    }

    /// A row of times in milliseconds, p50 and p99, with each write on disk at once and once a second.
    pub fn starts(&mut self, name: &str, [always, every_second]: [[f64; 2]; 2]) {
        let times = |[p50, p99]: [f64; 2]| format!("{p50:.2}/{p99:.2} ms");
        self.row(name, format!("{} · {}", times(always), times(every_second)));
    }

    /// A row of one figure.
    pub fn figure(&mut self, name: &str, figure: f64, unit: &str) {
        self.row(name, format!("{figure:.1} {unit}"));
    }

    /// An aim.
    pub fn aim(&mut self, aim: Aim) {
        self.aims.push(aim);
    }

    /// The whole as Markdown; `what` was measured.
    pub fn markdown(&self, what: &str) -> String {
        let mut text = format!("\n{what} Measured on {}.\n\n| what | figure |\n|---|---|\n", machine());
        for (name, value) in &self.rows {
            let _ = writeln!(text, "| {name} | {value} |");
        }
        text.push_str("\n| aim | bound | measured | holds |\n|---|---|---|---|\n");
        for aim in &self.aims {
            let (sign, holds) =
                (if aim.below { "<" } else { "≥" }, if aim.holds() { "yes" } else { "**no**" });
            // A ratio needs the second digit.
            let shown = |value: f64| match aim.unit {
                "×" => format!("{value:.2} ×"),
                unit => format!("{value:.1} {unit}"),
            };
            let (name, bound, figure) = (&aim.name, shown(aim.bound), shown(aim.figure));
            let _ = writeln!(text, "| {name} | {sign} {bound} | {figure} | {holds} |");
        }
        text
    }
}

/// The processor, how many of its threads there are, and the kernel.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let models: Vec<&str> = info.lines().filter(|l| l.starts_with("model name")).collect();
    let model = models.first().and_then(|l| l.split(':').nth(1)).unwrap_or(" an unknown processor").trim();
    let kernel = read("/proc/sys/kernel/osrelease");
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {threads} threads, Linux {}; client and server share it", kernel.trim())
}
