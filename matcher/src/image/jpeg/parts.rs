//! What a JPEG file consists of (ITU-T T.81, annex B).

const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
const ALONE: u8 = 0x01;
const START: u8 = 0xd8;
const END: u8 = 0xd9;
pub(super) const START_OF_SCAN: u8 = 0xda;
const RESTART_INTERVAL: u8 = 0xdd;

/// The kinds of frame that are decoded: baseline, extended, progressive.
const FRAMES: std::ops::RangeInclusive<u8> = 0xc0..=0xc2;
const PROGRESSIVE_FRAME: u8 = 0xc2;

/// The other kinds of frame; 0xc4, 0xc8 and 0xcc are none.
const OTHER_FRAMES: [u8; 10] = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/// The head of a sequence of frames, each of which refines the one before.
const HIERARCHY: u8 = 0xde;

const METADATA: u8 = 0xe1;

/// How a picture begins.
pub(super) const BEGINNING: [u8; 3] = [0xff, START, 0xff];

/// Up to this coefficient, a progressive picture shows what its hash depends on.
const SHARP: u8 = 5;

/// From so many zeros on, the end of a file without end marker is taken for space that was never written.
const UNWRITTEN: usize = 64;

#[derive(Clone, Copy)]
struct Component {
    id: u8,
    horizontal: usize,
    vertical: usize,
}

/// The brightness that scans have brought.
#[derive(Clone, Copy, Default)]
struct Brightness {
    mean: bool,
    sharp: bool,
}

/// What is said before and between the image data, and where that ends.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) is_progressive: bool,
    /// Passes over the picture.
    pub(super) scans: u64,
    /// Where the image data ends.
    pub(super) end: usize,
    /// Whether that is known, since an end marker follows there, or the beginning of another picture.
    pub(super) is_closed: bool,
    /// Why no frame of it is decoded, if that is so.
    undecodable: Option<&'static str>,
    width: usize,
    height: usize,
    components: Vec<Component>,
    /// Components of all scans.
    scanned: usize,
    restart_interval: usize,
    restarts: usize,
    /// What the last scan brings, and what those before it have brought.
    last: Brightness,
    before_last: Brightness,
}

