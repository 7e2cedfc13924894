@rem Starts nabla.ps1, so that "nabla train shapes" works in cmd as well. Not tested; see there.
@powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0nabla.ps1" %*
