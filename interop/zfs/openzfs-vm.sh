#!/bin/bash
# A real OpenZFS for tests: Debian's kernel, zfs module and tools in one
# initramfs, run under plain QEMU emulation (no KVM needed: about 4 s to a
# loaded module).  Nothing is installed on the host but qemu-system-x86,
# debootstrap, cpio and kmod.
#
#   openzfs-vm.sh build DIR [stable|backports]   once; makes DIR/vmlinuz, DIR/initrd.gz
#   openzfs-vm.sh run DIR WORK                   WORK/guest.sh runs in the guest as root,
#                                            in a copy of WORK; its output comes back as
#                                            WORK/guest.out, status as WORK/guest.rc,
#                                            and the folder WORK/out whole
# In the guest the shell is busybox, which prefers its own applets: call
# /usr/bin/setpriv by its full path to become another user ("backup", 1000).
# TMO seconds for run (default 120), MEM megabytes (3072), SMP cpus (2).
# MIRROR the Debian mirror; by default the one that this machine's apt uses.
# Exit status: 0 done; that of guest.sh; 1 failed; 3 this machine cannot do it
# (no root, a program is missing): a test may treat 3 as "skip".
set -eu
die() { echo "openzfs-vm: $*" >&2; exit "${RC:-1}"; }
[ $# -ge 2 ] || die "usage: openzfs-vm.sh build DIR [stable|backports] | run DIR WORK"
MIRROR=${MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -v '^#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ')}
D=$(mkdir -p "$2" && cd "$2" && pwd)

