//! Changes of whole lines and values beside libFuzzer's changes of bytes, most of which only make bad YAML.

/// Numbers from the seed that libFuzzer gives (SplitMix64, Steele, Lea and Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

const VALUES: [&str; 14] = [
    "~",
    "[]",
    "{}",
    "true",
    "-1",
    "999999999999999999999",
    "''",
    "role:personne",
    "0 days",
    "1 month",
    "form.x",
    "{form.x}",
    "2026-02-30",
    "*a",
];

/// Changes `data[..size]` in place, to at most `max_size` bytes; gives the new size.
pub(crate) fn change(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    let changed = match numbers.below(2) {
        0 => data
            .get(..size)
            .and_then(|data| std::str::from_utf8(data).ok())
            .and_then(|t| of_lines(t, &mut numbers)),
        _ => None,
    };
    match changed.filter(|text| !text.is_empty() && text.len() <= max_size) {
        Some(text) => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        None => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
}

fn value(line: &str) -> Option<&str> {
    line.split_once(": ").map(|(_, value)| value).or_else(|| line.trim_start().strip_prefix("- "))
}

/// One change of lines below the first, which names the file.
fn of_lines(text: &str, numbers: &mut Numbers) -> Option<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let below = lines.len().checked_sub(1).filter(|below| *below > 0)?;
    let (a, b) = (1 + numbers.below(below), 1 + numbers.below(below));
    let with_value = |line: &str, new: &str| {
        let old = value(line)?;
        Some(format!("{}{new}", &line[..line.len() - old.len()]))
    };
    match numbers.below(8) {
        0 => drop(lines.remove(a)),
        1 => lines.insert(b, lines[a].clone()),
        2 => lines.swap(a, b),
        3 => lines[a] = format!("  {}", lines[a]),
        4 => lines[a] = lines[a].strip_prefix("  ")?.to_owned(),
        5 => lines[a] = with_value(&lines[a], value(&lines[b])?)?,
        6 => lines[a] = with_value(&lines[a], VALUES[numbers.below(VALUES.len())])?,
        _ => {
            // A block goes elsewhere with everything below it.
            let indent = |line: &str| line.len() - line.trim_start().len();
            let deep = indent(&lines[a]);
            let more = lines[a + 1..].iter().take_while(|line| indent(line) > deep).count();
            let block: Vec<String> = lines.drain(a..=a + more).collect();
            let at = b.min(lines.len());
            lines.splice(at..at, block);
        }
    }
    Some(lines.join("\n"))
}
