#!/usr/bin/env bash
# The tests of plugins under AddressSanitizer, program and plugins alike, those in C too, and the border in one process under Miri.
# Needs the nightly toolchain with `rust-src` and `miri`. `sanitize.sh address` or `sanitize.sh miri` runs one of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(rustc +nightly -vV | sed -n 's/^host: //p')

address() {
    # Libraries stay loaded and their threads run to the end of the process: that is no leak. They find the sanitizer in the
    # program, which exports it.
    RUSTFLAGS="-Zsanitizer=address -Clink-arg=-rdynamic" FLOW_TEST_SANITIZER=address ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1 \
        cargo +nightly test --locked -p flow-tests --test plugins --target "$target" --target-dir target/address
}

miri() {
    # The reactor needs a clock, and its thread runs to the end of the process.
    MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks" cargo +nightly miri test --locked -p flow --no-default-features \
        --features dynamic-connectors --lib --target-dir target/miri plugin::
}

case "${1:-all}" in
    address) address ;;
    miri) miri ;;
    all) address && miri ;;
    *) echo "write nothing, \`address\` or \`miri\`" >&2 && exit 2 ;;
esac
