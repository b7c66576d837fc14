//! Attack 14 on `jit serve --config`: nobody but its file sends its calls elsewhere.

use crate::box_serve_config::{Machine, production};
use crate::harness::LIMIT;
use crate::shown::held;

#[test]
fn attack_14_endpoint_in_the_environment_keeps_a_backend_from_starting() {
    let machine = Machine::new();
    machine.say(&production());
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"] {
        let run = machine.serve(&[]).env(name, "http://127.0.0.1:9").run().exits(3);
        assert!(run.stderr.contains(&format!("{name} is set")), "{run}");
        if name == "AWS_ENDPOINT_URL" {
            held("attack_14_endpoint_variable_exits_three", &run);
        }
    }
    // set and empty is not set
    let served = machine.serve(&["-o", "json"]).env("AWS_ENDPOINT_URL", "").start();
    drop(served.stdout_line("jit/serve/1", LIMIT));
}

#[test]
fn attack_14_endpoint_of_the_profile_keeps_a_backend_from_starting() {
    let machine = Machine::new();
    machine.say(&production());
    for (name, text) in [
        ("profile", "[default]\nendpoint_url = http://127.0.0.1:9\n"),
        (
            "service",
            "[default]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://127.0.0.1:9\n",
        ),
        (
            "service of the source",
            "[default]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = b\n\
             [profile b]\nservices = s\naws_access_key_id = a\naws_secret_access_key = b\n\
             [services s]\nsts =\n  endpoint_url = http://127.0.0.1:9\n",
        ),
        (
            "source of the source",
            "[default]\nsource_profile = b\n[profile b]\nsource_profile = c\n\
             [profile c]\nsource_profile = b\nendpoint_url = http://127.0.0.1:9\n",
        ),
    ] {
        machine.write("aws", text, 0o600);
        let aws = machine.etc.join("aws");
        for ignores in ["false", "true"] {
            let command = machine.serve(&[]).env("AWS_CONFIG_FILE", aws.to_str().unwrap());
            let run = command.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ignores).run();
            held("attack_14_endpoint_of_the_profile_exits_three", &run.exits(3));
        }
        assert!(aws.exists(), "{name}");
    }
    // what nobody is led to counts for nothing
    machine.write(
        "aws",
        "[default]\nregion = eu-central-1\n[profile b]\nendpoint_url = http://127.0.0.1:9\n",
        0o600,
    );
    let aws = machine.etc.join("aws");
    let command = machine.serve(&["-o", "json"]);
    let served = command.env("AWS_CONFIG_FILE", aws.to_str().unwrap()).start();
    drop(served.stdout_line("jit/serve/1", LIMIT));
}
