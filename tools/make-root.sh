#!/usr/bin/env bash
# make-root.sh CACHE SUITE MIRROR: makes CACHE/root, a Debian SUITE with emscripten in it, for chroot.
# Run as root by tools/toolchain.mjs on a Debian whose own emcc is too old. Nothing outside CACHE is written.
#
# A root counts only under its final name: it is made beside it and renamed when whole, so an interrupted run
# leaves nothing that looks finished. flock makes a second run wait and then find the root there. All mounts
# live in a mount namespace of this script's own and end with it, however it ends.
set -euo pipefail

cache=$1 suite=$2 mirror=$3
if [[ ${HEDDLE_IN_NAMESPACE:-} != 1 ]]; then
  mkdir -p "$cache"
  HEDDLE_IN_NAMESPACE=1 exec flock "$cache/lock" unshare --mount "$0" "$@"
fi

[[ -e $cache/root/usr/bin/emcc ]] && exit 0
half=$cache/root.half
rm -rf --one-file-system "$half"

debootstrap --variant=minbase "$suite" "$half" "$mirror"

# The host's way to its mirror (proxy, time-outs, validity of old snapshots, certificates) holds inside too.
apt-config dump Acquire > "$half/etc/apt/apt.conf.d/90host"
echo "deb $mirror $suite main" > "$half/etc/apt/sources.list"
if [[ $mirror == https:* && -e /etc/ssl/certs/ca-certificates.crt ]]; then
  mkdir -p "$half/etc/ssl/certs"
  cp /etc/ssl/certs/ca-certificates.crt "$half/etc/ssl/certs/"
fi

mount -t proc proc "$half/proc"
mount --bind /dev "$half/dev"
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$half" "$@"; }
inside apt-get -q update
inside apt-get -qy install --no-install-recommends emscripten
inside apt-get clean

# The first link of each kind builds emscripten's own libraries; better here, once, than in every first build.
echo 'int main(void) { return 0; }' > "$half/tmp/probe.c"
for threads in "" -pthread; do
  inside emcc -O3 -msimd128 $threads -sALLOW_MEMORY_GROWTH -Wno-pthreads-mem-growth -sABORTING_MALLOC=0 \
    /tmp/probe.c -o /tmp/probe.mjs
done
rm -f "$half"/tmp/probe.*

umount "$half/proc" "$half/dev"
rm -rf --one-file-system "$cache/root"
mv "$half" "$cache/root"
