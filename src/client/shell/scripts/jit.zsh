# What follows stands behind the completion script of `jit completions zsh`. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.
typeset -g __jit_live_file=@LIVE@
typeset -g __jit_targets_file=@TARGETS@
typeset -g JIT_PROMPT=
typeset -g __jit_warned="${__jit_warned-} "

# `jit use` has to change this shell, which a program cannot do. Flags may stand before the verb.
function jit {
  emulate -L zsh
  local word verb='' skip=''
  for word; do
    if [[ -n $skip ]]; then
      skip=''
      continue
    fi
    case $word in
      (@FLAGS@) skip=1 ;;
      (-*) ;;
      (*)
        verb=$word
        break
        ;;
    esac
  done
  if [[ $verb != use ]]; then
    command jit "$@"
    return
  fi
  local lines
  lines=$(command jit "$@" --hook --shell zsh) || return
  case $lines in
    ('export '*|'unset '*) eval "$lines" ;;
    (?*) print -r -- "$lines" ;;
  esac
}

# Names of targets, in `reply`.
function __jit_read_names {
  emulate -L zsh
  local name rest
  typeset -gaU reply
  reply=()
  [[ -r $__jit_targets_file ]] || return 0
  while IFS=' ' read -r name rest; do
    if [[ $name == [a-z0-9]* && $name != *[^a-z0-9._/-]* && $name != */[^a-z0-9]* && $name != */ && $name != */*/* && $#name -le 127 ]]; then
      reply+=("$name")
    fi
  done <"$__jit_targets_file"
  return 0
}

function __jit_names {
  local -a reply
  __jit_read_names
  if (( $#reply )); then
    compadd -a reply
  else
    _default
  fi
}

# JIT_PROMPT: what is live and for how long, such as `prod-admin 1h12m`. No process is started for it.
function __jit_tick {
  emulate -L zsh
  local name end profile rest text
  local -i left seen=0
  JIT_PROMPT=
  [[ -r $__jit_live_file ]] || return 0
  while IFS=' ' read -r name end profile rest; do
    [[ $name == [a-z0-9]* && $name != *[^a-z0-9._/-]* && $name != */[^a-z0-9]* && $name != */ && $name != */*/* && $#name -le 127 ]] || continue
    [[ $end == [1-9]* && $end != *[^0-9]* && $#end -le 12 ]] || continue
    left=$(( end - EPOCHSECONDS ))
    (( left > 0 )) || continue
    if (( left >= 3600 )); then
      text="$(( left / 3600 ))h$(( left % 3600 / 60 ))m"
    elif (( left >= 60 )); then
      text="$(( left / 60 ))m"
    else
      text="${left}s"
    fi
    if (( left < 300 )) && [[ $__jit_warned != *" $name@$end "* ]]; then
      __jit_warned+="$name@$end "
      print -r -u2 -- "jit: $name ends in $text"
    fi
    seen=$(( seen + 1 ))
    if (( seen <= 3 )); then JIT_PROMPT+="${JIT_PROMPT:+, }$name $text"; fi
  done <"$__jit_live_file"
  if (( seen > 3 )); then JIT_PROMPT+=", +$(( seen - 3 ))"; fi
  return 0
}

function __jit_start {
  emulate -L zsh
  if (( $+functions[compdef] )); then compdef _jit jit; fi
  zmodload zsh/datetime 2>/dev/null || return 0
  typeset -ga precmd_functions
  if [[ $precmd_functions[(Ie)__jit_tick] == 0 ]]; then precmd_functions+=(__jit_tick); fi
  return 0
}
__jit_start
