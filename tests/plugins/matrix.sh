#!/usr/bin/env bash
# The tests of plugins over {stable, nightly} x {debug, release}, for the program and for the plugins it loads: a plugin
# of any toolchain and profile must work in a program of any other. The plugins in C are part of every run.
#
# `matrix.sh` runs all sixteen; `matrix.sh stable debug nightly release` runs one: program, then plugins. Continuous
# integration runs stable debug with stable debug, as a part of `cargo test --workspace`.
set -euo pipefail
cd "$(dirname "$0")/../.."

profile() { [ "$1" = release ] && echo --release || true; }
# What one toolchain has built, another must not find.
folder() { echo "$PWD/target/matrix/$1"; }

plugins() {
    # Release plugins without the workspace's LTO: it is the border that is tested, and it saves minutes.
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo "+$1" build --quiet --locked -p pump-plugin -p faulty-plugin $(profile "$2") --target-dir "$(folder "$1")"
}

program() {
    FLOW_TEST_PLUGINS="$(folder "$3")/$4" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo "+$1" test --quiet --locked -p flow-tests --test plugins $(profile "$2") --target-dir "$(folder "$1")"
}

one() {
    printf '\n== program %s %s, plugins %s %s\n' "$@"
    plugins "$3" "$4"
    program "$@"
}

if [ $# -eq 4 ]; then
    one "$@"
    exit
fi
for plugin_toolchain in stable nightly; do
    for plugin_profile in debug release; do
        for toolchain in stable nightly; do
            for profile in debug release; do
                one "$toolchain" "$profile" "$plugin_toolchain" "$plugin_profile"
            done
        done
    done
done
