//! A real browser: Chromium, driven over WebDriver (W3C) by its own driver.
//! Owns both processes and the profile, which end with the test. Refuses the network beyond this machine.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::child::Running;
use super::left_out::{is_there, left_out};
use super::redact::Redactions;
use super::wait::{LIMIT, wait_until};

/// W3C WebDriver, section 12: under which name an element is given.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What its driver says, with its port, once it can be called.
const STARTED: &str = "was started successfully on port ";

/// A browser with one tab.
pub struct Chromium {
    http: reqwest::Client,
    runtime: Runtime,
    session: String,
    _profile: TempDir,
    _driver: Running,
}

impl Chromium {
    /// A fresh one; none, said to be left out of `test`, where it is not installed.
    #[track_caller]
    pub fn start(test: &str) -> Option<Self> {
        let (Some(driver), Some(binary)) = (is_there("chromedriver"), is_there("chromium")) else {
            left_out(
                test,
                "chromium is missing: sudo apt-get install chromium chromium-driver",
            );
            return None;
        };
        let profile = tempfile::Builder::new().prefix("jit-chromium-").tempdir().unwrap();
        let (running, port) = start_driver(&driver, profile.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut browser = Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            runtime: runtime.unwrap(),
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
            _driver: running,
        };
        let data = format!("--user-data-dir={}", browser._profile.path().join("profile").display());
        let options = json!({
            "binary": binary,
            // as root there is no sandbox; nothing but this machine is called
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
                data],
        });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let begun = browser.call(Method::POST, "", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        let id = begun["sessionId"].as_str().unwrap().to_owned();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    /// Goes to `address` and waits until it is loaded.
    pub fn go(&self, address: &str) {
        self.call(Method::POST, "/url", &json!({ "url": address }));
    }

    /// Where it is.
    pub fn address(&self) -> String {
        self.call(Method::GET, "/url", &Value::Null)
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// What `selector` (CSS) finds says.
    pub fn text_of(&self, selector: &str) -> String {
        let element = self.find(selector);
        let text = self.call(Method::GET, &format!("/element/{element}/text"), &Value::Null);
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the page says `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        wait_until(&format!("the page to say {text}"), LIMIT, || {
            // while one page goes and the next comes there is none to read
            let body = self.try_call(Method::POST, "/element", &by("body")).ok()?;
            let path = format!("/element/{}/text", body[ELEMENT].as_str()?);
            let said = self.try_call(Method::GET, &path, &Value::Null).ok()?;
            Some(said.as_str()?.to_owned()).filter(|said| said.contains(text))
        })
    }

    /// Types `text` into what `selector` (CSS) finds.
    pub fn types(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.call(
            Method::POST,
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    /// Presses what `selector` (CSS) finds.
    pub fn presses(&self, selector: &str) {
        let element = self.find(selector);
        self.call(Method::POST, &format!("/element/{element}/click"), &json!({}));
    }

    /// What it looks like, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.call(Method::GET, "/screenshot", &Value::Null);
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    fn find(&self, selector: &str) -> String {
        let found = self.call(Method::POST, "/element", &by(selector));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let answered = self.try_call(method, path, body);
        answered.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    fn try_call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
        let mut call = self.http.request(method, format!("{}{path}", self.session));
        if !body.is_null() {
            call = call.json(body);
        }
        let answer: Value = self
            .runtime
            .block_on(async { call.send().await.unwrap().json().await.unwrap() });
        match answer["value"]["error"].is_null() {
            true => Ok(answer["value"].clone()),
            false => Err(answer["value"].clone()),
        }
    }
}

/// The driver and its port. It takes a free port of IPv6 and then wants the same of IPv4, where
/// another test may have it: it says so and ends, and is started again.
fn start_driver(driver: &Path, home: &Path) -> (Running, String) {
    for _ in 0..10 {
        let mut command = Command::new(driver);
        command.arg("--port=0").env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", home);
        let running = Running::start(command, Redactions::default());
        let said = wait_until("a driver of Chromium", LIMIT, || {
            let said = running.said();
            let line = said
                .split_inclusive('\n')
                .find(|line| line.ends_with('\n') && (line.contains(STARTED) || line.contains("port not available")));
            line.map(str::to_owned)
        });
        if said.contains(STARTED) {
            return (running, said.chars().filter(char::is_ascii_digit).collect());
        }
    }
    panic!("ten times no free port for a driver of Chromium");
}

/// What finds an element.
fn by(selector: &str) -> Value {
    json!({ "using": "css selector", "value": selector })
}

impl Drop for Chromium {
    /// Its driver ends what it has begun only when it is asked to.
    fn drop(&mut self) {
        let end = self.http.delete(&self.session);
        drop(self.runtime.block_on(end.send()));
    }
}
