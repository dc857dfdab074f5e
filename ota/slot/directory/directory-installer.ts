import {mkdir, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {ReleaseManifest, ReleaseVersion} from '#appliance/contract/fleet/release-schema.ts';
import type {SlotReport} from '#appliance/contract/fleet/reported-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {
	type BootRecord,
	type Fault,
	noFault,
	otherSlot,
	readBootRecord,
	type SlotName,
	slotNames,
	switchCurrent,
	syncDirectory,
	writeBootRecord,
} from '#ota/slot/directory/boot-record.ts';
import {extractTar} from '#ota/slot/directory/extract-tar.ts';
import {slotError} from '#ota/slot/slot-error.ts';
import type {SlotInstaller, VerifiedBundle} from '#ota/slot/slot-installer.ts';

export type DirectoryInstallerOptions = {
	/** Holds `slot-a`, `slot-b`, `boot.json` and the link `current`. */
	readonly root: string;
	/** The same check of the release's signature that the agent makes. */
	readonly verify: (signed: {
		readonly manifest: string;
		readonly signature: string;
	}) => ReleaseManifest | Promise<ReleaseManifest>;
	/** Ends the software so that its launcher calls `bootSlot` and starts what it answers. */
	readonly reboot: () => void | Promise<void>;
	readonly triesMax?: number;
	readonly fault?: Fault;
	readonly logger: Logger;
};

const triesDefault = 3;

/** Two directories and an atomic switch: the installer of a developer's machine and of the demo. */
export const createDirectoryInstaller = (options: DirectoryInstallerOptions): SlotInstaller => {
	const {root} = options;
	const fault: Fault = options.fault ?? noFault;
	const change = async (edit: (record: BootRecord) => BootRecord): Promise<void> => {
		await writeBootRecord(root, edit(await readBootRecord(root)), {fault});
	};
	return {
		slots: async () => reportSlots(await readBootRecord(root)),
		bootVerdict: async () => {
			const {booted, slots, fallback} = await readBootRecord(root);
			return {bootedSlot: booted, release: slots[booted].release as ReleaseVersion | undefined, fallback};
		},
		install: async (bundle, {signal, progress}) => await install(bundle, {...options, fault, signal, progress}),
		markGood: async () => {
			await fault('mark-good');
			await change(({lastExit: _seen, ...record}) => {
				const good = {...record.slots[record.booted], state: 'good' as const, triesLeft: 0};
				return {...record, primary: record.booted, slots: {...record.slots, [record.booted]: good}};
			});
		},
		markBad: async () => {
			await fault('mark-bad');
			await change(turnBack);
		},
		cancel: async () => {
			await fault('cancel');
			await change((record) => {
				const other = otherSlot(record.booted);
				const bad = {...record.slots[other], state: 'bad' as const, triesLeft: 0};
				return {...record, primary: record.booted, slots: {...record.slots, [other]: bad}};
			});
		},
		reboot: async () => {
			await fault('reboot');
			await options.reboot();
		},
		[Symbol.asyncDispose]: async () => undefined,
	};
};

const turnBack = (record: BootRecord): BootRecord => {
	const other = otherSlot(record.booted);
	if (record.slots[other].state !== 'good') {
		throw slotError('OTA_SLOT_NO_FALLBACK', {
			message: `${other} cannot be booted: it is ${record.slots[other].state}.`,
		});
	}
	const bad = {...record.slots[record.booted], state: 'bad' as const, triesLeft: 0};
	return {...record, primary: other, slots: {...record.slots, [record.booted]: bad}};
};

const reportSlots = ({booted, slots}: BootRecord): readonly SlotReport[] =>
	slotNames.map((name) => ({
		name,
		state: name === booted ? 'booted' : 'inactive',
		status: slots[name].state === 'good' ? 'good' : slots[name].state === 'trial' ? 'unknown' : 'bad',
		...(slots[name].release === undefined ? {} : {release: slots[name].release}),
		...(slots[name].sha256 === undefined ? {} : {sha256: slots[name].sha256}),
	}));

