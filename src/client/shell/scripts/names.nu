  # Targets, from what jit was told last; no process is started for it.
  export def "nu-complete jit targets" [] {
    let file = @TARGETS@
    if not ($file | path exists) { return [] }
    open --raw $file | decode utf-8 | lines
    | parse --regex '^(?P<name>[a-z0-9][a-z0-9._-]{0,62}(?:/[a-z0-9][a-z0-9._-]{0,62})?)(?: |$)'
    | get name | uniq
  }

