# Starts nabla on Windows, and wherever there is a PowerShell; builds it first when a source is newer than the last build. Needs the
# .NET SDK and nothing else. Does what ./nabla does. Tried with PowerShell 7 on Linux; not on Windows, where it has not been run.
$ErrorActionPreference = 'Continue' # in Windows PowerShell a program's lines on standard error would else end this script
$root = $PSScriptRoot
$out = Join-Path $root 'artifacts/launcher' # apart from the folders of tests and of editors, whose builds check more and take longer
$program = Join-Path $out 'bin/Nabla.Cli/release/Nabla.Cli.dll'
$stamp = Join-Path $out 'built'
$log = Join-Path $out 'build.log'

function Say([string] $text) { [Console]::Error.WriteLine("nabla: $text") }

function Find-Dotnet {
    $found = Get-Command dotnet -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($found) { return $found.Source }
    foreach ($folder in @($env:DOTNET_ROOT, (Join-Path $HOME '.dotnet'))) {
        foreach ($name in 'dotnet.exe', 'dotnet') {
            if ($folder -and (Test-Path -LiteralPath (Join-Path $folder $name) -PathType Leaf)) { return Join-Path $folder $name }
        }
    }
    Say "the .NET SDK 10 is needed and 'dotnet' was not found. Install it from https://dot.net/download, or set DOTNET_ROOT."
    exit 1
}

# A folder is newer when a file in it was added, removed or renamed.
function Test-Current {
    if (-not ((Test-Path -LiteralPath $stamp) -and (Test-Path -LiteralPath $program))) { return $false }
    $built = (Get-Item -LiteralPath $stamp).LastWriteTimeUtc
    foreach ($name in 'README.md', 'global.json', 'Directory.Build.props', 'Directory.Build.targets', 'Directory.Packages.props', 'src', 'recipes', 'benchmarks/Baselines') {
        $path = Join-Path $root $name
        if ((Get-Item -LiteralPath $path).LastWriteTimeUtc -gt $built) { return $false }
        if ((Test-Path -LiteralPath $path -PathType Container) -and
            (Get-ChildItem -LiteralPath $path -Recurse -Force | Where-Object { $_.LastWriteTimeUtc -gt $built } | Select-Object -First 1)) { return $false }
    }
    return $true
}

function Invoke-Build([string] $dotnet) {
    $started = [DateTime]::UtcNow # a source that changes during the build is newer than this
    Say 'building (once; about half a minute) ...'
    & $dotnet build (Join-Path $root 'src/Nabla.Cli/Nabla.Cli.csproj') --configuration Release --nologo --verbosity quiet `
        -nodeReuse:false "-property:ArtifactsPath=$out" -property:TreatWarningsAsErrors=false -property:RunAnalyzers=false `
        -property:UseSharedCompilation=false *> $log
    if ($LASTEXITCODE -ne 0) {
        Say "the build failed; all of its output is in $log"
        $lines = @(Get-Content -LiteralPath $log)
        $errors = @($lines | Where-Object { $_ -match 'error( |:)' })
        if ($errors.Count -eq 0) { $errors = $lines | Select-Object -Last 20 }
        $errors | Sort-Object -Unique | Select-Object -First 20 | ForEach-Object { [Console]::Error.WriteLine($_) }
        exit 1
    }
    [IO.File]::WriteAllText($stamp, '')
    [IO.File]::SetLastWriteTimeUtc($stamp, $started)
    Say "built in $([int]([DateTime]::UtcNow - $started).TotalSeconds) s."
}

$dotnet = Find-Dotnet
if (-not (Test-Current)) {
    New-Item -ItemType Directory -Force $out | Out-Null
    # One build at a time; those that waited find it done. The file is closed, and the lock with it, however this process ends.
    $lock = $null
    while (-not $lock) {
        try { $lock = [IO.File]::Open((Join-Path $out 'lock'), 'OpenOrCreate', 'ReadWrite', 'None') }
        catch [IO.IOException] { Start-Sleep -Milliseconds 200 }
    }
    try { if (-not (Test-Current)) { Invoke-Build $dotnet } }
    finally { $lock.Dispose() }
}
& $dotnet $program @args
exit $LASTEXITCODE
