<#
.SYNOPSIS
Shows which chat instances answer behind HAProxy, by HTTP and by WebSocket, and ends with 1 when one of them got nothing.
.DESCRIPTION
For Windows PowerShell 5.1 and PowerShell 7; needs no modules. The WebSockets need a token: $env:PARLEY_TOKEN, or several in it with
spaces between, one for each user. Without it those of the demo users of the running npm start are taken, for its own entry only. A user
has at most ten sockets at a time unless configured otherwise.
Ends with 0 when every instance got a part, 1 when one got nothing, 2 when it could not be tested.
.PARAMETER Url
Entry of chat (default: that of the running npm start, or http://localhost:8085).
.PARAMETER Requests
Ask /api/health so many times, 0 to leave it out.
.PARAMETER Sockets
Hold so many WebSockets at a time, 0 to leave them out.
.PARAMETER Instances
How many instances have to answer (default: those of the running npm start, or 2).
.PARAMETER Data
Data folder of npm start (default: .parley in the repository).
.PARAMETER Help
This text; --help does the same.
.EXAMPLE
test\test-load-balance.ps1 -Requests 90 -Sockets 0
#>
param(
  [string]$Url = '',
  [ValidateRange(0, 999999)][int]$Requests = 60,
  [ValidateRange(0, 999999)][int]$Sockets = 9,
  [ValidateRange(0, 999999)][int]$Instances = 0,
  [string]$Data = '',
  [switch]$Help
)
$ErrorActionPreference = 'Stop'
if ($Help -or $Url -eq '--help') {
  Get-Help $PSCommandPath -Full
  exit 0
}

$WaitMilliseconds = 10000

function Stop-Test([string]$Message) {
  [Console]::Error.WriteLine("test-load-balance: $Message")
  exit 2
}

# The cause, without the layers that .NET puts around it.
function Get-Cause($ErrorRecord) {
  $cause = $ErrorRecord.Exception
  while ($cause.InnerException) { $cause = $cause.InnerException }
  $cause.Message
}

# Names of instances. Prints how often each came; an expected one that did not come has 0. Returns what is wrong, or nothing.
function Show-Share([string]$What, [string[]]$Names, [string[]]$Expected, [int]$Wanted) {
  $count = @{}
  foreach ($name in $Expected) { $count[$name] = 0 }
  foreach ($name in $Names) {
    if ($count.ContainsKey($name)) { $count[$name] = $count[$name] + 1 } else { $count[$name] = 1 }
  }
  foreach ($name in ($count.Keys | Sort-Object)) {
    $percent = 0
    if ($Names.Count -gt 0) { $percent = [Math]::Round(100 * $count[$name] / $Names.Count) }
    [Console]::Out.WriteLine(('  {0,-28} {1,6} {2,4} %' -f $name, $count[$name], $percent))
  }
  $idle = @($count.Keys | Where-Object { $count[$_] -eq 0 } | Sort-Object)
  $reached = $count.Count - $idle.Count
  if ($idle.Count -gt 0) { return "${What}: nothing reached $($idle -join ' ')" }
  if ($reached -lt $Wanted) { return "${What}: $reached of $Wanted instances got a part" }
}

# Opens a WebSocket and reads until the server says welcome. Returns the socket and the name of its instance.
function Open-Socket([string]$Address, [string]$Token) {
  $socket = New-Object System.Net.WebSockets.ClientWebSocket
  $socket.Options.SetRequestHeader('Authorization', "Bearer $Token")
  $source = New-Object System.Threading.CancellationTokenSource($WaitMilliseconds)
  [void]$socket.ConnectAsync([Uri]$Address, $source.Token).GetAwaiter().GetResult()
  $buffer = New-Object byte[] 65536
  $segment = New-Object 'System.ArraySegment[byte]' -ArgumentList @(, $buffer)
  while ($true) {
    $text = ''
    do {
      $part = $socket.ReceiveAsync($segment, $source.Token).GetAwaiter().GetResult()
      if ($part.MessageType -eq [System.Net.WebSockets.WebSocketMessageType]::Close) {
        throw "closed with $([int]$part.CloseStatus) $($part.CloseStatusDescription)"
      }
      $text += [System.Text.Encoding]::UTF8.GetString($buffer, 0, $part.Count)
    } until ($part.EndOfMessage)
    $frame = $text | ConvertFrom-Json
    if ($frame.type -eq 'rate_limit_exceeded') { throw "$($frame.message); try again in $($frame.retry_after) s, or with fewer -Sockets" }
    if ($frame.type -eq 'error') { throw "$($frame.code): $($frame.message)" }
    if ($frame.type -eq 'welcome') { return @{ Socket = $socket; Server = $frame.server } }
  }
}

if ($Requests + $Sockets -eq 0) { Stop-Test 'nothing to do: -Requests and -Sockets are both 0' }
$Url = $Url.TrimEnd('/')
if ($Data -eq '') { $Data = Join-Path (Split-Path -Parent $PSScriptRoot) '.parley' }
$tokens = @("$env:PARLEY_TOKEN" -split '\s+' | Where-Object { $_ -ne '' })
$expected = @()

# What the running npm start says about itself counts for its own entry only: its tokens are for nobody else.
$localFile = Join-Path $Data 'local.json'
if (Test-Path -LiteralPath $localFile) {
  $local = Get-Content -LiteralPath $localFile -Raw | ConvertFrom-Json
  if ($Url -eq '' -or $Url -eq $local.urls.chat) {
    $Url = $local.urls.chat
    if ($Instances -eq 0) { $expected = @($local.chatInstances | ForEach-Object { $_.name }) }
    if ($tokens.Count -eq 0) { $tokens = @($local.users | ForEach-Object { $_.token }) }
  }
}
if ($Url -eq '') { $Url = 'http://localhost:8085' }
if ($Url -notmatch '^https?://') { Stop-Test "-Url must begin with http:// or https://, not '$Url'" }
$wanted = $Instances
if ($wanted -eq 0) { $wanted = [Math]::Max(2, $expected.Count) }
if ($expected.Count -eq 1) { $wanted = 1 }
$wrong = @()

if ($Requests -gt 0) {
  [Console]::Out.WriteLine("$Requests requests to $Url/api/health")
  $names = @()
  try {
    for ($i = 0; $i -lt $Requests; $i++) {
      $names += (Invoke-RestMethod -UseBasicParsing -TimeoutSec 10 -Uri "$Url/api/health?n=$i").instance
    }
  } catch {
    Stop-Test ("$Url/api/health does not answer as it should: $(Get-Cause $_)`n" +
      'Start it with npm start, or on Kubernetes: kubectl port-forward service/demo-haproxy 8085:8085')
  }
  $wrong += @(Show-Share 'HTTP' $names $expected $wanted)
}

if ($Sockets -gt 0) {
  if ($tokens.Count -eq 0) {
    Stop-Test 'no token for the WebSockets: set $env:PARLEY_TOKEN, or start npm start. -Sockets 0 leaves the WebSockets out'
  }
  $address = ($Url -replace '^http', 'ws') + '/api/ws'
  [Console]::Out.WriteLine("$Sockets WebSockets to $address")
  $opened = @()
  try {
    # One after the other: each goes to the instance that has the fewest then.
    for ($i = 0; $i -lt $Sockets; $i++) { $opened += Open-Socket $address $tokens[$i % $tokens.Count] }
    $names = @($opened | ForEach-Object { $_.Server })
  } catch {
    Stop-Test "WebSocket $($opened.Count + 1) to ${address}: $(Get-Cause $_)"
  } finally {
    foreach ($each in $opened) { $each.Socket.Dispose() }
  }
  $wrong += @(Show-Share 'WebSocket' $names $expected $wanted)
}

if ($wrong.Count -gt 0) {
  foreach ($line in $wrong) { [Console]::Error.WriteLine($line) }
  [Console]::Error.WriteLine('Is an instance DOWN on the statistics page (8404)? Look at its log, or at kubectl get pods. One that has many')
  [Console]::Error.WriteLine('more sockets than the others gets no new ones until they have as many: open more, or use -Sockets 0.')
  exit 1
}
[Console]::Out.WriteLine('Every instance got a part.')
exit 0
