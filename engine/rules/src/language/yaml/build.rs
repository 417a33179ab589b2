//! From the parser's events to the tree.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

use super::{Entry, Kind, MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, Scalar, Style, words};
use crate::language::diagnostic::Fault;
use crate::language::source::{FileId, Mark};

/// Reads one file. Duplicate keys, tags and merge keys are reported and read over; at the first fault of syntax, or
/// when a limit is reached, reading ends and no tree is given.
pub fn parse(file: FileId, text: &str, faults: &mut Vec<Fault>) -> Option<Node> {
    if text.len() > MAX_BYTES {
        faults.push(Fault::error(
            "yaml.too_large",
            Mark { file, start: 0, end: 0 },
            format!(
                "ce fichier fait {} octets ; un fichier du catalogue en a au plus {MAX_BYTES}",
                text.len()
            ),
            format!("this file has {} bytes; a file of the catalogue has at most {MAX_BYTES}", text.len()),
        ));
        return None;
    }
    let mut builder = Builder::new(file, text);
    let result = builder.run();
    faults.append(&mut builder.faults);
    match result {
        // Nothing but comments is a value too: none.
        Ok(()) => Some(builder.root.unwrap_or_else(|| nothing(Mark { file, start: 0, end: 0 }))),
        Err(fault) => {
            faults.push(*fault);
            None
        }
    }
}

fn nothing(mark: Mark) -> Node {
    let scalar = Scalar { text: String::new(), style: Style::Plain, raw: mark };
    Node { kind: Kind::Scalar(scalar), mark }
}

/// A list or mapping whose end has not been read yet.
struct Open {
    start: Mark,
    flow: bool,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// `seen` holds digests of the keys: a second copy of each would double what a long mapping weighs.
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Mark)>,
        seen: HashSet<u64>,
    },
}

struct Builder<'a> {
    file: FileId,
    text: &'a str,
    faults: Vec<Fault>,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    aliases: usize,
}

type Step = Result<(), Box<Fault>>;

impl<'a> Builder<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        Self {
            file,
            text,
            faults: Vec::new(),
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            nodes: 0,
            aliases: 0,
        }
    }

    fn run(&mut self) -> Step {
        let mut options = Options::default();
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        options.disallow_directives = true;
        let text = self.text;
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|error| {
                let at = self.byte_of(error.marker());
                Box::new(words::syntax(error.kind(), Mark { file: self.file, start: at, end: at }))
            })?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn byte_of(&self, marker: &serde_saphyr::granit_parser::Marker) -> usize {
        marker.byte_offset().unwrap_or_else(|| {
            self.text.char_indices().nth(marker.index()).map_or(self.text.len(), |(at, _)| at)
        })
    }

    fn mark(&self, span: &Span) -> Mark {
        let start = self.byte_of(&span.start);
        Mark { file: self.file, start, end: self.byte_of(&span.end).max(start) }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        let mark = self.mark(&span);
        if event.tag().is_some() {
            self.faults.push(words::tag(mark));
        }
        match event {
            Event::Scalar(value, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let scalar = Scalar { text: value.into_owned(), style, raw: mark };
                self.place(Node { kind: Kind::Scalar(scalar), mark: self.one_line(mark) }, anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(Content::List(Vec::new()), style, anchor, mark)
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Map { entries: Vec::new(), key: None, seen: HashSet::new() };
                self.open(content, style, anchor, mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(mark),
            Event::Alias(id) => self.alias(id, mark),
            Event::DocumentStart(..) if self.root.is_some() => Err(Box::new(words::documents(mark))),
            _ => Ok(()),
        }
    }

    fn open(&mut self, content: Content, style: StructureStyle, anchor: usize, start: Mark) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Box::new(words::depth(start)));
        }
        let flow = style == StructureStyle::Flow;
        self.stack.push(Open { start, flow, anchor, content });
        Ok(())
    }

    fn close(&mut self, end: Mark) -> Step {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let whole = Mark { end: end.end, ..open.start };
        let (kind, first) = match open.content {
            Content::List(items) => {
                let first = items.first().map(|n| n.mark);
                (Kind::List(items), first)
            }
            Content::Map { entries, .. } => {
                let first = entries.first().map(|e| e.key_mark);
                (Kind::Map(entries), first)
            }
        };
        let mark = if open.flow { self.one_line(whole) } else { first.unwrap_or(open.start) };
        self.place(Node { kind, mark }, open.anchor)
    }

    /// The part of a mark that is on its first line.
    fn one_line(&self, mark: Mark) -> Mark {
        let text = self.text.get(mark.range()).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default().trim_end();
        Mark { end: mark.start + first.len(), ..mark }
    }

    fn alias(&mut self, id: usize, mark: Mark) -> Step {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return Err(Box::new(words::aliases(mark)));
        }
        // An anchor that is still open would contain itself.
        let Some(node) = self.anchors.get(&id) else { return Err(Box::new(words::endless(mark))) };
        if self.nodes + node.size() > MAX_NODES {
            return Err(Box::new(words::nodes(mark)));
        }
        let copy = node.clone();
        self.nodes += copy.size();
        if depth(&copy) + self.stack.len() > MAX_DEPTH {
            return Err(Box::new(words::depth(mark)));
        }
        self.put(copy)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Step {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Box::new(words::nodes(node.mark)));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
            self.nodes += node.size();
        }
        self.put(node)
    }

    fn put(&mut self, node: Node) -> Step {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, seen } => match key.take() {
                None => {
                    let Kind::Scalar(scalar) = node.kind else {
                        return Err(Box::new(words::complex_key(node.mark)));
                    };
                    if scalar.text == "<<" && scalar.style == Style::Plain {
                        self.faults.push(words::merge_key(node.mark));
                    }
                    *key = Some((scalar.text, node.mark));
                }
                Some((name, mark)) => {
                    // Only a digest that was seen before makes a search worth its while.
                    let fresh = seen.insert(digest(&name));
                    let twin = if fresh { None } else { entries.iter().find(|entry| entry.key == name) };
                    match twin.map(|entry| entry.key_mark) {
                        Some(first) => self.faults.push(words::duplicate(&name, mark, first)),
                        None => entries.push(Entry { key: name, key_mark: mark, value: node }),
                    }
                }
            },
        }
        Ok(())
    }
}

