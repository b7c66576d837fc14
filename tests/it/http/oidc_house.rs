//! A backend whose people sign in at an identity provider, a terminal that waits, and an issuer of our own that lies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jit::config::{IdentityProvider, SecretSource, TokenAlgorithm};
use jit::server::settings::{Settings, SignInSettings};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::stage::Stage;
use crate::harness::{Browser, CLIENT_ID, CLIENT_SECRET, Device, OidcProvider, Page, RawServer};

/// Where no terminal listens: browsers of these tests stop before it.
pub const TERMINAL: &str = "http://127.0.0.1:9/?";

/// An identity provider as a file would set it up.
pub fn at(name: &str, issuer: &str) -> SignInSettings {
    SignInSettings {
        provider: IdentityProvider {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: SecretSource::Environment("UNUSED".to_owned()),
            scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
            name_claim: None,
            subject_claim: None,
            algorithms: vec![TokenAlgorithm::Rs256, TokenAlgorithm::Es256],
            mfa_acr: vec!["urn:acme:two".to_owned()],
            remote: true,
            require: BTreeMap::new(),
            device: false,
        },
        client_secret: CLIENT_SECRET.into(),
    }
}

/// A backend at which people sign in at `acme`, which is real.
pub struct House {
    pub stage: Stage,
    pub acme: OidcProvider,
}

impl House {
    /// None where the identity provider is not installed.
    pub async fn open(test: &str) -> Option<Self> {
        Self::open_with(test, |_, _| {}).await
    }

    /// The same with what `change` does to its settings, by the issuer.
    pub async fn open_with(test: &str, change: impl FnOnce(&mut Settings, &str)) -> Option<Self> {
        let mut acme = None;
        let stage = Stage::open_with(|settings| {
            acme = OidcProvider::start(test, &settings.origin);
            if let Some(acme) = &acme {
                settings.sign_in.push(at("acme", &acme.issuer));
                change(settings, &acme.issuer);
            }
        })
        .await;
        Some(Self { stage, acme: acme? })
    }

    /// Signs whoever `login` says in: at a new terminal, in a new browser.
    pub async fn sign_in(&self, login: &str) -> Caller {
        let terminal = Terminal::of(&self.stage);
        let page = Browser::of(login).follow(&terminal.address(), TERMINAL).await;
        let answer = terminal.brings(&page.brings("code").unwrap()).await.is(201);
        Caller {
            token: answer.body["token"].as_str().map(str::to_owned),
            ..terminal.caller
        }
    }
}

/// A terminal that waits for a browser.
pub struct Terminal {
    pub caller: Caller,
    pub verifier: String,
    pub state: String,
}

impl Terminal {
    /// A new one.
    pub fn of(stage: &Stage) -> Self {
        Self {
            caller: stage.nobody(),
            verifier: stage.backend.random.secret(),
            state: stage.backend.random.secret(),
        }
    }

    /// Where it sends the browser.
    pub fn address(&self) -> String {
        let (challenge, device) = (self.challenge(), self.device());
        format!(
            "{}/sign-in?challenge={challenge}&device={device}&port=9&state={}",
            self.caller.url, self.state
        )
    }

    /// What others see of its verifier.
    pub fn challenge(&self) -> String {
        jit::server::identity::relying_party::challenge(&self.verifier)
    }

    /// Thumbprint of its device's key.
    pub fn device(&self) -> String {
        let key = serde_json::from_value(self.caller.device.jwk()).unwrap();
        jit::server::identity::device::DeviceKey::of(&key)
            .unwrap()
            .id
            .to_string()
    }

    /// What the backend says to `code`, from this terminal.
    pub async fn brings(&self, code: &str) -> Answer {
        self.brings_with(code, &self.verifier).await
    }

    /// The same with another verifier.
    pub async fn brings_with(&self, code: &str, verifier: &str) -> Answer {
        let body = json!({ "code": code, "verifier": verifier, "key_storage": "file" });
        self.caller.post("/v1/sessions", &body).await
    }
}

/// What an issuer of our own says, all of it to be changed.
#[derive(Clone)]
pub struct Says {
    pub discovery: Value,
    pub keys: Arc<[u8]>,
    /// Made of the nonce that was asked for last.
    pub token: Arc<dyn Fn(&str) -> String + Send + Sync>,
    /// Answers to the token endpoint beside 200.
    pub status: u16,
}

/// An issuer of our own: signs with a key of its own, and says what it is told to say.
pub struct Issuer {
    pub server: RawServer,
    pub key: Device,
    pub says: Arc<Mutex<Option<Says>>>,
    nonce: Arc<Mutex<String>>,
}

