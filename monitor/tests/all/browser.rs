//! The page in a real browser, where one is installed. With `ISONOMY_REQUIRE_BROWSER` set, there must be one.

use crate::serving::{Running, ago, fresh};
use crate::several::{followed, policy_of};
use crate::world::{World, policy};
use isonomy_monitor::Watch;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

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

/// Loads pages into frames of several widths, and writes how far the content of each reaches into the title.
fn harness(pages: &[String]) -> String {
    let frame = |page: &String| {
        let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
        [320, 360, 390, 768, 1280].map(|width| {
            format!("<iframe style=\"width:{width}px;height:900px;border:0\" srcdoc=\"{escaped}\"></iframe>")
        })
    };
    let frames: String = pages.iter().flat_map(frame).collect();
    format!(
        "<!doctype html><body>{frames}<script>addEventListener('load', () => {{
            const wide = [...document.querySelectorAll('iframe')].map(frame => {{
                frame.contentDocument.querySelectorAll('details').forEach(part => {{ part.open = true; }});
                const root = frame.contentDocument.documentElement;
                return root.scrollWidth + '/' + root.clientWidth;
            }});
            document.body.innerHTML = 'widths ' + wide.join(' ') + ' end';
        }});</script></body>"
    )
}

/// What a reader who does not see the page needs, found by looking at each page's elements; and contrast, computed from
/// what the browser paints.
const ACCESSIBLE: &str = r#"
const problems = [];
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parts = (colour) => (colour.match(/[0-9.]+/g) || []).map(Number);
const backdrop = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
    if (a === 1 && r !== undefined) return [r, g, b];
  }
  return [255, 255, 255];
};
const check = (name, page) => {
  const say = (problem) => problems.push(name + ': ' + problem);
  const all = (selector) => [...page.querySelectorAll(selector)];
  if (all('h1').length !== 1) say('not one h1');
  let level = 0;
  for (const heading of all('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) say('heading ' + heading.textContent + ' skips a level');
    level = next;
  }
  for (const landmark of ['header', 'nav[aria-label]', 'main', 'footer']) if (!page.querySelector(landmark)) say('no ' + landmark);
  if (page.documentElement.lang !== 'en') say('no language');
  all('table').forEach((table) => { if (!table.caption) say('a table without caption'); });
  all('thead th').forEach((th) => { if (th.scope !== 'col') say('a column without scope'); });
  all('tbody tr').forEach((tr) => { if (!tr.querySelector('th[scope=row]')) say('a row without heading: ' + tr.textContent); });
  all('section').forEach((section) => { if (!page.getElementById(section.getAttribute('aria-labelledby'))) say('a section without name'); });
  all('svg').forEach((svg) => {
    const named = (svg.getAttribute('aria-labelledby') || '').split(' ').every((id) => page.getElementById(id));
    if (svg.getAttribute('role') !== 'img' || !named) say('a chart without name');
  });
  all('input, textarea').forEach((field) => { if (!page.querySelector('label[for=' + field.id + ']')) say('a field without label'); });
  const ids = all('[id]').map((element) => element.id);
  if (new Set(ids).size !== ids.length) say('an id twice');
  all('a').forEach((a) => { if (!a.textContent.trim() || !a.hasAttribute('href')) say('a link without words or end: ' + a.outerHTML); });
  // Everything can be reached by keyboard, in the order of reading.
  all('[tabindex]').forEach((element) => { if (element.tabIndex > 0) say('an order of its own: ' + element.outerHTML.slice(0, 80)); });
  all('[onclick], [onkeydown], [role=button]').forEach((element) => say('only for some: ' + element.outerHTML.slice(0, 80)));
  if (all('a')[0]?.className !== 'skip' || !page.querySelector(all('a')[0].getAttribute('href'))) say('no way past the links');
  // Nothing is loaded, from here or elsewhere, and nothing needs a script.
  all('[src], [srcset], [background], object, embed, iframe, script, link:not([rel=alternate])').forEach((element) => say('loads: ' + element.outerHTML.slice(0, 80)));
  all('style').forEach((style) => { if (/url\(|@import/.test(style.textContent)) say('a style that loads'); });
  for (const element of all('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('.skip, noscript, script, style') || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const [one, other] = [luminance(parts(colour).slice(0, 3)), luminance(backdrop(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) say('contrast ' + ratio.toFixed(2) + ' of "' + element.textContent.trim().slice(0, 30) + '"');
  }
};
"#;

fn accessibility(pages: &[String]) -> String {
    let frames: Vec<String> = pages
        .iter()
        .map(|page| format!("<iframe srcdoc=\"{}\"></iframe>", page.replace('&', "&amp;").replace('"', "&quot;")))
        .collect();
    format!(
        "<!doctype html><body>{}<script>{ACCESSIBLE}addEventListener('load', () => {{
            [...document.querySelectorAll('iframe')].forEach((frame, at) => check('page ' + at, frame.contentDocument));
            document.body.textContent = 'problems ' + problems.join('; ') + ' end';
        }});</script></body>",
        frames.concat()
    )
}

