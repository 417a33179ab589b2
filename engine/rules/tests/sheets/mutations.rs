//! Good files, spoilt in five hundred ways: none hurts the loader, and what it accepts is what the change means.
//!
//! A mutant that is accepted is held against the original, line by line. A line that was not touched is read as it was:
//! the same key has the same value. So a fault in one line can never quietly change, move or swallow what another line
//! says. Beside that, every plan of the mutant compiles, every name in it stands for something, and its scenarios run
//! without a rule that fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guichet_rules::language::diagnostic::{Style, render};
use guichet_rules::language::source::{SourceFile, Sources};
use guichet_rules::language::yaml::{self, Kind, Node};
use guichet_rules::language::{Catalogue, Severity};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::Plan;
use guichet_rules::request::scenario;
use guichet_rules::text::Language;
use serde_json::Value;

use super::pages::town;
use super::{Files, chalons, good, load};

/// Numbers that are the same on every run (SplitMix64, Steele, Lea and Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// The stretches of a file's keys and of its single values.
fn parts(text: &str) -> (Vec<std::ops::Range<usize>>, Vec<std::ops::Range<usize>>) {
    fn walk(node: &Node, keys: &mut Vec<std::ops::Range<usize>>, values: &mut Vec<std::ops::Range<usize>>) {
        match &node.kind {
            Kind::Scalar(_) => values.push(node.mark.range()),
            Kind::List(items) => items.iter().for_each(|item| walk(item, keys, values)),
            Kind::Map(entries) => entries.iter().for_each(|entry| {
                keys.push(entry.key_mark.range());
                walk(&entry.value, keys, values);
            }),
        }
    }
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: "x.yaml".into(), text: text.to_owned() });
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    if let Some(node) = yaml::parse(file, text, &mut Vec::new()) {
        walk(&node, &mut keys, &mut values);
    }
    (keys, values)
}

const WAYS: usize = 12;
const WORDS: [&str; 16] = [
    "~",
    "[]",
    "{}",
    "oui",
    "true",
    "-1",
    "999999999999999999999",
    "''",
    "role:personne",
    "service",
    "1 month",
    "form.x",
    "{form.x}",
    "2026-13-45",
    "80%",
    "é\u{0}",
];

