//! The integration tests: one binary, so that they are linked once.
//! Every test runs the real `jit` in a sealed box or reads this tree; the harness owns what they share.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests stand outside the product: they read the clock and the environment of whoever runs them"
)]

mod access_before;
mod attack_10;
mod attack_15;
mod attack_16;
mod attack_17;
mod attack_19;
mod attack_25;
mod aws_access;
mod aws_account;
mod aws_templates;
mod box_asking;
mod box_at;
mod box_aws;
mod box_bad_input;
mod box_center_credentials;
mod box_center_deny;
mod box_center_end;
mod box_center_sign_in;
mod box_credential;
mod box_device;
mod box_env;
mod box_exec;
mod box_exec_refresh;
mod box_extend;
mod box_issuer;
mod box_lock;
mod box_login;
mod box_main_job;
mod box_remote;
mod box_request_on_miss;
mod box_serve_config;
mod box_setup;
mod box_step_up;
mod box_strange_backend;
mod box_strange_machine;
mod box_too_late;
mod console;
mod corporate_network;
mod dependencies;
mod docs_blocks;
mod docs_commands;
mod docs_links;
mod docs_stories;
mod docs_tables;
mod fault_backend;
mod fault_disk;
mod fault_kill;
mod fault_serve;
mod fault_sts;
mod harness;
mod harness_works;
mod http;
mod identity_center;
mod install;
mod issuer_publication;
mod kill_switch;
mod mock_answers;
mod mock_center;
mod session_policy;
mod shell_files;
mod shell_quoting;
mod shell_start;
mod shell_use;
mod shown;
mod storm;
mod structure;
mod sts_arguments;
mod sts_environment;
mod with_aws_cli;
mod with_aws_cli_center;
mod with_aws_life;
mod with_dpop_client;
mod with_exec_refresh;
mod with_identity_center;
mod with_identity_center_stand_in;
mod with_ministack_account;
mod with_ministack_sts;
mod with_relying_party;
mod with_sdks;
mod with_sdks_failing;
mod with_terraform;
mod with_token_libraries;
mod with_web_identity;
