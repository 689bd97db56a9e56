//! The frames of a video, as a process decodes them.

use super::facts::{self, ASKED, ASKED_OF_ALL, Facts, SaidBy};
use super::process::{Patience, Process};
use super::{VideoLimits, ppm};
use isonomy_matcher::pdq::{self, PdqHash};
use isonomy_matcher::video::{Unseen, Video, VideoError};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Formats that hold videos and name no other files.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf";

/// Decoders of video.
const VIDEO: &str = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,libdav1d,libaom-av1,av1,mpeg4,mpeg1video,mpeg2video,h263,h263p,\
                     flv,theora,wmv1,wmv2,wmv3,vc1,msmpeg4v1,msmpeg4v2,msmpeg4,mjpeg,prores,dvvideo";

/// Decoders of pictures, which a file can have as its cover.
const COVERS: &str = "png,bmp,gif,webp";

/// Decoders of sound that people's videos have. Nothing is decoded by them, but ffprobe opens one for each stream, and gives up if
/// it may not.
const SOUND: &str = "aac,aac_fixed,aac_latm,mp1,mp1float,mp2,mp2float,mp3,mp3float,mp3adu,mp3adufloat,opus,libopus,vorbis,\
                     libvorbis,flac,alac,ac3,ac3_fixed,eac3,dca,truehd,mlp,amrnb,amrwb,libopencore_amrnb,\
                     libopencore_amrwb,libgsm,libgsm_ms,gsm,gsm_ms,wmav1,wmav2,wmapro,wmalossless,wmavoice,speex,libspeex,\
                     nellymoser,cook,ra_144,ra_288,qcelp,qdm2,qdmc,atrac1,atrac3,atrac3p,tta,wavpack,truespeech,g729,g722,\
                     g726,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_swf,adpcm_yamaha,adpcm_g722,adpcm_g726,pcm_alaw,\
                     pcm_mulaw,pcm_bluray,pcm_dvd,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_s8,pcm_u8,pcm_s16be,\
                     pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,\
                     pcm_u32be,pcm_u32le,pcm_lxf,pcm_vidc,s302m";

/// Decoders of text, for the same reason.
const TEXT: &str =
    "mov_text,subrip,srt,ass,ssa,webvtt,text,dvbsub,dvdsub,pgssub,xsub,cc_dec,libzvbi_teletextdec,libaribb24";

/// The two programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decoder {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
}

impl Decoder {
    /// On this search path.
    pub(super) fn find(path: &OsStr) -> Option<Self> {
        let find = |name: &str| std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
        Some(Self { ffmpeg: find("ffmpeg")?, ffprobe: find("ffprobe")? })
    }
}

/// PDQ makes a picture into a grid of 64 × 64 first: a smaller one has nothing for that.
const LEAST_SIDE: usize = 64;

/// What both programs are told about the file.
const INPUT: [&str; 6] = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", "file:/dev/stdin"];

/// A video of which is known what the file says, and that it is within the limits.
pub(super) struct Film<'v> {
    decoder: &'v Decoder,
    file: &'v File,
    limits: &'v VideoLimits,
    patience: Patience<'v>,
    facts: Facts,
}

/// What came of decoding it once.
struct Look {
    hashes: Vec<PdqHash>,
    /// What of it the decoder could not give.
    unseen: Option<Unseen>,
}

impl<'v> Film<'v> {
    pub(super) fn open(
        decoder: &'v Decoder,
        file: &'v File,
        limits: &'v VideoLimits,
        patience: Patience<'v>,
    ) -> Result<Self, VideoError> {
        let mut film = Self { decoder, file, limits, patience, facts: Facts::default() };
        film.facts = film.ask(&ASKED, Facts::read, Err(VideoError::NoVideo))?;
        film.facts.check(limits)?;
        Ok(film)
    }

    /// Hashes the frames that count and, where these come too unevenly to show all of it, those of a second look.
    pub(super) fn hash(&self) -> Result<Video, VideoError> {
        let Look { hashes, unseen } = self.look(&facts::filter_by_number(&self.facts), self.facts.sampled())?;
        let unseen = self.facts.other_videos().or(unseen);
        let unseen = if unseen.is_some() { unseen } else { self.missing()? };
        let (video, also_unseen) = self.look_again(Video::new(hashes))?;
        Ok(match unseen.or(also_unseen) {
            Some(unseen) => video.without(unseen),
            None => video,
        })
    }

    /// Takes a second look if there is a gap. If that fails, the first one still counts, and the gap remains.
    fn look_again(&self, video: Video) -> Result<(Video, Option<Unseen>), VideoError> {
        let Some(gap) = self.facts.gap() else { return Ok((video, None)) };
        let expected = self.facts.seconds();
        if expected > self.limits.frames {
            return Ok((video, Some(gap)));
        }
        match self.look(&facts::filter_by_time(), expected) {
            Ok(Look { hashes, unseen }) => Ok((video.looked_at_again(hashes, gap), unseen)),
            Err(VideoError::Abandoned) => Err(VideoError::Abandoned),
            Err(_) => Ok((video, Some(gap))),
        }
    }