/// One file of the catalogue, changed in one way; nothing where the way does not go here.
fn mutant(files: &Files, numbers: &mut Numbers, way: usize) -> Option<(String, Files)> {
    let names: Vec<&String> = files.keys().filter(|name| name.ends_with(".yaml")).collect();
    let name = (*numbers.one(&names)?).clone();
    let text = &files[&name];
    let (keys, values) = parts(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (a, b) = (numbers.below(lines.len()), numbers.below(lines.len()));
    let put = |range: std::ops::Range<usize>, with: &str| {
        let mut text = text.clone();
        text.replace_range(range, with);
        text
    };
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let changed = match way {
        0 => lines.iter().enumerate().filter(|(i, _)| *i != a).map(|(_, line)| *line).collect(),
        1 => lines.iter().enumerate().flat_map(|(i, l)| [*l].repeat(1 + usize::from(i == a))).collect(),
        2 => {
            let mut lines = lines.clone();
            lines.swap(a, b);
            lines.concat()
        }
        3 => {
            let key = numbers.one(&keys)?.clone();
            let mut letters: Vec<char> = text[key.clone()].chars().collect();
            let at = numbers.below(letters.len());
            let next = (at + 1) % letters.len();
            letters.swap(at, next);
            put(key, &letters.into_iter().collect::<String>())
        }
        4 => put(numbers.one(&keys)?.clone(), "autre"),
        5 => {
            let (one, other) = (numbers.one(&values)?.clone(), numbers.one(&values)?.clone());
            put(one, &text[other])
        }
        6 => {
            let value = numbers.one(&values)?.clone();
            let wrapped = format!("[{}]", &text[value.clone()]);
            put(value, &wrapped)
        }
        7 => put(numbers.one(&values)?.clone(), numbers.one(&WORDS)?),
        8 => text[..boundary(numbers.below(text.len()))].to_owned(),
        9 => {
            let at = boundary(numbers.below(text.len()));
            put(
                at..at,
                numbers
                    .one(&["\"", "'", "{", "]", ": ", "\t", "\n", "- ", "#", "&a ", "*a", "!x ", "|", "%"])?,
            )
        }
        10 => {
            let line = lines[a];
            let moved =
                if b % 2 == 0 { format!("  {line}") } else { line.trim_start_matches("  ").to_owned() };
            lines.iter().enumerate().map(|(i, l)| if i == a { moved.as_str() } else { l }).collect()
        }
        _ => {
            // A name from elsewhere in the catalogue, of whatever kind.
            let other = &files[*numbers.one(&names)?];
            let (_, others) = parts(other);
            put(numbers.one(&values)?.clone(), &other[numbers.one(&others)?.clone()])
        }
    };
    let mut files = files.clone();
    files.insert(name.clone(), changed);
    Some((name, files))
}

/// What each line says: the last part of the key and the value, by file and line, of every definition.
type Said = BTreeMap<(String, u32), BTreeSet<(String, String)>>;

fn said(catalogue: &Catalogue) -> Said {
    let mut said = Said::new();
    for definition in &catalogue.definitions {
        let json = serde_json::to_value(definition).unwrap();
        for (pointer, place) in &catalogue.places[&definition.process] {
            let leaf = json.pointer(pointer).filter(|value| !value.is_object() && !value.is_array());
            let key = pointer.rsplit('/').find(|part| part.parse::<u32>().is_err()).unwrap_or_default();
            if let Some(value) = leaf {
                let line = said.entry((place.file.clone(), place.line)).or_default();
                line.insert((key.to_owned(), value.to_string()));
            }
        }
    }
    said
}

/// How many lines at the beginning and at the end two texts share.
fn shared(a: &str, b: &str) -> (usize, usize, usize, usize) {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
    (head, tail, a.len(), b.len())
}

/// The last line of each value of several lines, by its first, both from 1.
fn long_values(text: &str) -> BTreeMap<u32, usize> {
    fn walk<'n>(node: &'n Node, found: &mut Vec<&'n yaml::Scalar>) {
        match &node.kind {
            Kind::Scalar(scalar) => found.push(scalar),
            Kind::List(items) => items.iter().for_each(|item| walk(item, found)),
            Kind::Map(entries) => entries.iter().for_each(|entry| walk(&entry.value, found)),
        }
    }
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: "x.yaml".into(), text: text.to_owned() });
    let node = yaml::parse(file, text, &mut Vec::new()).unwrap();
    let mut scalars = Vec::new();
    walk(&node, &mut scalars);
    let line = |byte: usize| sources.position(file, byte).0;
    let ends = scalars.iter().map(|scalar| (line(scalar.raw.start) as u32, line(scalar.raw.end)));
    ends.filter(|(first, last)| *first as usize != *last).collect()
}

/// Lines that were not touched and are read otherwise than before.
fn misread(file: &str, before: (&Files, &Said), after: (&Files, &Said)) -> Vec<String> {
    let (head, tail, length, length_after) = shared(&before.0[file], &after.0[file]);
    let long = long_values(&before.0[file]);
    let mut found = Vec::new();
    for ((name, line), words) in before.1 {
        // What was touched is a later line of the same text.
        if name == file && long.get(line).is_some_and(|last| *last > head) {
            continue;
        }
        let at = *line as usize;
        let moved = match () {
            () if name != file || at <= head => *line,
            () if at > length - tail => (at + length_after - length) as u32,
            () => continue,
        };
        let now = after.1.get(&(name.clone(), moved));
        // What another file says may be needed no more; what it still says, it says as before.
        let gone = now.is_none() && name != file;
        let fewer = now.is_some_and(|now| now.is_subset(words)) && name != file;
        if !gone && !fewer && now != Some(words) {
            found.push(format!("{name}:{line}: {words:?} became {now:?}"));
        }
    }
    found
}