impl Parts {
    /// Steps over segments and data to the end marker, so that a thumbnail in a segment counts for nothing; `None` if there
    /// is no image data.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        let (mut parts, mut at, mut end) = (Self::default(), 2, None);
        while let Some((place, marker)) = next_marker(file, at) {
            at = place + 2;
            match marker {
                END => {
                    (end, parts.is_closed) = (Some(place), true);
                    break;
                }
                marker if RESTARTS.contains(&marker) => parts.restarts += 1,
                // Encoders write no such thing into data: the end marker is missing, and another picture follows.
                START if parts.scans > 0 && file[place..].starts_with(&BEGINNING) => {
                    (end, parts.is_closed) = (Some(written(&file[..place])), true);
                    break;
                }
                ALONE | START => {}
                marker => {
                    let size = file[at..].first_chunk().map_or(0, |size| usize::from(u16::from_be_bytes(*size)));
                    let Some(body) = file.get(at + 2..at + size.max(2)) else {
                        end = Some(place);
                        break;
                    };
                    parts.take(marker, body);
                    at += size.max(2);
                }
            }
        }
        parts.end = end.unwrap_or_else(|| written(file));
        (parts.scans > 0).then_some(parts)
    }

    fn take(&mut self, marker: u8, body: &[u8]) {
        match (marker, body) {
            (marker, [bits, y0, y1, x0, x1, _, components @ ..]) if FRAMES.contains(&marker) => {
                self.is_progressive = marker == PROGRESSIVE_FRAME;
                self.undecodable = match (bits, y0 | y1) {
                    (8, 1..) => self.undecodable,
                    (8, 0) => Some("its height comes after its data"),
                    _ => Some("its colours have more than eight bits"),
                };
                let side = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
                (self.width, self.height) = (side(x0, x1), side(y0, y1));
                let component = |[id, sampling, _]: &[u8; 3]| Component {
                    id: *id,
                    horizontal: usize::from(sampling >> 4).max(1),
                    vertical: usize::from(sampling & 15).max(1),
                };
                self.components = components.as_chunks().0.iter().map(component).collect();
            }
            (HIERARCHY, _) => self.undecodable = Some("it is hierarchical"),
            (marker, _) if OTHER_FRAMES.contains(&marker) => {
                self.undecodable = Some("it is lossless, hierarchical or coded arithmetically");
            }
            (RESTART_INTERVAL, [high, low, ..]) => {
                self.restart_interval = usize::from(u16::from_be_bytes([*high, *low]));
            }
            (START_OF_SCAN, [_, rest @ ..]) => self.take_scan(rest),
            _ => {}
        }
    }

    fn take_scan(&mut self, rest: &[u8]) {
        self.scans += 1;
        self.before_last.mean |= self.last.mean;
        self.before_last.sharp |= self.last.sharp;
        self.last = Brightness::default();
        let [components @ .., first, last, _] = rest else { return };
        let components = components.as_chunks::<2>().0;
        self.scanned += components.len();
        let brightness = self.components.first().map(|component| component.id);
        if components.iter().any(|[id, _]| Some(*id) == brightness) {
            self.last = Brightness { mean: *first == 0, sharp: *first == 1 && *last >= SHARP };
        }
    }

    /// Width and height, as the file says.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// Why it is of a kind that is not decoded.
    pub(super) fn undecodable(&self) -> Option<&'static str> {
        self.undecodable
    }

    /// Whether a component never comes.
    pub(super) fn lacks_components(&self) -> bool {
        self.scanned < self.components.len()
    }

    /// Whether there are fewer marks within the data than must be. (The decoder would step over what is missing.)
    pub(super) fn lacks_restarts(&self) -> bool {
        if self.is_progressive || self.scans > 1 || self.restart_interval == 0 {
            return false;
        }
        let (mut horizontal, mut vertical) = (1, 1);
        if self.components.len() > 1 {
            horizontal = self.components.iter().map(|component| component.horizontal).max().unwrap_or(1);
            vertical = self.components.iter().map(|component| component.vertical).max().unwrap_or(1);
        }
        let units = self.width.div_ceil(8 * horizontal) * self.height.div_ceil(8 * vertical);
        self.restarts + 1 < units.div_ceil(self.restart_interval)
    }

    /// Whether the scans before the last, which may be cut, have brought all of the brightness but its finest detail.
    pub(super) fn is_sharp(&self) -> bool {
        self.before_last.mean && self.before_last.sharp
    }

    /// Whether all scans together bring that.
    pub(super) fn becomes_sharp(&self) -> bool {
        (self.before_last.mean || self.last.mean) && (self.before_last.sharp || self.last.sharp)
    }

    /// How many rows of pixels are coded together.
    pub(super) fn unit_rows(&self) -> usize {
        8 * self.components.iter().map(|component| component.vertical).max().unwrap_or(1)
    }
}

/// All metadata before the pixels: Exif, XMP and others, each with its mark.
pub(in super::super) fn metadata(file: &[u8]) -> Vec<&[u8]> {
    let (mut metadata, mut at) = (Vec::new(), 2);
    while let Some((place, marker)) = next_marker(file, at) {
        at = place + 2;
        if matches!(marker, END | START_OF_SCAN) {
            break;
        }
        if marker == ALONE || marker == START || RESTARTS.contains(&marker) {
            continue;
        }
        let size = file[at..].first_chunk().map_or(2, |size| usize::from(u16::from_be_bytes(*size)).max(2));
        let Some(body) = file.get(at + 2..at + size) else { break };
        metadata.extend((marker == METADATA).then_some(body));
        at += size;
    }
    metadata
}

/// The length of what was written, if the rest is empty space.
fn written(file: &[u8]) -> usize {
    let written = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if file.len() - written >= UNWRITTEN { written } else { file.len() }
}

/// The next marker, and where it stands. Within data, 0xff is followed by 0 if it is none; before a marker it may be repeated.
fn next_marker(file: &[u8], from: usize) -> Option<(usize, u8)> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff);
    let place = from + file.get(from..)?.windows(2).position(is_marker)?;
    Some((place, file[place + 1]))
}
