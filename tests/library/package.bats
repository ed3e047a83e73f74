# The installed library, used by a program outside of the tree that finds it by find_package.
load ../lib/umbel
setup() {
  umbel_setup && needs_root && needs_command cmake
  build=$(dirname "$UMBEL")
  [[ -e $build/libumbel.a ]] || skip "there is no $build/libumbel.a"
  ! grep -q fsanitize "$build/CMakeCache.txt" || skip "not with sanitizers"
  [[ -d /run/netns ]] || netns_is_new=1
}
teardown() {
  umbel_teardown
  [[ -z ${netns_is_new-} ]] || { umount /run/netns && rmdir /run/netns; } 2>/dev/null || true
}

@test "installed, found, built and run by a program outside" {
  cmake --install "$build" --prefix "$scratch/prefix" --component library >/dev/null
  cp -r "$BATS_TEST_DIRNAME/outside" "$scratch/outside"
  cmake -S "$scratch/outside" -B "$scratch/outside/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
    -DCMAKE_BUILD_TYPE=Debug >/dev/null
  cmake --build "$scratch/outside/build" >/dev/null
  equal "$("$scratch/outside/build/outside")" "all as promised"
  # What it detached is a container like any other; what it did not is gone without a trace.
  equal "$(umbel ps --all --json | jq -r '.[] | .name + " " + .status')" "stays running"
  umbel exec stays true
  umbel kill --signal KILL stays
  equal "$(umbel wait stays)" 137
  equal "$(umbel ns list -q | grep outside || true)" ""

  needs_command setpriv
  chmod 755 "$scratch" && mkdir user && chown 65534:65534 user
  cp outside/build/outside user/program
  equal "$(cd user && setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
    --bounding-set=-all env UMBEL_HOME="$scratch/user/home" HOME=/ ./program)" "all as promised"
}
