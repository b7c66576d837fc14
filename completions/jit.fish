# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jit_global_optspecs
    string join \n server= identity= o/output= no-input q/quiet v/verbose color= h/help V/version
end

function __fish_jit_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jit_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jit_using_subcommand
    set -l cmd (__fish_jit_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jit -n "__fish_jit_needs_command" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_needs_command" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_needs_command" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_needs_command" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_needs_command" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_needs_command" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_needs_command" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_needs_command" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_needs_command" -f -a "request" -d 'Ask for access and wait for it'
complete -c jit -n "__fish_jit_needs_command" -f -a "extend" -d 'Ask to hold access for longer'
complete -c jit -n "__fish_jit_needs_command" -f -a "targets" -d 'List what you may ask for'
complete -c jit -n "__fish_jit_needs_command" -f -a "status" -d 'Show pending requests and live grants'
complete -c jit -n "__fish_jit_needs_command" -f -a "wait" -d 'Wait for a request'
complete -c jit -n "__fish_jit_needs_command" -f -a "inbox" -d 'List what waits for your decision'
complete -c jit -n "__fish_jit_needs_command" -f -a "approve" -d 'Approve a request'
complete -c jit -n "__fish_jit_needs_command" -f -a "deny" -d 'Deny a request'
complete -c jit -n "__fish_jit_needs_command" -f -a "cancel" -d 'Withdraw a pending request'
complete -c jit -n "__fish_jit_needs_command" -f -a "drop" -d 'Give access back early'
complete -c jit -n "__fish_jit_needs_command" -f -a "revoke" -d 'Take access from somebody'
complete -c jit -n "__fish_jit_needs_command" -f -a "lock" -d 'Stop a person, a target or everything'
complete -c jit -n "__fish_jit_needs_command" -f -a "unlock" -d 'Lift a lock'
complete -c jit -n "__fish_jit_needs_command" -f -a "panic" -d 'Stop everything of everybody, now'
complete -c jit -n "__fish_jit_needs_command" -f -a "has" -d 'Exit 0 if you hold it now'
complete -c jit -n "__fish_jit_needs_command" -f -a "exec" -d 'Run a command with a target\'s credentials'
complete -c jit -n "__fish_jit_needs_command" -f -a "credential-process" -d 'Print credentials for AWS tools'
complete -c jit -n "__fish_jit_needs_command" -f -a "env" -d 'Print a target\'s keys for a shell'
complete -c jit -n "__fish_jit_needs_command" -f -a "console" -d 'Open the AWS console'
complete -c jit -n "__fish_jit_needs_command" -f -a "use" -d 'Use a target\'s profile in this shell'
complete -c jit -n "__fish_jit_needs_command" -f -a "setup" -d 'Write AWS profiles for targets'
complete -c jit -n "__fish_jit_needs_command" -f -a "login" -d 'Sign in'
complete -c jit -n "__fish_jit_needs_command" -f -a "logout" -d 'Sign out'
complete -c jit -n "__fish_jit_needs_command" -f -a "whoami" -d 'Show who you are'
complete -c jit -n "__fish_jit_needs_command" -f -a "admin" -d 'Run the backend\'s people and sessions'
complete -c jit -n "__fish_jit_needs_command" -f -a "serve" -d 'Run the approval backend'
complete -c jit -n "__fish_jit_needs_command" -f -a "shell-init" -d 'Print a script for your shell\'s start'
complete -c jit -n "__fish_jit_needs_command" -f -a "issuer" -d 'Look after the keys that sign for AWS'
complete -c jit -n "__fish_jit_needs_command" -f -a "aws" -d 'Set up and check AWS accounts'
complete -c jit -n "__fish_jit_needs_command" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c jit -n "__fish_jit_needs_command" -f -a "man" -d 'Print a manual page'
complete -c jit -n "__fish_jit_needs_command" -f -a "help" -d 'Show help for a verb or the environment'
complete -c jit -n "__fish_jit_using_subcommand request" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand request" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand request" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand request" -l for -d 'How long, such as 30m or 2h' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l reason -d 'Why; - reads it from stdin' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l ticket -d 'Ticket behind it, such as PAY-311' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l on-behalf-of -d 'Ask for somebody else' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l timeout -d 'Longest time to wait' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l at -d 'Start later: 14:30, "tomorrow 09:00", "2026-01-31 14:30"' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l only -d 'Narrow the session to ACTION[@RESOURCE]' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand request" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand request" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand request" -l dry-run -d 'Say what would happen, file nothing'
complete -c jit -n "__fish_jit_using_subcommand request" -l no-wait -d 'File it and return'
complete -c jit -n "__fish_jit_using_subcommand request" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand extend" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand extend" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand extend" -l for -d 'How long, such as 30m or 2h' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l reason -d 'Why; - reads it from stdin' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l ticket -d 'Ticket behind it, such as PAY-311' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l on-behalf-of -d 'Ask for somebody else' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l timeout -d 'Longest time to wait' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand extend" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand extend" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand extend" -l dry-run -d 'Say what would happen, file nothing'
complete -c jit -n "__fish_jit_using_subcommand extend" -l no-wait -d 'File it and return'
complete -c jit -n "__fish_jit_using_subcommand extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand targets" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand targets" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand targets" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand targets" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand targets" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand targets" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand targets" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand targets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand status" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand status" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand status" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand status" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand status" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand status" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand status" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand status" -l watch -d 'Show every change until all is over'
complete -c jit -n "__fish_jit_using_subcommand status" -l history -d 'Show what is over, too'
complete -c jit -n "__fish_jit_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand wait" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand wait" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand wait" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand wait" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand wait" -l until -d 'Wait until access is live or over' -r -f -a "approved\t'Everybody has decided'
active\t'Access is live'
ended\t'Access is over'"
complete -c jit -n "__fish_jit_using_subcommand wait" -l timeout -d 'Longest time to wait' -r
complete -c jit -n "__fish_jit_using_subcommand wait" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand wait" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand wait" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand inbox" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand inbox" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand inbox" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand inbox" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand inbox" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand inbox" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand inbox" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand inbox" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand approve" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand approve" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand approve" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand approve" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand approve" -l comment -d 'What to tell who asks' -r
complete -c jit -n "__fish_jit_using_subcommand approve" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand approve" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand approve" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand deny" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand deny" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand deny" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand deny" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand deny" -l reason -d 'Why not' -r
complete -c jit -n "__fish_jit_using_subcommand deny" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand deny" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand deny" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand deny" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand cancel" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand cancel" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand cancel" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand cancel" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand cancel" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand cancel" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand cancel" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand drop" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand drop" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand drop" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand drop" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand drop" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand drop" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand drop" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand revoke" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand revoke" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand revoke" -l all -d 'Lock a person and end all they have' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand lock" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand lock" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand lock" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand lock" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand lock" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand lock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand unlock" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand unlock" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand unlock" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand unlock" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand unlock" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand panic" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand panic" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand panic" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand panic" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand panic" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand panic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand has" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand has" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand has" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand has" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand has" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand has" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand has" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand has" -l fresh -d 'Ask the backend even if cached'
complete -c jit -n "__fish_jit_using_subcommand has" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand exec" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand exec" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand exec" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand exec" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand exec" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand exec" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand exec" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand exec" -l refresh -d 'Stay beside it, give new ones'
complete -c jit -n "__fish_jit_using_subcommand exec" -l no-refresh -d 'Give what is there, once'
complete -c jit -n "__fish_jit_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand credential-process" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l reason -d 'Why, for that request' -r
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand credential-process" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand credential-process" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand credential-process" -l request-on-miss -d 'Ask for access where nothing is live'
complete -c jit -n "__fish_jit_using_subcommand credential-process" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand env" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand env" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand env" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand env" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand env" -l shell -d 'Shell to print lines for' -r -f -a "sh\t''
bash\t''
zsh\t''
fish\t''
elvish\t''
nu\t''
pwsh\t''
cmd\t''
dotenv\t''"
complete -c jit -n "__fish_jit_using_subcommand env" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand env" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand env" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand env" -l unset -d 'Print lines that take them away'
complete -c jit -n "__fish_jit_using_subcommand env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand console" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand console" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand console" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand console" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand console" -l service -d 'Page to open, such as s3' -r
complete -c jit -n "__fish_jit_using_subcommand console" -l region -d 'Region to open it in' -r
complete -c jit -n "__fish_jit_using_subcommand console" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand console" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand console" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand console" -l print -d 'Print the secret address instead'
complete -c jit -n "__fish_jit_using_subcommand console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand use" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand use" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand use" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand use" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand use" -l shell -d 'Shell to print lines for' -r -f -a "sh\t''
bash\t''
zsh\t''
fish\t''
elvish\t''
nu\t''
pwsh\t''
cmd\t''"
complete -c jit -n "__fish_jit_using_subcommand use" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand use" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand use" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand use" -l none -l unset -d 'Go back to the profile before'
complete -c jit -n "__fish_jit_using_subcommand use" -l hook -d 'Say nothing about evaluating'
complete -c jit -n "__fish_jit_using_subcommand use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand setup" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand setup" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand setup" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand setup" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand setup" -l reason -d 'Why, for those requests' -r
complete -c jit -n "__fish_jit_using_subcommand setup" -l prefix -d 'Begin the profiles\' names so' -r
complete -c jit -n "__fish_jit_using_subcommand setup" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand setup" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand setup" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand setup" -l request-on-miss -d 'Let AWS tools ask for access themselves'
complete -c jit -n "__fish_jit_using_subcommand setup" -l no-request-on-miss -d 'Let profiles that ask do so no more'
complete -c jit -n "__fish_jit_using_subcommand setup" -l all -d 'Take every target you may ask for'
complete -c jit -n "__fish_jit_using_subcommand setup" -l undo -d 'Take away what setup wrote'
complete -c jit -n "__fish_jit_using_subcommand setup" -l dry-run -d 'Show the change and write nothing'
complete -c jit -n "__fish_jit_using_subcommand setup" -s y -l yes -d 'Write without asking'
complete -c jit -n "__fish_jit_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand login" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand login" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand login" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand login" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand login" -l code -d 'Sign in with a one-time code' -r
complete -c jit -n "__fish_jit_using_subcommand login" -l identity-center -d 'Sign in to Identity Center, for TARGET' -r
complete -c jit -n "__fish_jit_using_subcommand login" -l with -d 'Identity provider, where there are several' -r
complete -c jit -n "__fish_jit_using_subcommand login" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand login" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand login" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand login" -l no-browser -d 'Print the address instead of opening a browser'
complete -c jit -n "__fish_jit_using_subcommand login" -l fresh -d 'Show a second factor again, for this session'
complete -c jit -n "__fish_jit_using_subcommand login" -l remote -d 'Take the code from a browser elsewhere'
complete -c jit -n "__fish_jit_using_subcommand login" -l device -d 'Be signed in by a code typed elsewhere'
complete -c jit -n "__fish_jit_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand logout" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand logout" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand logout" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand logout" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand logout" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand logout" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand logout" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand logout" -l everywhere -d 'End your sessions on all machines'
complete -c jit -n "__fish_jit_using_subcommand logout" -l all -d 'Sign out every identity at every server'
complete -c jit -n "__fish_jit_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand whoami" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand whoami" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand whoami" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand whoami" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand whoami" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand whoami" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand whoami" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -f -a "user" -d 'Look after local people'
complete -c jit -n "__fish_jit_using_subcommand admin; and not __fish_seen_subcommand_from user session" -f -a "session" -d 'Look after sessions of people'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from user" -f -a "add" -d 'Hand out a one-time code'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -f -a "list" -d 'List sessions that are not over'
complete -c jit -n "__fish_jit_using_subcommand admin; and __fish_seen_subcommand_from session" -f -a "revoke" -d 'End a session'
complete -c jit -n "__fish_jit_using_subcommand serve" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand serve" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand serve" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand serve" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand serve" -l config -d 'File that sets the backend up' -r -F
complete -c jit -n "__fish_jit_using_subcommand serve" -l data -d 'Folder of database and policy' -r -F
complete -c jit -n "__fish_jit_using_subcommand serve" -l listen -d 'Address to listen on, port 0 picks one' -r
complete -c jit -n "__fish_jit_using_subcommand serve" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand serve" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand serve" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand serve" -l dev -d 'Local people, a small policy, loopback only'
complete -c jit -n "__fish_jit_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand shell-init" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand shell-init" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand shell-init" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand shell-init" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand shell-init" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand shell-init" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand shell-init" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand shell-init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -f -a "show" -d 'List keys, and what is published'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -f -a "publish" -d 'Write the files that AWS fetches'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -f -a "rotate" -d 'Make the next key'
complete -c jit -n "__fish_jit_using_subcommand issuer; and not __fish_seen_subcommand_from show publish rotate revoke" -f -a "revoke" -d 'Take keys away at once'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l data -d 'Folder of a backend under --dev' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l config -d 'File that sets the backend up' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l all -d 'List removed keys too'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l data -d 'Folder of a backend under --dev' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l config -d 'File that sets the backend up' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l data -d 'Folder of a backend under --dev' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l config -d 'File that sets the backend up' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l data -d 'Folder of a backend under --dev' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l config -d 'File that sets the backend up' -r -F
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l all -d 'Every key'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -s y -l yes -d 'Do not ask'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand issuer; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -f -a "bootstrap" -d 'Print what an account needs, to apply'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -f -a "check" -d 'Judge what an account has'
complete -c jit -n "__fish_jit_using_subcommand aws; and not __fish_seen_subcommand_from bootstrap check deny-sessions" -f -a "deny-sessions" -d 'Print the policy that shuts sessions out'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l policy -d 'Folder of the policy bundle' -r -F
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l issuer -d 'Address of our issuer, for road web-identity' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l backend-role -d 'The backend\'s own role, for road assume-role' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l account -d 'Account of the catalogue, may stand repeatedly' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l format -d 'Print CloudFormation or Terraform' -r -f -a "cloudformation\t'YAML, a stack for each account'
terraform\t'HCL, a root for each account'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l out -d 'File, or folder for several accounts' -r -F
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l kill-switch -d 'With the kill switch, whatever targets say'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from bootstrap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l policy -d 'Folder of the policy bundle' -r -F
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l issuer -d 'Address of our issuer, for road web-identity' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l backend-role -d 'The backend\'s own role, for road assume-role' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l account -d 'Account of the catalogue that this must be' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l kill-switch -d 'With the kill switch, whatever targets say'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -l check -d 'Look whether it is attached'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand aws; and __fish_seen_subcommand_from deny-sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand completions" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand completions" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand completions" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand completions" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand completions" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand completions" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand completions" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand man" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand man" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand man" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand man" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand man" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand man" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand man" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand help" -l server -d 'Backend to talk to' -r
complete -c jit -n "__fish_jit_using_subcommand help" -l identity -d 'Identity to use there' -r
complete -c jit -n "__fish_jit_using_subcommand help" -s o -l output -d 'Print text or JSON' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand help" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c jit -n "__fish_jit_using_subcommand help" -l no-input -d 'Never ask anything'
complete -c jit -n "__fish_jit_using_subcommand help" -s q -l quiet -d 'Say nothing but data and failures'
complete -c jit -n "__fish_jit_using_subcommand help" -s v -l verbose -d 'Log to stderr, twice for more'
complete -c jit -n "__fish_jit_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
