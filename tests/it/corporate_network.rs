//! A company's network: a CONNECT proxy and a private authority between client, backend and STS.

use std::path::Path;

use crate::harness::{
    Authority, Backend, BackendPlan, ConnectProxy, MiniStack, ProxyManners, SealedBox, StsRecorder, TlsEnd,
};
use crate::shown::held;

const NAME: &str = "jit.acme.example";
const STS: &str = "sts.acme.example";

/// A backend that is known as `https://jit.acme.example` inside the company, and alice, who is signed in there.
struct Company {
    authority: Authority,
    end: TlsEnd,
    alice: SealedBox,
    _sts: StsRecorder,
    _backend: Backend,
}

impl Company {
    #[track_caller]
    fn new(test: &str) -> Option<Self> {
        let authority = Authority::new(test)?;
        let sts = StsRecorder::start();
        let backend = BackendPlan::with_aws(&sts.url).known_as(NAME).start();
        let end = authority.tls_end(NAME, backend.url(), false);
        let alice = backend.machine_of("alice");
        // codes on the command line are for loopback, so she signed in there: her session goes with her
        for file in ["sessions.json", "secrets.json"] {
            let path = alice.home().join(".local/state/jit").join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace(backend.url(), &format!("https://{NAME}"))).unwrap();
        }
        Some(Self {
            authority,
            end,
            alice,
            _sts: sts,
            _backend: backend,
        })
    }

    fn proxy(&self, manners: ProxyManners) -> ConnectProxy {
        ConnectProxy::start(manners, &[(NAME, &self.end)])
    }

    /// A call of alice's with these variables.
    fn call(&self, env: &[(&str, &str)], args: &[&str]) -> crate::harness::Run {
        let server = format!("https://{NAME}");
        let mut all = vec!["--server", &server, "--identity", "alice"];
        all.extend(args);
        let command = self.alice.jit_command(&all);
        env.iter()
            .fold(command, |command, (key, value)| command.env(key, *value))
            .run()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn client_reaches_its_backend_through_proxy_and_private_authority() {
    let Some(company) = Company::new("client_reaches_its_backend_through_proxy_and_private_authority") else {
        return;
    };
    let (proxy, bundle) = (company.proxy(ProxyManners::Pass), company.authority.bundle());
    let env = [("HTTPS_PROXY", &*proxy.url()), ("JIT_CA_BUNDLE", text(&bundle))];
    let asked = ["request", "dev-admin", "--for", "30m", "--reason", "night shift"];
    drop(company.call(&env, &asked).exits(0));
    assert!(proxy.was_asked_for(NAME));
    let held = company.call(&env, &["has", "dev-admin", "--fresh"]);
    drop(held.exits(0));
}

#[test]
fn client_takes_login_for_the_proxy_and_never_shows_it() {
    let Some(company) = Company::new("client_takes_login_for_the_proxy_and_never_shows_it") else {
        return;
    };
    let bundle = company.authority.bundle();
    let proxy = company.proxy(ProxyManners::Login("me:hunter 2"));
    for (login, exit) in [("me:hunter%202@", 0), ("", 8), ("me:other-secret@", 8)] {
        let address = format!("http://{login}{}", proxy.address);
        let env = [("https_proxy", &*address), ("JIT_CA_BUNDLE", text(&bundle))];
        let run = company.call(&env, &["-vv", "whoami"]).exits(exit);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains("hunter") && !said.contains("other-secret"), "{said}");
        if exit == 8 {
            held("proxy_asks_who_exits_eight", &company.call(&env, &["whoami"]));
        }
    }
}

#[test]
fn certificate_of_an_unknown_authority_exits_eight() {
    let Some(company) = Company::new("certificate_of_an_unknown_authority_exits_eight") else {
        return;
    };
    let proxy = company.proxy(ProxyManners::Pass);
    let run = company.call(&[("ALL_PROXY", &*proxy.url())], &["whoami"]);
    held("unknown_authority_exits_eight", &run.exits(8));
    let other = Authority::new("certificate_of_an_unknown_authority_exits_eight").unwrap();
    let bundle = other.bundle();
    let env = [("ALL_PROXY", &*proxy.url()), ("JIT_CA_BUNDLE", text(&bundle))];
    held(
        "unknown_authority_exits_eight",
        &company.call(&env, &["whoami"]).exits(8),
    );
}

#[test]
fn certificate_for_another_name_exits_eight() {
    let Some(company) = Company::new("certificate_for_another_name_exits_eight") else {
        return;
    };
    let other = company
        .authority
        .tls_end("other.acme.example", &company.end.address, false);
    let proxy = ConnectProxy::start(ProxyManners::Pass, &[(NAME, &other)]);
    let bundle = company.authority.bundle();
    let env = [("HTTPS_PROXY", &*proxy.url()), ("JIT_CA_BUNDLE", text(&bundle))];
    held(
        "certificate_for_another_name_exits_eight",
        &company.call(&env, &["whoami"]).exits(8),
    );
}

