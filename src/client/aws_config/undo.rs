//! The text without sections of ours, to the byte.
//! Owns which line endings were ours. Refuses to take what somebody added to a section of ours.

use std::ops::Range;

use super::{ConfigText, Edited, Gap, PROCESS, header, is_ours, mark_of};
use crate::client::aws_text::{sections, settings};

/// What stands below a section, seen from the end of the file.
struct Below {
    /// Where it begins, with the gap that belongs to it.
    start: usize,
    /// Whether anything of it stays.
    is_kept: bool,
    /// The mark of a section of ours that stays right below, and takes over what was done to the line above.
    heir: Option<Range<usize>>,
}

impl Below {
    fn kept(start: usize) -> Self {
        Self {
            start,
            is_kept: true,
            heir: None,
        }
    }
}

impl ConfigText {
    /// The text without the sections of ours that `is_meant` knows by name. Settings that somebody added to one stay,
    /// and its header with them.
    pub fn without(&self, is_meant: impl Fn(&str) -> bool) -> Edited {
        let mut places: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut below = Below {
            start: self.0.len(),
            is_kept: false,
            heir: None,
        };
        // from the end: what is left below decides about the end of a line above
        for section in sections(&self.0).iter().rev() {
            let Some((gap, mark)) = mark_of(&self.0, section) else {
                below = Below::kept(section.header.start);
                continue;
            };
            if !is_meant(&section.name) {
                below = Below::kept(self.gap_above(&section.header, Gap::Line, true).start);
                below.heir = (gap == Gap::Line).then_some(mark);
                continue;
            }
            let process = |key: &str, value: &str| key == PROCESS && is_ours(value);
            let all = settings(&self.0, section.body.clone());
            let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| process(&s.key, &s.value));
            let mut gone = vec![mark];
            gone.extend(own.into_iter().map(|setting| setting.line));
            let is_as_written = self.0[section.header.clone()].trim_ascii_end() == header(&section.name).as_bytes();
            if others.is_empty() && is_as_written {
                gone.push(section.header.clone());
                if gone.iter().map(Range::len).sum::<usize>() < below.start - section.header.start {
                    below = Below::kept(section.header.start);
                }
                if let Some(heir) = below.heir.take_if(|_| gap == Gap::LineAndEnd) {
                    let end = if self.0[heir.clone()].ends_with(b"\r\n") {
                        "\r\n"
                    } else {
                        "\n"
                    };
                    places.push((heir, format!("{}{end}", gap.mark()).into_bytes()));
                }
                let above = self.gap_above(&section.header, gap, below.is_kept);
                below.start = above.start;
                gone.push(above);
            } else {
                below = Below::kept(section.header.start);
            }
            places.extend(gone.into_iter().map(|range| (range, Vec::new())));
        }
        self.replaced(places)
    }

    /// The endings before a section of ours that we wrote, as far as they are still there.
    fn gap_above(&self, header: &Range<usize>, gap: Gap, kept_below: bool) -> Range<usize> {
        let end: &[u8] = match self.0[header.clone()].ends_with(b"\r\n") {
            true => b"\r\n",
            false => b"\n",
        };
        let wanted = if kept_below {
            gap.endings().min(1)
        } else {
            gap.endings()
        };
        let mut start = header.start;
        for _ in 0..wanted {
            let Some(above) = self.0[..start].strip_suffix(end) else {
                break;
            };
            let is_empty_line = above.is_empty() || above.ends_with(b"\n");
            if start == header.start && !is_empty_line {
                break;
            }
            start = above.len();
        }
        start..header.start
    }
}
