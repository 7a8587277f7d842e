//! A page in headless Chromium, where there is one: no error on its console, and every drawing has a size. With
//! PHYLON_BROWSER=require there has to be one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "google-chrome-stable", "chrome"];
/// At the end of the page: how many drawings there are, and how many have a size.
const PROBE: &str = "<script>const all = [...document.querySelectorAll('svg')]; \
    const drawn = all.filter(s => { const r = s.getBoundingClientRect(); return r.width > 100 && r.height > 100 && \
    s.querySelectorAll('path, polyline, circle, rect, line, polygon').length > 3; }); \
    document.body.dataset.drawings = all.length + ' ' + drawn.length;</script>";

/// Open a page that must have so many drawings. Without a browser it says so and passes.
pub fn open(page: &Path, drawings: usize) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = || std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let Some(browser): Option<PathBuf> = candidates().find(|file| file.is_file()) else {
        assert_ne!(
            std::env::var("PHYLON_BROWSER").as_deref(),
            Ok("require"),
            "no browser on PATH: {}",
            NAMES.join(", ")
        );
        eprintln!("no browser on PATH ({}): {} is not opened", NAMES.join(", "), page.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let probed = folder.path().join("page.html");
    let text = fs::read_to_string(page).unwrap();
    fs::write(&probed, text.replace("</body>", &format!("{PROBE}</body>"))).unwrap();
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let output = Command::new(browser)
        .args([
            "--headless",
            "--disable-gpu",
            "--no-sandbox",
            "--enable-logging=stderr",
            "--v=0",
            "--dump-dom",
            &profile,
        ])
        .arg(format!("file://{}", probed.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{log}");
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let told = dom.split("data-drawings=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(told, Some(format!("{drawings} {drawings}").as_str()), "{}", page.display());
}
