#!/usr/bin/env bash
# Makes Debian a box: overlays, users, units, our software; and takes away what a read-only box has no use for.
# Reads SV_ROOTFS, SV_OVERLAYS (folders, one a line), SV_SOFTWARE, SV_STATE_PATHS, SV_MODULES_DROPPED (files, one a line), SV_WORK; writes SV_ROOT.
set -euo pipefail

# Of no use on a read-only box: the package manager (what it knew is in the bill of materials), Perl, documentation, hardware
# names for people, character sets that nobody speaks to a box, GRUB's tools but for the one that RAUC calls, and device trees,
# which a board's firmware brings.
readonly removed=(
    boot/\* initrd.img\* vmlinuz\*
    usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/bash-completion usr/share/zsh usr/share/lintian
    usr/share/bug usr/share/common-licenses usr/share/perl\* usr/share/keyrings usr/share/grub usr/share/gcc usr/share/vim
    usr/share/debconf usr/share/polkit-1/actions/org.freedesktop.packagekit\* usr/share/initramfs-tools
    usr/lib/systemd/boot usr/lib/systemd/catalog usr/lib/grub usr/lib/klibc\* usr/lib/dracut usr/lib/initramfs-tools
    usr/lib/linux-image-\* usr/bin/zstd\* usr/bin/unzstd usr/bin/localedef
    usr/lib/udev/hwdb.d usr/lib/udev/hwdb.bin usr/lib/apt usr/lib/dpkg usr/lib/locale/\*/LC_COLLATE usr/lib/ssl/misc
    usr/lib/\*-linux-gnu/gconv usr/lib/\*-linux-gnu/perl\* usr/lib/\*-linux-gnu/libapt\* usr/lib/\*-linux-gnu/libperl\*
    usr/lib/\*-linux-gnu/libdb-5\* usr/lib/\*-linux-gnu/libmvec\* usr/lib/\*-linux-gnu/libfreetype\*
    usr/bin/apt\* usr/bin/dpkg\* usr/bin/perl\* usr/bin/sqv usr/bin/pzstd usr/bin/grub-[a-df-z]\* usr/sbin/grub-\*
    usr/bin/debconf\* usr/sbin/debugfs usr/bin/deb-systemd\* usr/sbin/ldconfig\*
    etc/apt etc/cron\* etc/nginx/sites-enabled etc/init.d etc/rc?.d etc/dpkg etc/grub.d etc/ssl/private/\* etc/kernel
)
readonly masked=(
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
    getty@tty1.service getty.target getty-static.service nginx.service systemd-firstboot.service grub-common.service rauc-mark-good.service
    systemd-timesyncd.service systemd-networkd-wait-online.service systemd-hibernate-clear.service
    console-getty.service debug-shell.service ctrl-alt-del.target
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount
    sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    systemd-hostnamed.socket systemd-journal-catalog-update.service systemd-machine-id-commit.service
    systemd-networkd-persistent-storage.service systemd-sysext.socket systemd-sysext.service systemd-confext.service
    systemd-update-done.service systemd-update-utmp.service systemd-hwdb-update.service
    kmod-static-nodes.service systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service
    systemd-remount-fs.service systemd-network-generator.service systemd-udev-load-credentials.service
    systemd-user-sessions.service
)
# What looks for disks, credentials, consoles and updates that a box does not have, each time it boots.
readonly generators_kept=(systemd-fstab-generator)

unpack() {
    rm --recursive --force "${SV_ROOT}"
    mkdir "${SV_ROOT}"
    tar --extract --file "${SV_ROOTFS}" --directory "${SV_ROOT}" --exclude './dev/*'
}

# Who checked the sources out decides by his umask who may read them there; in the image everybody may.
lay_over() {
    local overlay laid=${SV_WORK}/laid
    while IFS= read -r overlay; do
        rm --recursive --force "${laid}"
        cp --recursive --no-dereference --preserve=mode "${overlay}" "${laid}"
        chmod --recursive u=rwX,go=rX "${laid}"
        cp --recursive --no-dereference --preserve=mode "${laid}/." "${SV_ROOT}/"
    done <<<"${SV_OVERLAYS}"
    rm --recursive --force "${laid}"
    chmod --recursive u=rwX,go=rX "${SV_SOFTWARE}"
    mkdir --parents "${SV_ROOT}/usr/lib/streamverse"
    cp --recursive "${SV_SOFTWARE}/." "${SV_ROOT}/usr/lib/streamverse/"
    # mmdebstrap takes the builder's name.
    echo streamverse >"${SV_ROOT}/etc/hostname"
    ln --symbolic --force /run/systemd/resolve/stub-resolv.conf "${SV_ROOT}/etc/resolv.conf"
    grep --invert-match '^#' "${SV_STATE_PATHS}" >"${SV_ROOT}/usr/lib/streamverse/state-paths"
}

