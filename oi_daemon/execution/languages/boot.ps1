# A persistent PowerShell that runs blocks: `pwsh -NoExit -Command ". boot.ps1 NONCE CONTROL ANSWERS SOURCE"`.
#
# Over CONTROL, the daemon sends a block's number on a line, and control messages are sent to the
# daemon; the block's text is in the file SOURCE. Lines of input come in over ANSWERS. PowerShell's own
# loop runs the statements one by one, as if they were typed: `PSConsoleHostReadLine` returns the next
# one, and the prompt is a mark, whose kind is L (a line is active), D
# (the control message with this number belongs here) or E (the block has ended). So an interrupt ends
# one statement, and variables stay. Every wait is made in short steps, because PowerShell handles an
# interrupt between two of them only.
param([string]$Nonce, [int]$Control, [int]$Answers, [int]$Source)

function __oi_stream([int]$Descriptor, [System.IO.FileAccess]$Access) {
    $handle = [Microsoft.Win32.SafeHandles.SafeFileHandle]::new([IntPtr]$Descriptor, $false)
    [System.IO.FileStream]::new($handle, $Access, 1)
}

$__oi = @{
    Nonce      = $Nonce
    Source     = "/dev/fd/$Source"
    Block      = 0
    Messages   = 0
    Statements = [System.Collections.Generic.Queue[System.Management.Automation.Language.Ast]]::new()
    Usings     = ''
    Fresh      = $true # no statement of this block has run yet
    Requests   = [System.IO.StreamReader]::new((__oi_stream $Control Read))
    Replies    = [System.IO.StreamReader]::new((__oi_stream $Answers Read))
    Control    = [System.IO.StreamWriter]::new((__oi_stream $Control Write))
    Reading    = @{}
}
Remove-Variable Nonce, Control, Answers, Source
[Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false)
$ProgressPreference = 'SilentlyContinue'
if ($PSStyle) { $PSStyle.OutputRendering = 'PlainText' }

function __oi_mark([string]$Kind, [int]$Number) {
    "$([char]0x1e)$($__oi.Nonce)$Kind$Number$([char]0x1f)"
}

# Return the next line of a reader. A read that was interrupted is continued.
function __oi_read([string]$From) {
    if (-not $__oi.Reading[$From]) { $__oi.Reading[$From] = $__oi[$From].ReadLineAsync() }
    while (-not $__oi.Reading[$From].Wait(50)) { }
    $line = $__oi.Reading[$From].Result
    $__oi.Reading[$From] = $null
    $line
}

# Wait for the next block and queue its statements. If it does not parse, write the errors and run nothing.
function __oi_take {
    $number = __oi_read Requests
    if ($null -eq $number) { [Environment]::Exit(0) }
    $__oi.Block = [int]$number
    $__oi.Fresh = $true
    $tokens = $errors = $null
    $code = [System.IO.File]::ReadAllText($__oi.Source)
    $ast = [System.Management.Automation.Language.Parser]::ParseInput($code, [ref]$tokens, [ref]$errors)
    if ($errors) {
        foreach ($e in $errors) { [Console]::Out.WriteLine("ParserError: line $($e.Extent.StartLineNumber): $($e.Message)") }
        [Console]::Out.Write((__oi_tell @{ name = 'ParserError'; message = $errors[0].Message; traceback = @() }))
        return
    }
    $__oi.Usings = ($ast.UsingStatements | ForEach-Object { $_.Extent.Text + '; ' }) -join ''
    if ($ast.ParamBlock -or $ast.BeginBlock -or $ast.ProcessBlock) { $__oi.Statements.Enqueue($ast) }
    else { foreach ($statement in $ast.EndBlock.Statements) { $__oi.Statements.Enqueue($statement) } }
}

# Send a control message with the error of a block; return the mark that says where it belongs.
function __oi_tell([hashtable]$What) {
    $number = ++$__oi.Messages
    $message = @{ number = $number; error = $What } | ConvertTo-Json -Compress -Depth 4
    $__oi.Control.Write("$message`n")
    $__oi.Control.Flush()
    __oi_mark D $number
}

# Return an error record as data.
function __oi_error($Record) {
    @{
        name      = $Record.Exception.GetType().Name
        message   = $Record.Exception.Message
        traceback = @("$($Record.ScriptStackTrace)" -split "`n")
    }
}

# Return the next mark. A statement that threw or was interrupted ends its block.
function prompt {
    $last = Get-History -Count 1
    $told = ''
    if (-not $__oi.Fresh -and $last -and $last.ExecutionStatus -ne 'Completed') {
        $__oi.Statements.Clear()
        if ($last.ExecutionStatus -eq 'Failed' -and $global:Error.Count) { $told = __oi_tell (__oi_error $global:Error[0]) }
    }
    if ($__oi.Statements.Count) { __oi_mark L $__oi.Statements.Peek().Extent.StartLineNumber }
    else { $told + (__oi_mark E $__oi.Block) }
}

# Return the next statement; PowerShell calls this to read what was typed.
function PSConsoleHostReadLine {
    while (-not $__oi.Statements.Count) {
        __oi_take
        [Console]::Out.Write((prompt))
    }
    $__oi.Fresh = $false
    $extent = $__oi.Statements.Dequeue().Extent
    $__oi.Usings + "`n" * ($extent.StartLineNumber - 1) + $extent.Text # so that errors name its line
}

# Request a line of input, and return it.
function __oi_ask([string]$Prompt, [bool]$Password) {
    $number = ++$__oi.Messages
    $message = @{ number = $number; input = $Prompt; password = $Password } | ConvertTo-Json -Compress
    $__oi.Control.Write("$message`n")
    $__oi.Control.Flush()
    [Console]::Out.Write((__oi_mark D $number))
    do { $answer = (__oi_read Replies) -split ' ' } until ($answer[0] -eq "$number" -or -not $answer[0])
    if ($answer[1]) { [System.Text.Encoding]::UTF8.GetString([Convert]::FromHexString($answer[1])).TrimEnd("`n") }
    else { '' }
}

# Replaces the original, which would read from a terminal.
function Read-Host {
    param(
        [Parameter(Position = 0, ValueFromRemainingArguments)][object[]]$Prompt,
        [switch]$AsSecureString,
        [switch]$MaskInput
    )
    $line = __oi_ask "$Prompt" ($AsSecureString -or $MaskInput)
    if (-not $AsSecureString) { return $line }
    $secret = [System.Security.SecureString]::new()
    foreach ($character in $line.ToCharArray()) { $secret.AppendChar($character) }
    $secret
}
