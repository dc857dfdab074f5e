import test from 'ava';
import {renderSystemConf, type SystemConf} from '#ota/slot/rauc/system-conf.ts';

const conf: SystemConf = {
	raucVersion: '1.8',
	compatible: 'bench',
	keyringPath: '/etc/rauc/keyring.pem',
	dataDirectory: '/data/rauc',
	mountPrefix: '/run/rauc',
	bootloader: {kind: 'grub', grubenvPath: '/boot/efi/grubenv'},
	slots: [{device: '/dev/disk/by-partlabel/rootfs-a', bootname: 'A'}],
	minimumVersion: '1.2.0',
};

test('what a version of RAUC does not know is not in its configuration, because an unknown key is fatal', (t) => {
	const old = renderSystemConf(conf);
	t.notRegex(old, /min-bundle-version|prevent-late-fallback/u);
	t.regex(renderSystemConf({...conf, raucVersion: '1.13'}), /^min-bundle-version=1\.2\.0$/mu);
	t.notRegex(renderSystemConf({...conf, raucVersion: '1.13'}), /prevent-late-fallback/u);
	t.regex(renderSystemConf({...conf, raucVersion: '1.15.2'}), /^prevent-late-fallback=true$/mu);
	t.throws(() => renderSystemConf({...conf, raucVersion: '2.0'}), {code: 'OTA_SLOT_CONFIG'});
});

test('plain bundles are forbidden unless a test asks for them', (t) => {
	t.regex(renderSystemConf(conf), /^bundle-formats=-plain$/mu);
	t.regex(renderSystemConf({...conf, allowPlain: true}), /^bundle-formats=plain verity$/mu);
});

test('no value brings a line of its own', (t) => {
	t.throws(() => renderSystemConf({...conf, compatible: 'a\nbundle-formats=plain'}), {code: 'OTA_SLOT_CONFIG'});
});

test('a kernel is written with its root, and the factory’s slot never', (t) => {
	const text = renderSystemConf({
		...conf,
		slots: [{device: '/dev/a', bootname: 'A', kernelDevice: '/dev/boot-a'}],
		factory: {device: '/dev/r', bootname: 'R'},
		partialChain: true,
	});
	t.regex(text, /^\[slot\.boot\.0\]\ndevice=\/dev\/boot-a\ntype=raw\nparent=rootfs\.0$/mu);
	t.regex(text, /^\[slot\.factory\.0\]\ndevice=\/dev\/r\ntype=raw\nbootname=R\nreadonly=true$/mu);
	t.regex(text, /^allow-partial-chain=true$/mu);
});