# A password that nobody knows, for nobody: the accounts of Debian are locked, and ours have no shell.
make_users() {
    chroot "${SV_ROOT}" systemd-sysusers
    sed --in-place 's/^root:[^:]*:/root:!*:/' "${SV_ROOT}/etc/shadow"
    # The day of the last change of a password would be that of the build.
    awk -F: -v OFS=: '{$3 = 20000; print}' "${SV_ROOT}/etc/shadow" >"${SV_WORK}/shadow"
    cat "${SV_WORK}/shadow" >"${SV_ROOT}/etc/shadow"
    rm --force "${SV_ROOT}"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "${SV_WORK}/shadow"
}

choose_units() {
    local unit
    for unit in "${masked[@]}"; do
        ln --symbolic --force /dev/null "${SV_ROOT}/etc/systemd/system/${unit}"
    done
    mkdir --parents "${SV_ROOT}/etc/systemd/system-generators"
    for unit in "${SV_ROOT}"/usr/lib/systemd/system-generators/*; do
        unit=${unit##*/}
        [[ " ${generators_kept[*]} " == *" ${unit} "* ]] ||
            ln --symbolic --force /dev/null "${SV_ROOT}/etc/systemd/system-generators/${unit}"
    done
    chroot "${SV_ROOT}" systemctl --quiet preset-all
    chroot "${SV_ROOT}" systemctl --quiet set-default multi-user.target
}

make_state() {
    mkdir --parents "${SV_ROOT}/data" "${SV_ROOT}/efi" "${SV_ROOT}/usr/share/factory/var"
    : >"${SV_ROOT}/etc/machine-id"
    rm --recursive --force "${SV_ROOT}"/var/lib/{dpkg,apt,pam,systemd/catalog} "${SV_ROOT}"/var/cache/* "${SV_ROOT}"/var/log/*
    cp --archive "${SV_ROOT}/var/." "${SV_ROOT}/usr/share/factory/var/"
    rm --recursive --force "${SV_ROOT:?}/var"
    mkdir "${SV_ROOT}/var"
    local kind path
    number_owners
    while read -r kind path _; do
        case ${kind} in
        directory) case ${path} in /var/*) ;; *) mkdir --parents "${SV_ROOT}${path}" ;; esac ;;
        file) [ -e "${SV_ROOT}${path}" ] || : >"${SV_ROOT}${path}" ;;
        esac
    done <"${SV_ROOT}/usr/lib/streamverse/state-paths"
}

# The initrd has nothing that knows names.
number_owners() {
    local paths=${SV_ROOT}/usr/lib/streamverse/state-paths
    awk -F: '
        FILENAME ~ /passwd$/ { users[$1] = $3; next }
        FILENAME ~ /group$/ { groups[$1] = $3; next }
        {
            count = split($0, words, /[ ]+/)
            split(words[4], owner, ":")
            if (count != 4 || !(owner[1] in users) || !(owner[2] in groups)) { print "whose is this: " $0 >"/dev/stderr"; exit 1 }
            print words[1] " " words[2] " " words[3] " " users[owner[1]] ":" groups[owner[2]]
        }
    ' "${SV_ROOT}/etc/passwd" "${SV_ROOT}/etc/group" "${paths}" >"${SV_WORK}/state-paths"
    cat "${SV_WORK}/state-paths" >"${paths}"
}

drop_modules() {
    local pattern kernel lists
    kernel=$(ls "${SV_ROOT}/usr/lib/modules")
    mapfile -t lists <<<"${SV_MODULES_DROPPED}"
    while IFS= read -r pattern; do
        # A glob, on purpose.
        # shellcheck disable=SC2086
        rm --recursive --force "${SV_ROOT:?}/usr/lib/modules/${kernel:?}/kernel/"${pattern}
    done < <(sed 's/#.*//; /^[[:space:]]*$/d' "${lists[@]}")
}

# After the overlays, which may bring modules.
index_modules() {
    chroot "${SV_ROOT}" depmod "$(ls "${SV_ROOT}/usr/lib/modules")"
}

main() {
    unpack
    cp --preserve=mode "${SV_ROOT}/var/lib/dpkg/status" "${SV_WORK}/dpkg-status"
    drop_modules
    make_users
    lay_over
    index_modules
    # Once more: now for what our own overlay declares.
    make_users
    choose_units
    cp "${SV_ROOT}"/boot/vmlinuz-* "${SV_WORK}/vmlinuz"
    cp --recursive "${SV_ROOT}/usr/lib/systemd/boot/efi" "${SV_WORK}/stub" 2>/dev/null || true
}

finish() {
    local pattern
    make_state
    for pattern in "${removed[@]}"; do
        # A glob, on purpose.
        # shellcheck disable=SC2086
        rm --recursive --force "${SV_ROOT:?}"/${pattern:?}
    done
}

case ${1:-} in
finish) finish ;;
*) main ;;
esac
