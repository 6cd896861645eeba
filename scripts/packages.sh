#!/usr/bin/env bash
# Installs with apt what scripts/programs.txt lists for a purpose and the machine lacks; with `python` as a second word,
# a Python that suits. No service that a package brings is started, now or at the next boot. Where apt is unknown or
# not permitted it says what is missing and exits 1. Usage: packages.sh demo|test [python]
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

has_any() { # PROGRAM|PROGRAM
    local program
    for program in ${1//|/ }; do
        if command -v "$program" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

missing=()  # programs, for people
wanted=()   # packages, or alternatives joined by |, for apt
while read -r purpose program package; do
    if [ "$purpose" = "$1" ] && ! has_any "$program"; then
        missing+=("${program//|/ or } (Debian package: ${package//|/ or })")
        wanted+=("$package")
    fi
done < <(grep -v '^#' scripts/programs.txt)
if [ "${2:-}" = python ]; then
    missing+=("Python 3.11, 3.12 or 3.13 with venv and ensurepip (Debian packages: python3 and python3-venv)")
    wanted+=("python3.13-venv|python3.12-venv|python3.11-venv")
fi
if [ ${#wanted[@]} -eq 0 ]; then exit 0; fi

give_up() {
    say "$1"
    printf '         %s\n' "${missing[@]}" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || give_up "this machine has no apt-get; please install these programs, then type the same command again:"
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }; }; then
    as_root=(sudo)
else
    give_up "neither root nor sudo: please have these programs installed, then type the same command again:"
fi

# --- Which packages -----------------------------------------------------------------------------------------------
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

knows() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

choose() { # fills `packages` from `wanted`; false if apt knows none of some alternatives
    local alternatives package found
    packages=()
    for alternatives in "${wanted[@]}"; do
        found=
        for package in ${alternatives//|/ }; do
            if knows "$package"; then found=$package && break; fi
        done
        if [ -z "$found" ]; then return 1; fi
        packages+=("$found")
    done
}

if ! choose; then
    say "apt-get update"
    apt update >&2
    choose || give_up "this machine's apt offers no package for some of these; please install them by hand:"
fi

# --- Installing, with every service held back ---------------------------------------------------------------------
# dpkg's hook for that is /usr/sbin/policy-rc.d; whatever was there is put back, also after a run that was killed.
guard=/usr/sbin/policy-rc.d
aside=$guard.before-sloagent
put_back() {
    if [ -e "$aside" ]; then
        "${as_root[@]}" mv -f "$aside" "$guard"
    elif grep -qs 'held back by sloagent' "$guard"; then
        "${as_root[@]}" rm -f "$guard"
    fi
}
trap put_back EXIT
trap 'exit 130' INT TERM HUP
put_back
if [ -e "$guard" ]; then "${as_root[@]}" mv "$guard" "$aside"; fi
printf '#!/bin/sh\n# services held back by sloagent scripts/packages.sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
"${as_root[@]}" chmod 755 "$guard"

units() { ls /lib/systemd/system /usr/lib/systemd/system /etc/init.d 2>/dev/null | sed -n 's/\.service$//p; /\./!p' | sort -u; }
before=$(units)

say "apt-get install ${packages[*]} (no service is started)"
if ! apt install --no-install-recommends "${packages[@]}" </dev/null >/dev/null; then
    say "that failed; once more with new package lists"
    apt update >&2
    apt install --no-install-recommends "${packages[@]}" </dev/null >&2 || give_up "apt-get could not install what carries these programs; its words are above:"
fi

# What came with a service of its own would start at the next boot: not for us.
comm -13 <(printf '%s\n' "$before") <(units) | while read -r service; do
    if [ -n "$service" ] && command -v update-rc.d >/dev/null 2>&1; then
        "${as_root[@]}" update-rc.d "$service" disable >/dev/null 2>&1 || true
    fi
done
