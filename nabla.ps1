# Starts nabla on Windows; builds it first when a source is newer than the last build. Needs the .NET SDK and nothing else.
# This script has not been tested: Nabla is developed and tested on Linux x64, where ./nabla does the same.
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
$out = Join-Path $root 'artifacts/launcher'
$program = Join-Path $out 'bin/Nabla.Cli/release/Nabla.Cli.dll'
$stamp = Join-Path $out 'built'
$sources = 'src', 'recipes', 'benchmarks/Baselines', 'README.md', 'global.json', 'Directory.Build.props', 'Directory.Build.targets', 'Directory.Packages.props' | ForEach-Object { Join-Path $root $_ }

$current = (Test-Path $stamp) -and (Test-Path $program)
if ($current) {
    $built = (Get-Item $stamp).LastWriteTimeUtc
    $current = -not (Get-ChildItem $sources -Recurse -Force | Where-Object { $_.LastWriteTimeUtc -gt $built } | Select-Object -First 1)
}
if (-not $current) {
    New-Item -ItemType Directory -Force $out | Out-Null
    $started = [DateTime]::UtcNow
    [Console]::Error.WriteLine('nabla: building (once; about half a minute) ...')
    $log = Join-Path $out 'build.log'
    & dotnet build (Join-Path $root 'src/Nabla.Cli/Nabla.Cli.csproj') --configuration Release --nologo --verbosity quiet `
        -nodeReuse:false "-property:ArtifactsPath=$out" -property:TreatWarningsAsErrors=false -property:RunAnalyzers=false *> $log
    if ($LASTEXITCODE -ne 0) {
        [Console]::Error.WriteLine("nabla: the build failed; all of its output is in $log")
        exit 1
    }
    New-Item -ItemType File -Force $stamp | Out-Null
    (Get-Item $stamp).LastWriteTimeUtc = $started
}
& dotnet $program @args
exit $LASTEXITCODE
