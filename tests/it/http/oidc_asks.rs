//! What a person is asked between their identity provider and a terminal, and that nothing comes of it without their "yes".

use jit::domain::Digest;
use serde_json::json;

use super::oidc_house::{TERMINAL, Terminal, at, with_issuer};
use crate::harness::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_answer_of_the_identity_provider_alone_gives_no_code() {
    let (stage, issuer) = with_issuer().await;
    let terminal = Terminal::of(&stage);
    let mut browser = Browser::of("ana - -");
    let to_us = issuer.begins(&mut browser, &terminal).await;
    let asked = browser.until_asked(&to_us, TERMINAL).await;
    assert_eq!((asked.status, &asked.location), (200, &None), "{asked:?}");
    assert!(!asked.address.contains("code="), "{}", asked.address);
    assert_eq!(stage.count("session.proved").await, 0, "nothing is known of them yet");
    assert!(
        asked.text.contains("A terminal asks to sign in as ana (acme)."),
        "{}",
        asked.text
    );
    let device = terminal.device();
    let word = jit::domain::word::word(&terminal.challenge(), &device, &terminal.state);
    assert!(
        asked.text.contains(&format!("<code>{word}</code>")),
        "{word}: {}",
        asked.text
    );
    // nobody frames it, and what it sends comes to us and goes on to that terminal alone
    let rules = asked.headers["content-security-policy"].to_str().unwrap();
    assert!(rules.contains("frame-ancestors 'none'"), "{rules}");
    assert!(rules.contains("form-action 'self' http://127.0.0.1:9;"), "{rules}");
    assert_eq!(asked.headers["referrer-policy"], "strict-origin");
    let form = asked.form().unwrap();
    // what only the page knows is in no address
    assert!(!asked.address.contains(&form.fields[1].1), "{}", asked.address);
    let origin = format!("http://{}", stage.address);
    // the button on a page of somebody else, or of nobody
    for other in ["https://evil.example", "null", &format!("{origin}.evil.example")] {
        let page = browser.clone().press_from(&form, other).await;
        assert_eq!((page.status, &page.location), (400, &None), "{other}: {page:?}");
    }
    // in another browser, without what the page knows, with that of another sign-in
    let elsewhere = Browser::of("mallory - -").press_from(&form, &origin).await;
    assert_eq!((elsewhere.status, elsewhere.location), (400, None));
    for answer in ["", "x", &stage.backend.random.secret()] {
        let mut guessed = form.clone();
        guessed.fields[1].1 = answer.to_owned();
        let page = browser.clone().press_from(&guessed, &origin).await;
        assert_eq!((page.status, &page.location), (400, &None), "{answer}: {page:?}");
    }
    let mut without = form.clone();
    without.fields.pop();
    assert_eq!(browser.clone().press_from(&without, &origin).await.status, 400);
    assert_eq!(stage.count("session.proved").await, 0);
    let page = browser.press(&asked).await;
    terminal.brings(&page.brings("code").unwrap()).await.is(201);
    // it was said: the page is over
    assert_eq!(browser.get(&asked.address).await.status, 400);
    assert_eq!(browser.press_from(&form, &origin).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_link_of_another_terminal_shows_another_word() {
    let (stage, _issuer) = with_issuer().await;
    let (own, theirs) = (Terminal::of(&stage), Terminal::of(&stage));
    let word = |terminal: &Terminal| {
        let device = terminal.device();
        jit::domain::word::word(&terminal.challenge(), &device, &terminal.state)
    };
    assert_ne!(word(&own), word(&theirs));
}

#[tokio::test(flavor = "multi_thread")]
async fn name_on_the_page_that_asks_is_text() {
    let (stage, issuer) = with_issuer().await;
    let mut claims = issuer.claims();
    claims["preferred_username"] = json!("<b>ana</b> (acme). It shows: x");
    issuer.gives(issuer.head(), claims);
    let mut browser = Browser::of("ana - -");
    let to_us = issuer.begins(&mut browser, &Terminal::of(&stage)).await;
    let asked = browser.until_asked(&to_us, TERMINAL).await;
    let said = "sign in as &quot;&lt;b&gt;ana&lt;/b&gt; (acme). It shows: x&quot; (acme).";
    assert!(asked.text.contains(said), "{}", asked.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_thirty_beginnings_in_one_browser_leave_room_for_an_end() {
    let (stage, issuer) = with_issuer().await;
    let mut browser = Browser::of("ana - -");
    let kept = |browser: &Browser| {
        let names = browser.cookies.iter().map(|(name, _)| name);
        names.filter(|name| name.starts_with("jit-sign-in-")).count()
    };
    browser.cookies.push(("other".into(), "of another server".into()));
    let mut last = None;
    for _ in 0..30 {
        let terminal = Terminal::of(&stage);
        last = Some((issuer.begins(&mut browser, &terminal).await, terminal));
        assert!(kept(&browser) <= 5, "{}", kept(&browser));
    }
    assert_eq!(kept(&browser), 5);
    assert!(browser.cookies.iter().any(|(name, _)| name == "other"));
    let (to_us, terminal) = last.unwrap();
    let page = browser.follow(&to_us, TERMINAL).await;
    terminal.brings(&page.brings("code").unwrap()).await.is(201);
    // beyond what a page of theirs could make it keep, its own is the one that stays
    assert_eq!(kept(&browser), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_begins_under_the_name_that_it_comes_back_to() {
    let (stage, issuer) = with_issuer().await;
    let terminal = Terminal::of(&stage);
    let address = terminal.address();
    let elsewhere = address.replacen("127.0.0.1", "localhost", 1);
    let mut browser = Browser::of("ana - -");
    let page = browser.get(&elsewhere).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (303, Some(address.as_str())),
        "{page:?}"
    );
    assert!(page.headers.get("set-cookie").is_none());
    let own = browser.get(&address).await;
    assert!(own.location.unwrap().starts_with(&issuer.server.url));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_yes_that_is_said_again_gives_no_second_code() {
    let (stage, issuer) = with_issuer().await;
    let mut browser = Browser::of("ana - -");
    let to_us = issuer.begins(&mut browser, &Terminal::of(&stage)).await;
    let asked = browser.until_asked(&to_us, TERMINAL).await;
    let (mut form, mut second, mut third) = (asked.form().unwrap(), browser.clone(), browser.clone());
    let first = browser.press(&asked).await;
    assert!(first.brings("code").is_some(), "{first:?}");
    // a button that is pressed twice is answered twice, by one code
    assert_eq!(second.press(&asked).await.location, first.location);
    assert_eq!(stage.count("session.proved").await, 1);
    let state = Digest::of(form.fields[0].1.as_bytes());
    let code = stage.backend.store.code_of_sign_in(state.as_str()).await;
    let code = code.unwrap().unwrap();
    assert!(
        code.expires_at.since(stage.backend.now()) <= 120,
        "{:?}",
        code.expires_at
    );
    // nor by another process
    let url = issuer.server.url.clone();
    let stage = stage.again(|settings| settings.sign_in.push(at("acme", &url))).await;
    let origin = format!("http://{}", stage.address);
    form.action = format!("{origin}/sign-in/confirm");
    let page = third.press_from(&form, &origin).await;
    assert_eq!((page.status, &page.location), (400, &None), "{page:?}");
    assert_eq!(stage.count("session.proved").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_is_asked_by_the_name_that_others_read() {
    let (stage, issuer) = with_issuer().await;
    issuer.sign_in(&Terminal::of(&stage)).await;
    let mut claims = issuer.claims();
    claims["preferred_username"] = json!("bob");
    issuer.gives(issuer.head(), claims);
    let mut browser = Browser::of("ana - -");
    let to_us = issuer.begins(&mut browser, &Terminal::of(&stage)).await;
    let asked = browser.until_asked(&to_us, TERMINAL).await;
    assert!(asked.text.contains("sign in as ana (acme)."), "{}", asked.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_of_proof_beyond_number_fit_into_a_cookie() {
    let (stage, issuer) = with_issuer().await;
    let mut claims = issuer.claims();
    claims["amr"] = (0..20).map(|n| json!(format!("{n:0150}"))).collect();
    claims["acr"] = json!("x".repeat(150));
    issuer.gives(issuer.head(), claims);
    let terminal = Terminal::of(&stage);
    let page = issuer.sign_in(&terminal).await;
    terminal.brings(&page.brings("code").unwrap()).await.is(201);
    let evidence = stage.evidence().await;
    let proved = evidence.iter().find(|line| line.kind == "session.proved").unwrap();
    let details = &proved.payload.as_ref().unwrap()["details"];
    let amr = details["amr"].as_array().unwrap();
    assert_eq!((amr.len(), amr[0].as_str().unwrap().len()), (16, 100), "{details}");
    assert_eq!(details["acr"].as_str().unwrap().len(), 100);
}
