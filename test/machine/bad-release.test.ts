import {stat, truncate} from 'node:fs/promises';
import test from 'ava';
import {flipBit, type Region, regions, type SmallBundleOptions, smallBundle} from '#test/helper/broken-bundle.ts';
import {bundleWith, faultImage} from '#test/helper/fault-image.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';
import {type Offer, type TrialMachine, withTrialMachine} from '#test/helper/with-trial-machine.ts';

/**
 * What is offered to one machine, release after release, and must each time leave it in its old slot, with the reason at the
 * fleet. A release that fails to boot costs three boots and one of the old slot, which is why of those only the first is
 * offered unless `STREAMVERSE_TEST_MATRIX=all`.
 */
const isWhole = process.env['STREAMVERSE_TEST_MATRIX'] === 'all';
const testTimeoutMs = 60 * 60_000;
/** More than a root slot of a test's image has. */
const tooManyBytes = 240 * 1024 * 1024;
/** For releases whose checks are to fail: they are not waited for as long as for those that may pass. */
const shortConfirmMs = 240_000;

const owned = new AsyncDisposableStack();
const owner = {teardown: (end: () => unknown): void => void owned.defer(async () => void (await end()))};
let machine: TrialMachine;

test.before(async (t) => {
	t.timeout(testTimeoutMs);
	machine = await withTrialMachine(owner, {image: await testImage({release: '1.0.0'}), id: 'stb-trial'});
});

test.after.always(async () => await owned.disposeAsync());

const isMeant = (expected: {readonly code: string | RegExp; readonly phase: string; readonly message: RegExp}) =>
	test.macro(async (t, makeOffer: (directory: string) => Promise<Offer>) => {
		t.timeout(testTimeoutMs);
		const startedMs = performance.now();
		const {phase, code, message} = await machine.offer(await makeOffer(await withDirectory(t)));
		t.log(`${code} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${message}`);
		t.is(phase, expected.phase, message);
		t.regex(code, typeof expected.code === 'string' ? new RegExp(`^${expected.code}$`, 'u') : expected.code, message);
		t.regex(message, expected.message);
		await machine.untilUnharmed();
	});

const small =
	(options: SmallBundleOptions, change: (bundlePath: string) => Promise<void> = async () => undefined) =>
	async (directory: string): Promise<Offer> => {
		const bundlePath = await smallBundle(directory, options);
		await change(bundlePath);
		return {release: options.release, bundlePath};
	};

test.serial(
	'a bundle that somebody else signed',
	isMeant({phase: 'failed', code: 'OTA_FAILED_BUNDLE_SIGNATURE', message: /signature/u}),
	small({release: '2.0.1', stranger: true}),
);

test.serial(
	'a bundle that is for another kind of box than its release says',
	isMeant({phase: 'failed', code: 'OTA_FAILED_BUNDLE_COMPATIBLE', message: /compatible mismatch/iu}),
	small({release: '2.0.2', compatible: 'streamverse-headend-amd64'}),
);

test.serial(
	'a release for another kind of box',
	isMeant({phase: 'refused', code: 'OTA_REFUSED_WRONG_COMPATIBLE', message: /streamverse-headend-amd64/u}),
	async (directory) => ({
		release: '2.0.3',
		bundlePath: await smallBundle(directory, {release: '2.0.3'}),
		compatible: 'streamverse-headend-amd64',
	}),
);

test.serial(
	'an older release, which the fleet does not even order',
	isMeant({phase: '', code: 'OTA_ROLLOUT_NEWER', message: /runs 1\.0\.0, which is newer/u}),
	small({release: '0.9.0'}),
);

test.serial(
	'an image that is larger than the slot',
	isMeant({phase: 'failed', code: 'OTA_FAILED_SLOT_TOO_SMALL', message: /too small for image/iu}),
	small({release: '2.0.4', rootBytes: tooManyBytes}),
);

test.serial(
	'a bundle whose second half is missing',
	isMeant({phase: 'failed', code: 'OTA_FAILED_BUNDLE_DAMAGED', message: /^RAUC: ./u}),
	small({release: '2.0.5'}, async (bundlePath) => await truncate(bundlePath, (await stat(bundlePath)).size / 2)),
);

/** What lies under the hash tree is found when it is read, by the kernel; the rest by RAUC, before it mounts anything. */
const whenRead = /^OTA_FAILED_(?:INSTALL|BUNDLE_DAMAGED)$/u;
const flipped: Readonly<Record<Region, RegExp>> = {
	'the squashfs head': whenRead,
	'the root image': whenRead,
	'the boot image': whenRead,
	'the hash tree': whenRead,
	'the signature': /^OTA_FAILED_BUNDLE_(?:DAMAGED|SIGNATURE)$/u,
	'the size': /^OTA_FAILED_BUNDLE_DAMAGED$/u,
};

for (const [index, region] of regions.entries()) {
	test.serial(
		`a bundle with one bit turned in ${region}`,
		isMeant({phase: 'failed', code: flipped[region], message: /^RAUC: ./u}),
		small({release: `2.1.${index}`}, async (bundlePath) => await flipBit(bundlePath, region)),
	);
}

const failures = {
	'a kernel that panics': {
		words: 'streamverse.fault=panic',
		code: 'PANIC',
		message: /Kernel panic - not syncing: sysrq/u,
	},
	'no init': {
		words: 'init=/nowhere',
		code: 'BOOTLOADER',
		message: /booted 3 times, and got to its initrd, which found no init/u,
	},
	'a system that hangs': {
		words: 'streamverse.fault=hang',
		code: 'WATCHDOG',
		message: /The watchdog reset the machine/u,
	},
	'a supervisor that exits': {
		words: 'streamverse.fault=supervisor-exits',
		code: 'SUPERVISOR',
		message: /ended \d+ times in one boot \(exit-code exited 3\)/u,
	},
	'a role that crashes again and again': {
		words: 'streamverse.fault=role-exits',
		code: 'CHECKS',
		message: /role: stb is .*4/u,
	},
	'a role that is not healthy': {
		words: 'streamverse.fault=role-refuses',
		code: 'CHECKS',
		message: /picture: stb answers 500/u,
	},
	'a network that is broken': {
		words: 'streamverse.fault=no-network',
		code: 'CHECKS',
		message: /network: the box has no address, and had one/u,
	},
	'a clock that is far off': {
		words: 'streamverse.fault=clock',
		code: 'CHECKS',
		message: /clock: the clock says 20\d\d/u,
	},
} as const;

for (const [index, [name, {words, code, message}]] of Object.entries(failures).entries()) {
	if (index > 0 && !isWhole) {
		continue;
	}
	test.serial(
		`a release with ${name}`,
		isMeant({phase: 'rolled-back', code: `OTA_ROLLED_BACK_${code}`, message}),
		async (directory) => {
			const release = `3.0.${index}`;
			const kernelArguments = `${words} streamverse.release=${release}`;
			const bundlePath = await bundleWith(await faultImage('1.0.1'), {release, kernelArguments, directory});
			return {release, bundlePath, confirmMs: shortConfirmMs};
		},
	);
}
