//! The header that is committed is what the code says. `ISONOMY_UPDATE_DOCS=1` writes it anew.

use std::path::Path;

#[test]
fn the_header_is_what_the_code_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("the configuration");
    let sources = ["boundary.rs", "failure.rs", "session.rs"].map(|name| here.join("src").join(name));
    let builder = sources.iter().fold(cbindgen::Builder::new(), |builder, path| builder.with_src(path));
    let mut text = Vec::new();
    builder.with_config(config).generate().expect("a header").write(&mut text);
    let text = String::from_utf8(text).expect("text");
    let path = here.join("include/isonomy.h");
    if std::env::var_os("ISONOMY_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("the header");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "include/isonomy.h is not what the code says; ISONOMY_UPDATE_DOCS=1 writes it anew");
}
