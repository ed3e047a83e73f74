#!/usr/bin/env bats
# The harness itself: the root file system that it builds runs, and its checks can fail.
load ../lib/umbel

setup() { scratch=$(mktemp -d /tmp/umbel-test.XXXXXX); }
teardown() { rm -rf --one-file-system "$scratch"; }

@test "the busybox root file system runs a shell" {
  needs_root
  rootfs "$scratch/root"
  run -0 chroot "$scratch/root" /bin/sh -c 'id -un && ls -d /proc'
  equal "$output" $'root\n/proc'
}

@test "a check that does not hold fails" {
  run ! equal a b
  run ! contains abc d
  run ! lacks abc b
  run -0 equal a a
  run -0 contains abc b
  run -0 lacks abc d
}