/// Names that stand for nothing, in an accepted definition.
fn strangers(value: &Value, organisation: &Organisation, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let known = match text.split_once(':') {
                Some(("role", role)) => organisation.roles.iter().any(|r| r.role == role),
                Some(("service", service)) => organisation.service(service).is_some(),
                Some(("person", person)) => organisation.person(person).is_some(),
                _ => true,
            };
            if !known {
                found.push(text.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strangers(item, organisation, found)),
        // Texts that people read, and words that they search for or choose, may say anything.
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "fr" | "en" | "keywords" | "value"))
            .for_each(|(_, item)| strangers(item, organisation, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is wrong with an accepted mutant.
fn nonsense(catalogue: &Catalogue) -> Vec<String> {
    let mut found = Vec::new();
    let mut plans = Vec::new();
    for definition in &catalogue.definitions {
        for rule in &definition.assignment {
            let service = catalogue.organisation.service(&rule.is);
            if service.is_none_or(|service| !definition.tenants.contains(&service.tenant)) {
                found.push(format!("{}: no service {}", definition.process, rule.is));
            }
        }
        strangers(&serde_json::to_value(definition).unwrap(), &catalogue.organisation, &mut found);
        match Plan::compile(Arc::new(definition.clone())) {
            Ok(plan) => plans.push(Arc::new(plan)),
            Err(error) => found.push(error.to_string()),
        }
    }
    for file in &catalogue.scenarios {
        for outcome in scenario::run(file, &plans, &catalogue.organisation) {
            let problems = outcome.steps.iter().flat_map(|step| &step.problems);
            found.extend(problems.filter(|p| p.actual.contains("rule.failed")).map(|p| p.text.en.clone()));
        }
    }
    found
}

/// Tries so many mutants of a catalogue; says how many were accepted.
fn try_out(files: &Files, seed: u64, count: usize) -> (usize, Vec<String>) {
    let original = load(files.clone()).catalogue.unwrap();
    let before = said(&original);
    let mut numbers = Numbers(seed);
    let (mut accepted, mut wrong) = (0, Vec::new());
    for i in 0..count {
        let Some((name, changed)) = mutant(files, &mut numbers, i % WAYS) else { continue };
        let loaded = load(changed.clone());
        for finding in &loaded.diagnostics {
            let drawn = render(finding, &loaded.sources, Language::Fr, Style::Plain);
            assert!(drawn.contains(&finding.code), "{drawn}");
        }
        let refused = loaded.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
        assert_eq!(loaded.catalogue.is_none(), refused, "{name}, mutant {i}");
        let Some(catalogue) = loaded.catalogue else { continue };
        accepted += 1;
        let mut faults = nonsense(&catalogue);
        faults.extend(misread(&name, (files, &before), (&changed, &said(&catalogue))));
        if !faults.is_empty() {
            let (head, _, _, _) = shared(&files[&name], &changed[&name]);
            let line = |text: &str| text.lines().nth(head).unwrap_or_default().to_owned();
            let lines = format!("- {}\n+ {}", line(&files[&name]), line(&changed[&name]));
            wrong.push(format!(
                "mutant {i} of {name} from line {}\n{lines}\n{}",
                head + 1,
                faults.join("\n")
            ));
        }
    }
    (accepted, wrong)
}

#[test]
fn five_hundred_mutants_of_good_files_are_refused_or_mean_what_was_changed() {
    let mut wrong = Vec::new();
    let mut accepted = 0;
    // `MUTANTS` asks for more of them, to hunt with.
    let more = std::env::var("MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for (files, seed, count) in
        [(town(), more as u64, 300 * more), (good(), 2, 180 * more), (chalons(), 3, 24)]
    {
        let (some, faults) = try_out(&files, seed, count);
        accepted += some;
        wrong.extend(faults);
    }
    println!("{accepted} accepted");
    assert!(
        (50..400 * more).contains(&accepted),
        "{accepted} accepted: the mutants are too tame or too wild"
    );
    assert!(wrong.is_empty(), "{} nonsense:\n{}", wrong.len(), wrong.join("\n\n"));
}