    /// Whether its end is missing. Where the file says one duration for all, that can be the sound's.
    fn missing(&self) -> Result<Option<Unseen>, VideoError> {
        let missing = match self.facts.missing() {
            Some((_, SaidBy::File)) => {
                let end = self.ask(&ASKED_OF_ALL, facts::end_of_all, Ok(f64::NEG_INFINITY))?;
                self.facts.missing_of(end)
            }
            missing => missing.map(|(missing, _)| missing),
        };
        Ok(missing.map(|seconds| Unseen::Short { seconds: seconds as u64 }))
    }

    /// Asks ffprobe, and reads its answer. `nothing` is the answer if it says nothing.
    fn ask<T: Send + 'static>(
        &self,
        asked: &[&str],
        read: fn(std::process::ChildStdout) -> Result<T, VideoError>,
        nothing: Result<T, VideoError>,
    ) -> Result<T, VideoError> {
        let of_video = [VIDEO, COVERS].join(",");
        let codecs = ["-codec_whitelist:v", &of_video, "-codec_whitelist:a", SOUND, "-codec_whitelist:s", TEXT];
        let arguments = [&["-v", "error"][..], asked, &codecs, &INPUT].concat();
        let (mut process, output) = Process::start(&self.decoder.ffprobe, &arguments, self.file, self.limits)?;
        let (sender, said) = sync_channel(1);
        // Whoever waits has gone if the time is over.
        thread::spawn(move || sender.send(read(output)));
        match self.patience.next(&said)? {
            Some(Err(why)) if why != VideoError::NoVideo => Err(why),
            // Why it failed says more than that its answer is empty.
            answer => process.finish(&self.patience).and(answer.unwrap_or(nothing)),
        }
    }

    /// Decodes it, and hashes the frames that `filter` picks.
    fn look(&self, filter: &str, expected: usize) -> Result<Look, VideoError> {
        let limits = self.limits;
        // As vPDQ converts colours: without regard to what the file says of them.
        let filter = format!("{filter},scale=in_color_matrix=bt601:flags=area,format=rgb24,settb=1,setpts=N");
        let most = (limits.frames + 1).to_string();
        // However long a frame is shown, that is not taken for a mistake.
        let times = ["-dts_delta_threshold", "1000000000", "-dts_error_threshold", "1000000000"];
        let before = ["-nostdin", "-v", "error", "-threads", "2", "-noautorotate", "-codec_whitelist", VIDEO];
        // Where frames change their size, all filters would begin anew, and count from 0 again. Instead, frames become as large as the
        // first, which a hash of the whole picture survives unless that is very small.
        let sizes = ["-reinit_filter", "0"];
        let after = ["-map", "0:V:0", "-vf", &filter, "-r", "1", "-frames:v", &most, "-c:v", "ppm"];
        let output = ["-f", "image2pipe", "pipe:1"];
        let arguments = [&before[..], &times, &sizes, &INPUT, &after, &output].concat();
        let (mut process, output) = Process::start(&self.decoder.ffmpeg, &arguments, self.file, limits)?;
        let (hashes, small) = self.hash_all(output)?;
        let complaint = process.finish(&self.patience)?.map(|reason| Unseen::Damaged { reason });
        let unseen = complaint.or(small).or_else(|| facts::too_few(hashes.len(), expected));
        Ok(Look { hashes, unseen })
    }

    /// Hashes pictures as they come, none of which is kept. Says if one is too small for that.
    fn hash_all(&self, output: impl Read + Send + 'static) -> Result<(Vec<PdqHash>, Option<Unseen>), VideoError> {
        let (sender, pictures) = sync_channel(1);
        let (mut output, most) = (BufReader::with_capacity(1 << 20, output), self.limits.pixels);
        thread::spawn(move || {
            while let Some(picture) = ppm::read(&mut output, most).transpose() {
                let is_last = picture.is_err();
                if sender.send(picture).is_err() || is_last {
                    break;
                }
            }
        });
        let (mut hashes, mut small) = (Vec::new(), None);
        while let Some(picture) = self.patience.next(&pictures)?.transpose()? {
            if hashes.len() == self.limits.frames {
                return Err(VideoError::TooLong { limit: self.limits.frames });
            }
            let (width, height) = (picture.width(), picture.height());
            if width.min(height) < LEAST_SIDE {
                small = Some(Unseen::Small { width, height });
            }
            hashes.push(pdq::hash(&picture));
        }
        Ok((hashes, small))
    }
}
