//! The page in a real browser, where one is installed. With `ISONOMY_REQUIRE_BROWSER` set, there must be one.

use crate::serving::{Running, ago, fresh};
use std::path::Path;
use std::process::Command;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Runs a headless browser; `None` if there is none.
fn browser(profile: &Path, arguments: &[String]) -> Option<String> {
    for name in BROWSERS {
        let mut command = Command::new(name);
        command.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        if let Ok(output) = command.args(arguments).output() {
            return Some(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    assert!(std::env::var_os("ISONOMY_REQUIRE_BROWSER").is_none(), "no browser is installed");
    None
}

/// Loads the page into frames of several widths, and writes how far its content reaches into the title.
fn harness(page: &str) -> String {
    let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
    let frames: String = [320, 390, 768, 1280]
        .map(|width| format!("<iframe style=\"width:{width}px;height:900px;border:0\" srcdoc=\"{escaped}\"></iframe>"))
        .concat();
    format!(
        "<!doctype html><body>{frames}<script>addEventListener('load', () => {{
            const wide = [...document.querySelectorAll('iframe')].map(frame => {{
                const root = frame.contentDocument.documentElement;
                return root.scrollWidth + '/' + root.clientWidth;
            }});
            document.body.innerHTML = 'widths ' + wide.join(' ') + ' end';
        }});</script></body>"
    )
}

#[tokio::test]
async fn the_page_fits_narrow_and_wide_screens() {
    let mut world = fresh();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    other.publish(ago(60));
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    let page = running.page().await;
    let (profile, file) = (world.path("profile"), world.path("harness.html"));
    std::fs::write(&file, harness(&page)).unwrap();
    let arguments = ["--dump-dom".to_owned(), format!("file://{}", file.display())];
    let run = |arguments: Vec<String>| {
        let profile = profile.clone();
        tokio::task::spawn_blocking(move || browser(&profile, &arguments))
    };
    let Some(shown) = run(arguments.to_vec()).await.unwrap() else { return running.stop().await };
    let (_, widths) = shown.split_once("widths ").unwrap_or_else(|| panic!("not measured: {shown:.300}"));
    let widths: Vec<&str> = widths.split(" end").next().unwrap().split(' ').collect();
    assert_eq!(widths, ["320/320", "390/390", "768/768", "1280/1280"]);

    // For people to look at: over HTTP, under the page's own security policy.
    if let Some(folder) = std::env::var_os("ISONOMY_SCREENSHOTS") {
        let folder = Path::new(&folder);
        for (name, size, dark) in
            [("wide", "1280,4300", false), ("narrow", "500,3800", false), ("dark", "1280,1600", true)]
        {
            let mut arguments = vec![
                format!("--screenshot={}", folder.join(format!("monitor-{name}.png")).display()),
                format!("--window-size={size}"),
            ];
            if dark {
                arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
            }
            arguments.push(format!("http://{}/", running.address));
            run(arguments).await.unwrap();
        }
    }
    running.stop().await;
}