/// A log with everything that the pages can show: charts, a breach, a fork, an announced widening.
fn eventful() -> (World, crate::world::Log) {
    let mut world = fresh();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    other.publish(ago(60));
    world.log.append("no statement\n");
    world.log.charter(|charter| charter.limits.max_added = 700);
    world.log.publish(ago(60));
    (world, other)
}

const SEVERAL: [&str; 3] = ["/", "/findings", "/verify"];
const EMPTY: [&str; 2] = ["/", "/log"];
const PAGES: [&str; 6] = ["/", "/findings", "/log", "/list/hotline.example/images", "/entry/1", "/verify"];

#[tokio::test]
async fn the_pages_fit_narrow_and_wide_screens_and_are_accessible() {
    let (world, other) = eventful();
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    running.page().await;
    let mut pages = Vec::new();
    for path in PAGES {
        pages.push(running.get(path).await.body.replace("<script src=\"/verify.js\"></script>", ""));
    }
    // Those of a monitor of several logs: one that is read, and one that can't be.
    let away = followed(policy_of("away.example/log"), isonomy_fetch::Source::folder(world.path("nowhere")));
    let logs = vec![followed(policy(&[]), world.log.source()), away];
    let watch = Watch { logs, poll_every: Duration::from_secs(1), ..Watch::new(world.path("several"), policy(&[])) };
    let several = Running::watching(watch).await;
    several.until("/findings", "not-a-statement").await;
    several.until("/findings", "unreachable").await;
    for path in SEVERAL {
        pages.push(several.get(path).await.body);
    }
    several.stop().await;
    // And those of a log in which nothing is published yet.
    let nothing = World::empty();
    std::fs::create_dir(&nothing.log.path).unwrap();
    let empty = Running::start(&nothing, vec![nothing.log.source()]).await;
    empty.until("/findings", "nothing was published there yet").await;
    for path in EMPTY {
        pages.push(empty.get(path).await.body);
    }
    let profile = world.path("profile");
    let run = |arguments: Vec<String>| {
        let profile = profile.clone();
        tokio::task::spawn_blocking(move || browser(&profile, &arguments))
    };
    let dump = |name: &str, text: String, dark: &[&str]| {
        let file = world.path(name);
        std::fs::write(&file, text).unwrap();
        let mut arguments = vec!["--dump-dom".to_owned(), format!("file://{}", file.display())];
        arguments.extend(dark.iter().map(|flag| (*flag).to_owned()));
        run(arguments)
    };
    let Some(shown) = dump("widths.html", harness(&pages), &[]).await.unwrap() else {
        empty.stop().await;
        return running.stop().await;
    };
    let between = |shown: &str, start: &str| {
        let (_, rest) = shown.split_once(start).unwrap_or_else(|| panic!("not measured: {shown:.300}"));
        rest.split(" end").next().unwrap().to_owned()
    };
    let widths = between(&shown, "widths ");
    let expected =
        ["320/320", "360/360", "390/390", "768/768", "1280/1280"].repeat(PAGES.len() + SEVERAL.len() + EMPTY.len());
    assert_eq!(widths.split(' ').collect::<Vec<_>>(), expected);
    for dark in [&[][..], &["--blink-settings=preferredColorScheme=0"]] {
        let shown = dump("accessible.html", accessibility(&pages), dark).await.unwrap().unwrap();
        assert_eq!(between(&shown, "problems "), "", "dark: {}", !dark.is_empty());
    }

    // For people to look at: over HTTP, under the pages' own security policy.
    if let Some(folder) = std::env::var_os("ISONOMY_SCREENSHOTS") {
        let folder = Path::new(&folder);
        let of_empty = EMPTY.map(|path| (&empty.address, path, "-empty"));
        for (address, path, kind) in PAGES.map(|path| (&running.address, path, "")).into_iter().chain(of_empty) {
            for (name, size, dark) in
                [("wide", "1280,3000", false), ("narrow", "500,5000", false), ("dark", "1280,2400", true)]
            {
                let page = path.trim_matches('/').replace('/', "-");
                let file = folder.join(format!("monitor{kind}-{page}-{name}.png"));
                let mut arguments = vec![format!("--screenshot={}", file.display()), format!("--window-size={size}")];
                if dark {
                    arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
                }
                arguments.push(format!("http://{address}{path}"));
                run(arguments).await.unwrap();
            }
        }
    }
    empty.stop().await;
    running.stop().await;
}

