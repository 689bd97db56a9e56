//! What animations in PNG and WebP files consist of, as far as the decoders don't say.

/// What a PNG file says of its animation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PngAnimation {
    /// How many frames there are.
    pub(super) frames: u32,
    /// Whether the picture that is shown where animations are not is none of them.
    pub(super) has_own_still: bool,
}

impl PngAnimation {
    /// `None` if there is no animation.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        let (mut frames, mut has_own_still) = (None, true);
        let mut rest = file.get(8..)?;
        while let Some((header, after)) = rest.split_first_chunk::<8>() {
            let [size, kind] = [&header[..4], &header[4..]];
            match kind {
                b"acTL" => frames = after.first_chunk().map(|count| u32::from_be_bytes(*count)),
                b"fcTL" => has_own_still = false,
                b"IDAT" => break,
                _ => {}
            }
            let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize;
            rest = after.get(size.saturating_add(4)..)?;
        }
        frames.map(|frames| Self { frames, has_own_still })
    }
}

/// How many frames a WebP file has; `None` if it ends before it says that it does.
pub(super) fn webp_frames(file: &[u8]) -> Option<usize> {
    let (header, after) = file.split_first_chunk::<12>()?;
    let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let (mut rest, mut frames) = (after.get(..size.saturating_sub(4))?, 0);
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        frames += usize::from(header.starts_with(b"ANMF"));
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        rest = after.get(size.saturating_add(size % 2)..)?;
    }
    Some(frames)
}
