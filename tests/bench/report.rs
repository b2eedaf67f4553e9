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
    name: &'static str,
    figure: f64,
    bound: f64,
    unit: &'static str,
    below: bool,
}

impl Aim {
    /// The figure is to be below the bound.
    pub const fn below(name: &'static str, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { name, figure, bound, unit, below: true }
    }

    /// The figure is to be at least the bound.
    pub const fn above(name: &'static str, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { name, figure, bound, unit, below: false }
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

    fn row(&mut self, name: &str, value: String) {
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

    /// A row of one figure.
    pub fn figure(&mut self, name: &str, figure: f64, unit: &str) {
        self.row(name, format!("{figure:.1} {unit}"));
    }

    /// An aim.
    pub fn aim(&mut self, aim: Aim) {
        self.aims.push(aim);
    }

    /// The whole as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("\nMeasured on {}.\n\n| what | figure |\n|---|---|\n", machine());
        for (name, value) in &self.rows {
            let _ = writeln!(text, "| {name} | {value} |");
        }
        text.push_str("\n| aim | bound | measured | holds |\n|---|---|---|---|\n");
        for aim in &self.aims {
            let (sign, holds) =
                (if aim.below { "<" } else { "≥" }, if aim.holds() { "yes" } else { "**no**" });
            let Aim { name, bound, figure, unit, .. } = aim;
            let _ = writeln!(text, "| {name} | {sign} {bound:.1} {unit} | {figure:.1} {unit} | {holds} |");
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
