//! A browser as far as signing in needs one: redirects, one at a time, and cookies.
//! Refuses scripts: no page of ours has any.

use std::path::Path;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};

/// A browser.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// What it keeps. Cookies know no ports, so all servers of this machine share them.
    /// In the order in which they came, as browsers send them (RFC 6265, section 5.4).
    pub cookies: Vec<(String, String)>,
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
            cookies: Vec::new(),
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

    /// Presses the button of `page`, as its person does.
    pub async fn press(&mut self, page: &Page) -> Page {
        let form = page.form().unwrap_or_else(|| panic!("no button: {page:?}"));
        let base = reqwest::Url::parse(&page.address).unwrap();
        self.press_from(&form, &base.origin().ascii_serialization()).await
    }

    /// The same as if a page of `origin` had the button.
    pub async fn press_from(&mut self, form: &Form, origin: &str) -> Page {
        let mut fields = reqwest::Url::parse(&form.action).unwrap();
        fields.query_pairs_mut().extend_pairs(&form.fields);
        let call = self.http.post(&form.action).header(ORIGIN, origin);
        let call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let call = call.body(fields.query().unwrap().to_owned());
        self.send(&form.action, call).await
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
            let known = self.cookies.iter().position(|(known, _)| known == name);
            match (known, is_over) {
                (Some(at), true) => drop(self.cookies.remove(at)),
                (Some(at), false) => value.clone_into(&mut self.cookies[at].1),
                (None, false) => self.cookies.push((name.to_owned(), value.to_owned())),
                (None, true) => {}
            }
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

    /// Goes to `address` and on, saying yes to what is asked, until a page stays or would lead to an address that begins with
    /// `end`.
    pub async fn follow(&mut self, address: &str, end: &str) -> Page {
        let mut page = self.until_asked(address, end).await;
        for _ in 0..3 {
            match (page.form(), page.location.clone()) {
                (Some(_), _) => page = self.press(&page).await,
                (None, Some(next)) if !next.starts_with(end) => page = self.until_asked(&next, end).await,
                (None, _) => return page,
            }
        }
        panic!("{address} leads nowhere: {page:?}")
    }

    /// The same up to a page that asks.
    pub async fn until_asked(&mut self, address: &str, end: &str) -> Page {
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

/// What a button sends.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where to.
    pub action: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

impl Page {
    /// Its button, where it has one.
    pub fn form(&self) -> Option<Form> {
        let (_, form) = self.text.split_once("<form method=\"post\" action=\"")?;
        let (form, _) = form.split_once("</form>")?;
        let (action, mut rest) = form.split_once('"')?;
        let base = reqwest::Url::parse(&self.address).unwrap();
        let mut fields = Vec::new();
        while let Some((_, field)) = rest.split_once("<input type=\"hidden\" name=\"") {
            let (name, value) = field.split_once("\" value=\"").unwrap();
            let (value, after) = value.split_once('"').unwrap();
            fields.push((name.to_owned(), value.to_owned()));
            rest = after;
        }
        Some(Form {
            action: base.join(action).unwrap().to_string(),
            fields,
        })
    }

    /// What the address that it leads to says under `name`.
    pub fn brings(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(self.location.as_ref()?).unwrap();
        let pairs = url.query_pairs().into_owned();
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value).next()
    }
}
