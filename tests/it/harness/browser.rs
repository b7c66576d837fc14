//! A browser as far as signing in needs one: redirects, one at a time, and cookies.
//! Refuses scripts: no page of ours has any.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};

/// A browser.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// What it keeps. Cookies know no ports, so all servers of this machine share them.
    pub cookies: BTreeMap<String, String>,
    login: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Page {
    /// Its status.
    pub status: u16,
    /// Where it was.
    pub address: String,
    /// Where it sends the browser, if anywhere.
    pub location: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it says.
    pub text: String,
}

impl Browser {
    /// One of whoever signs in as `login` says: `NAME AMR,AMR ACR`, a dash for none.
    pub fn of(login: &str) -> Self {
        Self::with(login, reqwest::Client::builder())
    }

    /// The same, where a company's own authority is trusted too: `bundle` is its certificate in PEM.
    pub fn trusting(bundle: &Path, login: &str) -> Self {
        let root = reqwest::Certificate::from_pem(&std::fs::read(bundle).unwrap()).unwrap();
        Self::with(login, reqwest::Client::builder().tls_certs_only([root]))
    }

    fn with(login: &str, client: reqwest::ClientBuilder) -> Self {
        let client = client.no_proxy();
        Self {
            http: client.redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            cookies: BTreeMap::new(),
            login: login.to_owned(),
        }
    }

    /// Goes to `address` and no further.
    pub async fn get(&mut self, address: &str) -> Page {
        let call = self.http.get(address);
        self.send(address, call).await
    }

    /// Sends a form of a page to `address`, and goes no further.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let mut url = reqwest::Url::parse("http://form/").unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        let body = url.query().unwrap_or_default().to_owned();
        let kind = "application/x-www-form-urlencoded";
        let call = self.http.post(address).header("content-type", kind).body(body);
        self.send(address, call).await
    }

    async fn send(&mut self, address: &str, call: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut call = call.header("x-login", &self.login);
        if !cookies.is_empty() {
            call = call.header(COOKIE, cookies.join("; "));
        }
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for set in headers.get_all(SET_COOKIE) {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let is_over = value.is_empty() || rest.contains("Max-Age=0") || rest.contains("expires=Thu, 01 Jan 1970");
            match is_over {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let location = headers.get(LOCATION).map(|to| {
            let base = reqwest::Url::parse(address).unwrap();
            base.join(to.to_str().unwrap()).unwrap().to_string()
        });
        Page {
            status,
            address: address.to_owned(),
            location,
            headers,
            text: answer.text().await.unwrap(),
        }
    }

    /// Goes to `address` and on, until a page stays or would lead to an address that begins with `end`.
    pub async fn follow(&mut self, address: &str, end: &str) -> Page {
        let mut page = self.get(address).await;
        for _ in 0..20 {
            match page.location.clone() {
                Some(next) if !next.starts_with(end) => page = self.get(&next).await,
                Some(_) | None => return page,
            }
        }
        panic!("{address} leads nowhere: {page:?}")
    }
}

impl Page {
    /// What the address that it leads to says under `name`.
    pub fn brings(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(self.location.as_ref()?).unwrap();
        let pairs = url.query_pairs().into_owned();
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value).next()
    }
}
