# What follows stands behind the completion script of `jit completions fish`. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.
set -g __jit_live_file @LIVE@
set -g __jit_targets_file @TARGETS@
set -g JIT_PROMPT
set -q __jit_warned
or set -g __jit_warned

# `jit use` has to change this shell, which a program cannot do. Flags may stand before the verb.
function jit
    set -l verb
    set -l skip no
    for word in $argv
        if test $skip = yes
            set skip no
        else if contains -- $word @FLAGS@
            set skip yes
        else if not string match -q -- '-*' $word
            set verb $word
            break
        end
    end
    if test "$verb" != use
        command jit $argv
        return
    end
    set -l lines (command jit $argv --hook --shell fish)
    or return
    if string match -q 'set -*' -- "$lines[1]"
        string join \n -- $lines | source
    else if set -q lines[1]
        string join \n -- $lines
    end
end

# Names of targets, for the verbs that take one.
function __jit_names
    test -r "$__jit_targets_file"
    or return 0
    while read -l line
        set -l name (string split -m 1 -f 1 ' ' -- $line)
        string match -qr '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?\z' -- "$name"
        and printf '%s\n' $name
    end <$__jit_targets_file
    return 0
end
complete -c jit -n '__fish_jit_using_subcommand @VERBS@' -f -a '(__jit_names)'

# JIT_PROMPT: what is live and for how long, such as `prod-admin 1h12m`. No process is started for it: the clock is
# the age of the file and the time it was written at.
function __jit_tick --on-event fish_prompt
    set -g JIT_PROMPT
    test -r "$__jit_live_file"
    or return 0
    set -l now (math (path mtime -- $__jit_live_file) + (path mtime -R -- $__jit_live_file))
    set -l texts
    set -l seen 0
    while read -l line
        string match -qr '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})? [1-9][0-9]{0,11}( |\z)' -- "$line"
        or continue
        set -l words (string split ' ' -- $line)
        set -l left (math $words[2] - $now)
        test $left -gt 0
        or continue
        set -l text {$left}s
        if test $left -ge 3600
            set text (math -s 0 $left / 3600)h(math -s 0 $left % 3600 / 60)m
        else if test $left -ge 60
            set text (math -s 0 $left / 60)m
        end
        if test $left -lt 300; and not contains -- $words[1]@$words[2] $__jit_warned
            set -ga __jit_warned $words[1]@$words[2]
            echo "jit: $words[1] ends in $text" >&2
        end
        set seen (math $seen + 1)
        test $seen -le 3
        and set -a texts "$words[1] $text"
    end <$__jit_live_file
    test $seen -gt 3
    and set -a texts +(math $seen - 3)
    set -g JIT_PROMPT (string join ', ' -- $texts)
    return 0
end
