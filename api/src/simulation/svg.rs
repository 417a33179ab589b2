//! The report as one picture that needs nothing else: no script, no font of its own, no file beside it. Every bar says its
//! figures in words to those who hear it read, and colour is never the only sign.

use std::fmt::Write;

use guichet_engine::rules::text::Language;

use super::answer::{Estimate, Promises, Summary};
use super::{Comparison, Ground, Period, Wait};

/// How a report is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The language of its words.
    pub language: Language,
    /// How many seeds it is about.
    pub seeds: u64,
    /// The days.
    pub period: Period,
    /// Only processes whose name begins like this.
    pub process: String,
}

/// The width of the picture, and of its columns.
const WIDTH: f64 = 1060.0;
const LEFT: f64 = 320.0;
const BAR: f64 = 480.0;
const LINE: f64 = 24.0;
/// Lines of a list.
const LINES: usize = 14;

const STYLE: &str = "svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#1b1b1b}\
.h{font-size:24px;font-weight:600}.s{font-size:16px;font-weight:600}.q{fill:#595959}.n{text-anchor:end}\
.b{fill:#2a6f97}.o{fill:#c2571a}.r{fill:#e6e6e6}.i{stroke:#1b1b1b;stroke-width:1.5;fill:none}\
.g{stroke:#767676;stroke-dasharray:3 3}";

/// Draws a report.
#[must_use]
pub fn drawn(ground: &Ground, summary: &Summary, compared: Option<&Comparison>, drawing: &Drawing) -> String {
    let mut page = Page { language: drawing.language, body: String::new(), y: 0.0 };
    page.heading(ground, summary, drawing);
    page.promises(summary, drawing);
    page.services(summary, compared);
    page.waits(summary);
    page.heat(summary);
    page.posts(summary);
    page.channels(summary);
    page.finish(drawing)
}

/// A bar: what it is of, its length between 0 and 1, the ends of its interval, and its figure in words.
struct Bar<'b> {
    name: &'b str,
    class: &'b str,
    value: f64,
    ends: Option<(f64, f64)>,
    words: String,
}

struct Page {
    language: Language,
    body: String,
    y: f64,
}

/// A text inside the picture.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            symbol if symbol.is_control() => safe.push(' '),
            symbol => safe.push(symbol),
        }
    }
    safe
}

