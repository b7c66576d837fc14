# What follows stands behind a completion script for PowerShell. Reading it twice adds nothing twice.
# The files below are data: a line that is not what jit writes is skipped, and no line is ever evaluated.
$global:JitLiveFile = @LIVE@
$global:JitTargetsFile = @TARGETS@
$global:JitName = '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$'
if ($null -eq $global:JitWarned) { $global:JitWarned = @{} }

# `jit use` has to change this shell, which a program cannot do. Flags may stand before the verb.
function global:jit {
    $program = Get-Command -CommandType Application -Name jit -TotalCount 1 -ErrorAction Stop
    $verb = $null
    $skip = $false
    foreach ($word in $args) {
        if ($skip) { $skip = $false }
        elseif (@(@FLAGS@) -ccontains "$word") { $skip = $true }
        elseif (-not "$word".StartsWith('-')) { $verb = "$word"; break }
    }
    if ($verb -cne 'use') {
        if ($MyInvocation.ExpectingInput) { $input | & $program @args } else { & $program @args }
        return
    }
    $text = (& $program @args --hook --shell pwsh) -join "`n"
    if ($text -cmatch '^\$Env:') { Invoke-Expression $text } elseif ($text) { $text }
}

# Words of each line of a file of ours, where the first is a name; nothing where there is no file.
function global:Read-JitFile([string] $file) {
    if (-not [IO.File]::Exists($file)) { return }
    foreach ($line in [IO.File]::ReadAllLines($file)) {
        $words = $line.Split(' ')
        if ($words[0] -cmatch $global:JitName) { , $words }
    }
}

# Targets behind the verbs that take one, before what the completion script knows.
Register-ArgumentCompleter -Native -CommandName 'jit' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $verb = $null
    $skip = $false
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        $word = $element.ToString()
        if ($element.Extent.EndOffset -ge $cursorPosition -and $wordToComplete) { break }
        if ($skip) { $skip = $false }
        elseif (@(@FLAGS@) -ccontains $word) { $skip = $true }
        elseif ($null -eq $verb -and -not $word.StartsWith('-')) { $verb = $word }
    }
    if (-not $skip -and @(@VERBS@) -ccontains $verb -and -not $wordToComplete.StartsWith('-')) {
        Read-JitFile $global:JitTargetsFile | ForEach-Object { $_[0] } | Select-Object -Unique |
            Where-Object { $_.StartsWith($wordToComplete) } |
            ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
    }
    & $global:JitStatic $wordToComplete $commandAst $cursorPosition
}

# What is live and for how long, such as `prod-admin 1h12m`. No process is started for it.
function global:Get-JitPrompt {
    $now = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
    $texts = @()
    foreach ($words in @(Read-JitFile $global:JitLiveFile)) {
        if ($words.Count -lt 2 -or $words[1] -cnotmatch '^[1-9][0-9]{0,11}$') { continue }
        $left = [long] $words[1] - $now
        if ($left -le 0) { continue }
        $text = if ($left -ge 3600) { '{0}h{1}m' -f [Math]::Floor($left / 3600), [Math]::Floor($left % 3600 / 60) }
        elseif ($left -ge 60) { '{0}m' -f [Math]::Floor($left / 60) }
        else { "${left}s" }
        $key = "$($words[0])@$($words[1])"
        if ($left -lt 300 -and -not $global:JitWarned.ContainsKey($key)) {
            $global:JitWarned[$key] = $true
            [Console]::Error.WriteLine("jit: $($words[0]) ends in $text")
        }
        $texts += "$($words[0]) $text"
    }
    if ($texts.Count -gt 3) { $texts = $texts[0..2] + "+$($texts.Count - 3)" }
    $texts -join ', '
}
