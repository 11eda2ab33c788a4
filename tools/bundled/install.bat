@echo off
rem install.bat [FOLDER]: install the sidecar without a network. PYTHON names the Python to use.
setlocal
cd /d "%~dp0"
for /f "tokens=1" %%v in (FOR) do set WANTED=%%v
if not defined PYTHON set PYTHON=py -%WANTED%
%PYTHON% install.py %*
if errorlevel 9009 echo Python %WANTED% (64 bit) is not installed; install it, or name it: set PYTHON=C:\path\to\python.exe
exit /b %errorlevel%
