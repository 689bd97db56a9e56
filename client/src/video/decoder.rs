//! The frames of a video, as a process decodes them.

use super::facts::{ASKED, Facts};
use super::process::{Patience, Process};
use super::{VideoLimits, ppm};
use isonomy_matcher::image::Picture;
use isonomy_matcher::video::{Unseen, VideoError};
use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
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

    fn facts(&self, file: &File, limits: &VideoLimits, patience: &Patience<'_>) -> Result<Facts, VideoError> {
        let of_video = [VIDEO, COVERS].join(",");
        let codecs = ["-codec_whitelist:v", &of_video, "-codec_whitelist:a", SOUND, "-codec_whitelist:s", TEXT];
        let arguments = [&["-v", "error"][..], &ASKED, &codecs, &INPUT].concat();
        let (mut process, output) = Process::start(&self.ffprobe, &arguments, file, limits)?;
        let (sender, said) = sync_channel(1);
        // Whoever waits has gone if the time is over.
        thread::spawn(move || sender.send(Facts::read(output)));
        match patience.next(&said)? {
            Some(Err(why)) if why != VideoError::NoVideo => Err(why),
            // Why it failed says more than that its answer is empty.
            facts => process.finish(patience).and(facts.unwrap_or(Err(VideoError::NoVideo))),
        }
    }
}

/// What both programs are told about the file.
const INPUT: [&str; 6] = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", "file:/dev/stdin"];

/// The frames of a video, as they are decoded.
pub(super) struct Frames<'p> {
    facts: Facts,
    process: Process,
    pictures: Receiver<Result<Picture, VideoError>>,
    patience: Patience<'p>,
    given: usize,
}

impl<'p> Frames<'p> {
    pub(super) fn decode(
        decoder: &Decoder,
        file: &File,
        limits: &VideoLimits,
        patience: Patience<'p>,
    ) -> Result<Self, VideoError> {
        let facts = decoder.facts(file, limits, &patience)?;
        facts.check(limits)?;
        // As vPDQ converts colours: without regard to what the file says of them.
        let filter = format!(
            "select=not(mod(n\\,{})),scale=in_color_matrix=bt601:flags=area,format=rgb24,\
             settb=1,setpts=N",
            facts.step()
        );
        let frames = (limits.frames + 1).to_string();
        let before = ["-nostdin", "-v", "error", "-threads", "2", "-noautorotate", "-codec_whitelist", VIDEO];
        let after = ["-map", "0:V:0", "-vf", &filter, "-r", "1", "-frames:v", &frames, "-c:v", "ppm"];
        let output = ["-f", "image2pipe", "pipe:1"];
        let arguments = [&before[..], &INPUT, &after, &output].concat();
        let (process, output) = Process::start(&decoder.ffmpeg, &arguments, file, limits)?;
        let (sender, pictures) = sync_channel(1);
        let (mut output, most) = (BufReader::with_capacity(1 << 20, output), limits.pixels);
        thread::spawn(move || {
            while let Some(picture) = ppm::read(&mut output, most).transpose() {
                let is_last = picture.is_err();
                if sender.send(picture).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self { facts, process, pictures, patience, given: 0 })
    }

    /// The next one; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Picture>, VideoError> {
        let picture = self.patience.next(&self.pictures)?.transpose()?;
        self.given += usize::from(picture.is_some());
        Ok(picture)
    }

    /// After the last one: what of the video they don't show.
    pub(super) fn finish(mut self) -> Result<Option<Unseen>, VideoError> {
        let complaint = self.process.finish(&self.patience)?;
        Ok(complaint.map(|reason| Unseen::Damaged { reason }).or_else(|| self.facts.unseen(self.given)))
    }
}
