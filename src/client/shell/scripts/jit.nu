# What follows stands behind a completion script for nu. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.

# `jit use` has to change this shell, which a program cannot do.
def --env "jit use" [
  target?: string@"nu-complete jit targets"  # Whose profile; - goes back
  --none                                     # Go back to the profile before
] {
  let which = (if $none { ["--none"] } else if $target == null { [] } else { [$target] })
  ^jit use ...$which --hook --shell nu | from json | load-env
}

# The same where flags stand before the verb, and whatever else begins with a flag.
def --env --wrapped jit [...words] {
  mut verb = ""
  mut skip = false
  for word in $words {
    if $skip {
      $skip = false
    } else if $word in [@FLAGS@] {
      $skip = true
    } else if not ($word | str starts-with "-") {
      $verb = $word
      break
    }
  }
  if $verb == "use" {
    let text = (^jit ...$words --hook --shell nu)
    let record = (try { $text | from json } catch { {} })
    # for a person or a program, not for the shell
    if $record == {} or "schema" in $record { print --raw $text } else { load-env $record }
  } else {
    ^jit ...$words
  }
}

# What is live and for how long, such as `prod-admin 1h12m`. No process is started for it.
def jit-live [] {
  let file = @LIVE@
  if not ($file | path exists) { return [] }
  let now = ((date now | into int) // 1_000_000_000)
  open --raw $file | decode utf-8 | lines
  | parse --regex '^(?P<name>[a-z0-9][a-z0-9._-]{0,62}(?:/[a-z0-9][a-z0-9._-]{0,62})?) (?P<end>[1-9][0-9]{0,11})(?: |$)'
  | each {|it|
    let left = (($it.end | into int) - $now)
    let text = (
      if $left >= 3600 { $"($left // 3600)h($left mod 3600 // 60)m" }
      else if $left >= 60 { $"($left // 60)m" }
      else { $"($left)s" }
    )
    {name: $it.name, end: $it.end, left: $left, text: $text}
  }
  | where left > 0
}

# The segment for a prompt; nothing where nothing is live.
def jit-prompt [] {
  let live = (jit-live)
  let texts = ($live | first ([3 ($live | length)] | math min) | each {|it| $"($it.name) ($it.text)" })
  let more = (($live | length) - 3)
  (if $more > 0 { $texts | append $"+($more)" } else { $texts }) | str join ", "
}

if $env._JIT_NU? != $"($nu.pid)" {
  $env._JIT_NU = $"($nu.pid)"
  $env._JIT_WARNED = []
  $env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {||
    for it in (jit-live | where left < 300) {
      let key = $"($it.name)@($it.end)"
      if $key not-in $env._JIT_WARNED {
        $env._JIT_WARNED = ($env._JIT_WARNED | append $key)
        print --stderr $"jit: ($it.name) ends in ($it.text)"
      }
    }
  })
}