fn digest(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Kind::Map(entries) => 1 + entries.iter().map(|e| depth(&e.value)).max().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::{SourceFile, Sources};

    fn read(text: &str) -> (Option<Node>, Vec<String>, Sources) {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile { path: "t.yaml".into(), text: text.into() });
        let mut faults = Vec::new();
        let node = parse(file, text, &mut faults);
        let said = faults.iter().map(|f| format!("{} {}", sources.place(f.mark), f.code)).collect();
        (node, said, sources)
    }

    #[test]
    fn values_know_their_places() {
        let text = "# é\ntitle: { fr: \"Là\", en: x }\nsteps:\n  - when: >-\n      form.a &&\n      form.b\n    is: 'y'\n";
        let (node, said, sources) = read(text);
        assert!(said.is_empty(), "{said:?}");
        let node = node.unwrap();
        let title = node.get("title").unwrap();
        assert_eq!(sources.place(title.mark), "t.yaml:2:8");
        assert_eq!(sources.slice(title.mark), "{ fr: \"Là\", en: x }");
        assert_eq!(sources.place(title.get("en").unwrap().mark), "t.yaml:2:24");
        let step = &node.get("steps").unwrap().list().unwrap()[0];
        assert_eq!(sources.place(step.mark), "t.yaml:4:5");
        let when = step.get("when").unwrap().scalar().unwrap();
        assert_eq!(when.text, "form.a && form.b");
        let mark = when.locate_range(text, 10..16);
        assert_eq!(sources.slice(mark), "form.b");
        assert_eq!(sources.place(mark), "t.yaml:6:7");
    }

    #[test]
    fn a_literal_block_leads_back_to_its_lines() {
        let text = "a:\n  when: |\n    x &&\n      é && boom\n";
        let (node, _, sources) = read(text);
        let node = node.unwrap();
        let when = node.get("a").unwrap().get("when").unwrap().scalar().unwrap().clone();
        let at = when.text.find("boom").unwrap();
        assert_eq!(sources.place(when.locate_range(text, at..at + 4)), "t.yaml:4:12");
    }

    #[test]
    fn duplicates_tags_and_merge_keys_are_all_reported_in_one_run() {
        let (node, said, _) = read("a: 1\na: 2\nb: !x 3\nc: { d: 1, d: 2 }\ne: { <<: { f: 1 } }\n");
        assert_eq!(
            said,
            [
                "t.yaml:2:1 yaml.duplicate_key",
                "t.yaml:3:7 yaml.tag",
                "t.yaml:4:12 yaml.duplicate_key",
                "t.yaml:5:6 yaml.merge_key"
            ]
        );
        assert_eq!(node.unwrap().get("a").unwrap().text(), Some("1"));
    }

    #[test]
    fn syntax_faults_have_a_place() {
        for (text, place) in [
            ("a: [1, 2\nb: 3\n", "t.yaml:2:"),
            ("a: \"x\n", "t.yaml:"),
            ("a: 1\n b: 2\n", "t.yaml:2:"),
            ("a:\n\tb: 1\n", "t.yaml:2:"),
            ("a: *nobody\n", "t.yaml:1:4"),
            ("a: 1\n---\nb: 2\n", "t.yaml:2:"),
            ("? [x]\n: 1\n", "t.yaml:1:"),
            ("a: &x [*x]\n", "t.yaml:1:8"),
        ] {
            let (node, said, _) = read(text);
            assert!(node.is_none(), "{text}");
            assert!(said.iter().any(|s| s.starts_with(place)), "{text:?}: {said:?}");
        }
    }

    #[test]
    fn bombs_end_in_a_clear_fault_within_a_tenth_of_a_second() {
        let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 9].join(", ");
            laughs.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        let many: String = "- &a x\n".to_owned() + &"- *a\n".repeat(1_000);
        let blocks: String = (0..60).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
        let cases = [
            (laughs, "yaml.too_many"),
            (many, "yaml.too_many"),
            ("[".repeat(200_000), "yaml.too_deep"),
            ("{a: ".repeat(100_000), "yaml.too_deep"),
            (blocks, "yaml.too_deep"),
            ("- ".repeat(2_000), "yaml.too_deep"),
            ("x".repeat(MAX_BYTES + 1), "yaml.too_large"),
            ("[1, ".to_owned() + &"1, ".repeat(300_000), "yaml.too_many"),
        ];
        for (text, code) in cases {
            let start = std::time::Instant::now();
            let (node, said, _) = read(&text);
            let took = start.elapsed();
            assert!(node.is_none() && said.iter().any(|s| s.contains(code)), "{}…: {said:?}", &text[..20]);
            // The promise is 100 ms for an optimised build on an idle machine.
            assert!(took.as_millis() < 2_000, "{}… took {took:?}", &text[..20]);
        }
    }
}
