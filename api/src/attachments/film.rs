//! Films and recordings in boxes (ISO/IEC 14496-12: MP4, M4A; QuickTime): where, by whom and with what they were taken is
//! overwritten.
//!
//! Telephones write that into `udta` (`©xyz` is the position, as ISO 6709 has it), `meta` (`com.apple.quicktime.location…`) and
//! `uuid` (XMP), beside the pictures or within `moov` and its tracks. Each such box becomes `free`, of the same length and full of
//! zeros, so that nothing else moves; players skip it (section 8.1.2). What stands in the pictures and the sound stays, and so do
//! the hours in the heads of the tracks.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::Path;

/// Types of files that are made of boxes.
const KINDS: [&str; 3] = ["video/mp4", "video/quicktime", "audio/m4a"];
/// Boxes in which others are looked for.
const OPENED: [[u8; 4]; 2] = [*b"moov", *b"trak"];
/// Boxes that are overwritten.
const EMPTIED: [[u8; 4]; 3] = [*b"udta", *b"meta", *b"uuid"];
/// The most boxes that are looked at: a film has some hundred outside of its pictures.
pub const BOXES_MAX: usize = 10_000;

/// A box in a file.
struct Found {
    kind: [u8; 4],
    /// Where its content begins.
    from: u64,
    /// Where it ends.
    until: u64,
}

/// Overwrites what a film tells beside its pictures. Whether anything was changed; never, where the type is no film's.
///
/// # Errors
/// What the system said; `InvalidData` where the boxes do not fit into each other.
pub(super) fn emptied(path: &Path, kind: &str) -> Result<bool> {
    if !KINDS.contains(&kind) {
        return Ok(false);
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut open = vec![(0, file.metadata()?.len())];
    let (mut count, mut changed) = (0, false);
    while let Some((mut at, until)) = open.pop() {
        while at < until {
            let found = read(&mut file, at, until)?;
            count += 1;
            if count > BOXES_MAX {
                return Err(misfit());
            }
            if EMPTIED.contains(&found.kind) {
                empty(&mut file, at, &found)?;
                changed = true;
            } else if OPENED.contains(&found.kind) {
                open.push((found.from, found.until));
            }
            at = found.until;
        }
    }
    if changed {
        file.sync_all()?;
    }
    Ok(changed)
}

/// The box that begins at a place and ends at `until` at the latest.
fn read(file: &mut File, at: u64, until: u64) -> Result<Found> {
    let mut head = [0; 8];
    if until - at < 8 {
        // QuickTime ends the list of a user's data with four zeros; nothing fits there.
        return Ok(Found { kind: *b"free", from: until, until });
    }
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut head)?;
    let [a, b, c, d, kind @ ..] = head;
    let (size, from) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (until - at, at + 8),
        1 => {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            (u64::from_be_bytes(long), at + 16)
        }
        size => (u64::from(size), at + 8),
    };
    let end = at.checked_add(size).filter(|end| *end >= from && *end <= until).ok_or_else(misfit)?;
    Ok(Found { kind, from, until: end })
}

fn empty(file: &mut File, at: u64, found: &Found) -> Result<()> {
    file.seek(SeekFrom::Start(at + 4))?;
    file.write_all(b"free")?;
    file.seek(SeekFrom::Start(found.from))?;
    std::io::copy(&mut std::io::repeat(0).take(found.until - found.from), file).map(drop)
}

fn misfit() -> Error {
    Error::new(ErrorKind::InvalidData, "the boxes of the film do not fit into each other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&size[..], kind, content].concat()
    }

    fn long(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u64::try_from(content.len() + 16).unwrap().to_be_bytes();
        [&[0, 0, 0, 1][..], kind, &size, content].concat()
    }

    fn after(bytes: &[u8]) -> (Result<bool>, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let done = emptied(file.path(), "video/mp4");
        (done, std::fs::read(file.path()).unwrap())
    }

    #[test]
    fn a_film_loses_its_place_and_its_names_and_nothing_moves() {
        let place = boxed(b"\xa9xyz", b"\0\x12\x15\xc7+48.8577+002.2950/");
        let track = boxed(b"trak", &[boxed(b"tkhd", b"head"), boxed(b"meta", b"Jeanne")].concat());
        let user = boxed(b"udta", &[place, vec![0; 4]].concat());
        let moov = long(b"moov", &[boxed(b"mvhd", b"times"), track, user].concat());
        let film = [
            boxed(b"ftyp", b"mp42"),
            boxed(b"uuid", b"0123456789abcdef<x:xmpmeta>Fairphone"),
            boxed(b"mdat", b"udta within the pictures"),
            moov,
        ]
        .concat();
        let (done, bytes) = after(&film);
        assert!(done.unwrap());
        let text = String::from_utf8_lossy(&bytes);
        for gone in ["48.8577", "Jeanne", "Fairphone", "xyz", "meta"] {
            assert!(!text.contains(gone), "{gone} is still there");
        }
        for kept in ["ftyp", "mp42", "udta within the pictures", "moov", "mvhd", "times", "tkhd", "head"] {
            let place = |bytes: &[u8]| bytes.windows(kept.len()).position(|window| window == kept.as_bytes());
            assert_eq!(place(&bytes), place(&film), "{kept} moved");
        }
        assert_eq!(bytes.len(), film.len());
        assert!(!after(&bytes).0.unwrap(), "nothing is left to take away");
    }

    #[test]
    fn films_whose_boxes_do_not_fit_are_refused_and_others_left_alone() {
        let beyond = [boxed(b"ftyp", b"mp42"), vec![0, 0, 0, 99], b"moov".to_vec()].concat();
        let tiny = [boxed(b"ftyp", b"mp42"), vec![0, 0, 0, 4], b"moov".to_vec()].concat();
        let many = boxed(b"free", b"").repeat(BOXES_MAX + 1);
        for wrong in [beyond, tiny, many] {
            assert_eq!(after(&wrong).0.unwrap_err().kind(), ErrorKind::InvalidData);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), boxed(b"udta", b"text")).unwrap();
        assert!(!emptied(file.path(), "application/pdf").unwrap());
    }
}
