# What follows stands behind the completion script of `jit completions bash`. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.
__jit_live_file=@LIVE@
__jit_targets_file=@TARGETS@

# `jit use` has to change this shell, which a program cannot do. Flags may stand before the verb.
function jit {
  local word verb='' skip=''
  for word; do
    if [[ -n $skip ]]; then
      skip=''
      continue
    fi
    case $word in
      @FLAGS@) skip=1 ;;
      -*) ;;
      *)
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
  lines=$(command jit "$@" --hook --shell bash) || return
  case $lines in
    'export '* | 'unset '*) eval "$lines" ;;
    ?*) printf '%s\n' "$lines" ;;
  esac
}

# Targets behind the verbs that take one.
__jit_complete() {
  _jit "$@"
  local cur=${COMP_WORDS[COMP_CWORD]} verb='' name rest known=' ' i LC_ALL=C
  local -a names=()
  [[ $cur != -* && -r $__jit_targets_file ]] || return 0
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    @FLAGS@) return 0 ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      @FLAGS@) i=$((i + 1)) ;;
      -*) ;;
      *)
        verb=${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  case $verb in
    @VERBS@) ;;
    *) return 0 ;;
  esac
  while IFS=' ' read -r name rest; do
    if [[ $name =~ ^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$ && $name == "$cur"* && $known != *" $name "* ]]; then
      names+=("$name")
      known+="$name "
    fi
  done <"$__jit_targets_file"
  if ((${#names[@]})); then COMPREPLY=("${names[@]}"); fi
  return 0
}

# JIT_PROMPT: what is live and for how long, such as `prod-admin 1h12m`. No process is started for it.
__jit_look() {
  local now name end profile rest left text seen=0 LC_ALL=C
  JIT_PROMPT=
  [[ -r $__jit_live_file ]] || return 0
  printf -v now '%(%s)T' -1
  while IFS=' ' read -r name end profile rest; do
    [[ $name =~ ^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$ && $end =~ ^[1-9][0-9]{0,11}$ ]] || continue
    left=$((end - now))
    if ((left <= 0)); then continue; fi
    if ((left >= 3600)); then
      text="$((left / 3600))h$((left % 3600 / 60))m"
    elif ((left >= 60)); then
      text="$((left / 60))m"
    else
      text="${left}s"
    fi
    if ((left < 300)) && [[ $__jit_warned != *" $name@$end "* ]]; then
      __jit_warned+="$name@$end "
      printf 'jit: %s ends in %s\n' "$name" "$text" >&2
    fi
    seen=$((seen + 1))
    if ((seen <= 3)); then JIT_PROMPT+="${JIT_PROMPT:+, }$name $text"; fi
  done <"$__jit_live_file"
  if ((seen > 3)); then JIT_PROMPT+=", +$((seen - 3))"; fi
  return 0
}

# The status of the last command is what whoever comes after this one reads.
__jit_tick() {
  local status=$?
  __jit_look
  case $- in
    *e*) return 0 ;;
    *) return "$status" ;;
  esac
}

: "${__jit_warned:= }"
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)) && [[ $- == *i* ]]; then
  case "${PROMPT_COMMAND[*]-}" in
    *__jit_tick*) ;;
    *)
      if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
        PROMPT_COMMAND+=(__jit_tick)
      else
        PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND
}__jit_tick"
      fi
      ;;
  esac
fi
