//! Arguments of `isonomy list`.

use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AlgorithmArg {
    /// pdq/full: pictures that look alike.
    Pdq,
    /// SHA-256: identical files.
    Sha256,
    /// SHA-1: identical files.
    Sha1,
    /// MD5: identical files.
    Md5,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FormatArg {
    /// Recognise it by the content.
    Auto,
    /// One hash a line, hexadecimal or base64.
    Lines,
    /// CSV with a named column.
    Csv,
    /// The output of sha256sum, sha1sum or md5sum.
    Sums,
}

#[derive(Subcommand)]
pub(crate) enum ListCommand {
    /// Read hashes from files that maintainers have, into a sorted list.
    Import {
        /// The files to read.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Which hashes they are.
        #[arg(long, value_enum, default_value = "pdq")]
        algorithm: AlgorithmArg,
        /// How they are written.
        #[arg(long, value_enum, default_value = "auto")]
        format: FormatArg,
        /// For CSV: the column that holds the hash.
        #[arg(long, value_name = "NAME")]
        column: Option<String>,
        /// For CSV with a column `quality`: the least quality of a hash that is taken.
        #[arg(long, value_name = "0-100", default_value_t = 0)]
        min_quality: u64,
        /// Go on without the lines that are refused.
        #[arg(long)]
        skip_invalid: bool,
        /// Take PDQ hashes with other than 128 bits set; the release counts them in public.
        #[arg(long)]
        allow_irregular: bool,
        /// The list to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Hash a folder of pictures.
    Hash {
        /// The folder.
        folder: PathBuf,
        /// The CSV file to write: file,width,height,quality,pdq.
        #[arg(long, value_name = "FILE")]
        csv: PathBuf,
    },
    /// Say what a list holds.
    Info {
        /// The list.
        file: PathBuf,
        /// Which hashes it holds.
        #[arg(long, value_enum, default_value = "pdq")]
        algorithm: AlgorithmArg,
    },
}
