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
guard=/usr/sbin/policy-rc.d  # dpkg asks this hook before it starts a service
aside=$guard.before-sloagent
left_behind() { [ -e "$aside" ] || grep -qs 'held back by sloagent' "$guard"; }  # by a run that was killed

if [ ${#wanted[@]} -eq 0 ] && ! left_behind; then exit 0; fi

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

# --- Services are held back from here to the end, and whatever was there before is put back ---------------------------
put_back() {
    if [ -e "$aside" ]; then
        "${as_root[@]}" mv -f "$aside" "$guard"
    elif left_behind; then
        "${as_root[@]}" rm -f "$guard"
    fi
}
put_back
if [ ${#wanted[@]} -eq 0 ]; then exit 0; fi
trap put_back EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$guard" ]; then "${as_root[@]}" mv "$guard" "$aside"; fi
printf '#!/bin/sh\n# services held back by sloagent scripts/packages.sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
"${as_root[@]}" chmod 755 "$guard"

# --- Which packages -----------------------------------------------------------------------------------------------
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

knows() {
    local policy
    policy=$(apt-cache policy "$1" 2>/dev/null)  # not a pipe: grep -q would end apt-cache early, which counts as a failure
    [[ $policy == *Candidate:* && $policy != *"Candidate: (none)"* ]]
}

choose() { # fills `packages` from `wanted`; false if apt knows none of some alternatives
    local alternatives package found
    packages=()
    for alternatives in "${wanted[@]}"; do
        found=
        for package in ${alternatives//|/ }; do
            if knows "$package"; then found=$package && break; fi
        done
        if [ -z "$found" ]; then return 1; fi
        case " ${packages[*]} " in *" $found "*) ;; *) packages+=("$found") ;; esac
    done
}

if ! choose; then
    say "apt-get update"
    apt update </dev/null >&2 || give_up "apt-get update failed; its words are above. These programs are missing:"
    choose || give_up "this machine's apt offers no package for some of these; please install them by hand:"
fi

# --- Installing ----------------------------------------------------------------------------------------------------
units() { { ls /lib/systemd/system /usr/lib/systemd/system /etc/init.d 2>/dev/null || true; } | sed -n 's/\.service$//p; /\./!p' | sort -u; }
before=$(units)

say "apt-get install ${packages[*]} (no service is started)"
words=$(mktemp)
install() { apt install --no-install-recommends "${packages[@]}" </dev/null >"$words" 2>&1; }
if ! install; then
    say "that failed; once more with new package lists"
    apt update </dev/null >&2 || true
    if ! install; then
        cat "$words" >&2
        rm -f "$words"
        give_up "apt-get could not install what carries these programs; its words are above:"
    fi
fi
rm -f "$words"

# What came with a service of its own would start at the next boot: not for us.
comm -13 <(printf '%s\n' "$before") <(units) | while read -r service; do
    if [ -n "$service" ] && command -v update-rc.d >/dev/null 2>&1; then
        "${as_root[@]}" update-rc.d "$service" disable >/dev/null 2>&1 || true
    fi
done