type Installing = Omit<DirectoryInstallerOptions, 'fault'> &
	Parameters<SlotInstaller['install']>[1] & {readonly fault: Fault};

const install = async (verified: VerifiedBundle, installing: Installing): Promise<void> => {
	const {root, fault, triesMax = triesDefault, logger} = installing;
	const {release, bundle} = verified;
	await fault('install-begin');
	await requireSigned(verified, installing);
	const before = await readBootRecord(root);
	const target = otherSlot(before.booted);
	const {fallback: _past, lastExit: _seen, ...record} = before;
	// From here on until the end nobody may boot it.
	const bad = {state: 'bad' as const, triesLeft: 0};
	const spoilt = {...record, primary: before.booted, slots: {...record.slots, [target]: bad}};
	await writeBootRecord(root, spoilt, {fault});
	await unpackInto(target, verified, installing);
	await fault('install-activate');
	const trial = {state: 'trial' as const, triesLeft: triesMax, release, sha256: bundle.sha256};
	await writeBootRecord(root, {...spoilt, primary: target, slots: {...spoilt.slots, [target]: trial}}, {fault});
	logger.info({slot: target, release}, 'installed; on trial from the next start on');
};

const requireSigned = async (
	{manifest, signature, release, bundle}: VerifiedBundle,
	{verify}: Installing,
): Promise<void> => {
	const signed = await verify({manifest, signature});
	const known = signed.bundles.some(({sha256, format}) => sha256 === bundle.sha256 && format === 'directory');
	if (signed.release !== release || !known || bundle.format !== 'directory') {
		throw slotError('OTA_SLOT_BUNDLE_INVALID', {
			message: 'The signed manifest does not name this bundle for directories.',
		});
	}
};

const unpackInto = async (
	target: SlotName,
	{path, bundle}: VerifiedBundle,
	{root, fault, signal, progress}: Installing,
): Promise<void> => {
	const [slotPath, newPath] = [join(root, target), join(root, `${target}.new`)];
	await fault('install-clear');
	await rm(newPath, {recursive: true, force: true});
	await rm(slotPath, {recursive: true, force: true});
	await mkdir(newPath, {recursive: true});
	const {size} = await stat(path);
	if (size !== bundle.sizeBytes) {
		throw slotError('OTA_SLOT_BUNDLE_INVALID', {message: `The bundle has ${size} bytes, not ${bundle.sizeBytes}.`});
	}
	let read = 0;
	const {sha256} = await extractTar({
		path,
		into: newPath,
		signal,
		onBytes: (bytes) => {
			read += bytes;
			progress(read / size);
		},
		onEntry: async () => await fault('install-entry'),
	});
	await fault('install-digest');
	if (sha256 !== bundle.sha256) {
		throw slotError('OTA_SLOT_BUNDLE_INVALID', {
			message: 'The bundle is not the one that was signed.',
			retryable: true,
		});
	}
	await fault('install-rename');
	await rename(newPath, slotPath);
	await syncDirectory(root);
};

/** What a factory does: one slot holds the release that the machine comes with. */
export const provisionSlots = async ({
	root,
	bundlePath,
	release,
	sha256,
	signal,
}: {
	readonly root: string;
	/** A tar of the release's tree; without one `slot-a` must be there. */
	readonly bundlePath?: string;
	readonly release: string;
	readonly sha256?: string;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const path = join(root, 'slot-a');
	await mkdir(path, {recursive: true});
	if (bundlePath !== undefined) {
		await extractTar({path: bundlePath, into: path, signal});
	}
	const good = {state: 'good' as const, triesLeft: 0, release, ...(sha256 === undefined ? {} : {sha256})};
	await writeBootRecord(
		root,
		{
			version: 1,
			primary: 'slot-a',
			booted: 'slot-a',
			slots: {'slot-a': good, 'slot-b': {state: 'empty', triesLeft: 0}},
		},
		{fault: noFault},
	);
	await switchCurrent(root, 'slot-a', {fault: noFault});
};
