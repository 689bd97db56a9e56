//! The README's section "The same by hand", run exactly as it stands there, each role in a process of its own. Only the
//! ports are replaced by free ones.

mod process;

use process::{free_ports, isonomy, repository};
use std::fs;
use std::process::Command;

const HEADING: &str = "## The same by hand";
const PORTS: [&str; 5] = ["7310", "7321", "7322", "7323", "7330"];

/// The shell blocks of the section.
fn blocks(readme: &str) -> Vec<String> {
    let section = readme.split_once(HEADING).expect("the section").1;
    let section = section.split("\n## ").next().expect("its text");
    let mut blocks = Vec::new();
    for part in section.split("```sh\n").skip(1) {
        blocks.push(part.split("```").next().expect("the end of a block").to_owned());
    }
    blocks
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("the README");
    let blocks = blocks(&readme);
    assert!(blocks.len() >= 6, "only {} blocks", blocks.len());
    let mut script = String::from("set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n");
    script += &blocks.join("\n");
    for (port, free) in PORTS.iter().zip(free_ports::<5>()) {
        assert!(script.contains(port), "port {port} isn't used");
        script = script.replace(port, &free.to_string());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).expect("a folder");
    for entry in fs::read_dir(repository().join("photos")).expect("photographs").flatten() {
        fs::copy(entry.path(), photos.join(entry.file_name())).expect("a copy");
    }
    let binary = isonomy();
    let path = format!("{}:{}", binary.parent().expect("its folder").display(), std::env::var("PATH").expect("a path"));
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .current_dir(folder.path())
        .output()
        .expect("bash runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?}\n--- out\n{out}\n--- err\n{err}", output.status);

    for expected in [
        "public for ",
        "refused, exit code 3",
        "version 1 is in force, the first here",
        "version 2 is in force, after version 1",
        "content by object/",
        "matched, exit code 5",
        "rocket.jpg: match",
        "distance 0",
        "✓ what matched is at distance 0 from it",
        "✓ that release is in the log log.example/demo",
    ] {
        assert!(
            out.contains(expected) || err.contains(expected),
            "nothing says {expected:?}\n--- out\n{out}\n--- err\n{err}"
        );
    }
    assert!(fs::read_dir(folder.path().join("device/refusals")).expect("refusals").count() >= 1);
}