impl Issuer {
    /// One that is honest so far.
    pub fn start() -> Self {
        let says: Arc<Mutex<Option<Says>>> = Arc::default();
        let nonce: Arc<Mutex<String>> = Arc::default();
        let (told, asked) = (says.clone(), nonce.clone());
        let server = RawServer::start(move |line| {
            let says = told.lock().unwrap().clone().unwrap();
            let path = line.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match path {
                "/.well-known/openid-configuration" => (200, says.discovery.to_string().into_bytes()),
                "/keys" => (200, says.keys.to_vec()),
                "/token" => {
                    let token = (says.token)(&asked.lock().unwrap());
                    (
                        says.status,
                        json!({ "id_token": token, "error": "invalid_grant" })
                            .to_string()
                            .into_bytes(),
                    )
                }
                _ => (404, Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            [head.into_bytes(), body].concat()
        });
        let (url, key) = (server.url.clone(), Device::new());
        let issuer = Self {
            server,
            key,
            says,
            nonce,
        };
        let claims = issuer.claims();
        let (signer, head) = (issuer.key.clone(), issuer.head());
        let honest = Says {
            discovery: json!({
                "issuer": url,
                "authorization_endpoint": format!("{url}/auth"),
                "token_endpoint": format!("{url}/token"),
                "jwks_uri": format!("{url}/keys"),
            }),
            keys: json!({ "keys": [issuer.jwk()] }).to_string().into_bytes().into(),
            token: Arc::new(move |nonce| {
                let mut claims = claims.clone();
                claims["nonce"] = json!(nonce);
                signer.signs(&head, &claims)
            }),
            status: 200,
        };
        *issuer.says.lock().unwrap() = Some(honest);
        issuer
    }

    /// Has it say something else.
    pub fn change(&self, change: impl FnOnce(&mut Says)) {
        change(self.says.lock().unwrap().as_mut().unwrap());
    }

    /// Has it give a token of `head` and `claims`, with the right nonce unless there is one.
    pub fn gives(&self, head: Value, claims: Value) {
        let signer = self.key.clone();
        self.change(|says| {
            says.token = Arc::new(move |nonce| {
                let mut claims = claims.clone();
                if claims.get("nonce").is_none() {
                    claims["nonce"] = json!(nonce);
                }
                signer.signs(&head, &claims)
            });
        });
    }

    /// What its tokens say, but for the nonce.
    pub fn claims(&self) -> Value {
        let now = jit::clock::Clock::real().now().millis() / 1000;
        json!({
            "iss": self.server.url, "sub": "ana", "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "preferred_username": "ana", "email": "ana@acme.example",
        })
    }

    /// The head of its tokens.
    pub fn head(&self) -> Value {
        json!({ "alg": "ES256", "kid": "its key", "typ": "JWT" })
    }

    /// Its key.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        jwk["kid"] = json!("its key");
        jwk
    }

    /// Begins to sign in at it in `browser`: what its page would send the browser back with, and where.
    pub async fn begins(&self, browser: &mut Browser, terminal: &Terminal) -> String {
        self.begins_at(browser, &terminal.address()).await
    }

    /// The same by the address that a terminal says.
    pub async fn begins_at(&self, browser: &mut Browser, address: &str) -> String {
        let page = browser.get(address).await;
        assert_eq!(page.status, 303, "{page:?}");
        *self.nonce.lock().unwrap() = page.brings("nonce").unwrap();
        let (back, state) = (page.brings("redirect_uri").unwrap(), page.brings("state").unwrap());
        format!("{back}?state={state}&code=c")
    }

    /// Shows a second factor at it for `session`: where the browser ends up.
    pub async fn sign_in_for(&self, terminal: &Terminal, session: &str) -> Page {
        let mut browser = Browser::of("ana - -");
        let address = format!("{}&renews={session}", terminal.address());
        let back = self.begins_at(&mut browser, &address).await;
        browser.follow(&back, TERMINAL).await
    }

    /// Signs in at it, one of several that is called `with`: where the browser ends up.
    pub async fn sign_in_with(&self, terminal: &Terminal, with: &str) -> Page {
        let mut browser = Browser::of("ana - -");
        let address = format!("{}&with={with}", terminal.address());
        let back = self.begins_at(&mut browser, &address).await;
        browser.follow(&back, TERMINAL).await
    }

    /// Signs in at it: where the browser ends up.
    pub async fn sign_in(&self, terminal: &Terminal) -> Page {
        let mut browser = Browser::of("ana - -");
        let back = self.begins(&mut browser, terminal).await;
        browser.follow(&back, TERMINAL).await
    }
}

/// A part of a JWS.
pub fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A backend at which people sign in at an issuer of our own.
pub async fn with_issuer() -> (Stage, Issuer) {
    let issuer = Issuer::start();
    let stage = Stage::open_with(|settings| settings.sign_in.push(at("acme", &issuer.server.url))).await;
    (stage, issuer)
}

/// GET as nobody.
pub async fn get(stage: &Stage, path: &str) -> Answer {
    Answer::of(stage.nobody().bare(Method::GET, path)).await
}