build() {
    [ ! -e "$D/initrd.gz" ] || return 0
    [ -n "$MIRROR" ] || die "no Debian mirror found: set MIRROR"
    [ "$(id -u)" = 0 ] || RC=3 die "cannot build: must be root"
    for b in debootstrap cpio depmod; do command -v $b >/dev/null || RC=3 die "missing $b"; done
    local R=$D/root I=$D/ird suite=bookworm
    if [ ! -e "$R/.done" ]; then
        rm -rf --one-file-system "$R"
        debootstrap --variant=minbase --components=main,contrib $suite "$R" "$MIRROR"
        printf '#!/bin/sh\nexit 101\n' >"$R/usr/sbin/policy-rc.d"; chmod +x "$R/usr/sbin/policy-rc.d"
        mount --bind /proc "$R/proc"; mount --bind /dev "$R/dev"
        trap 'umount "'"$R"'/proc" "'"$R"'/dev" 2>/dev/null || :' EXIT
        local T=()
        if [ "${1:-stable}" = backports ]; then
            echo "deb $MIRROR $suite-backports main contrib" >"$R/etc/apt/sources.list.d/bpo.list"
            T=(-t $suite-backports)
        fi
        export DEBIAN_FRONTEND=noninteractive
        chroot "$R" apt-get update
        chroot "$R" apt-get install -y --no-install-recommends linux-image-cloud-amd64 linux-headers-cloud-amd64 busybox-static kmod
        chroot "$R" apt-get install -y --no-install-recommends "${T[@]}" zfs-dkms zfsutils-linux
        umount "$R/proc" "$R/dev"; trap - EXIT
        touch "$R/.done"
    fi
    local K; K=$(ls "$R/lib/modules" | tail -1)
    rm -rf "$I"; mkdir -p "$I"/{bin,sbin,usr/bin,usr/sbin,lib/modules/$K,proc,sys,dev,tmp,run,etc,var/lock}
    cp "$R/bin/busybox" "$I/bin/busybox"
    for a in $(chroot "$R" /bin/busybox --list); do [ -e "$I/bin/$a" ] || ln -s busybox "$I/bin/$a"; done
    local f l m p
    for f in /sbin/zfs /sbin/zpool /usr/sbin/zdb /sbin/zdb /sbin/zstream /usr/sbin/zstream /usr/bin/setpriv; do
        [ -e "$R$f" ] || continue
        mkdir -p "$I${f%/*}"; rm -f "$I$f"; cp -L "$R$f" "$I$f"
        for l in $(chroot "$R" ldd "$f" | grep -o '/[^ )]*'); do mkdir -p "$I${l%/*}"; cp -Lu "$R$l" "$I$l"; done
    done
    cp -L "$R/lib/x86_64-linux-gnu/libgcc_s.so.1" "$I/lib/x86_64-linux-gnu/"    # pthread_cancel in zfs send -v
    cp "$R/lib/modules/$K"/updates/dkms/*.ko "$I/lib/modules/$K/"
    for m in virtio_blk virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_ring virtio; do
        p=$(find "$R/lib/modules/$K/kernel" -name "$m.ko*" | head -1)
        if [ -n "$p" ]; then cp "$p" "$I/lib/modules/$K/"; fi
    done
    cp "$R/lib/modules/$K"/modules.{builtin,order} "$I/lib/modules/$K/"
    depmod -b "$I" "$K" 2>/dev/null
    printf 'root:x:0:0::/:/bin/sh\nbackup:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$I/etc/passwd"
    cat >"$I/init" <<'E2'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
mount -t tmpfs -o size=90% t /tmp; mount -t tmpfs t /run
ln -s /proc/mounts /etc/mtab
modprobe -a virtio_pci virtio_blk 2>/dev/null
modprobe zfs
i=0; while [ ! -e /dev/zfs ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
chmod 666 /dev/zfs          # as the package's udev rule does
mkdir /tmp/job; cd /tmp/job && tar xf /dev/vda
{ sh ./guest.sh; echo $? >guest.rc; } 2>&1 | tee /dev/console >guest.out
mkdir -p out; tar cf /dev/vdb guest.out guest.rc out; sync
poweroff -f
E2
    chmod +x "$I/init"
    (cd "$I" && find . | cpio -o -H newc --quiet | gzip -1) >"$D/initrd.part"
    cp "$R/boot/vmlinuz-$K" "$D/vmlinuz"
    mv "$D/initrd.part" "$D/initrd.gz"      # last: its presence says that the image is whole
    rm -rf --one-file-system "$R" "$I"
    ls -l "$D/vmlinuz" "$D/initrd.gz"
}

run() {
    local W; W=$(cd "$1" && pwd); [ -e "$W/guest.sh" ] || die "no $W/guest.sh"
    [ -e "$D/initrd.gz" ] || RC=3 die "$D is not built"
    command -v qemu-system-x86_64 >/dev/null || RC=3 die "missing qemu-system-x86_64"
    local T; T=$(mktemp -d "$D/run.XXXXXX"); trap 'rm -rf "'"$T"'"' EXIT
    rm -rf "$W/guest.out" "$W/guest.rc" "$W/out"
    tar cf "$T/in" -C "$W" .; truncate -s 1G "$T/out"
    timeout "${TMO:-120}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m "${MEM:-3072}" -smp "${SMP:-2}" \
        -nographic -no-reboot -nodefaults -serial file:"$T/console" \
        -kernel "$D/vmlinuz" -initrd "$D/initrd.gz" -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
        -drive file="$T/in",if=virtio,format=raw,readonly=on -drive file="$T/out",if=virtio,format=raw </dev/null ||
        { tail -20 "$T/console" >&2; die "guest did not finish"; }
    tar xf "$T/out" -C "$W" || { tail -20 "$T/console" >&2; die "no results"; }
    return "$(cat "$W/guest.rc")"
}
# In a mount namespace of its own, so that a build that is killed leaves no mount behind.
case $1 in
build) if [ -z "${OWN_MOUNTS:-}" ] && [ "$(id -u)" = 0 ]; then OWN_MOUNTS=1 exec unshare --mount -- bash "$0" "$@"; fi
       build "${3:-stable}" ;;
run) run "$3" ;;
*) die "unknown command $1" ;;
esac
