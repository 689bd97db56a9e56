//! Keys under a passphrase, by a file that the environment names.

use crate::scene::{PASSPHRASE, answer, command, write_private};
use std::fs;
use std::process::Stdio;

#[test]
fn a_key_under_a_passphrase_is_made_opened_and_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let run = |arguments: &[&str]| answer(&command(at, arguments).output().unwrap());
    let new = ["key", "new", "hotline.example", "--passphrase", "--out", "k"];

    // No file with a passphrase, and no terminal; where there is one, it would be asked.
    if fs::File::open("/dev/tty").is_err() {
        let mut alone = command(at, &new);
        let (code, said) = answer(&alone.env_remove("ISONOMY_PASSPHRASE_FILE").output().unwrap());
        assert!(code == Some(1) && said.to_string().contains("ISONOMY_PASSPHRASE_FILE"), "{said}");
        assert!(!at.join("k").exists());
    }

    // A file that others can read.
    write_private(&at.join("passphrase"), &format!("{PASSPHRASE}\n"));
    fs::set_permissions(at.join("passphrase"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = run(&new);
    assert!(code == Some(1) && said.to_string().contains("choose another passphrase"), "{said}");
    write_private(&at.join("passphrase"), "\n");
    assert!(run(&new).1.to_string().contains("it is empty"));

    write_private(&at.join("passphrase"), &format!("{PASSPHRASE}\n"));
    let (code, made) = run(&new);
    assert_eq!(code, Some(0), "{made}");
    assert_eq!(fs::metadata(at.join("k")).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(at.join("k")).unwrap();
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !made.to_string().contains(PASSPHRASE), "{text}");
    assert_eq!(run(&["key", "show", "k"]).1["vkey"], made["vkey"]);
    let (code, said) = run(&new);
    assert!(code == Some(1) && said.to_string().contains("exists"), "never overwritten: {said}");

    // A short one is taken, with a warning; one as asked for, without.
    write_private(&at.join("passphrase"), "fourteen chars\n");
    let short = command(at, &["key", "new", "short.example", "--passphrase", "--out", "short"]).output().unwrap();
    let warning = String::from_utf8_lossy(&short.stderr).into_owned();
    assert!(short.status.success() && warning.contains("fewer than 15 characters"), "{warning}");
    write_private(&at.join("passphrase"), &format!("{PASSPHRASE}\n"));
    let long = command(at, &["key", "show", "k"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&long.stderr).contains("warning"));

    // By a file that is open already, as a shell's `3<passphrase` gives.
    let mut show = command(at, &["key", "show", "k"]);
    show.env("ISONOMY_PASSPHRASE_FILE", "/dev/stdin")
        .stdin(Stdio::from(fs::File::open(at.join("passphrase")).unwrap()));
    assert_eq!(answer(&show.output().unwrap()).1["vkey"], made["vkey"]);

    // Another passphrase, and a file that was cut off.
    write_private(&at.join("passphrase"), "something else\n");
    let (code, said) = run(&["key", "show", "k"]);
    assert!(code == Some(4) && said.to_string().contains("the passphrase is wrong"), "{said}");
    write_private(&at.join("passphrase"), PASSPHRASE);
    write_private(&at.join("cut"), &text[..text.len() / 2]);
    let (code, said) = run(&["key", "show", "cut"]);
    assert!(code == Some(4) && said.to_string().contains("damaged or was cut off"), "{said}");
    let (hash, nonce) = ("A".repeat(43), "n".repeat(48));
    let greedy = format!("age-encryption.org/v1\n-> scrypt {} 40\n{hash}\n--- {hash}\n{nonce}", "A".repeat(22));
    write_private(&at.join("greedy"), &greedy);
    let (code, said) = run(&["key", "show", "greedy"]);
    assert!(code == Some(4) && said.to_string().contains("2^40 rounds"), "{said}");

    // A result is never written over a key, under a passphrase or not.
    fs::write(at.join("hashes"), crate::scene::hashes(0..3)).unwrap();
    let (code, said) = run(&["list", "import", "hashes", "--out", "k", "--force"]);
    assert!(code == Some(3) && said.to_string().contains("is a private key"), "{said}");
    assert_eq!(fs::read_to_string(at.join("k")).unwrap(), text);
}

#[test]
fn a_log_opens_its_key_with_the_passphrase_too() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write_private(&at.join("passphrase"), PASSPHRASE);
    let new = ["key", "new", "witness.example", "--kind", "witness", "--passphrase", "--out", "w.key"];
    let (code, made) = answer(&command(at, &new).output().unwrap());
    assert_eq!(code, Some(0), "{made}");
    let log = answer(&command(at, &["key", "new", "log.example", "--out", "log.key"]).output().unwrap()).1;
    let vkey = log["vkey"].as_str().unwrap();
    let serve =
        ["witness", "serve", "--new", "--data", "data", "--key", "w.key", "--log", vkey, "--listen", "127.0.0.1:0"];
    let witness = crate::scene::Server::start(at, &serve);
    assert!(witness.url.starts_with("http://127.0.0.1:"));
}