/// A name that fits beside a bar.
fn short(name: &str) -> String {
    const MOST: usize = 42;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

fn scaled(estimate: &Estimate, whole: f64) -> (f64, Option<(f64, f64)>) {
    let part = |value: f64| (value / whole.max(1e-9)).clamp(0.0, 1.0);
    (part(estimate.mean), estimate.low.zip(estimate.high).map(|(low, high)| (part(low), part(high))))
}

impl Page {
    fn say<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Fr => fr,
            Language::En => en,
        }
    }

    fn number(&self, value: f64, digits: usize) -> String {
        let text = format!("{value:.digits$}");
        let (sign, plain) = text.strip_prefix('-').map_or(("", text.as_str()), |plain| ("−", plain));
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push('\u{202f}');
            }
            grouped.push(digit);
        }
        let point = if self.language == Language::Fr { ',' } else { '.' };
        if part.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}{point}{part}") }
    }

    /// A figure with how far it may be off.
    fn figure(&self, estimate: &Estimate, times: f64, digits: usize) -> String {
        let mean = self.number(estimate.mean * times, digits);
        match estimate.low.zip(estimate.high) {
            Some((low, high)) if high > low => {
                format!("{mean} ± {}", self.number((high - low) / 2.0 * times, digits))
            }
            Some(_) | None => mean,
        }
    }

    /// Writing to a text cannot fail.
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(text);
        self.body.push('\n');
    }

    fn text(&mut self, x: f64, class: &str, text: &str) {
        let (y, text) = (self.y, escaped(text));
        self.put(format_args!("<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"{class}\">{text}</text>"));
    }

    fn heading(&mut self, ground: &Ground, summary: &Summary, drawing: &Drawing) {
        self.y = 44.0;
        let title = self.say("Une ville simulée", "A simulated town").to_owned();
        self.text(24.0, "h", &title);
        self.y += 26.0;
        let (from, until) = (drawing.period.from, drawing.period.until);
        let seeds = drawing.seeds;
        let people = ground.organisation.people.len();
        let words = match self.language {
            Language::Fr => format!(
                "Du {} au {} · {} demandes · {people} personnes · {seeds} graine(s)",
                from.format("%d/%m/%Y"),
                until.format("%d/%m/%Y"),
                self.figure(&summary.received, 1.0, 0)
            ),
            Language::En => format!(
                "{from} to {until} · {} requests · {people} people · {seeds} seed(s)",
                self.figure(&summary.received, 1.0, 0)
            ),
        };
        self.text(24.0, "q", &words);
        self.y += 22.0;
        let words = self.say(
            "Les moustaches montrent l’intervalle de confiance à 95 % (Student) sur les graines.",
            "Whiskers show the 95 % confidence interval (Student) over the seeds.",
        );
        let words = words.to_owned();
        self.text(24.0, "q", &words);
    }

    fn section(&mut self, fr: &str, en: &str) {
        self.y += 46.0;
        let words = self.say(fr, en).to_owned();
        self.text(24.0, "s", &words);
        self.y += 10.0;
    }

    fn bar(&mut self, bar: &Bar<'_>) {
        self.y += LINE;
        let (y, name) = (self.y, escaped(bar.name));
        let label = escaped(&short(bar.name));
        let words = escaped(&bar.words);
        let (class, long) = (bar.class, bar.value * BAR);
        self.put(format_args!(
            "<g role=\"listitem\" aria-label=\"{name}: {words}\"><title>{name}: {words}</title>"
        ));
        let x = LEFT - 12.0;
        self.put(format_args!("<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"n\">{label}</text>"));
        let top = y - 13.0;
        self.put(format_args!(
            "<rect x=\"{LEFT:.0}\" y=\"{top:.0}\" width=\"{BAR:.0}\" height=\"16\" class=\"r\"/>"
        ));
        self.put(format_args!(
            "<rect x=\"{LEFT:.0}\" y=\"{top:.0}\" width=\"{long:.1}\" height=\"16\" class=\"{class}\"/>"
        ));
        if let Some((low, high)) = bar.ends.filter(|(low, high)| high > low) {
            let (low, high, middle) = (LEFT + low * BAR, LEFT + high * BAR, y - 5.0);
            let (up, down) = (middle - 4.0, middle + 4.0);
            self.put(format_args!(
                "<path d=\"M{low:.1} {up:.0}V{down:.0}M{low:.1} {middle:.0}H{high:.1}M{high:.1} {up:.0}V{down:.0}\" class=\"i\"/>"
            ));
        }
        let x = LEFT + BAR + 10.0;
        self.put(format_args!("<text x=\"{x:.0}\" y=\"{y:.0}\">{words}</text></g>"));
    }

    fn kept(&self, promises: &Promises) -> String {
        let broken = self.figure(&promises.broken, 1.0, 0);
        let of = self.say("rompus", "broken");
        match &promises.kept {
            Some(kept) => format!("{} % · {broken} {of}", self.figure(kept, 100.0, 1)),
            None => "–".to_owned(),
        }
    }

    fn promise_bar(&mut self, name: &str, promises: &Promises, class: &str) {
        let Some(kept) = &promises.kept else { return };
        let (value, ends) = scaled(kept, 1.0);
        let words = self.kept(promises);
        self.bar(&Bar { name, class, value, ends, words });
    }

    /// A line at the town's word: 95 % was kept at Châlons in 2016.
    fn goal(&mut self, lines: usize) {
        let x = LEFT + 0.95 * BAR;
        let (top, bottom) = (self.y - LINE * number(lines) + 6.0, self.y + 6.0);
        self.put(format_args!("<path d=\"M{x:.1} {top:.0}V{bottom:.0}\" class=\"g\"/>"));
        self.y += 18.0;
        let y = self.y;
        self.put(format_args!(
            "<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"q\" text-anchor=\"middle\">95 %</text>"
        ));
    }

    fn promises(&mut self, summary: &Summary, drawing: &Drawing) {
        self.section("Engagements tenus, par démarche", "Promises kept, by process");
        let mut lines: Vec<_> =
            summary.processes.iter().filter(|line| line.process.starts_with(&drawing.process)).collect();
        lines.sort_by(|a, b| {
            b.promises.broken.mean.total_cmp(&a.promises.broken.mean).then_with(|| a.process.cmp(&b.process))
        });
        let all = self.say("toutes", "all of them").to_owned();
        self.promise_bar(&all, &summary.promises, "b");
        lines.truncate(LINES);
        let count = lines.len() + 1;
        for line in lines {
            let title = if self.language == Language::Fr { &line.title_fr } else { &line.title_en };
            // Several collectivities may offer the same.
            let several = summary.processes.iter().filter(|other| other.process == line.process).count() > 1;
            let name = if several { format!("{title} ({})", line.tenant) } else { title.clone() };
            self.promise_bar(&name, &line.promises, "b");
        }
        self.goal(count);
    }

    fn services(&mut self, summary: &Summary, compared: Option<&Comparison>) {
        self.section("Engagements tenus, par service chargé", "Promises kept, by service in charge");
        let mut lines: Vec<_> = summary.services.iter().collect();
        lines.sort_by(|a, b| {
            b.promises.broken.mean.total_cmp(&a.promises.broken.mean).then_with(|| a.service.cmp(&b.service))
        });
        lines.truncate(LINES);
        let mut count = 0;
        for line in lines {
            self.promise_bar(&line.service, &line.promises, "b");
            count += 1;
            let changed = compared.filter(|compared| compared.services.contains_key(&line.service));
            let other = changed.and_then(|c| c.other.services.iter().find(|o| o.service == line.service));
            if let Some(other) = other {
                let name = format!("{} ({})", line.service, self.say("après", "after"));
                self.promise_bar(&name, &other.promises, "o");
                count += 1;
            }
        }
        self.goal(count);
    }

    fn waits(&mut self, summary: &Summary) {
        self.section(
            "Où elles attendent : part de toute l’attente",
            "Where they wait: share of all the waiting",
        );
        let most = summary.waits.first().map_or(1.0, |line| line.share.mean);
        for line in summary.waits.iter().take(LINES) {
            let name = format!("{} · {}", self.wait(line.wait), line.at);
            let (value, ends) = scaled(&line.share, most * 1.15);
            let (share, hours) = (self.figure(&line.share, 100.0, 1), self.number(line.hours_mean.mean, 1));
            self.bar(&Bar { name: &name, class: "b", value, ends, words: format!("{share} % · {hours} h") });
        }
    }

    fn wait(&self, wait: Wait) -> &'static str {
        wait.words().get(usize::from(self.language == Language::En)).copied().unwrap_or_default()
    }

    /// The week as a board: a darker cell is a longer queue, and each says its figure.
    fn heat(&mut self, summary: &Summary) {
        self.section("Ce qui attend, par heure de la semaine", "What waits, by hour of the week");
        let days = match self.language {
            Language::Fr => ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
            Language::En => ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        };
        let most = summary.heat.iter().copied().fold(1.0, f64::max);
        let least = summary.heat.iter().copied().fold(most, f64::min);
        self.y += 16.0;
        let (cell, x) = (25.0, 140.0);
        for hour in (0..24usize).step_by(3) {
            let words = format!("{hour} h");
            self.text(x + number(hour) * cell, "q", &words);
        }
        self.y += 6.0;
        for (day, hours) in days.into_iter().zip(summary.heat.chunks(24)) {
            self.y += 22.0;
            let y = self.y;
            self.put(format_args!(
                "<text x=\"{:.0}\" y=\"{:.0}\" class=\"n\">{day}</text>",
                x - 12.0,
                y - 5.0
            ));
            for (hour, waiting) in hours.iter().enumerate() {
                let depth = (waiting - least) / (most - least).max(1e-9);
                let shade = |from: f64, to: f64| from + (to - from) * depth;
                let (red, green, blue) = (shade(241.0, 16.0), shade(245.0, 60.0), shade(249.0, 92.0));
                let (left, top) = (x + number(hour) * cell, y - 20.0);
                let words = format!("{day}, {hour} h: {}", self.number(*waiting, 1));
                self.put(format_args!(
                    "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"23\" height=\"20\" fill=\"rgb({red:.0},{green:.0},{blue:.0})\"><title>{words}</title></rect>"
                ));
            }
        }
        self.y += 20.0;
        let (least, most) = (self.number(least, 1), self.number(most, 1));
        let words = match self.language {
            Language::Fr => format!("le plus clair : {least} en attente ; le plus foncé : {most}"),
            Language::En => format!("the lightest: {least} waiting; the darkest: {most}"),
        };
        self.text(x, "q", &words);
    }

    fn posts(&mut self, summary: &Summary) {
        self.section("Occupation de ceux qui travaillent", "How busy people are");
        let mut lines: Vec<_> = summary.posts.iter().filter(|line| line.busy.mean > 0.0).collect();
        lines.sort_by(|a, b| b.busy.mean.total_cmp(&a.busy.mean).then_with(|| a.post.cmp(&b.post)));
        for line in lines.into_iter().take(LINES) {
            let (value, ends) = scaled(&line.busy, 1.0);
            let name = format!("{} × {}", line.post, line.people);
            let words = format!("{} %", self.figure(&line.busy, 100.0, 1));
            // Beyond nine tenths a queue grows without end.
            let class = if line.busy.mean > 0.9 { "o" } else { "b" };
            self.bar(&Bar { name: &name, class, value, ends, words });
        }
    }

    fn channels(&mut self, summary: &Summary) {
        self.section("Coût par canal, en euros", "Cost by channel, in euros");
        let most = summary.channels.iter().map(|line| line.cost.mean).fold(1.0, f64::max) * 1.15;
        for line in &summary.channels {
            let (value, ends) = scaled(&line.cost, most);
            let saved = self.say("économisés", "saved");
            let words =
                format!("{} · {} {saved}", self.figure(&line.cost, 1.0, 0), self.number(line.saving.mean, 0));
            self.bar(&Bar { name: &line.channel, class: "b", value, ends, words });
        }
    }

    fn finish(self, drawing: &Drawing) -> String {
        let height = self.y + 40.0;
        let (code, title, about) = match drawing.language {
            Language::Fr => (
                "fr",
                "Rapport de simulation",
                "Engagements tenus, attente, occupation et coûts, avec leurs intervalles.",
            ),
            Language::En => {
                ("en", "Simulation report", "Promises kept, waiting, work and costs, with their intervals.")
            }
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" width=\"{WIDTH:.0}\" \
             height=\"{height:.0}\" role=\"img\" lang=\"{code}\" aria-labelledby=\"title about\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"about\">{about}</desc>\n<style>{STYLE}</style>\n{}</svg>\n",
            self.body
        )
    }
}

#[allow(clippy::cast_precision_loss, reason = "a place on the page")]
fn number(count: usize) -> f64 {
    count as f64
}