#[test]
fn proxy_that_fails_exits_eight_and_is_named() {
    let Some(company) = Company::new("proxy_that_fails_exits_eight_and_is_named") else {
        return;
    };
    let bundle = company.authority.bundle();
    for (name, manners) in [("refuses", ProxyManners::Refuse), ("hangs", ProxyManners::Hang)] {
        let proxy = company.proxy(manners);
        let env = [("HTTPS_PROXY", &*proxy.url()), ("JIT_CA_BUNDLE", text(&bundle))];
        let run = company.call(&env, &["whoami"]).exits(8);
        held(&format!("proxy_that_{name}_exits_eight"), &run);
    }
    let gone = company.proxy(ProxyManners::Pass).url();
    let run = company.call(&[("HTTPS_PROXY", &*gone)], &["whoami"]).exits(8);
    held("proxy_that_is_gone_exits_eight", &run);
}

#[test]
fn no_proxy_and_loopback_go_around_the_proxy() {
    let Some(company) = Company::new("no_proxy_and_loopback_go_around_the_proxy") else {
        return;
    };
    let proxy = company.proxy(ProxyManners::Pass);
    // nobody else knows the name: going around the proxy ends there
    let env = [("HTTPS_PROXY", &*proxy.url()), ("NO_PROXY", "acme.example")];
    let run = company.call(&env, &["whoami"]).exits(8);
    assert!(!run.stderr.contains("proxy"), "{run}");
    let local = company.authority.tls_end("localhost", &company.end.address, false);
    let port = local.address.rsplit(':').next().unwrap();
    let url = format!("https://localhost:{port}");
    let args = ["login", "--server", &url, "--identity", "alice", "--code", "AAAA"];
    let command = company.alice.jit_command(&args).env("HTTPS_PROXY", proxy.url());
    let run = command.run().exits(8);
    assert!(run.stderr.contains("its certificate is not trusted"), "{run}");
    assert!(!proxy.was_asked(), "{run}");
}

#[test]
fn settings_of_the_network_that_are_wrong_exit_three() {
    let machine = SealedBox::new();
    let home = machine.home();
    std::fs::write(home.join("empty.pem"), "").unwrap();
    std::fs::write(
        home.join("key.pem"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    std::fs::write(home.join("torn.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    let file = |name: &str| text(&home.join(name)).to_owned();
    for (name, variable, value) in [
        ("missing_bundle", "JIT_CA_BUNDLE", file("missing.pem")),
        ("empty_bundle", "JIT_CA_BUNDLE", file("empty.pem")),
        ("bundle_of_a_key", "JIT_CA_BUNDLE", file("key.pem")),
        ("torn_bundle", "JIT_CA_BUNDLE", file("torn.pem")),
        ("bundle_that_is_a_folder", "JIT_CA_BUNDLE", text(&home).to_owned()),
        ("relative_bundle", "JIT_CA_BUNDLE", "ca.pem".to_owned()),
        (
            "socks_proxy",
            "ALL_PROXY",
            "socks5://me:hunter2@proxy.acme.example:1080".to_owned(),
        ),
        ("proxy_without_a_host", "HTTPS_PROXY", "http://".to_owned()),
    ] {
        let login = [
            "login",
            "--server",
            "https://localhost:1",
            "--identity",
            "alice",
            "--code",
            "AAAA",
        ];
        let run = machine.jit_command(&login).env(variable, value.as_str()).run();
        held(&format!("{name}_exits_three"), &run.exits(3));
        // a backend says so when it starts, not with the first grant
        let data = text(&home.join("data")).to_owned();
        let serve = ["serve", "--dev", "--data", &data, "--listen", "127.0.0.1:0"];
        let run = machine.jit_command(&serve).env(variable, value.as_str()).run();
        held(&format!("{name}_exits_three"), &run.exits(3));
    }
}

/// STS, known as `https://sts.acme.example` inside the company.
fn asks_sts(test: &str, url: &str, with_bundle: bool) -> Option<(crate::harness::Run, ConnectProxy)> {
    let authority = Authority::new(test)?;
    let end = authority.tls_end(STS, url, false);
    let proxy = ConnectProxy::start(ProxyManners::Pass, &[(STS, &end)]);
    let mut plan = BackendPlan::with_aws(&format!("https://{STS}")).env("HTTPS_PROXY", &proxy.url());
    if with_bundle {
        plan = plan.env("JIT_CA_BUNDLE", text(&authority.bundle()));
    }
    let backend = plan.start();
    let alice = backend.machine_of("alice");
    let asked = ["request", "dev-admin", "--for", "20s", "--reason", "night shift"];
    if with_bundle {
        return Some((alice.jit(&asked), proxy));
    }
    let waiting = alice.jit_command(&asked).start();
    let status = crate::harness::wait_until("a failed attempt", crate::harness::LIMIT, || {
        let status = alice.jit(&["status"]);
        status.stdout.contains("STS").then_some(status)
    });
    drop(waiting);
    Some((status, proxy))
}

#[test]
fn backend_reaches_sts_through_proxy_and_private_authority() {
    let test = "backend_reaches_sts_through_proxy_and_private_authority";
    let Some((run, proxy)) = asks_sts(test, &MiniStack::shared().url, true) else {
        return;
    };
    drop(run.exits(0));
    assert!(proxy.was_asked_for(STS));
}

#[test]
fn backend_says_that_sts_is_not_trusted() {
    let sts = StsRecorder::start();
    let Some((status, proxy)) = asks_sts("backend_says_that_sts_is_not_trusted", &sts.url, false) else {
        return;
    };
    for word in ["its certificate is not trusted", "JIT_CA_BUNDLE"] {
        assert!(status.stdout.contains(word), "{status}");
    }
    assert!(proxy.was_asked_for(STS) && sts.calls().is_empty());
}
