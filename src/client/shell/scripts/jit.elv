# What follows stands behind a completion script for elvish. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.
use math
use path
use re
use str
var jit-live-file = @LIVE@
var jit-targets-file = @TARGETS@

# The verb among the words behind `jit`: flags may stand before it. Nothing where there is none.
fn jit-verb {|@words|
  var skip = $false
  for word $words {
    if $skip {
      set skip = $false
    } elif (has-value [@FLAGS@] $word) {
      set skip = $true
    } elif (not (str:has-prefix (to-string $word) -)) {
      put $word
      return
    }
  }
}

# `jit use` has to change this shell, which a program cannot do.
fn jit {|@args|
  if (not-eq [(jit-verb $@args)] [use]) {
    (external jit) $@args
    return
  }
  var text = ((external jit) $@args --hook --shell elvish | slurp)
  if (re:match '^(un)?set-env ' $text) {
    eval $text
  } else {
    print $text
  }
}
edit:add-var jit~ $jit~

# Lines of a file of ours; none where there is no file.
fn jit-lines {|file|
  if (path:is-regular $file) {
    str:split "\n" (slurp < $file)
  }
}

# Targets behind the verbs that take one.
var jit-static = $edit:completion:arg-completer[jit]
set edit:completion:arg-completer[jit] = {|@words|
  var verb = ''
  var skip = $false
  for word $words[1..-1] {
    if $skip {
      set skip = $false
    } elif (has-value [@FLAGS@] $word) {
      set skip = $true
    } elif (and (eq $verb '') (not (str:has-prefix $word -))) {
      set verb = $word
    }
  }
  if (and (not $skip) (has-value [@VERBS@] $verb) (not (str:has-prefix $words[-1] -))) {
    for line [(jit-lines $jit-targets-file)] {
      var name = [(str:split ' ' $line)][0]
      if (re:match '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$' $name) {
        put $name
      }
    }
  }
  $jit-static $@words
}

# What is live and for how long, such as `prod-admin 1h12m`, from the file and the clock of the kernel: elvish has none
# of its own. Without /proc nothing is said. No process is started for it.
var jit-booted = 0
if (path:is-regular /proc/stat) {
  for line [(str:split "\n" (slurp < /proc/stat))] {
    if (str:has-prefix $line 'btime ') {
      set jit-booted = (num [(str:split ' ' $line)][1])
    }
  }
}
var jit-warned = [&]
fn jit-look {|&warn=$false|
  if (== $jit-booted 0) { return }
  var now = (+ $jit-booted (math:floor (num [(str:split ' ' (slurp < /proc/uptime))][0])))
  var texts = []
  for line [(jit-lines $jit-live-file)] {
    if (not (re:match '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})? [1-9][0-9]{0,11}( |$)' $line)) { continue }
    var words = [(str:split ' ' $line)]
    var left = (exact-num (- (num $words[1]) $now))
    if (<= $left 0) { continue }
    var text = $left's'
    if (>= $left 3600) {
      set text = (exact-num (math:trunc (/ $left 3600)))'h'(exact-num (math:trunc (/ (% $left 3600) 60)))'m'
    } elif (>= $left 60) {
      set text = (exact-num (math:trunc (/ $left 60)))'m'
    }
    var key = $words[0]'@'$words[1]
    if (and $warn (< $left 300) (not (has-key $jit-warned $key))) {
      set jit-warned[$key] = $true
      edit:notify 'jit: '$words[0]' ends in '$text
    }
    set texts = [$@texts $words[0]' '$text]
  }
  if (> (count $texts) 3) {
    set texts = [(all $texts[..3]) '+'(- (count $texts) 3)]
  }
  put (str:join ', ' $texts)
}
fn jit-prompt { jit-look }
edit:add-var jit-prompt~ $jit-prompt~
if (not-eq $E:_JIT_ELVISH $pid) {
  set E:_JIT_ELVISH = $pid
  set edit:before-readline = [$@edit:before-readline { nop (jit-look &warn=$true) }]
}
