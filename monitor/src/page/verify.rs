//! The page on which a visitor's own browser checks a file.

use super::{Base, Page, Place, STYLE};
use crate::report::Report;
use isonomy_core::encoding::{to_base64, to_hex};
use isonomy_core::hash::sha256;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The second implementation of verification: one file of plain JavaScript.
pub(crate) const SCRIPT: &str = include_str!("verify.js");

/// The page.
pub(crate) fn verify(report: &Report, base: &Base) -> Markup {
    let body = html! {
        (form(report))
        section aria-labelledby="how" {
            h2 id="how" { "What is checked, and by what" }
            (how())
            p {
                "The program is " a href={ (base) "/verify.js" } { "one file of plain JavaScript" } ", written apart from the rest of "
                "Isonomy, so that one’s errors are not the other’s. "
                a href={ (base) "/verify.html" } download="isonomy-verify.html" { "This page with its program as one file" }
                " can be kept and opened without any network; its SHA-256 is " code { (to_hex(&sha256(&[verify_file(report).into_string().as_bytes()]))) } "."
            }
        }
        script src={ (base) "/verify.js" } {}
    };
    let title = format!("Verify a file · {}", report.log.origin);
    Page { place: Place::Verify, title: &title, base, origin: &report.log.origin, data: None, body }.render()
}

/// The page as one file, which needs nothing else and may load nothing: for use without a network.
pub(crate) fn verify_file(report: &Report) -> Markup {
    let digest = |text: &str| to_base64(&sha256(&[text.as_bytes()]));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { "Verify a file · " (report.log.origin) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { p class="brand" { "Isonomy" } }
                main id="main" {
                    (form(report))
                    section aria-labelledby="how" { h2 id="how" { "What is checked" } (how()) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn form(report: &Report) -> Markup {
    html! {
        h1 { "Verify a file" }
        p class="lead" {
            "Check a receipt, a proof, a bundle or a piece of evidence on your own machine. Your browser does the mathematics. "
            "The file is sent to nobody: this page is not allowed to send anything."
        }
        noscript {
            div class="status warning" { strong { "Checking needs JavaScript" } p {
                "Everything else here works without. The same can be checked by the command " code { "isonomy" } ", offline." } }
        }
        form id="form" class="verify" {
            div class="field" {
                label for="files" { "Files" }
                p class="small soft" id="files-help" {
                    "A receipt (" code { ".receipt.json.gz" } "), evidence (" code { ".json" } "), or a " code { "tlog-proof" } " or " code { "bundle" }
                    " together with the statements that it is about."
                }
                input id="files" type="file" multiple aria-describedby="files-help";
            }
            div class="field" {
                label for="policy" { "Whom you trust" }
                p class="small soft" id="policy-help" {
                    "The log, its witnesses, and how many must have signed (C2SP tlog-policy). Filled in is what this monitor "
                    "was told. For a check that does not depend on this monitor, put in what you know from elsewhere."
                }
                textarea id="policy" rows="8" spellcheck="false" aria-describedby="policy-help" { (report.log.policy) }
            }
            button type="submit" { "Verify" }
        }
        div id="result" role="status" aria-live="polite" {}
    }
}

fn how() -> Markup {
    html! {
        ul {
            li { "Signatures of the log, the witnesses, the maintainer and the curators: Ed25519, by your browser." }
            li { "That the statement stands in the log, and the entry in the list: SHA-256 and Merkle proofs (RFC 9162)." }
            li { "That enough witnesses have signed, and since when; that enough curators from enough jurisdictions have." }
        }
    }
}