/// Loads the kept page from a file, gives it files as a person would, and sends what it says to `port`.
fn kept_harness(page: &str, cases: &[Vec<u8>], port: u16) -> String {
    let cases: Vec<String> =
        cases.iter().map(|bytes| format!("'{}'", isonomy_core::encoding::to_base64(bytes))).collect();
    format!(
        "<!doctype html><meta charset=\"utf-8\"><iframe id=\"frame\" src=\"{page}\"></iframe><script>
        const frame = document.getElementById('frame');
        const send = (words) => fetch('http://127.0.0.1:{port}/', {{ method: 'POST', mode: 'no-cors', body: words }});
        frame.addEventListener('load', async () => {{
            try {{
                const [page, view, said] = [frame.contentDocument, frame.contentWindow, []];
                const result = page.getElementById('result');
                for (const base64 of [{}, null]) {{
                    // The last is larger than what the page reads.
                    const bytes = base64 ? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) : new Uint8Array((4 << 20) + 1);
                    const files = new view.DataTransfer();
                    files.items.add(new view.File([bytes], 'evidence.json'));
                    page.getElementById('files').files = files.files;
                    const shown = new Promise((done) => new MutationObserver(() => result.textContent && done()).observe(result, {{ childList: true }}));
                    page.getElementById('form').requestSubmit();
                    await shown;
                    said.push(result.textContent);
                    page.getElementById('policy').dispatchEvent(new view.Event('input'));
                    if (result.textContent) throw new Error('it goes on being shown beside another policy');
                }}
                await send(said.join('\\n'));
            }} catch (error) {{ await send('failed: ' + error); }}
        }});</script>",
        cases.join(",")
    )
}

/// The body of the first POST that comes.
async fn posted(listener: tokio::net::TcpListener) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&request).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if body.len() >= length {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                    if head.starts_with("POST") {
                        return body.to_owned();
                    }
                    break;
                }
            }
            match stream.read(&mut chunk).await {
                Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
                _ => break,
            }
        }
    }
}

/// The page that is kept as a file, opened without a server, under its own policy, by the form that a person uses.
#[tokio::test]
async fn the_kept_page_verifies_evidence_from_a_file() {
    let (world, other) = eventful();
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    let findings = running.report_with("\"code\": \"fork\"").await;
    let findings: serde_json::Value = serde_json::from_str(&findings).unwrap();
    let evidence =
        findings["findings"].as_array().unwrap().iter().find(|found| found["code"] == "fork").unwrap()["evidence"]
            .as_str()
            .unwrap();
    let evidence = running.get(&format!("/evidence/{evidence}.json")).await.body;
    let kept = running.get("/verify.html").await;
    assert!(kept.head.contains("content-disposition: attachment") && !kept.body.contains("src="), "{}", kept.head);
    let page = running.get("/verify").await.body;
    assert!(page.contains(&isonomy_core::encoding::to_hex(&isonomy_core::hash::sha256(&[kept.body.as_bytes()]))));
    running.stop().await;

    let signature = evidence.find("\u{2014} log.example/isonomy ").unwrap() + 45;
    let mut changed = evidence.clone().into_bytes();
    changed[signature] = if changed[signature] == b'A' { b'B' } else { b'A' };
    std::fs::write(world.path("verify.html"), kept.body).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let harness = world.path("harness.html");
    std::fs::write(&harness, kept_harness("verify.html", &[evidence.into_bytes(), changed], port)).unwrap();
    let profile = format!("--user-data-dir={}", world.path("kept-profile").display());
    let mut flags =
        vec!["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    // One file may look into another: that is how the test sees what the page says.
    flags.extend(["--allow-file-access-from-files", &profile]);
    let url = format!("file://{}", harness.display());
    let spawn = |name: &&str| {
        Command::new(name).args(&flags).arg(&url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    };
    let Some(mut browser) = BROWSERS.iter().find_map(spawn) else {
        assert!(std::env::var_os("ISONOMY_REQUIRE_BROWSER").is_none(), "no browser is installed");
        return;
    };
    let said = tokio::time::timeout(Duration::from_secs(120), posted(listener)).await;
    browser.kill().unwrap();
    browser.wait().unwrap();
    let said = said.expect("the page says something in time");
    let [whole, changed, large] = said.split('\n').collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(whole.starts_with("The evidence holds") && whole.contains("log.example/isonomy"), "{whole}");
    assert!(changed.starts_with("This proves nothing"), "{changed}");
    assert!(large.starts_with("Not checked here") && large.contains("larger than"), "{large}");
}
